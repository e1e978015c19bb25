"""Incidents: one issue per failing thing. The title is the key; recovery closes the issue.

Runs with any Python and nothing installed, as the last step of a job:

    python3 -m actioncast.github.incidents update_real_data failure --log job.log
    python3 -m actioncast.github.incidents update_real_data success

Needs GITHUB_TOKEN with `issues: write` and GITHUB_REPOSITORY.
Exit codes: 0 reported, or nothing to report; 1 GitHub refused.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from actioncast.github.api import Api, ApiError
from actioncast.redaction import redacted

LABEL = "incident"
LAST_LINES = 30
NOTHING = "nothing to report"
REMEDIES = {
    "update_real_data": "The last lines name the cause, mostly a source that is dead, old or out of reach. Nothing was "
    "loaded and nothing is lost: the next run that succeeds catches up.",
    "make_predictions": "The newest vintage goes on serving (a week of hours). The last lines say whether the model, "
    "the data or, with `API_URL` set, the service is at fault.",
    "check_retrain": "An alarm means that a stored error is not a number or that the card cannot be read; a refused "
    "dispatch names the permission that is missing.",
    "retrain": "The champion stays in service. A push that branch protection refuses: set the variable "
    "`MODEL_DELIVERY` to `pr`.",
    "rollback": "The present champion stays. The last lines say which versions there are.",
    "check_freshness": "The watch itself could not look. Is the database reachable?",
    "pages": "Settings, Pages: choose GitHub Actions as the source.",
}


def report(api: Api, title: str, body: str | None, run: str = "") -> str:
    """Open, update or (body None) close the issue with this title. Returns what was done, for the log.

    Two runs that failed at the same moment may have opened two; recovery closes them all.
    """
    numbers = _open_issues(api, title)
    if body is None:
        for number in numbers:
            api.call("POST", f"/issues/{number}/comments", {"body": f"Recovered{f' in {run}' if run else ''}."})
            api.call("PATCH", f"/issues/{number}", {"state": "closed", "state_reason": "completed"})
        closed = ", ".join(f"#{number}" for number in numbers)
        return f"closed issue {closed}: {title}" if numbers else NOTHING
    if not numbers:
        new = api.call("POST", "/issues", {"title": title, "body": body, "labels": [LABEL]})
        return f"opened issue #{new['number']}: {title}"
    api.call("PATCH", f"/issues/{numbers[0]}", {"body": body})
    return f"updated issue #{numbers[0]}: {title}"


def _open_issues(api: Api, title: str) -> list[int]:
    """Numbers of the open incidents with exactly this title."""
    found = api.call("GET", f"/issues?state=open&labels={LABEL}&per_page=100")
    return [issue["number"] for issue in found if issue["title"] == title and "pull_request" not in issue]


def job_body(job: str, lines: Sequence[str], run: str) -> str:
    """What a person needs: which run, what it said last, what to do."""
    fence = "~~~~"  # a log may hold backticks
    last = redacted("\n".join(lines[-LAST_LINES:]))[-20_000:].replace(fence, "~~~")
    shown = f"{fence}text\n{last or '(the job failed before its script)'}\n{fence}"
    remedy = REMEDIES.get(job.partition(",")[0], "The last lines say what failed.")
    return f"{run}\n\nLast lines:\n\n{shown}\n\n{remedy}\n\nThis issue closes itself when the job succeeds."


def run_link(variables: Mapping[str, str]) -> str:
    """Markdown link to the run."""
    server, run_id = variables.get("GITHUB_SERVER_URL", ""), variables.get("GITHUB_RUN_ID", "")
    number = variables.get("GITHUB_RUN_NUMBER", run_id)
    address = f"{server}/{variables.get('GITHUB_REPOSITORY', '')}/actions/runs/{run_id}"
    return f"[run {number}]({address})" if run_id else "a run"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("job")
    parser.add_argument("outcome", choices=["success", "failure", "cancelled"])
    parser.add_argument("--log", type=Path, help="what the job has printed")
    arguments = parser.parse_args(argv)
    if arguments.outcome == "cancelled":  # by a person or a newer run: neither bad nor good news
        return 0
    run = run_link(os.environ)
    body = None
    if arguments.outcome == "failure":
        there = arguments.log is not None and arguments.log.is_file()
        lines = arguments.log.read_text(encoding="utf-8", errors="replace").splitlines() if there else []
        body = job_body(arguments.job, lines, f"`{arguments.job}` failed in {run}.")
    try:
        print(report(Api.of(os.environ), f"{arguments.job} is failing", body, run))
    except ApiError as error:
        print(f"::error title=Incident not reported::{error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
