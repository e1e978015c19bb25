"""Publish the run's Pages artifact."""

import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

NOT_FOUND = 404


def main() -> int:
    site = Path(os.environ["STAND_IN_ARTIFACTS"]) / os.environ["NAME"] / "artifact.tar"
    if not site.exists():
        print(f'::error::No artifacts named "{os.environ["NAME"]}" were found for this workflow run.')
        return 1
    request = urllib.request.Request(
        f"{os.environ['GITHUB_API_URL']}/repos/{os.environ['GITHUB_REPOSITORY']}/pages/deployments",
        data=site.read_bytes(),
        headers={"Authorization": f"Bearer {os.environ['TOKEN']}", "Content-Type": "application/octet-stream"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            page_url = json.load(response)["page_url"]
    except urllib.error.HTTPError as error:
        site_settings = f"{os.environ['GITHUB_SERVER_URL']}/{os.environ['GITHUB_REPOSITORY']}/settings/pages"
        hint = f" Ensure GitHub Pages has been enabled: {site_settings}" if error.code == NOT_FOUND else ""
        print(f"::error::Failed to create deployment (status: {error.code}): {error.read().decode()}.{hint}")
        return 1
    with Path(os.environ["GITHUB_OUTPUT"]).open("a") as output:
        output.write(f"page_url={page_url}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
