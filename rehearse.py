"""Rehearse: replay a recorded series through the real scripts, tick by tick, under a virtual clock.

A tick is an hour, or a period of the series that is longer. The workflows' own functions ingest it
from a replay of the source, forecast, check, and
retrain when a check asks for it, while the clock, the source, the database and the series fail as
the flags say. The report shows beforehand what a policy costs (live error, retrains, Actions
minutes) and whether each promise of the loop holds at each tick.
`make demo` is the smallest rehearsal: the bundled recording, one week.

    python rehearse.py                                          # bundled recording, the last 7 days live
    python rehearse.py --csv load.csv --days 28 --recommend     # any series: columns timestamp,value
    python rehearse.py --stored --policy config.toml --policy never --policy daily
    python rehearse.py --whole --policy config.toml --policy never --policy tutorial --candidates blend
    python rehearse.py --days 21 --scenario all --seed 7        # everything fails; exit 1 when a promise breaks
    python rehearse.py --days 14 --fault shift=2@96 --fault drop=0.67

Reads config.toml and the recording. Writes database, model, report.html and a copy of config.toml
below --output (default: demo/, replaced), and a summary to $GITHUB_STEP_SUMMARY where there is one.
--resume goes on after an interruption.
Exit codes: 0 rehearsed; 1 the recording cannot be replayed, the live source is dead, or a promise
was broken; 2 wrong flags, config.toml or environment.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import check_freshness
import check_retrain
import make_predictions
import train
import update_real_data
from actioncast.cli.script import run_without_database
from actioncast.github import summary
from actioncast.periods.frequency import DAY
from actioncast.periods.points import Points
from actioncast.rehearsal import flags, page
from actioncast.rehearsal.compare import Options, compare
from actioncast.rehearsal.jobs import Scripts
from actioncast.rehearsal.plan import Plan, make_plan, seconds_of_tick
from actioncast.rehearsal.policies import OWN, Policy, read_policies
from actioncast.rehearsal.report import RehearsalReport
from actioncast.rehearsal.world.faults import Faults
from actioncast.settings import Settings

SCRIPTS = Scripts(
    ingest=update_real_data.run,
    forecast=make_predictions.run,
    check=check_retrain.run,
    train=train.run,
    freshness=check_freshness.run,
)


def run(
    settings: Settings,
    recording: Points,
    *,
    series_id: str,
    days: int,
    folder: Path,
    faults: Faults | None = None,
    seed: int = 0,
) -> RehearsalReport:
    """Load all but the last `days` of the recording, train, then let the last days arrive tick by tick."""
    plan = make_plan(
        settings,
        recording,
        series_id=series_id,
        ticks=max(1, round(days * DAY / seconds_of_tick(settings.series[series_id].timeline))),
        faults=faults or Faults(),
        seed=seed,
    )
    own_policy = Policy(OWN, settings.retrain_table(series_id))
    return compare(plan, [own_policy], SCRIPTS, Options(folder))


def _run_with_flags(arguments: argparse.Namespace, settings: Settings) -> RehearsalReport:
    settings, recording = flags.recording_of(arguments, settings)
    scenario, faults = flags.faults_of(arguments)
    plan = make_plan(
        settings,
        recording,
        series_id=arguments.series,
        ticks=flags.ticks_of(arguments, settings.series[arguments.series]),
        faults=faults,
        seed=arguments.seed,
    )
    options = Options(
        folder=arguments.output.resolve(),
        scenario=scenario,
        forecast_every=arguments.forecast_every,
        database_url=arguments.database,
        resume=arguments.resume,
        recommends=arguments.recommend,
    )
    policies = read_policies(arguments.policy, arguments.grid, settings.retrain_table(arguments.series))
    report = compare(plan, policies, SCRIPTS, options)
    _write(plan, report, config=arguments.config)
    return report


def _write(plan: Plan, report: RehearsalReport, *, config: Path) -> None:
    """The page, a copy of config.toml, and the summary of the job on GitHub."""
    folder = report.folder
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(config, folder / "config.toml")  # with it, every script and the API can read the rehearsal
    (folder / "report.html").write_text(page.render(plan, report), encoding="utf-8")
    summary.write(report.as_markdown())


def main(argv: Sequence[str] | None = None) -> int:
    return run_without_database(argv, __doc__, _run_with_flags, flags.add_flags)


if __name__ == "__main__":
    sys.exit(main())
