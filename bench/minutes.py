"""What the clock costs: each scheduled workflow, run under act from an empty environment, times its schedule.

GitHub rounds every job up to the minute and bills private repositories beyond the minutes that a plan includes; public
ones run free. Seconds are measured on this machine, which has two cores where ubuntu-slim has one; what GitHub's runner
adds before and after a job's steps is added as a constant. Prices, and what has no schedule, are those of
actioncast/cli/bill.py: a few retrains, pushes and deployments a month.

    python -m bench.minutes             # a table
    python -m bench.minutes --readme    # the same, put between the marks in README.md
    python -m bench.minutes --json
    python -m bench.minutes --frequencies  # the hourly load instead, for series of several frequencies

Needs act, git, uv and a package registry. Exit codes: 0 measured; 1 a workflow failed, or a month costs more than
MOST_MINUTES and MOST_DOLLARS.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from actioncast.cli import bill
from actioncast.text import table
from tests.support.checkout import CONFIG, ROOT, shipped_files
from tests.workflows import project
from tests.workflows.act_records import Run
from tests.workflows.clock import Clock
from tests.workflows.github_rest import loaded
from tests.workflows.github_stand_in import GitHub

RUNNER_SECONDS = 5  # "Set up job" and "Complete job"
MOST_MINUTES = 1000
MOST_DOLLARS = 3
FIELDS = {"minute": 60, "hour": 24, "weekday": 7}
FREQUENCIES = {"15min": 1, "1h": 4, "1D": 96, "1W": 672}  # of which the recording holds some; points per period
DAILY = 24  # hours between the loads of a clock that fits series of days and weeks
MARKS = ("<!-- minutes: begin -->", "<!-- minutes: end -->")


@dataclass(frozen=True)
class Cost:
    """One workflow. `seconds`: the longest job's, with the runner's own; None where none were measured."""

    name: str
    runners: str
    seconds: float | None
    after_checkout: float | None
    runs_per_month: float
    minutes_per_run: int
    dollars_per_run: float

    @property
    def billed_minutes(self) -> float:
        return self.minutes_per_run * self.runs_per_month

    @property
    def dollars(self) -> float:
        return self.dollars_per_run * self.runs_per_month


def runs_per_month(crons: Sequence[str]) -> float:
    """Of cron lines that leave the day of the month and the month open."""
    return sum(_runs_per_week(cron) for cron in crons) * bill.WEEKS_PER_MONTH


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
        changes = {"source": chart, "check_hours": "0.1"}  # each load is followed by a check
        text = project.edited(CONFIG.read_text(encoding="utf-8"), changes)
        github.repository.commit(shipped_files(), "Initial commit")
        github.repository.commit({"config.toml": text}, "Settings")
        clock = Clock(github, variables={"PUBLISH_PAGES": "true"})
        clock.tick("update_real_data.yml").check()  # the first one loads the history
        order = ("retrain", "update_real_data", "make_predictions", "check_freshness", "pages")
        measured = [_cost(github, _run(clock, f"{name}.yml")) for name in order]
    return measured + [_assumed(item) for item in bill.without_schedule()]


@dataclass(frozen=True)
class Load:
    """The scheduled load of one series of a frequency: seconds of the first run and of the next one."""

    frequency: str
    first: float
    next: float
    next_is_skipped: bool

    def billed_minutes(self, hours_between: int) -> float:
        """Of a month in which it runs every so many hours."""
        return math.ceil(self.next / 60) * bill.HOURS_PER_MONTH / hours_between


def measure_frequencies() -> list[Load]:
    """A copy for each frequency: its history is loaded, then the clock ticks again within the same period."""
    return [_measured_load(frequency, points) for frequency, points in FREQUENCIES.items()]


def _measured_load(frequency: str, points: int) -> Load:
    with TemporaryDirectory() as place, project.source() as source, GitHub(Path(place) / "github") as github:
        changes = {
            "frequency": f'"{frequency}"',
            "points_per_period": str(points),
            "minimum_points_per_period": str(math.ceil(0.75 * points)),
        }
        project.seed(github, source.url, **changes)
        clock = Clock(github)
        first, following = (clock.tick("update_real_data.yml").check() for _ in range(2))
        return Load(
            frequency,
            first=max(job.seconds for job in first.jobs) + RUNNER_SECONDS,
            next=max(job.seconds for job in following.jobs) + RUNNER_SECONDS,
            next_is_skipped="skipped, nothing new can be there" in following.log,
        )


def loads_as_text(loads: Sequence[Load]) -> str:
    rows: list[list[object]] = []
    for load in loads:
        following = f"{load.next:.0f}{' (skipped)' if load.next_is_skipped else ''}"
        hourly, daily = (round(load.billed_minutes(hours)) for hours in (1, DAILY))
        rows.append([load.frequency, round(load.first), following, hourly, daily])
    headers = ["frequency", "seconds of the first load", "of the next one", "billed minutes a month, hourly", "daily"]
    return table(headers, rows)


def _run(clock: Clock, file: str) -> Run:
    return (clock.press(file) if file == "retrain.yml" else clock.tick(file)).check()


def _cost(github: GitHub, run: Run) -> Cost:
    workflow = loaded(github, run.file)
    schedule = workflow.triggers.get("schedule")
    runs = runs_per_month([entry["cron"] for entry in schedule]) if schedule else bill.RETRAINS_PER_MONTH
    seconds = []
    minutes = []
    runners = []
    for job in run.jobs:
        if job.conclusion != "skipped":
            seconds.append(job.seconds + RUNNER_SECONDS)
            minutes.append(math.ceil(seconds[-1] / 60))
            runners.append(str(workflow.jobs[job.id]["runs-on"]))
    checkout = sum(job.step("Check out").seconds for job in run.jobs if job.conclusion != "skipped")
    prices = [bill.DOLLARS_PER_MINUTE[runner] for runner in runners]
    return Cost(
        name=run.file.removesuffix(".yml"),
        runners=", ".join(sorted(set(runners))),
        seconds=max(seconds),
        after_checkout=sum(seconds) - checkout - RUNNER_SECONDS,
        runs_per_month=runs,
        minutes_per_run=sum(minutes),
        dollars_per_run=sum(minute * price for minute, price in zip(minutes, prices, strict=True)),
    )


def _assumed(item: bill.Item) -> Cost:
    """What pushes and promotions start is not measured here."""
    return Cost(
        name=f"{item.name} (assumed)",
        runners=item.runner,
        seconds=None,
        after_checkout=None,
        runs_per_month=item.runs,
        minutes_per_run=item.minutes,
        dollars_per_run=item.minutes * bill.DOLLARS_PER_MINUTE[item.runner],
    )


def as_text(costs: Sequence[Cost]) -> str:
    rows: list[list[object]] = []
    for cost in costs:
        seconds = None if cost.seconds is None else round(cost.seconds)
        minutes = round(cost.billed_minutes)
        rows.append([cost.name, cost.runners, seconds, round(cost.runs_per_month), minutes, f"{cost.dollars:.2f}"])
    minutes_per_month, dollars = total(costs)
    rows.append(["all", None, None, None, round(minutes_per_month), f"{dollars:.2f}"])
    headers = ["workflow", "runner", "seconds a run", "runs a month", "billed minutes a month", "$"]
    return f"{table(headers, rows)}\n\n{bill.sentence(minutes_per_month, dollars)}"


def total(costs: Sequence[Cost]) -> tuple[float, float]:
    """Billed minutes and dollars of a month."""
    return sum(cost.billed_minutes for cost in costs), sum(cost.dollars for cost in costs)


def as_json(costs: Sequence[Cost]) -> str:
    workflows = {
        cost.name: {
            "runners": cost.runners,
            "seconds": _rounded(cost.seconds),
            "after_checkout": _rounded(cost.after_checkout),
            "runs_per_month": round(cost.runs_per_month, 1),
            "billed_minutes": round(cost.billed_minutes, 1),
            "dollars": round(cost.dollars, 2),
        }
        for cost in costs
    }
    minutes, dollars = total(costs)
    everything = {"minutes_per_month": round(minutes, 1), "dollars_per_month": round(dollars, 2)}
    return json.dumps({**everything, "workflows": workflows})


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


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
    parser.add_argument("--frequencies", action="store_true", help="the hourly load of series of several frequencies")
    arguments = parser.parse_args(argv)
    if arguments.frequencies:
        loads = measure_frequencies()
        print(json.dumps([asdict(load) for load in loads]) if arguments.json else loads_as_text(loads))
        return 0
    try:
        costs = measure()
    except AssertionError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(as_json(costs) if arguments.json else as_text(costs))
    if arguments.readme:
        write_readme(as_text(costs), ROOT / "README.md")
    minutes, dollars = total(costs)
    if minutes > MOST_MINUTES and dollars > MOST_DOLLARS:
        print(f"error: expected {MOST_MINUTES} minutes or {MOST_DOLLARS} $ a month at most", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
