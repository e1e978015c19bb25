"""What happened in a rehearsal so far; saved, so that an interrupted one can be resumed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

PROGRESS_FILE = "progress.json"
MOST_VIOLATIONS = 50  # that are kept; one broken promise repeats itself at every tick


@dataclass
class Progress:
    """Counts of runs, failures and checks, the trainings, and the promises that were broken."""

    ticks: int = 0
    seconds: float = 0.0
    runs: dict[str, int] = field(default_factory=dict)  # job -> runs started
    failures: dict[str, int] = field(default_factory=dict)  # "job: kind" -> number
    checks: dict[str, int] = field(default_factory=dict)  # verdict -> number
    # (moment, promoted) of each training, the first one included.
    trainings: list[tuple[str, bool]] = field(default_factory=list)
    published_bytes: int = 0  # of models that were promoted
    first_training: str = ""  # its report
    last_check: str = ""  # its report
    verdict: str = ""  # of the last check
    violations: list[str] = field(default_factory=list)

    def count_run(self, job: str) -> None:
        self.runs[job] = self.runs.get(job, 0) + 1

    def count_failure(self, job: str, kind: str) -> None:
        name = f"{job}: {kind}"
        self.failures[name] = self.failures.get(name, 0) + 1

    def count_check(self, verdict: str) -> None:
        self.checks[verdict] = self.checks.get(verdict, 0) + 1

    def add_violations(self, sentences: Iterable[str]) -> None:
        """Keep new sentences about broken promises, up to MOST_VIOLATIONS."""
        new = [sentence for sentence in sentences if sentence not in self.violations]
        free = max(MOST_VIOLATIONS - len(self.violations), 0)
        self.violations += new[:free]

    def save(self, folder: Path) -> None:
        """Replace the saved progress at once, so that an interruption leaves the old or the new."""
        new = folder / f"{PROGRESS_FILE}.new"
        new.write_text(json.dumps(asdict(self)), encoding="utf-8")
        new.replace(folder / PROGRESS_FILE)

    @classmethod
    def read(cls, folder: Path) -> Progress | None:
        """The progress of an interrupted rehearsal; None without one."""
        path = folder / PROGRESS_FILE
        if not path.is_file():
            return None
        saved = json.loads(path.read_text(encoding="utf-8"))
        saved["trainings"] = [(moment, promoted) for moment, promoted in saved["trainings"]]
        return cls(**saved)
