from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from actioncast.config import load_settings
from actioncast.forecasting import seasons
from actioncast.periods.frequency import parse_frequency
from actioncast.periods.opening import parse_opening
from actioncast.periods.timeline import timeline_of
from actioncast.settings import SettingsError
from bench.accuracy import bikes
from tests.support.series import recorded, with_gaps

HOUR = np.arange(2000)
CONFIG = '[series.a]\nsource = { kind = "file", path = "x" }\nunit = "x"\n'


def wave(period: float, noise: float = 0.3, hours: int = 2000) -> np.ndarray:
    return np.asarray(np.sin(2 * np.pi * HOUR[:hours] / period) + np.random.default_rng(0).normal(0, noise, hours))


@pytest.mark.parametrize("period", [10, 23, 25, 36, 48, 100])
def test_a_clear_period_is_found(period: int) -> None:
    detected = seasons.detect(wave(period))
    assert (detected.periods, detected.note) == ((period,), "detected")
    assert detected.autocorrelation[period] > 0.6


def test_two_periods_are_found() -> None:
    assert seasons.detect(wave(25) + wave(175)).periods == (25, 175)


@pytest.mark.parametrize("period", [6, 8, 12, 24, 168])
def test_what_repeats_daily_or_weekly_has_the_day_and_the_week(period: int) -> None:
    detected = seasons.detect(wave(period))
    assert (detected.periods, detected.note) == ((24, 168), "detected")


def test_a_trend_and_gaps_hide_no_season() -> None:
    assert seasons.detect(with_gaps(wave(24) + 0.1 * HOUR)).note == "detected"
    assert seasons.detect(with_gaps(wave(25) + 0.1 * HOUR)).periods == (25,)


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).normal(size=2000),
        np.full(500, 3.0),
        np.zeros(100),
        np.where(HOUR[:200] % 19 == 0, 1.0, np.nan),
    ],
    ids=["noise", "constant", "zero", "few"],
)
def test_without_a_clear_season_the_day_and_the_week_are_tried(values: np.ndarray) -> None:
    detected = seasons.detect(values)
    assert (detected.periods, detected.note) == ((24, 168), "no clear season: day and week are tried")
    assert np.isfinite(list(detected.autocorrelation.values())).all()


def test_a_random_walk_has_no_season_of_its_own() -> None:
    for seed in range(20):
        walk = np.cumsum(np.random.default_rng(seed).normal(size=2000))
        assert seasons.detect(walk).periods == (24, 168), seed


def test_real_series_have_the_day_and_the_week() -> None:
    for history in (recorded(), bikes()):
        detected = seasons.detect(history.values)
        assert (detected.periods, detected.note) == ((24, 168), "detected")
        assert min(detected.autocorrelation.values()) > 0.75


def test_given_seasons_are_sorted_once_each_and_said(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(CONFIG + "seasonality = [168, 24, 168]\n")
    assert load_settings(config, {}).series["a"].season_periods == (24, 168)
    given = seasons.given((24, 168), wave(24))
    assert given.note == "as config.toml says"
    assert given.autocorrelation[24] > 0.7


def test_without_a_word_they_are_detected(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(CONFIG)
    assert load_settings(config, {}).series["a"].seasonality == "auto"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("[24, 1]", "series.a: seasonality: a season has at least two periods"),
        ("[]", "series.a.seasonality: Tuple should have at least 1 item"),
        ('"often"', "series.a.seasonality: Input should be 'auto'; got 'often'"),
    ],
)
def test_wrong_seasons_are_named(value: str, message: str, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(CONFIG + f"seasonality = {value}\n")
    with pytest.raises(SettingsError) as error:
        load_settings(config, {})
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("frequency", "opening", "expected"),
    [
        ("15min", "", (96, 672)),
        ("6h", "", (4, 28)),
        ("1D", "", (7, 364)),
        ("1D", "Mon-Fri", (5, 260)),
        ("1W", "", (52,)),
        ("1MS", "", (12,)),
        ("1QS", "", (4,)),
        ("1YS", "", (1,)),
    ],
)
def test_the_usual_seasons_of_a_frequency(frequency: str, opening: str, expected: tuple[int, ...]) -> None:
    timeline = timeline_of(parse_frequency(frequency), "UTC", parse_opening(opening) if opening else None)
    assert seasons.usual(timeline, 5_000) == expected
