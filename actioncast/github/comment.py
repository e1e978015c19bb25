"""One comment on a pull request, replaced at each push. Nothing but Python is needed.

    python3 -m actioncast.github.comment 12 report.md

Needs GITHUB_TOKEN with `pull-requests: write`. Exit codes: 0 written; 1 GitHub refused.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from actioncast.github.api import Api, ApiError

MARK = "<!-- model report -->"
LONGEST = 65_000  # characters that GitHub takes


def put(api: Api, number: int, text: str) -> str:
    """Write the comment, or replace the one that carries our mark. Returns what was done."""
    body = {"body": f"{MARK}\n{text}"[:LONGEST]}
    comments = api.call("GET", f"/issues/{number}/comments?per_page=100")
    ours = next((comment for comment in comments if comment["body"].startswith(MARK)), None)
    if ours is None:
        api.call("POST", f"/issues/{number}/comments", body)
        return f"commented on #{number}"
    api.call("PATCH", f"/issues/comments/{ours['id']}", body)
    return f"updated the comment on #{number}"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("number", type=int)
    parser.add_argument("file", type=Path)
    arguments = parser.parse_args(argv)
    try:
        print(put(Api.of(os.environ), arguments.number, arguments.file.read_text(encoding="utf-8")))
    except ApiError as error:
        print(f"::error title=No comment::{error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
