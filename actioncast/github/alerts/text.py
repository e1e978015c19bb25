"""The words of an incident: what failed first, the job's last lines at the end. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from actioncast.github.alerts.outage import Outage
from actioncast.redaction import redacted
from actioncast.text import duration
from actioncast.times import isoformat

LAST_LINES = 30
LONGEST_LOG = 20_000  # characters; an issue takes 65,536
LONGEST_ERROR = 1_000  # characters
SHOWN_SERIES = 10
FENCE = "~~~~"  # around the log, which may hold backticks
NO_LOG = "(the job failed before its script)"
NO_ERROR = "no error was printed: the run shows which step failed"
ANY_REMEDY = "The last lines say what failed."
REMEDIES = {
    "update_real_data": (
        "Mostly a source is dead, old or out of reach. "
        "Nothing was loaded and nothing is lost: the next run that succeeds catches up."
    ),
    "make_predictions": (
        "The newest vintage goes on serving (a week of hours). The error says whether the "
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
_ERROR = re.compile(r"^(?:error: |::error(?: title=(?P<title>[^:]*))?::)(?P<message>.*)$")
_SETTINGS = re.compile(r"^\w+ settings ")  # the lines with which a script logs its configuration


@dataclass(frozen=True)
class Failure:
    """What a log says about a failed job. `series`: those of which it says that they failed."""

    error: str
    series: tuple[str, ...]


def failure_of(lines: Sequence[str], job: str) -> Failure:
    """The last error of a log, and the series that failed: "::error title=JOB SERIES::message"."""
    error = NO_ERROR
    series = []
    for line in lines:
        match = _ERROR.match(line)
        if match is None:
            continue
        error = match["message"].replace("%0A", " ")
        script, _, name = (match["title"] or "").partition(" ")
        if script == script_of(job) and name and name not in series:
            series.append(name)
    return Failure(error=error, series=tuple(series))


def script_of(job: str) -> str:
    """The script of a job: "retrain" trains, "retrain, shard 2/4," does too."""
    name = job.partition(",")[0]
    return "train" if name == "retrain" else name


def job_body(job: str, lines: Sequence[str], opening: str, error: str = "") -> str:
    """The error, then which run failed (`opening`), what to do, and what the job printed last.

    `error` stands for the log's own where the log cannot have one.
    """
    failure = failure_of(lines, job)
    paragraphs = [error_line(error or failure.error), opening]
    if failure.series:
        paragraphs.append(f"Series: {_listed(failure.series)}.")
    paragraphs += [
        REMEDIES.get(job.partition(",")[0], ANY_REMEDY),
        "This issue closes itself when the job succeeds.",
        f"Last lines:\n\n{FENCE}text\n{_log(lines)}\n{FENCE}",
    ]
    return "\n\n".join(paragraphs)


def error_line(message: str) -> str:
    """The first line of a body, as code: the words of a source may hold @names and markup."""
    words = redacted(" ".join(message.split())).replace("`", "'")
    return f"`error: {words[:LONGEST_ERROR]}`"


def first_line(body: str) -> str:
    """What is wrong, in one line of plain text."""
    return body.partition("\n")[0].strip("`")[:LONGEST_ERROR]


def _listed(series: Sequence[str]) -> str:
    names = ", ".join(series[:SHOWN_SERIES])
    more = len(series) - SHOWN_SERIES
    return f"{names} and {more:,} more" if more > 0 else names


def _log(lines: Sequence[str]) -> str:
    """The last lines, without those that show the settings."""
    shown = [line for line in lines if not _SETTINGS.match(line)]
    log = redacted("\n".join(shown[-LAST_LINES:]))
    return log[-LONGEST_LOG:].replace(FENCE, "~~~") or NO_LOG


def reminder(outage: Outage, error: str) -> str:
    """What a day on which it still fails has to say: since when, how often, the newest error."""
    since = isoformat(outage.since)
    return f"Still failing since {since}: {_times(outage.failures)}.\n\n`{error}`"


def recovery(outage: Outage, now: datetime, run: str) -> str:
    """The comment with which an issue is closed."""
    by_run = f" in {run}" if run else ""
    lasted = duration(now - outage.since)
    return f"Recovered{by_run}, after {lasted} and {_times(outage.failures)}."


def _times(failures: int) -> str:
    """1 failure, 2 failures."""
    plural = "" if failures == 1 else "s"
    return f"{failures:,} failure{plural}"


def run_link(variables: Mapping[str, str]) -> str:
    """Markdown link to the run that these variables of GitHub's runners describe."""
    if not variables.get("GITHUB_RUN_ID"):
        return "a run"
    number = variables.get("GITHUB_RUN_NUMBER") or variables["GITHUB_RUN_ID"]
    return f"[run {number}]({run_url(variables)})"


def run_url(variables: Mapping[str, str]) -> str:
    """Address of the run; empty outside of GitHub."""
    run_id = variables.get("GITHUB_RUN_ID", "")
    if not run_id:
        return ""
    server = variables.get("GITHUB_SERVER_URL", "")
    repository = variables.get("GITHUB_REPOSITORY", "")
    return f"{server}/{repository}/actions/runs/{run_id}"


def page_url(variables: Mapping[str, str]) -> str:
    """Address of the page: that of the service, or of GitHub Pages; empty where neither shows one."""
    if variables.get("API_URL"):
        return variables["API_URL"].rstrip("/") + "/"
    if variables.get("PUBLISH_PAGES") != "true":
        return ""
    owner, _, name = variables.get("GITHUB_REPOSITORY", "").lower().partition("/")
    host = f"{owner}.github.io"
    return f"https://{host}/" if name == host else f"https://{host}/{name}/"


def page_links(variables: Mapping[str, str], series: Sequence[str]) -> str:
    """A sentence with the links to the pages of these series, or to the page without any; empty where there is none."""
    page = page_url(variables)
    if not page:
        return ""
    if not series:
        return f"The page: {page}"
    pattern = "{page}?series={name}" if variables.get("API_URL") else "{page}{name}.html"
    links = [f"[{name}]({pattern.format(page=page, name=quote(name))})" for name in series[:SHOWN_SERIES]]
    return f"The page of {', '.join(links)}."
