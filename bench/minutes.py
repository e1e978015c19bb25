"""What the clock costs: each scheduled workflow, run under act from an empty environment, times its schedule.

GitHub rounds every job up to the minute and bills private repositories beyond the minutes that a plan includes; public
ones run free. Seconds are measured on this machine; what GitHub's runner adds before and after a job's steps is added
as a constant. Retrains have no schedule: the cooldown and the gate make them a few a month.

    python -m bench.minutes             # a table
    python -m bench.minutes --readme    # the same, put between the marks in README.md
    python -m bench.minutes --json

Needs act, git, uv and a package registry. Exit codes: 0 measured; 1 a workflow failed.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from actioncast.text import table
from tests.support.checkout import CONFIG, ROOT, shipped_files
from tests.workflows import project
from tests.workflows.act_records import Run
from tests.workflows.clock import Clock
from tests.workflows.github_rest import loaded
from tests.workflows.github_stand_in import GitHub

WEEKS_PER_MONTH = 365.25 / 12 / 7
RETRAINS_PER_MONTH = 4
RUNNER_SECONDS = 5  # "Set up job" and "Complete job"
DOLLARS_PER_MINUTE = 0.006  # Linux, 2 cores, since 2026-01-01
INCLUDED = {"Free": 2000, "Pro and Team": 3000}  # minutes a month
MOST_MINUTES = 1300
FIELDS = {"minute": 60, "hour": 24, "weekday": 7}
MARKS = ("<!-- minutes: begin -->", "<!-- minutes: end -->")


@dataclass(frozen=True)
class Cost:
    """One workflow. `seconds`: the longest job's, with the runner's own."""

    name: str
    seconds: float
    after_checkout: float
    runs_per_month: float
    minutes_per_run: int

    @property
    def billed_minutes(self) -> float:
        return self.minutes_per_run * self.runs_per_month


def runs_per_month(crons: Sequence[str]) -> float:
    """Of cron lines that leave the day of the month and the month open."""
    return sum(_runs_per_week(cron) for cron in crons) * WEEKS_PER_MONTH


def _runs_per_week(cron: str) -> int:
    minute, hour, day, month, weekday = cron.split()
    if (day, month) != ("*", "*"):
        raise ValueError(f"expected * for the day of the month and the month, got {cron!r}")
    parts = zip((minute, hour, weekday), FIELDS.values(), strict=True)
    return math.prod(sum(_values(part, size) for part in field.split(",")) for field, size in parts)


def _values(part: str, size: int) -> int:
    """How many values of a field one part of a list selects: *, */n, a-b, n."""
    if part == "*":
        return size
    if part.startswith("*/"):
        return math.ceil(size / int(part[2:]))
    first, _, last = part.partition("-")
    return int(last or first) - int(first) + 1


def measure() -> list[Cost]:
    """A copy of the template with everything on, some way into its life."""
    with TemporaryDirectory() as place, project.source() as source, GitHub(Path(place) / "github") as github:
        chart = f'{{ kind = "blockchain", url = "{source.url}" }}'
        text = project.edited(CONFIG.read_text(encoding="utf-8"), {"source": chart})
        github.repository.commit(shipped_files(), "Initial commit")
        github.repository.commit({"config.toml": text}, "Settings")
        clock = Clock(github, variables={"PUBLISH_PAGES": "true"})
        clock.tick("update_real_data.yml").check()  # the first one loads the history
        order = ("retrain", "update_real_data", "make_predictions", "check_retrain", "check_freshness", "pages")
        return [_cost(github, _run(clock, f"{name}.yml")) for name in order]


def _run(clock: Clock, file: str) -> Run:
    return (clock.press(file) if file == "retrain.yml" else clock.tick(file)).check()


def _cost(github: GitHub, run: Run) -> Cost:
    schedule = loaded(github, run.file).triggers.get("schedule")
    runs = runs_per_month([entry["cron"] for entry in schedule]) if schedule else RETRAINS_PER_MONTH
    seconds = [job.seconds + RUNNER_SECONDS for job in run.jobs if job.conclusion != "skipped"]
    checkout = sum(job.step("Check out").seconds for job in run.jobs)
    minutes = sum(math.ceil(value / 60) for value in seconds)
    return Cost(run.file.removesuffix(".yml"), max(seconds), sum(seconds) - checkout - RUNNER_SECONDS, runs, minutes)


def as_text(costs: Sequence[Cost]) -> str:
    rows: list[list[object]] = [
        [c.name, round(c.seconds), round(c.runs_per_month), round(c.billed_minutes)] for c in costs
    ]
    total = sum(cost.billed_minutes for cost in costs)
    plans = ", ".join(
        f"{plan} ({included:,} minutes included) {max(0.0, total - included) * DOLLARS_PER_MINUTE:.2f} $"
        for plan, included in INCLUDED.items()
    )
    headers = ["workflow", "seconds a run", "runs a month", "billed minutes a month"]
    everything = table(headers, [*rows, ["all", None, None, round(total)]])
    worth = f"worth {total * DOLLARS_PER_MINUTE:.2f} $ beyond a plan"
    needs = f"A private repository needs {total:,.0f} minutes a month, {worth}"
    return f"{everything}\n\n{needs}; {plans}. A public one is free."


def as_json(costs: Sequence[Cost]) -> str:
    workflows = {
        cost.name: {
            "seconds": round(cost.seconds, 1),
            "after_checkout": round(cost.after_checkout, 1),
            "runs_per_month": round(cost.runs_per_month, 1),
            "billed_minutes": round(cost.billed_minutes, 1),
        }
        for cost in costs
    }
    return json.dumps(
        {"minutes_per_month": round(sum(cost.billed_minutes for cost in costs), 1), "workflows": workflows}
    )


def write_readme(text: str, path: Path) -> None:
    """Replace what stands between the marks."""
    before, begin, rest = path.read_text(encoding="utf-8").partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not (begin and end):
        raise SystemExit(f"{path.name} holds no {MARKS[0]} ... {MARKS[1]}")
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--readme", action="store_true", help="write the table into README.md")
    arguments = parser.parse_args(argv)
    try:
        costs = measure()
    except AssertionError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(as_json(costs) if arguments.json else as_text(costs))
    if arguments.readme:
        write_readme(as_text(costs), ROOT / "README.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
