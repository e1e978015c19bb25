from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from actioncast.forecasting import intervals
from actioncast.forecasting.intervals import Spread, bounds, calibrate

NAN = float("nan")
ORIGINS, HORIZON = 400, 24
HOURS = np.arange(ORIGINS)[:, None] + np.arange(HORIZON)


def phases_from(first: int) -> NDArray[np.int64]:
    """[leads] the hours of the day from this hour on."""
    return (first + np.arange(HORIZON)) % 24


def noise(seed: int = 0, shape: tuple[int, int] = (ORIGINS, HORIZON)) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=shape)


def calibrated(
    residuals: NDArray[np.float64], level: float | NDArray[np.float64] = 100.0, *, nonnegative: bool = False
) -> Spread:
    forecasts = np.broadcast_to(np.asarray(level, dtype=np.float64), residuals.shape)
    return calibrate(residuals, forecasts, HOURS % 24, phase_count=24, nonnegative=nonnegative, span=10_000)


def share_inside(
    spread: Spread, residuals: NDArray[np.float64], level: float = 100.0, coverage: float = 0.8
) -> NDArray[np.float64]:
    """[leads] share of new residuals inside their interval, over all origins."""
    inside = []
    for origin, row in enumerate(residuals):
        lower, upper = bounds(spread, np.full(HORIZON, level), phases_from(origin), coverage)
        inside.append((level + row >= lower) & (level + row <= upper))
    return np.asarray(np.mean(inside, axis=0))


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.95])
def test_new_residuals_fall_inside_as_often_as_promised_at_every_lead(coverage: float) -> None:
    growing = np.sqrt(1 + np.arange(HORIZON))
    shares = share_inside(calibrated(noise(1) * growing), noise(2) * growing, coverage=coverage)
    assert shares.mean() == pytest.approx(coverage, abs=0.03)
    assert np.abs(shares - coverage).max() < 0.12


def test_errors_that_grow_with_the_lead_widen_the_interval() -> None:
    spread = calibrated(noise() * (1 + np.arange(HORIZON)))
    lower, upper = bounds(spread, np.full(HORIZON, 100.0), phases_from(0), 0.8)
    assert (upper - lower)[-1] > 2 * (upper - lower)[0]


def test_hours_of_the_day_that_err_more_are_wider() -> None:
    spread = calibrated(noise() * np.where(HOURS % 24 == 9, 5, 1))
    lower, upper = bounds(spread, np.full(HORIZON, 100.0), phases_from(0), 0.8)
    assert np.argmax(upper - lower) == 9


def test_skewed_residuals_make_a_skewed_interval() -> None:
    spread = calibrated(np.random.default_rng(0).exponential(size=(ORIGINS, HORIZON)) - 0.7)
    lower, upper = bounds(spread, np.full(HORIZON, 100.0), phases_from(0), 0.8)
    assert (upper - 100 > 1.5 * (100 - lower)).all()


@pytest.mark.parametrize("shift", [-5, 5])
def test_the_forecast_lies_inside_even_when_it_is_biased(shift: float) -> None:
    lower, upper = bounds(calibrated(noise() + shift), np.full(HORIZON, 100.0), phases_from(0), 0.8)
    assert (lower <= 100).all()
    assert (upper >= 100).all()


def test_a_series_that_is_never_negative_has_no_negative_bound() -> None:
    forecast = np.linspace(0, 3, HORIZON)
    lower, upper = bounds(calibrated(noise(), 2.0, nonnegative=True), forecast, phases_from(0), 0.95)
    assert lower.min() >= 0
    assert (lower <= forecast).all()
    assert (forecast <= upper).all()


def test_busy_hours_are_wider_where_nothing_is_negative() -> None:
    spread = calibrated(noise(), nonnegative=True)
    width = [np.ptp(bounds(spread, np.full(1, level), phases_from(0)[:1], 0.8)) for level in (100.0, 400.0)]
    assert width[1] == pytest.approx(2 * width[0])


def test_higher_coverage_is_wider() -> None:
    spread = calibrated(noise())
    widths = [
        np.ptp(bounds(spread, np.full(1, 100.0), phases_from(0)[:1], coverage)) for coverage in (0.5, 0.8, 0.95, 0.99)
    ]
    assert widths == sorted(widths)


def test_few_independent_horizons_widen_the_interval() -> None:
    assert intervals._widening(0.9, 2) > intervals._widening(0.9, 20) > 1


MONTHS = HOURS[:48, :12]


def of_months(residuals: NDArray[np.float64]) -> Spread:
    """Calibrated on forecasts of twelve months from each of 48."""
    forecasts = np.full(residuals.shape, 100.0)
    phases = np.zeros_like(MONTHS)
    return calibrate(
        residuals, forecasts, phases, phase_count=1, nonnegative=False, span=MONTHS.max() + 1, long_periods=MONTHS
    )


def width_of(spread: Spread) -> tuple[float, float]:
    """How far the bounds lie below and above a forecast of 100."""
    lower, upper = bounds(spread, np.full(12, 100.0), np.zeros(12, dtype=np.int64), 0.8)
    return float((100 - lower).mean()), float((upper - 100).mean())


def test_long_periods_have_intervals_with_equal_sides() -> None:
    below, above = width_of(of_months(np.abs(noise(shape=(48, 12)))))
    assert below == pytest.approx(above)


def test_newer_errors_of_long_periods_count_more() -> None:
    errors = noise(shape=(48, 12)) * np.where(MONTHS > 40, 1, 3)
    assert width_of(of_months(errors))[0] < 0.75 * width_of(of_months(errors[::-1]))[0]


def test_errors_that_resemble_their_neighbours_widen_the_interval() -> None:
    by_month = noise(shape=(1, int(MONTHS.max()) + 1))[0]
    lasting = np.convolve(by_month, np.ones(10) / np.sqrt(10), mode="same")
    assert of_months(by_month[MONTHS]).freedom > 3 * of_months(lasting[MONTHS]).freedom


def test_missing_hours_are_left_out() -> None:
    holes = noise()
    holes[::3] = NAN
    holes[:, -1] = NAN  # a lead without any residual
    lower, upper = bounds(calibrated(holes), np.full(HORIZON, 100.0), phases_from(0), 0.8)
    assert np.isfinite(lower).all()
    assert np.isfinite(upper).all()
    assert share_inside(calibrated(holes), noise(2)).mean() == pytest.approx(0.8, abs=0.04)


def test_leads_beyond_the_backtest_count_as_its_last_one() -> None:
    spread = calibrated(noise())
    phases = np.tile(phases_from(0), 3)
    lower, upper = bounds(spread, np.full(3 * HORIZON, 100.0), phases, 0.8)
    np.testing.assert_allclose((upper - lower)[HORIZON:], np.tile((upper - lower)[HORIZON:][:24], 2))


def test_rare_errors_leave_some_width() -> None:
    residuals = np.zeros((ORIGINS, HORIZON))
    residuals[::25] = 7.0
    lower, upper = bounds(calibrated(residuals), np.full(HORIZON, 100.0), phases_from(0), 0.8)
    assert (lower < 100).all()
    assert (upper > 100).all()


def test_a_forecast_without_errors_has_an_interval_without_width() -> None:
    lower, upper = bounds(calibrated(np.zeros((ORIGINS, HORIZON))), np.full(HORIZON, 100.0), phases_from(0), 0.8)
    np.testing.assert_array_equal(upper, lower)
