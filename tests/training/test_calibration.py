from __future__ import annotations

import dataclasses
from dataclasses import replace

import numpy as np
import pytest

import make_predictions
from actioncast import quantiles
from actioncast.config import load_settings
from actioncast.forecasting import intervals
from actioncast.forecasting.card import read_card
from actioncast.forecasting.intervals import Spread, bounds, distribution
from actioncast.settings import SettingsError
from tests.support.stage import TRAIN, Stage, stage_in

LEVELS = (0.05, 0.1, 0.5, 0.9, 0.95)
NORMAL = np.sort(np.random.default_rng(0).normal(size=20_001))[::100]
SPREAD = Spread(np.ones(24), np.ones(24), 100.0, 0.0, NORMAL, 10.0)


def test_the_loss_of_quantiles_is_that_of_the_pinball() -> None:
    stated = np.array([[8.0, 8.0], [12.0, 12.0]])
    score = quantiles.score(stated, np.array([10.0, 14.0]), (0.1, 0.9))
    assert score
    # 0.1: 0.1 x 2 and 0.1 x 6; 0.9: 0.1 x 2 and 0.9 x 2.
    assert score.crps == pytest.approx(2 * (0.2 + 0.6 + 0.2 + 1.8) / 4)
    assert score.wql == pytest.approx(2 * ((0.2 + 0.6) + (0.2 + 1.8)) / 2 / 24)
    assert score.below == {"0.1": 0.0, "0.9": 0.5}


def test_nothing_is_scored_without_levels_or_values() -> None:
    assert quantiles.score(np.empty((0, 2)), np.array([1.0, 2.0]), ()) is None
    assert quantiles.score(np.ones((1, 2)), np.full(2, np.nan), (0.5,)) is None
    assert quantiles.score_rows([{"reality": 1.0, "quantiles": None}]) is None


def test_quantiles_rise_and_those_of_the_tails_are_the_bounds() -> None:
    forecast = np.linspace(90, 110, 24)
    phases = np.arange(24)
    stated = distribution(SPREAD, forecast, phases, LEVELS, 0.8)
    lower, upper = bounds(SPREAD, forecast, phases, 0.8)
    assert (np.diff(stated, axis=0) > 0).all()
    assert stated[1] == pytest.approx(lower)
    assert stated[3] == pytest.approx(upper)


def test_quantiles_are_not_negative_where_the_series_never_is() -> None:
    nonnegative = dataclasses.replace(SPREAD, level_power=0.5, by_lead=np.full(24, 100.0))
    stated = distribution(nonnegative, np.linspace(0, 50, 24), np.arange(24), LEVELS, 0.8)
    assert stated.min() == 0
    assert (np.diff(stated, axis=0) >= 0).all()


def test_each_quantile_holds_its_share_of_new_values() -> None:
    values = 100 + np.random.default_rng(1).normal(size=(4000, 24))
    stated = distribution(SPREAD, np.full(24, 100.0), np.arange(24), LEVELS, 0.8)
    score = quantiles.score(np.repeat(stated[:, None], 4000, axis=1), values, LEVELS)
    assert score
    assert list(score.below.values()) == pytest.approx(LEVELS, abs=0.05)


def test_stored_quantiles_have_as_many_figures_as_the_interval_can_tell_apart() -> None:
    stated = [8.123456789, 8.2000049, 9.87654321, 12.34567891, 12.5]
    named = quantiles.by_name((0.1, 0.2, 0.5, 0.9, 0.95), stated, stated[0], stated[3])
    assert named == {"0.1": 8.123456789, "0.2": 8.2, "0.5": 9.877, "0.9": 12.34567891, "0.95": 12.5}
    near = quantiles.by_name((0.1, 0.2), [8.12345, 8.12346], 8.12345, 9.0)
    assert near == {"0.1": 8.12345, "0.2": 8.1235}
    assert quantiles.by_name((0.5,), [7.0], 7.0, 7.0) == {"0.5": 7.0}
    assert quantiles.by_name((0.5,), [-7.25e-9], -1e-8, 1e-8) == {"0.5": -7.25e-9}
    assert quantiles.by_name((0.5,), [1234567.8], 1e6, 2e6) == {"0.5": 1235000.0}


def test_a_training_states_them_on_the_card_and_a_forecast_stores_them(stage: Stage, few_ridges: None) -> None:
    _, settings = stage_in(stage.config.parent, f"{TRAIN}quantiles = [0.1, 0.5, 0.9]\n")
    stage = replace(stage, settings=settings)
    now = stage.load(600)
    report = stage.train(now)
    card = read_card(stage.directory)
    assert card
    assert card.distribution
    assert card.distribution.levels == (0.1, 0.5, 0.9)
    assert card.distribution.crps
    assert 0 < card.distribution.crps < card.mae
    assert list(card.distribution.below.values()) == pytest.approx([0.1, 0.5, 0.9], abs=0.12)
    assert report.challenger["crps"] == card.distribution.crps

    answer = make_predictions.run(settings, stage.database, now, series_id="demo").as_json()
    first = answer["predictions"][0]
    assert list(first["quantiles"]) == ["0.1", "0.5", "0.9"]
    assert first["quantiles"]["0.1"] == first["lower"]
    assert first["quantiles"]["0.9"] == first["upper"]
    stored = stage.database.vintage("demo", now)
    assert [row["quantiles"] for row in stored] == [row["quantiles"] for row in answer["predictions"]]


def test_without_levels_nothing_is_stated(stage: Stage, few_ridges: None) -> None:
    _, settings = stage_in(stage.config.parent, f"{TRAIN}quantiles = []\n")
    stage = replace(stage, settings=settings)
    now = stage.load(600)
    stage.train(now)
    card = read_card(stage.directory)
    assert card
    assert card.distribution is None
    answer = make_predictions.run(stage.settings, stage.database, now, series_id="demo").as_json()
    assert "quantiles" not in answer["predictions"][0]
    assert intervals.distribution(SPREAD, np.ones(3), np.arange(3), (), 0.8).shape == (0, 3)


@pytest.mark.parametrize(
    ("levels", "reason"),
    [("[0.5, 0.1]", "must rise"), ("[0.1, 0.1]", "must rise"), ("[0.0, 0.5]", "lies in"), ("[0.5, 1.0]", "lies in")],
)
def test_levels_that_are_none_are_refused(stage: Stage, levels: str, reason: str) -> None:
    text = stage.config.read_text()
    stage.config.write_text(f"{text}quantiles = {levels}\n")
    with pytest.raises(SettingsError, match=reason):
        load_settings(stage.config, {"DATABASE_URL": "sqlite:///x.db"})
