"""The challenger: the best candidate whose file may lie in git, and the champion that it meets."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from actioncast.arrays import np
from actioncast.forecasting import forecaster
from actioncast.forecasting.card import Card, Distribution, Explanation, ModelError, read_card, six_figures
from actioncast.forecasting.champion import Champion, Facts, load_champion, make_card, pack_numbers
from actioncast.forecasting.fitted import FittedRecipe
from actioncast.forecasting.forecaster import Forecaster
from actioncast.forecasting.recipes import ForecastError, Recipe
from actioncast.settings import Settings
from actioncast.tracking import run
from actioncast.training import calibration
from actioncast.training.backtest import Backtest
from actioncast.training.calibration import calibrate
from actioncast.training.clean import CleanSeries
from actioncast.training.inputs import TrainingInputs
from actioncast.training.leaderboard import Candidate, challengers
from actioncast.training.metrics import mae_by_lead

log = logging.getLogger("actioncast")


@dataclass(frozen=True)
class Challenger:
    """A candidate, fitted on the whole history, and the bytes of its forecaster.npz."""

    candidate: Candidate
    forecaster: Forecaster
    numbers: bytes


def stored_champion(settings: Settings, series_id: str) -> Champion | None:
    """The champion; one that cannot be loaded cannot serve either, so that any challenger replaces it."""
    directory = settings.model_directory(series_id)
    try:
        return load_champion(directory) if read_card(directory) else None
    except ModelError as error:
        log.warning("the stored champion cannot be used and will be replaced: %s", error)
        return None


def best_challenger(
    board: Sequence[Candidate], test: Backtest, *, coverage: float, levels: tuple[float, ...] = ()
) -> Challenger:
    """The first of those that may challenge whose numbers are small enough.

    Raises ForecastError without one.
    """
    for candidate in challengers(board):
        fitted = fit_challenger(candidate, test, coverage=coverage, levels=levels)
        try:
            numbers = pack_numbers(fitted, candidate.name)
        except ModelError as error:
            log.warning("%s; the next candidate is tried", error)
        else:
            return Challenger(candidate, fitted, numbers)
    raise ForecastError("no candidate's file is small enough; add seasonal_naive to train.candidates")


def fit_challenger(
    candidate: Candidate, test: Backtest, *, coverage: float, levels: tuple[float, ...] = ()
) -> Forecaster:
    """Fit a candidate on the whole history; its own residuals of the backtest calibrate its interval."""
    chosen = np.flatnonzero(candidate.weights)
    return Forecaster(
        members=tuple(_fit(test.recipes[index], test.series) for index in chosen),
        weights=candidate.weights[chosen],
        spread=calibrate(candidate, test),
        coverage=coverage,
        seasonality=test.series.seasonality,
        shifts=test.series.shifts,
        spike_limit=test.series.spike_limit,
        timeline=test.series.history.timeline,
        levels=levels,
    )


def _fit(recipe: Recipe, series: CleanSeries) -> FittedRecipe:
    return forecaster.fit(
        series.without_spikes.values,
        recipe,
        axis=series.axis,
        seasonality=series.seasonality,
        columns=series.without_spikes.exogenous,
    )


def describe(
    challenger: Challenger,
    test: Backtest,
    inputs: TrainingInputs,
    *,
    now: datetime,
    explanation: Explanation,
) -> Card:
    """The challenger's card."""
    candidate = challenger.candidate
    facts = Facts(
        series=inputs.series_id,
        name=candidate.name,
        created_at=now,
        window_start=test.series.history.start,
        window_end=test.series.history.end,
        periods=test.series.stored_periods,
        mae=candidate.mae,
        mase=candidate.mase,
        mae_by_lead=mae_by_lead(candidate.forecasts, test.actual),
        libraries=run.library_versions(run.LIBRARIES),
        holidays=inputs.holidays,
        distribution=_distribution(challenger, test),
        explanation=explanation,
    )
    return make_card(challenger.forecaster, challenger.numbers, facts)


def _distribution(challenger: Challenger, test: Backtest) -> Distribution | None:
    """The quantiles that the challenger will state, and how good they were in the backtest; None without any."""
    fitted = challenger.forecaster
    if not fitted.levels:
        return None
    score = calibration.score(challenger.candidate, test, fitted.levels, fitted.coverage)
    if score is None:
        return Distribution(levels=fitted.levels)
    return Distribution(
        levels=fitted.levels,
        crps=six_figures(score.crps),
        wql=None if score.wql is None else six_figures(score.wql),
        below={name: round(share, 3) for name, share in score.below.items()},
    )
