"""What the watch finds, and the issue of each kind of findings. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from actioncast.redaction import redacted
from actioncast.text import table

NAMED_SUBJECTS = 3  # in the first line of an issue
TABLE_CHARACTERS = 40_000  # of an issue's table; an issue takes 65,536
JOBS = {"update_real_data.yml": ("update_real_data", "check_retrain")}  # workflow -> jobs, where it has several
CLOSING = "This issue closes itself on recovery."


@dataclass(frozen=True)
class Kind:
    """What findings of one kind have in common.

    `title` is the key of their issue and never holds a number. `problem` and `problems` say what
    is wrong with one subject and with several. Where one of the `jobs` of a workflow fails, that is
    the likely cause; the job's own incident then speaks for these findings.
    """

    title: str
    problem: str
    problems: str
    workflow: str = ""
    jobs: tuple[str, ...] = ()

    @property
    def is_of_workflow(self) -> bool:
        """Whether its subject is a workflow, which the title names already."""
        return self.title == self.problem

    @property
    def incidents(self) -> list[str]:
        """The titles of the incidents of its jobs."""
        return [f"{job} is failing" for job in self.jobs]


DATA = Kind(
    title="The data are stale",
    problem="no new period of {} is stored",
    problems="no new period of {} series is stored",
    workflow="update_real_data.yml",
    jobs=("update_real_data",),
)
STUCK = Kind(
    title="Sources are stuck",
    problem="{} gives one value again and again",
    problems="{} series give one value again and again",
    workflow="",
)
FORECAST = Kind(
    title="The forecasts are stale",
    problem="no new forecast of {} is stored",
    problems="no new forecast of {} series is stored",
    workflow="make_predictions.yml",
    jobs=("make_predictions",),
)
CHAMPION = Kind(
    title="Champions are old",
    problem="the champion of {} is old",
    problems="the champions of {} series are old",
)
COVERAGE = Kind(
    title="Intervals are off",
    problem="the intervals of {} hold too few or too many values",
    problems="the intervals of {} series hold too few or too many values",
)

# Titles of issues as earlier versions opened them, one a series or a shard, and those in their place.
FORMER_TITLES = (
    (re.compile(r"The data of \S+ are stale"), DATA.title),
    (re.compile(r"The forecast of \S+ is stale"), FORECAST.title),
    (re.compile(r"The champion of \S+ is old"), CHAMPION.title),
    (re.compile(r"The intervals of \S+ are off"), COVERAGE.title),
    (re.compile(r"retrain, shard \S+, is failing"), "retrain is failing"),
)


def workflow_kind(file: str) -> Kind:
    """The kind of findings about one workflow: each has its own issue."""
    problem = f"The workflow {file} has not succeeded for too long"
    jobs = JOBS.get(file, (file.removesuffix(".yml"),))
    return Kind(problem, problem, problem, workflow=file, jobs=jobs)


@dataclass(frozen=True)
class Finding:
    """One thing that may be dead, and the evidence.

    `subject` is a series or the file of a workflow. `young` is a thing that has never been there
    and that nobody can expect yet.
    """

    kind: Kind
    subject: str
    evidence: str
    remedy: str
    stale: bool
    young: bool = False

    @property
    def word(self) -> str:
        """What a table says of it."""
        if self.young:
            return "young"
        return "STALE" if self.stale else "no"

    def as_json(self) -> dict[str, Any]:
        return {
            "title": self.kind.title,
            "subject": self.subject,
            "stale": self.stale,
            "young": self.young,
            "evidence": self.evidence,
            "remedy": self.remedy,
        }


def by_kind(findings: Iterable[Finding]) -> list[tuple[Kind, list[Finding]]]:
    """The findings of each kind, in the order in which the kinds appear."""
    groups: dict[Kind, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.kind, []).append(finding)
    return list(groups.items())


def former_titles(titles: Iterable[str]) -> list[tuple[str, str]]:
    """(the title of an issue that an earlier version opened, the title that has its place)."""
    pairs = []
    for title in titles:
        for pattern, present in FORMER_TITLES:
            if pattern.fullmatch(title):
                pairs.append((title, present))
    return pairs


def issue_body(stale: Sequence[Finding], seen_by: str) -> str | None:
    """The text of the issue about these findings of one kind; None, which closes it, without any.

    `seen_by` is a paragraph that says who has found them.
    """
    if not stale:
        return None
    paragraphs = [
        f"error: {_first_line(stale)}",
        seen_by,
        _table(stale),
        *dict.fromkeys(finding.remedy for finding in stale),
        CLOSING,
    ]
    # A source may put a secret into its error message.
    return redacted("\n\n".join(paragraphs))


def _first_line(stale: Sequence[Finding]) -> str:
    """What is wrong, with the names of a few of those concerned."""
    kind = stale[0].kind
    if len(stale) == 1:
        return f"{kind.problem.format(stale[0].subject)}: {stale[0].evidence}"
    names = ", ".join(finding.subject for finding in stale[:NAMED_SUBJECTS])
    more = len(stale) - NAMED_SUBJECTS
    rest_of_them = f" and {more:,} more" if more > 0 else ""
    return f"{kind.problems.format(f'{len(stale):,}')}: {names}{rest_of_them}"


def _table(stale: Sequence[Finding]) -> str:
    """As many rows as fit into an issue, and how many do not."""
    widest = max(len(finding.subject) + len(finding.evidence) for finding in stale)
    shown = stale[: max(TABLE_CHARACTERS // (widest + len("|  |  |\n")), 1)]
    rows = [[finding.subject, finding.evidence] for finding in shown]
    text = table(["", "evidence"], rows)
    more = len(stale) - len(shown)
    return f"{text}\n\nand {more:,} more" if more else text
