"""The flags of rehearse.py, and the recording that they name."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from actioncast.database.database import open_database
from actioncast.ingestion import ingestion, refusals, sources
from actioncast.ingestion.documents import SourceError
from actioncast.paths import RECORDING
from actioncast.periods.frequency import DAY
from actioncast.periods.points import Points
from actioncast.rehearsal.plan import lead_in_ticks, seconds_of_tick
from actioncast.rehearsal.policies import NAMED
from actioncast.rehearsal.world import replay
from actioncast.rehearsal.world.faults import SCENARIOS, Faults
from actioncast.settings import CANDIDATES, SeriesSettings, Settings
from actioncast.source_settings import DemoSource
from actioncast.times import HOUR, HOURS_PER_DAY, ONE_HOUR

LIVE_DAYS = 56  # of the real source that --live records
DEMO_DAYS = 7
WHOLE_HOURS = 1129  # of the bundled recording; with the last two ticks these are 1,131 ticks
MINIMUM_SHARE = 0.75  # of the points of an hour of --csv or --stored that must be there
RECORDED_KINDS = ("blockchain", "demo")  # sources whose settings fit the bundled recording


def add_flags(parser: argparse.ArgumentParser) -> None:
    _add_recordings(parser)
    _add_policies(parser)
    _add_faults(parser)
    _add_surroundings(parser)


def _add_recordings(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is replayed")
    recording = group.add_mutually_exclusive_group()
    recording.add_argument(
        "--recording",
        type=Path,
        default=RECORDING,
        help="a recorded body of the charts API",
    )
    recording.add_argument(
        "--csv",
        type=Path,
        metavar="FILE",
        help="any series: columns timestamp,value",
    )
    recording.add_argument(
        "--stored",
        action="store_true",
        help="the series in your own database (DATABASE_URL)",
    )
    recording.add_argument(
        "--own",
        action="store_true",
        help="the series' own file; the bundled recording where its source is elsewhere, or the file short",
    )
    recording.add_argument(
        "--live",
        action="store_true",
        help="record the newest weeks of the real source first",
    )
    recording.add_argument(
        "--whole",
        action="store_true",
        help="all 47 days of the bundled recording arrive live",
    )
    parser.add_argument(
        "--days",
        type=int,
        help=f"days at the end that arrive live (default: {DEMO_DAYS})",
    )


def _add_policies(parser: argparse.ArgumentParser) -> None:
    names = ", ".join(NAMED)
    parser.add_argument(
        "--policy",
        action="append",
        default=[],
        metavar="NAME[:KEY=VALUE,...]",
        help=f"repeatable: {names}, or a name of yours with keys of [retrain] and refresh_hours",
    )
    parser.add_argument(
        "--grid",
        action="append",
        default=[],
        metavar="KEY=VALUE,...",
        help="policies that vary a key of [retrain]",
    )
    parser.add_argument(
        "--recommend",
        action="store_true",
        help="end with the [retrain] block to put into config.toml",
    )


def _add_faults(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--scenario",
        choices=SCENARIOS,
        default="none",
        help="named faults (default: none)",
    )
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help=f"repeatable, on top of the scenario: {_fault_names()}",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        help="of all chances (default: 0)",
    )


def _fault_names() -> str:
    """All faults; those of a time span with the form of their value."""
    names = []
    for fault in fields(Faults):
        is_span = fault.default == ()
        names.append(f"{fault.name}=HOURS@AT" if is_span else fault.name)
    return ", ".join(names)


def _add_surroundings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--forecast-every",
        type=int,
        default=6,
        metavar="HOURS",
        help="hours (default: 6)",
    )
    parser.add_argument(
        "--candidates",
        type=_candidates,
        metavar="NAME,...",
        help="fewer than train.candidates, to be faster",
    )
    parser.add_argument(
        "--database",
        metavar="URL",
        help="an empty database instead of SQLite files below --output",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on where an interrupted rehearsal in --output ended",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("demo"),
        help="folder for what it writes (replaced)",
    )


def _candidates(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    unknown = sorted(set(names) - set(CANDIDATES))
    if unknown:
        names_of_unknown = ", ".join(unknown)
        raise argparse.ArgumentTypeError(
            f"unknown candidates {names_of_unknown}; there are {CANDIDATES}",
        )
    return names


def faults_of(arguments: argparse.Namespace) -> tuple[str, Faults]:
    """(what to call them, the faults): the scenario and the single ones."""
    faults = SCENARIOS[arguments.scenario]
    for flag in arguments.fault:
        faults = faults.with_flag(flag)
    names = [arguments.scenario, *arguments.fault]
    if arguments.fault:
        names = [name for name in names if name != "none"]
    return " ".join(names), faults


def ticks_of(arguments: argparse.Namespace, series: SeriesSettings) -> int:
    """Ticks that arrive live: hours, or periods that are longer."""
    tick = seconds_of_tick(series.timeline)
    if arguments.days is not None:
        return max(1, round(int(arguments.days) * DAY / tick))
    if tick != HOUR:
        return series.defaults.shown.periods(series.frequency)
    if arguments.whole:
        return WHOLE_HOURS
    return HOURS_PER_DAY * DEMO_DAYS


def recording_of(arguments: argparse.Namespace, settings: Settings) -> tuple[Settings, Points]:
    """The points to replay, and settings that read them.

    Raises RecordingError for a recording that cannot be replayed, SourceError for a live source
    that is dead.
    """
    series_id = arguments.series
    if arguments.candidates:
        settings = _with_candidates(settings, arguments.candidates)
    if arguments.csv:
        points = replay.read_csv(arguments.csv, settings.series[series_id].timeline)
        settings = _reading(settings, series_id, points)
        return _without_titles(settings, series_id), points
    if arguments.stored:
        points = stored_periods(settings, series_id, arguments.now)
        return _reading(settings, series_id, points), points
    if arguments.live:
        return settings, _live_points(settings, series_id, arguments.now)
    if arguments.own:
        own_points = _own_points(settings, series_id, arguments)
        if own_points is not None:
            return settings, own_points
    points = replay.read_recording(arguments.recording)
    if arguments.whole:
        points = replay.joined(replay.read_recording(replay.LEAD_IN), points)
    if settings.series[series_id].source.kind not in RECORDED_KINDS:
        settings = _without_titles(_reading(settings, series_id, points), series_id)
    return settings, points


def _with_candidates(settings: Settings, candidates: tuple[str, ...]) -> Settings:
    train = settings.train.model_copy(update={"candidates": candidates})
    return settings.model_copy(update={"train": train})


def _reading(settings: Settings, series_id: str, points: Points) -> Settings:
    """Settings that read these points: unscaled values, and as many points an hour as there are."""
    seconds = settings.series[series_id].frequency.seconds
    points_per_period = max(1, round(seconds / replay.step_seconds(points)))
    changes = {
        "scale": 1.0,
        "points_per_period": points_per_period,
        "minimum_points_per_period": math.ceil(MINIMUM_SHARE * points_per_period),
        "aggregate": "mean",
        "stamps": "start",
        "minimum_value": min(0.0, float(points.values.min())),
    }
    return _with_series(settings, series_id, changes)


def _without_titles(settings: Settings, series_id: str) -> Settings:
    """Settings for a file that may hold anything: title and unit of the configured series do not apply."""
    return _with_series(settings, series_id, {"title": "", "unit": "units"})


def _with_series(settings: Settings, series_id: str, changes: Mapping[str, object]) -> Settings:
    series_settings = settings.series[series_id].model_copy(update=changes)
    series = {**settings.series, series_id: series_settings}
    return settings.model_copy(update={"series": series})


def _own_points(settings: Settings, series_id: str, arguments: argparse.Namespace) -> Points | None:
    """The points of the series' own file; None where its source is no file, or the file is too short.

    Raises SourceError for a file that cannot be read.
    """
    source = settings.series[series_id].source
    if source.kind != "file":
        print(f"{series_id} has no file of its own: the bundled recording is replayed", file=sys.stderr)
        return None
    reading = ingestion.read_series(
        settings,
        series_id,
        since=None,
        now=arguments.now,
    )
    first, last = replay.first_and_last(reading.points)
    series = settings.series[series_id]
    ticks = lead_in_ticks(series.timeline) + ticks_of(arguments, series)
    needed = timedelta(seconds=ticks * seconds_of_tick(series.timeline))
    if last - first <= needed:
        days = needed / timedelta(days=1)
        short = f"{source.path} spans less than {days:.3g} days"
        print(f"{short}: the bundled recording is replayed", file=sys.stderr)
        return None
    return reading.points


def stored_periods(settings: Settings, series_id: str, now: datetime) -> Points:
    """The newest hours of the user's own database; nothing is written there."""
    timeline = settings.series[series_id].timeline
    newest = settings.train_of(series_id).history
    with open_database(settings) as database:
        history = database.reality(series_id, until=now, newest=newest, timeline=timeline)
    if history is None:
        raise replay.RecordingError(
            f"nothing of {series_id} is stored; run: python update_real_data.py",
        )
    times = timeline.starts(history.numbers)
    return Points(times, history.values).where(~np.isnan(history.values))


def _live_points(settings: Settings, series_id: str, now: datetime) -> Points:
    """What the real source has answered just now."""
    if isinstance(settings.series[series_id].source, DemoSource):
        raise replay.RecordingError(
            f"{series_id} replays the bundled recording, so nothing of it is live; "
            "name a living source in config.toml, or leave --live out"
        )
    source_name = sources.name_of(settings, series_id)
    print(f"asking {source_name} for {LIVE_DAYS // 7} weeks ...", file=sys.stderr)
    since = now - timedelta(days=LIVE_DAYS)
    try:
        reading = ingestion.read_series(
            settings,
            series_id,
            since=since,
            now=now,
        )
        refusals.refuse_nothing(reading.checked, now, source_name)
        refusals.refuse_old(
            reading.points,
            now,
            maximum_hours=settings.freshness_of(series_id).source / ONE_HOUR,
            source_name=source_name,
        )
    except SourceError as error:
        raise SourceError(f"the live API is dead or out of reach: {error}. The recording works: make demo") from None
    return reading.points
