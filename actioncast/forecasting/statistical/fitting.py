"""Fits the statistical families: statsforecast chooses the form and the parameters by AICc, or by the error.

Only a training imports this: what it returns is plain numbers (see smoothing.py).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from actioncast.arrays import Array, Values
from actioncast.forecasting.statistical.smoothing import ADDITIVE, MULTIPLICATIVE, NONE

KINDS = {"N": NONE, "A": ADDITIVE, "M": MULTIPLICATIVE}
NEWEST_ARIMA = 240  # values that an ARIMA learns from at most: its time grows with them
CES_KINDS = {"N": 0, "S": 1, "P": 2, "F": 3}


def fit(family: str, values: Values, season: int) -> dict[str, Array]:
    """The arrays of a family fitted to values [n] without gaps: its form, parameters and first states.

    `season` is in periods, 1 for none. Raises ValueError where the family cannot be fitted.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return FITTERS[family](np.asarray(values, dtype=np.float64), season)
        except Exception as error:
            # The library raises whatever its routines do for values that they cannot take.
            raise ValueError(f"{family} cannot be fitted: {error}") from error


def _ets(values: Values, season: int) -> dict[str, Array]:
    from statsforecast import ets

    model: dict[str, Any] = ets.ets_f(  # type: ignore[no-untyped-call]
        values, season if len(values) >= 2 * season else 1
    )
    _, trend, seasonal, damped = model["components"]
    alpha, beta, gamma, phi = (_number(value) for value in model["par"][:4])
    states = np.asarray(model["states"][0], dtype=np.float64)
    if trend == "N":
        states = np.insert(states, 1, 0.0)
    return {
        "form": np.array([KINDS[trend], KINDS[seasonal]]),
        "parameters": np.array([alpha, beta, gamma, phi if damped == "D" else 1.0]),
        "states": states,
    }


def _number(value: float) -> float:
    """A parameter that the form has no use for is NaN."""
    return 0.0 if np.isnan(value) else float(value)


def _theta(values: Values, season: int) -> dict[str, Array]:
    from statsforecast import theta

    model: dict[str, Any] = theta.auto_theta(  # type: ignore[no-untyped-call]
        values, season
    )
    kind, factors = NONE, np.zeros(0)
    if model.get("decompose", False):
        kind = MULTIPLICATIVE if model["decomposition_type"] == "multiplicative" else ADDITIVE
        # Those after the end; before the first value the season stands where its length has taken it.
        factors = np.roll(np.asarray(model["seas_forecast"]["mean"]), len(values) % season)
    is_dynamic = str(model["modeltype"]).startswith("D")
    _, _, intercept, slope, _ = np.asarray(model["states"][0], dtype=np.float64)
    if is_dynamic:
        intercept, slope = 0.0, 0.0  # its line begins with the first value
    level = model["par"]["initial_smoothed"]
    return {
        "form": np.array([int(is_dynamic), kind]),
        "parameters": np.array([model["par"]["alpha"], model["par"]["theta"]]),
        "states": np.array([level, 0.0, intercept, slope, 0.0]),
        "season": factors,
    }


def _ces(values: Values, season: int) -> dict[str, Array]:
    from statsforecast import ces

    model: dict[str, Any] = ces.auto_ces(  # type: ignore[no-untyped-call]
        values, season
    )
    lags = 1 if model["seasontype"] == "N" else season
    names = ("alpha_0", "alpha_1", "beta_0", "beta_1")
    return {
        "form": np.array([CES_KINDS[model["seasontype"]]]),
        "parameters": np.array([_number(model["par"][name]) for name in names]),
        "states": np.asarray(model["states"][:lags], dtype=np.float64),
    }


def _arima(values: Values, season: int) -> dict[str, Array]:
    from statsforecast import arima

    newest = values[-NEWEST_ARIMA:]
    orders = {"max_p": 2, "max_q": 2, "max_P": 1, "max_Q": 1}  # larger ones cost more and forecast no better
    model: dict[str, Any] = arima.auto_arima_f(  # type: ignore[no-untyped-call]
        newest, period=season, **orders
    )
    p, q, seasonal_p, seasonal_q, period, d, seasonal_d = model["arma"]
    coefficients = {name: float(value) for name, value in model["coef"].items()}
    of_values = _product(
        _lags([-coefficients[f"ar{lag}"] for lag in range(1, p + 1)], 1),
        _lags([-coefficients[f"sar{lag}"] for lag in range(1, seasonal_p + 1)], period),
        *[_lags([-1.0], 1)] * d,
        *[_lags([-1.0], period)] * seasonal_d,
    )
    of_errors = _product(
        _lags([coefficients[f"ma{lag}"] for lag in range(1, q + 1)], 1),
        _lags([coefficients[f"sma{lag}"] for lag in range(1, seasonal_q + 1)], period),
    )
    # The line counts from the first of all values on, the model from the first that it has seen.
    drift = coefficients.get("drift", 0.0)
    unseen = len(values) - len(newest)
    return {
        "parameters": np.array([coefficients.get("intercept", 0.0) - drift * unseen, drift]),
        "of_values": -of_values[1:],
        "of_errors": of_errors[1:],
        "errors": np.concatenate([np.zeros(unseen), np.nan_to_num(model["residuals"])]),
    }


def _lags(coefficients: Sequence[float], step: int) -> Values:
    """The polynomial 1 + c B^step + ... of the backshift B."""
    polynomial = np.zeros(len(coefficients) * step + 1)
    polynomial[0] = 1.0
    polynomial[step::step] = coefficients
    return polynomial


def _product(*polynomials: Values) -> Values:
    return reduce(np.convolve, polynomials)


FITTERS: dict[str, Callable[[Values, int], dict[str, Array]]] = {
    "ets": _ets,
    "theta": _theta,
    "ces": _ces,
    "arima": _arima,
}
