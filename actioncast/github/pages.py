"""GitHub Pages: is it switched on for this repository?

Runs with any Python and nothing installed, as a step of the workflow that publishes the page:

    python3 -m actioncast.github.pages

Sets the output `on` of the step to true or false; when it is off, a notice says where to switch it on.
Needs GITHUB_TOKEN with `pages: read` and GITHUB_REPOSITORY.
Exit codes: 0 answered; 1 GitHub refused.
"""

from __future__ import annotations

import os
import sys

from actioncast.github import summary
from actioncast.github.api import Api, ApiError

NOT_FOUND = 404
REMEDY = (
    "Pages is switched off. In the repository choose Settings, Pages, Build and deployment, Source: GitHub Actions; "
    "or delete the variable PUBLISH_PAGES"
)


def is_on(api: Api) -> bool:
    """Whether the repository has a Pages site. Raises ApiError when GitHub does not say."""
    try:
        api.call("GET", "/pages")
    except ApiError as error:
        if error.status == NOT_FOUND:
            return False
        raise
    return True


def main() -> int:
    try:
        on = is_on(Api.of(os.environ))
    except ApiError as error:
        summary.failure("Pages", str(error))
        return 1
    if not on:
        summary.notice("Not published", REMEDY)
    summary.output("on", "true" if on else "false")
    return 0


if __name__ == "__main__":
    sys.exit(main())
