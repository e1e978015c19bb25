"""The flags of rehearse.py, and the recording that they name."""

from __future__ import annotations

import argparse
import sys
from dataclasses import fields
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from actioncast import hours
from actioncast.database.database import open_database
from actioncast.hours import Points
from actioncast.ingestion import sources
from actioncast.rehearsal.policies import NAMED
from actioncast.rehearsal.world import replay
from actioncast.rehearsal.world.faults import SCENARIOS, Faults
from actioncast.settings import CANDIDATES, SeriesSettings, Settings
from actioncast.times import HOUR, to_seconds

LIVE_DAYS = 56  # of the real source that --live records
DEMO_DAYS = 7
WHOLE_HOURS = 1129  # of the bundled recording; with the two hours more to see them it is 1,131 ticks


def add_flags(parser: argparse.ArgumentParser) -> None:
    recording = parser.add_argument_group("what is replayed").add_mutually_exclusive_group()
    recording.add_argument("--recording", type=Path, default=replay.BUNDLED, help="a recorded body of the charts API")
    recording.add_argument("--csv", type=Path, metavar="FILE", help="any series: columns timestamp,value")
    recording.add_argument("--stored", action="store_true", help="the hours in your own database (DATABASE_URL)")
    recording.add_argument("--live", action="store_true", help="record the newest weeks of the real source first")
    recording.add_argument("--whole", action="store_true", help="all 47 days of the bundled recording arrive live")
    parser.add_argument("--days", type=int, help=f"days at the end that arrive live (default: {DEMO_DAYS})")
    parser.add_argument("--policy", action="append", default=[], metavar="NAME[:KEY=VALUE,...]", help=_policies())
    parser.add_argument(
        "--grid", action="append", default=[], metavar="KEY=VALUE,...", help="policies that vary a key of [retrain]"
    )
    parser.add_argument("--recommend", action="store_true", help="end with the [retrain] block to put into config.toml")
    parser.add_argument("--scenario", choices=SCENARIOS, default="none", help="named faults (default: none)")
    parser.add_argument("--fault", action="append", default=[], metavar="NAME=VALUE", help=_faults())
    parser.add_argument("--seed", type=int, default=0, help="of all chances (default: 0)")
    parser.add_argument("--forecast-every", type=int, default=6, metavar="HOURS", help="hours (default: 6)")
    parser.add_argument(
        "--candidates", type=_candidates, metavar="NAME,...", help="fewer than train.candidates, to be faster"
    )
    parser.add_argument("--database", metavar="URL", help="an empty database instead of SQLite files below --output")
    parser.add_argument("--resume", action="store_true", help="go on where an interrupted rehearsal in --output ended")
    parser.add_argument("--output", type=Path, default=Path("demo"), help="folder for what it writes (replaced)")


def _policies() -> str:
    return f"repeatable: {', '.join(NAMED)}, or a name of yours with keys of [retrain] and refresh_hours"


def _faults() -> str:
    names = ", ".join(f"{f.name}=HOURS@AT" if f.default == () else f.name for f in fields(Faults))
    return f"repeatable, on top of the scenario: {names}"


def _candidates(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if unknown := set(names) - set(CANDIDATES):
        raise argparse.ArgumentTypeError(f"unknown candidates {', '.join(sorted(unknown))}; there are {CANDIDATES}")
    return names


def faults_of(arguments: argparse.Namespace) -> tuple[str, Faults]:
    """(what to call them, the faults): the scenario and the single ones."""
    chosen = SCENARIOS[arguments.scenario]
    for flag in arguments.fault:
        chosen = chosen.with_flag(flag)
    named = [name for name in (arguments.scenario, *arguments.fault) if name != "none" or not arguments.fault]
    return " ".join(named), chosen


def hours_of(arguments: argparse.Namespace) -> int:
    """Hours that arrive live."""
    if arguments.whole and arguments.days is None:
        return WHOLE_HOURS
    return 24 * (DEMO_DAYS if arguments.days is None else arguments.days)


def recording_of(arguments: argparse.Namespace, settings: Settings) -> tuple[Settings, Points]:
    """The points to replay, and settings that read them."""
    if arguments.candidates:
        train = settings.train.model_copy(update={"candidates": arguments.candidates})
        settings = settings.model_copy(update={"train": train})
    if arguments.csv:
        points = replay.read_csv(arguments.csv)
        return _reading(settings, arguments.series, points, stored=False), points
    if arguments.stored:
        points = stored_hours(settings, arguments.series, arguments.now)
        return _reading(settings, arguments.series, points, stored=True), points
    if arguments.live:
        return settings, _live(settings, arguments.series, arguments.now)
    points = replay.read_recording(arguments.recording)
    return settings, replay.joined(replay.read_recording(replay.LEAD_IN), points) if arguments.whole else points


def _reading(settings: Settings, series_id: str, points: Points, *, stored: bool) -> Settings:
    """The series' own settings, but values as they stand and as many points an hour as the file has."""
    an_hour = max(1, HOUR // replay.step_seconds(points))
    update = {
        "scale": 1.0,
        "points_per_hour": an_hour,
        "minimum_points_per_hour": -(-3 * an_hour // 4),
        "minimum_value": min(0.0, float(points.values.min())),
        **({} if stored else {"title": "", "unit": "units"}),
    }
    wanted: SeriesSettings = settings.series[series_id].model_copy(update=update)
    return settings.model_copy(update={"series": {**settings.series, series_id: wanted}})


def stored_hours(settings: Settings, series_id: str, now: datetime) -> Points:
    """The newest hours of the user's own database; nothing is written there."""
    with open_database(settings) as database:
        known = database.reality(series_id, until=now, newest=int(settings.train.history_days * 24))
    if known is None:
        raise replay.RecordingError(f"no hour of {series_id} is stored; run: python update_real_data.py")
    times = to_seconds(known.start) + HOUR * np.arange(len(known), dtype=np.int64)
    return Points(times, known.values).where(~np.isnan(known.values))


def _live(settings: Settings, series_id: str, now: datetime) -> Points:
    """What the real source has answered just now."""
    name = sources.name_of(settings, series_id)
    print(f"asking {name} for {LIVE_DAYS // 7} weeks ...", file=sys.stderr)
    try:
        rows = sources.fetch(settings, series_id, now - timedelta(days=LIVE_DAYS), now)
        points, _ = hours.check_points(hours.read_points(rows)[0], now, settings.series[series_id].minimum_value)
        sources.refuse_old(points, now, settings.freshness.source_hours, name)
    except sources.SourceError as error:
        raise sources.SourceError(
            f"the live API is dead or out of reach: {error}. The recording works: make demo"
        ) from None
    return points
