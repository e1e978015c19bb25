"""The statistical families: our recursions forecast what statsforecast does, and go on from there."""

from __future__ import annotations

import numpy as np
import pytest

from actioncast.arrays import Values
from actioncast.forecasting.statistical import fitting
from actioncast.forecasting.statistical.smoothing import made_of, walk

pytest.importorskip("statsforecast", reason="statsforecast is not installed")
HORIZON = 18


def monthly(seed: int, trend: float = 0.6, season: float = 20.0, length: int = 96) -> Values:
    generator = np.random.default_rng(seed)
    month = np.arange(length)
    level = 200 + trend * month + np.cumsum(generator.normal(0, 2, length))
    return np.asarray(level + season * np.sin(month * 2 * np.pi / 12) + generator.normal(0, 3, length))


def theirs(family: str, values: Values) -> Values:
    from statsforecast import models

    model = {"ets": models.AutoETS, "theta": models.AutoTheta, "ces": models.AutoCES}[family]
    return np.asarray(model(season_length=12).forecast(values, h=HORIZON)["mean"])


SERIES = [monthly(0), monthly(1, season=0.0), monthly(2, trend=0.0), monthly(3, length=30), monthly(4) - 200]


@pytest.mark.parametrize("series", range(len(SERIES)))
@pytest.mark.parametrize("family", ["ets", "theta", "ces"])
def test_forecasts_are_those_of_the_library(family: str, series: int) -> None:
    values = SERIES[series]
    arrays = fitting.fit(family, values, 12)
    is_damped = family == "ets" and arrays["parameters"][3] < 1
    ours = walk(made_of(family, arrays), values, np.array([len(values)]), HORIZON)[0]
    # The library sums a damped trend with its first step twice.
    tolerance = 0.05 if is_damped else 1e-6
    np.testing.assert_allclose(ours, theirs(family, values), rtol=tolerance)


def test_an_arima_forecasts_what_the_library_does() -> None:
    from statsforecast import models

    values = SERIES[0]
    model = models.AutoARIMA(season_length=12, max_p=2, max_q=2, max_P=1, max_Q=1)
    ours = walk(made_of("arima", fitting.fit("arima", values, 12)), values, np.array([len(values)]), HORIZON)[0]
    scale = np.abs(np.diff(values)).mean()
    np.testing.assert_allclose(ours, model.forecast(values, h=HORIZON)["mean"], atol=0.05 * scale)


@pytest.mark.parametrize("family", ["ets", "theta", "ces", "arima"])
def test_new_values_move_a_champion_that_was_fitted_before_them(family: str) -> None:
    values = monthly(5)
    arrays = fitting.fit(family, values[:72], 12)
    at_once = walk(made_of(family, arrays), values, np.array([72, 96]), 6)
    alone = walk(made_of(family, arrays), values, np.array([96]), 6)
    np.testing.assert_array_equal(at_once[1], alone[0])
    assert np.abs(at_once[0] - at_once[1]).max() > 0


def test_a_family_that_cannot_be_fitted_says_so() -> None:
    with pytest.raises(ValueError, match="cannot be fitted"):
        fitting.fit("theta", np.array([1.0, 2.0]), 12)
