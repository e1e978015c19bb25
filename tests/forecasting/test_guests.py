"""A guest is a candidate like others: off by default, judged by the same backtest, and in need of its package."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import make_predictions
from actioncast.forecasting import champion, forecaster
from actioncast.forecasting.card import ModelError
from actioncast.forecasting.forecaster import Forecaster
from actioncast.forecasting.guests import zero_shot
from actioncast.forecasting.intervals import Spread
from actioncast.forecasting.recipes import recipe_pool
from actioncast.periods.axis import Axis
from actioncast.periods.frequency import parse_frequency
from actioncast.periods.grid import Grid
from actioncast.periods.timeline import timeline_of
from actioncast.settings import CANDIDATES
from actioncast.tracking.run import library_versions
from tests.support.series import SEASONS, START
from tests.support.stage import TRAIN, Stage, stage_in

MONTHS = timeline_of(parse_frequency("1MS"), "UTC", None)
GUEST_TRAIN = TRAIN.replace('"ridge", "blend"', '"flair"')


def monthly(count: int) -> NDArray[np.float64]:
    month = np.arange(count)
    return np.asarray(
        100 + 0.2 * month + 10 * np.sin(2 * np.pi * month / 12) + np.random.default_rng(0).normal(0, 1, count)
    )


def test_no_guest_is_there_unless_it_is_asked_for() -> None:
    names = [recipe.name for recipe in recipe_pool(SEASONS, CANDIDATES, 1, periods=1000)]
    assert not {"flair", "fracast"} & set(names)
    asked = [recipe.name for recipe in recipe_pool(SEASONS, [*CANDIDATES, "flair"], 1, periods=1000)]
    assert "flair" in asked


def test_it_forecasts_a_season_from_the_values_before_each_origin_alone() -> None:
    values = monthly(120)
    (recipe,) = [one for one in recipe_pool((12,), ["flair"], 1, periods=96, timeline=MONTHS) if one.name == "flair"]
    axis = Axis(MONTHS, 0)
    fitted = forecaster.fit(values[:96], recipe, axis=axis, seasonality=(12,))
    origins = np.array([96, 102])
    ahead = forecaster.predict(fitted, values, origins, 12, axis=axis)
    actual = values[origins[:, None] + np.arange(12)]
    assert np.abs(ahead - actual).mean() < 0.5 * np.abs(values[12:] - values[:-12]).mean() + 2
    changed = values.copy()
    changed[96:] = 0
    assert forecaster.predict(fitted, changed, origins[:1], 12, axis=axis) == pytest.approx(ahead[:1])


def test_a_guest_is_trained_promoted_and_forecasts(stage: Stage) -> None:
    _, settings = stage_in(stage.config.parent, GUEST_TRAIN)
    stage = replace(stage, settings=settings)
    now = stage.load(300)
    report = stage.train(now)
    assert "flair" in {row["candidate"] for row in report.leaderboard()}
    assert not make_predictions.run(settings, stage.database, now, series_id="demo").failed


def test_without_its_package_it_is_skipped_with_the_way_to_get_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zero_shot, "find_spec", lambda _: None)
    _, settings = stage_in(stage.config.parent, GUEST_TRAIN)
    stage = replace(stage, settings=settings)
    report = stage.train(stage.load(300))
    assert "requirements/guests" in report.skipped["flair"]


def test_a_champion_with_a_guest_serves_and_names_the_package_where_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = monthly(96)
    (recipe,) = [one for one in recipe_pool((12,), ["flair"], 1, periods=96, timeline=MONTHS) if one.name == "flair"]
    fitted = forecaster.fit(values, recipe, axis=Axis(MONTHS, 0), seasonality=(12,))
    spread = Spread(np.ones(12), np.ones(12), 1.0, 0.0, np.linspace(-1, 1, 201), 9.0)
    model = Forecaster((fitted,), np.ones(1), spread, 0.8, (12,), timeline=MONTHS)
    numbers = champion.pack_numbers(model, "flair")
    libraries = library_versions(["flaircast"])
    facts = champion.Facts("demo", "flair", START, START, START, 96, 1.0, None, np.ones(12), libraries)
    champion.save_champion(tmp_path, champion.make_card(model, numbers, facts), numbers)
    history = Grid(MONTHS.start_of(0), values, timeline=MONTHS)
    loaded = champion.load_champion(tmp_path).forecaster
    assert forecaster.forecast(loaded, history, 12).prediction == pytest.approx(
        forecaster.forecast(model, history, 12).prediction
    )
    monkeypatch.setattr(champion, "_installed_version", lambda _: "not installed")
    with pytest.raises(ModelError, match="trained with flaircast"):
        champion.load_champion(tmp_path)
