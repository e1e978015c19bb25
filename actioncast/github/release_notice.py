"""Says by one issue that the template has a newer release than the one this copy is of."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from actioncast.github.api import Api, ApiError
from actioncast.github.incidents import Incidents
from actioncast.github.releases import Origin, ReleaseError, Version, newest, origin_of

TITLE = "A newer release of Actioncast is out: python upgrade.py"
MONDAY = 0
NOON = 12  # UTC; the watch looks twice a day
_FULL_NAME = re.compile(r"([^/:]+/[^/:]+?)(?:\.git)?/?$")  # OWNER/NAME at the end of an address


def is_due(now: datetime) -> bool:
    """Once a week, in the first half of Monday. A week without it is no harm."""
    return now.weekday() == MONDAY and now.hour < NOON


def look(api: Api, issues: Incidents, folder: Path) -> str:
    """Open, update or close the issue, by two requests to GitHub and what the issue takes.

    Returns what was done. A look that cannot be made is a sentence too: nothing is broken by it.
    """
    try:
        return _look(api, issues, folder)
    except (ApiError, ReleaseError) as error:
        return f"could not look for a newer release of the template: {error}"


def _look(api: Api, issues: Incidents, folder: Path) -> str:
    present = origin_of(folder)
    if present is None:
        return "no look for a newer release: there is no .actioncast-version"
    repository = api.call("GET", "")
    if repository["is_template"]:
        return "no look for a newer release: this is the template"
    generated_from = repository.get("template_repository") or {}
    address = present.template or generated_from.get("html_url", "")
    full_name = _FULL_NAME.search(address)
    if not full_name:
        return "no look for a newer release: GitHub names no template, nor does .actioncast-version"
    tags = replace(api, repository=full_name[1]).call("GET", "/tags?per_page=100")
    release = newest(tag["name"] for tag in tags)
    if release is None or release <= present.version:
        return issues.announce(TITLE, None)
    return issues.announce(TITLE, _body(present, release, address))


def _body(present: Origin, release: Version, address: str) -> str:
    return f"""Actioncast {release.tag} is out; this copy is of {present.version.tag}.

In a clone of this repository:

```
python upgrade.py --dry-run --template {address}
python upgrade.py --template {address}
```

The first says what would change, with the changelog; the second merges it on a branch of its own. Your
files stay as they are. This issue closes itself in the week after the upgrade."""
