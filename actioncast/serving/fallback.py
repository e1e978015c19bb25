"""Who steps in where the champion cannot forecast, or where its forecast is absurd: the seasonal naive. Pure functions.

Its intervals are those of its own errors in the history; what is two seasons ahead errs as a random
walk does, by the root of two more (Hyndman & Athanasopoulos, "Forecasting: Principles and Practice",
5.5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from actioncast.arrays import Values, np
from actioncast.forecasting.features import fill_missing
from actioncast.forecasting.forecaster import Forecast, Forecaster
from actioncast.forecasting.naive import NO_SEASON, known_season, seasonal_naive
from actioncast.forecasting.recipes import NAIVE, ForecastError
from actioncast.periods.grid import Grid
from actioncast.text import number

FAR = 1.0  # times the range of all that is known, beyond which no period may lie
FAR_ON_AVERAGE = 0.25  # likewise, of the mean of the forecasts of a season
SEASONS_BACK = 8  # of the longest season, that a naive looks back on for its errors


@dataclass(frozen=True)
class Substitute:
    """The forecast that is served in place of the champion's, and who made it."""

    forecast: Forecast
    name: str


def why_absurd(made: Forecast, history: Grid, forecaster: Forecaster) -> str:
    """Why a forecast is held back; empty when it is not.

    It is compared with all values that are known: those of the history, which the naive repeats, and
    those that the champion has learned from.
    """
    known = history.values[~np.isnan(history.values)]
    learned = [(member.low, member.high) for member in forecaster.members]
    lowest = min([*known, *(low for low, _ in learned if np.isfinite(low))])
    highest = max([*known, *(high for _, high in learned if np.isfinite(high))])
    span = highest - lowest
    for value in (made.prediction.min(), made.prediction.max()):
        if not lowest - FAR * span <= value <= highest + FAR * span:
            return _sentence(value, "forecasts", lowest, highest)
    season = known_season(forecaster.seasonality, len(made.prediction))
    mean = float(made.prediction[:season].mean()) if season > NO_SEASON else (lowest + highest) / 2
    is_within_day = history.timeline.frequency.is_within_day
    if is_within_day and not lowest - FAR_ON_AVERAGE * span <= mean <= highest + FAR_ON_AVERAGE * span:
        return _sentence(mean, "forecasts a season that averages", lowest, highest)
    return ""


def _sentence(value: float, verb: str, lowest: float, highest: float) -> str:
    return f"the champion {verb} {number(value)}, and all known values lie in {number(lowest)} to {number(highest)}"


def substitute(
    history: Grid,
    seasonality: Sequence[int],
    horizon: int,
    *,
    coverage: float,
    levels: tuple[float, ...],
) -> Substitute:
    """The seasonal naive for the next `horizon` periods. Raises ForecastError without a known value."""
    if np.isnan(history.values).all():
        raise ForecastError("no value is known that a naive could repeat")
    filled = fill_missing(history.values, seasonality)
    season = known_season(seasonality, len(filled))
    prediction = seasonal_naive(filled, seasonality, horizon)
    errors = _errors(history.values, season)
    tail = (1 - coverage) / 2
    deviations = np.quantile(errors, [tail, 1 - tail, *levels])
    seasons_ahead = np.arange(horizon) // season + 1
    stated = prediction + deviations[:, None] * np.sqrt(seasons_ahead)
    if np.nanmin(history.values) >= 0:
        stated = np.maximum(stated, 0)
    forecast = Forecast(
        prediction=prediction,
        lower=np.minimum(stated[0], prediction),
        upper=np.maximum(stated[1], prediction),
        levels=levels,
        quantiles=stated[2:],
    )
    return Substitute(forecast, f"{NAIVE}_{season}")


def _errors(values: Values, season: int) -> Values:
    """The errors of the naive one season ahead; where there are none, how far values lie from their median."""
    errors = values[season:] - values[:-season]
    known = errors[~np.isnan(errors)]
    if len(known):
        return np.asarray(known)
    present = values[~np.isnan(values)]
    return np.asarray(present - np.median(present))
