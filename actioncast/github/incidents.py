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
LONGEST_LOG = 20_000  # characters; an issue takes 65,536
NOTHING = "nothing to report"
FENCE = "~~~~"  # around the log, which may hold backticks
NO_LOG = "(the job failed before its script)"
ANY_REMEDY = "The last lines say what failed."
REMEDIES = {
    "update_real_data": (
        "The last lines name the cause, mostly a source that is dead, old or out of reach. "
        "Nothing was loaded and nothing is lost: the next run that succeeds catches up."
    ),
    "make_predictions": (
        "The newest vintage goes on serving (a week of hours). The last lines say whether the "
        "model, the data or, with `API_URL` set, the service is at fault."
    ),
    "check_retrain": (
        "An alarm means that a stored error is not a number or that the card cannot be read; "
        "a refused dispatch names the permission that is missing."
    ),
    "retrain": (
        "The champion stays in service. A push that branch protection refuses: set the variable "
        "`MODEL_DELIVERY` to `pr`."
    ),
    "rollback": "The present champion stays. The last lines say which versions there are.",
    "check_freshness": "The watch itself could not look. Is the database reachable?",
    "pages": "Settings, Pages: choose GitHub Actions as the source.",
}


def sync_issue(api: Api, title: str, body: str | None, run: str = "") -> str:
    """Open, update or (body None) close the issue with this title.

    Returns what was done, for the log.
    """
    numbers = _open_issues(api, title)
    if body is None:
        return _close(api, numbers, title, run)
    if numbers:
        api.call("PATCH", f"/issues/{numbers[0]}", {"body": body})
        return f"updated issue #{numbers[0]}: {title}"
    new = api.call("POST", "/issues", {"title": title, "body": body, "labels": [LABEL]})
    return f"opened issue #{new['number']}: {title}"


def _close(api: Api, numbers: Sequence[int], title: str, run: str) -> str:
    """Close all of them: two runs that failed at the same moment may have opened two."""
    if not numbers:
        return NOTHING
    comment = f"Recovered in {run}." if run else "Recovered."
    for number in numbers:
        api.call("POST", f"/issues/{number}/comments", {"body": comment})
        api.call("PATCH", f"/issues/{number}", {"state": "closed", "state_reason": "completed"})
    closed = ", ".join(f"#{number}" for number in numbers)
    return f"closed issue {closed}: {title}"


def _open_issues(api: Api, title: str) -> list[int]:
    """Numbers of the open incidents with exactly this title."""
    numbers = []
    for issue in api.call("GET", f"/issues?state=open&labels={LABEL}&per_page=100"):
        if issue["title"] == title and "pull_request" not in issue:
            numbers.append(issue["number"])
    return numbers


def job_body(job: str, lines: Sequence[str], opening: str) -> str:
    """What a person needs: which run failed (`opening`), what it printed last, what to do."""
    log = redacted("\n".join(lines[-LAST_LINES:]))
    log = log[-LONGEST_LOG:].replace(FENCE, "~~~")
    name = job.partition(",")[0]  # "retrain, shard 2/4" -> "retrain"
    paragraphs = [
        opening,
        "Last lines:",
        f"{FENCE}text\n{log or NO_LOG}\n{FENCE}",
        REMEDIES.get(name, ANY_REMEDY),
        "This issue closes itself when the job succeeds.",
    ]
    return "\n\n".join(paragraphs)


def run_link(variables: Mapping[str, str]) -> str:
    """Markdown link to the run that these variables of GitHub's runners describe."""
    run_id = variables.get("GITHUB_RUN_ID", "")
    if not run_id:
        return "a run"
    server = variables.get("GITHUB_SERVER_URL", "")
    repository = variables.get("GITHUB_REPOSITORY", "")
    number = variables.get("GITHUB_RUN_NUMBER", run_id)
    return f"[run {number}]({server}/{repository}/actions/runs/{run_id})"


def _lines_of(log: Path | None) -> list[str]:
    """The log's lines; none when the job failed before it wrote one."""
    if log is None or not log.is_file():
        return []
    return log.read_text(encoding="utf-8", errors="replace").splitlines()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("job")
    parser.add_argument("outcome", choices=["success", "failure", "cancelled"])
    parser.add_argument("--log", type=Path, help="what the job has printed")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    if arguments.outcome == "cancelled":  # by a person or a newer run: neither bad nor good news
        return 0
    job = arguments.job
    run = run_link(os.environ)
    body = None
    if arguments.outcome == "failure":
        body = job_body(job, _lines_of(arguments.log), f"`{job}` failed in {run}.")
    try:
        print(sync_issue(Api.of(os.environ), f"{job} is failing", body, run))
    except ApiError as error:
        print(f"::error title=Incident not reported::{error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
