"""Every frequency from a file to a verdict: the stored sums are pandas' own, and forecasts lie at the right period."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import text

import check_data
import check_freshness
import check_retrain
import make_predictions
import train
import update_real_data
from actioncast.config import load_settings
from actioncast.database.database import Database, open_database
from actioncast.serving.trial import try_champion
from actioncast.settings import Settings

ZONES = ("UTC", "Europe/Madrid", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")


@dataclass(frozen=True)
class History:
    """`days` across clock changes with a point every `minutes`; `points` in the longest period; `count` of periods."""

    days: int
    minutes: int
    points: int
    count: int


HISTORIES = {
    "5min": History(250, 5, 1, 1200),
    "15min": History(250, 5, 3, 800),
    "30min": History(250, 5, 6, 700),
    "1h": History(250, 15, 4, 500),
    "1D": History(400, 30, 48, 150),
    "1W-MON": History(800, 60, 168, 120),
    "1MS": History(1500, 60, 744, 60),
    "1QS": History(3000, 360, 368, 24),
    "1YS": History(5500, 720, 732, 14),
}
CASES = [(frequency, zone) for frequency in HISTORIES for zone in ZONES]
# The clocks of Lord Howe change by half an hour: hours there follow the wall, in pandas they begin at half past.
SAME_AS_PANDAS = [case for case in CASES if case != ("1h", "Australia/Lord_Howe")]
ROTATED = [(frequency, ZONES[index % len(ZONES)]) for index, frequency in enumerate(HISTORIES)]
TABLE = """
[series.demo]
source = {{ kind = "file", path = "points.csv" }}
unit = "x"
frequency = "{frequency}"
timezone = "{zone}"
aggregate = "{aggregate}"
points_per_period = {points}
minimum_points_per_period = {points}
history = "40Y"

[train]
candidates = ["seasonal_naive", "ridge", "ets", "theta"]
"""


@dataclass
class Copy:
    """A project folder with a file of points, and its database."""

    folder: Path
    settings: Settings
    database: Database

    def write(self, times: pd.DatetimeIndex, values: np.ndarray) -> None:
        frame = pd.DataFrame({"timestamp": times.tz_convert("UTC").strftime("%Y-%m-%dT%H:%M:%SZ"), "value": values})
        frame.to_csv(self.folder / "points.csv", index=False)

    def stored(self) -> pd.Series:
        query = text("select reality_date, value from reality order by reality_date")
        with self.database.engine.connect() as connection:
            rows = connection.execute(query).all()
        index = pd.DatetimeIndex([row[0] for row in rows]).tz_convert("UTC")
        return pd.Series([row[1] for row in rows], index)


@pytest.fixture
def copy(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Copy]:
    frequency, zone, aggregate, points = request.param
    table = TABLE.format(frequency=frequency, zone=zone, aggregate=aggregate, points=points)
    (tmp_path / "config.toml").write_text(table)
    variables = {"DATABASE_URL": f"sqlite:///{tmp_path / 'test.db'}"}
    settings = load_settings(tmp_path / "config.toml", variables)
    with open_database(settings) as database:
        yield Copy(tmp_path, settings, database)


def summed(case: tuple[str, str]) -> tuple[str, str, str, int]:
    """The parameters of a copy whose points are summed."""
    frequency, zone = case
    return frequency, zone, "sum", HISTORIES[frequency].points


def counted(case: tuple[str, str]) -> tuple[str, str, str, int]:
    """The parameters of a copy with one point a period."""
    frequency, zone = case
    return frequency, zone, "mean", 1


@pytest.mark.parametrize(
    "copy", [summed(case) for case in SAME_AS_PANDAS], indirect=True, ids=map("-".join, SAME_AS_PANDAS)
)
def test_the_stored_sums_are_those_of_pandas(copy: Copy) -> None:
    series = copy.settings.series["demo"]
    frequency = str(series.frequency)
    zone = series.timezone
    history = HISTORIES[frequency]
    begin = pd.Timestamp("2019-01-01", tz=zone)
    count = history.days * 24 * 60 // history.minutes
    times = pd.date_range(begin, periods=count, freq=pd.Timedelta(minutes=history.minutes))
    values = np.random.default_rng(7).integers(0, 1000, count).astype(np.float64)
    copy.write(times, values)
    now = times[-1].to_pydatetime()
    update_real_data.run(copy.settings, copy.database, now, series_id="demo", backfill=True)
    rule = frequency.removeprefix("1") if "W" in frequency else frequency
    expected = pd.Series(values, times).resample(rule, label="left", closed="left").sum()
    whole = expected.tz_convert("UTC").iloc[:-1]
    stored = copy.stored()
    whole = whole[whole.index >= stored.index[0]]
    assert len(expected) - len(whole) <= 2, "but the first and the last, which are not whole"
    pd.testing.assert_series_equal(stored, whole, check_freq=False, check_names=False, check_index_type=False)


@pytest.mark.parametrize("copy", [*map(counted, ROTATED)], indirect=True, ids=lambda case: "-".join(case[:2]))
def test_from_a_file_to_a_verdict(copy: Copy) -> None:
    """Each value is the number of its period: what is forecast for a period must be its number."""
    series = copy.settings.series["demo"]
    timeline = series.timeline
    count = HISTORIES[str(series.frequency)].count
    last = timeline.number_of(datetime(2021, 4, 3, tzinfo=UTC))
    known = np.arange(last - count, last)
    later = np.arange(last, last + series.horizon_periods)
    for numbers in (known, np.concatenate([known, later])):
        starts = pd.to_datetime(timeline.starts(numbers), unit="s", utc=True)
        copy.write(pd.DatetimeIndex(starts), (numbers - last).astype(np.float64))
        now = timeline.end_of(int(numbers[-1]))
        update_real_data.run(copy.settings, copy.database, now, series_id="demo")
        if numbers is known:
            train.run(copy.settings, copy.database, now, series_id="demo")
            try_champion(copy.settings.model_directory("demo"))
            report = make_predictions.run(copy.settings, copy.database, now, series_id="demo")
            freshness = check_freshness.run(copy.settings, copy.database, now, series_ids=["demo"], api=None)
            assert not freshness.failed, freshness.as_text()
    assert [row["prediction_date"] for row in report.rows] == [timeline.start_of(int(number)) for number in later]
    predictions = [row["prediction"] for row in report.rows]
    assert predictions == pytest.approx((later - last).astype(float), abs=0.4)
    check = check_retrain.run(copy.settings, copy.database, now, series_id="demo")
    assert check.as_json()["verdict"] in ("good", "watch")
    assert not check_data.run(copy.settings, copy.database, now, series_id="demo").failed
