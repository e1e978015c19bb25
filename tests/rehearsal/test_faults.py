"""What can go wrong goes wrong as told, in the same places for the same seed, and leaves the database whole."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import text

from actioncast.database.connection import DatabaseError
from actioncast.database.database import Database
from actioncast.periods.grid import Periods
from actioncast.periods.points import Points
from actioncast.rehearsal.world import faults
from actioncast.rehearsal.world.faults import SCENARIOS, SURVIVORS, Faults, Killed, Span
from actioncast.settings import SettingsError
from actioncast.times import HOUR
from tests.support.clock import MIDNIGHT, at
from tests.support.source import quarters

TIMES, VALUES = zip(*quarters(*[1.0] * (4 * 24 * 14)), strict=True)
FLAT = Points(np.array(TIMES), np.array(VALUES))  # two weeks
START = int(MIDNIGHT.timestamp()) + 7 * 24 * HOUR  # the second week is live


def test_the_pattern_of_june_2026_lets_8_of_24_hourly_runs_start_and_spares_rare_ones() -> None:
    pattern = Faults(pattern=1)
    assert sum(faults.starts(pattern, 0, "ingest", 1, hour) for hour in range(24)) == len(SURVIVORS) == 8
    assert all(faults.starts(pattern, 0, "forecast", 6, hour) for hour in range(0, 24, 6))
    gaps = sorted(np.diff([*sorted(SURVIVORS), 24]))
    assert (gaps[-2], gaps[-1]) == (4, 5)


def test_a_share_of_the_runs_is_dropped() -> None:
    dropped = [not faults.starts(Faults(drop=0.67), 1, "ingest", 1, hour) for hour in range(3000)]
    assert np.mean(dropped) == pytest.approx(0.67, abs=0.03)


def test_nothing_befalls_a_run_by_default_and_everything_when_told() -> None:
    calm, struck = (faults.mishap(f, 5, "ingest", 9) for f in (Faults(), Faults(late=60, skew=9, broken=1, kill=1)))
    assert calm == (0.0, 0.0, (), False, None, False)
    assert 0 <= struck.late <= 60
    assert -9 <= struck.skew <= 9
    assert struck.answers
    assert struck.killed_at
    assert struck == faults.mishap(Faults(late=60, skew=9, broken=1, kill=1), 5, "ingest", 9)


@pytest.mark.parametrize(
    ("told", "hour", "expected"),
    [
        (Faults(shift=(Span(2, 24),)), 23, 1.0),
        (Faults(shift=(Span(2, 24),)), 24, 2.0),
        (Faults(drift=(Span(0.5, 0),)), 84, 1.5**0.5),
        (Faults(spikes=1), 5, 5.0),
        (Faults(spikes=1), -5, 1.0),
    ],
)
def test_the_series_changes_from_the_start_on(told: Faults, hour: int, expected: float) -> None:
    changed = faults.spoiled(FLAT, told, START, seed=0)
    assert changed.values[np.searchsorted(changed.times, START + hour * HOUR)] == pytest.approx(expected)


def test_the_day_keeps_its_shape_at_another_time() -> None:
    wave = Points(FLAT.times, np.sin(FLAT.times * np.pi / (12 * HOUR)))
    turned = faults.spoiled(wave, Faults(reshape=(Span(6, 0),)), START, seed=0)
    live = turned.times >= START
    assert turned.values[live] == pytest.approx(np.sin((turned.times[live] - 6 * HOUR) * np.pi / (12 * HOUR)))


def test_points_go_missing_in_the_live_part_only() -> None:
    left = faults.spoiled(FLAT, Faults(gaps=0.1), START, seed=4)
    assert 0 < len(FLAT) - len(left) < 0.2 * len(FLAT)
    assert np.isin(FLAT.times[FLAT.times < START], left.times).all()


def _load(database: Database, hour: int) -> None:
    hours = Periods(np.array([START + hour * HOUR]), np.array([float(hour)]), np.array([4]))
    run = {"run_id": f"{hour}", "series_id": "demo", "started_at": at(0), "finished_at": at(0)}
    counts = {"points_read": 4, "points_rejected": 0, "periods_missing": 0, "message": ""}
    database.load_periods("demo", hours, at(0), {**run, **counts})


def _counts(database: Database) -> tuple[int, int]:
    with database.engine.connect() as connection:
        return tuple(
            int(connection.execute(text(f"select count(*) from {name}")).scalar_one())
            for name in ("reality", "etl_runs")
        )  # type: ignore[return-value]


def test_wherever_a_run_is_killed_all_of_it_is_stored_or_nothing(database: Database) -> None:
    survived = 0
    for statement in range(1, 12):
        before = _counts(database)
        try:
            with faults.killed_at(database, statement):
                _load(database, statement)
            survived += 1
        except Killed:
            assert _counts(database) == before
        else:
            assert _counts(database) == (before[0] + 1, before[1] + 1)
    assert 0 < survived < 11


def test_a_database_that_does_not_answer_is_an_error_with_a_reason(database: Database) -> None:
    with (
        faults.unreachable(database, down=True),
        pytest.raises(DatabaseError, match="the database does not answer"),
    ):
        database.last_period("demo")
    assert database.last_period("demo") is None


def test_flags_add_to_a_scenario() -> None:
    told = SCENARIOS["outages"].with_flag("silent=5@300").with_flag("drop=0.5")
    assert told.silent == (*SCENARIOS["outages"].silent, Span(5, 300))
    assert told.drop == 0.5
    with pytest.raises(SettingsError, match="unknown fault"):
        told.with_flag("rain=1")


def test_changes_come_in_order() -> None:
    told = Faults(shift=(Span(2, 50),), reshape=(Span(8, 20),))
    assert [name for name, _ in told.changes()] == ["reshape", "shift"]
    assert timedelta(hours=told.changes()[0][1].at) == timedelta(hours=20)
