"""The forecasting methods that the accuracy benchmarks compare: one function each, with the same arguments.

Ours is what train.py does before its gate. The peers run with their libraries' defaults, as their documentation shows
them for hourly data; their libraries (requirements/bench.txt) are imported only when they are asked for.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from statistics import NormalDist
from typing import Any

import numpy as np

from actioncast.arrays import Values
from actioncast.forecasting import features, forecaster, recipes
from actioncast.periods.grid import Grid
from actioncast.quantiles import DECILES, pinball_losses
from actioncast.text import progress, table
from actioncast.times import HOUR, HOURS_PER_DAY, HOURS_PER_WEEK, from_seconds
from actioncast.training import metrics
from actioncast.training.backtest import backtest
from actioncast.training.challenger import fit_challenger
from actioncast.training.clean import clean
from actioncast.training.leaderboard import challengers, rank_candidates

DAY = HOURS_PER_DAY
WEEK = HOURS_PER_WEEK
SEASONS = (DAY, WEEK)
OURS = "actioncast"
# The trees of config.toml are left out here: they have a leaderboard row in train.py, but never a share of the blend.
CANDIDATES = ("seasonal_naive", "ridge", "blend")
TUTORIAL_HOURS = 164  # the tutorial's forest learns from so many
BACKTEST_DAYS = 60


@dataclass(frozen=True)
class Task:
    """One forecast to make: values [n] up to the origin, hours in number since 1970."""

    values: Values
    first_period: int
    horizon: int
    coverage: float


@dataclass(frozen=True)
class Answer:
    """Arrays [horizon]; no bounds from a method that has none. `quantiles` [9, horizon] are the deciles."""

    prediction: Values
    lower: Values | None = None
    upper: Values | None = None
    quantiles: Values | None = None


Method = Callable[[Task], Answer]


def actioncast(task: Task) -> Answer:
    """Backtest, leaderboard, blend or single winner, fit, forecast."""
    history = Grid(from_seconds(task.first_period * HOUR), task.values)
    model = train_actioncast(history, horizon=task.horizon, coverage=task.coverage)
    made = forecaster.forecast(model, history, task.horizon)
    return Answer(made.prediction, made.lower, made.upper, made.quantiles)


def train_actioncast(history: Grid, *, horizon: int, coverage: float) -> forecaster.Forecaster:
    """The challenger that train.py would make."""
    pool = recipes.recipe_pool(SEASONS, CANDIDATES, 1, periods=len(history), horizon=horizon)
    test = backtest(
        clean(history, SEASONS),
        pool,
        horizon=horizon,
        longest=24 * BACKTEST_DAYS,
        watch=lambda _: None,
    )
    winner = challengers(rank_candidates(test, CANDIDATES))[0]
    return fit_challenger(winner, test, coverage=coverage, levels=DECILES)


def seasonal_naive(season: int) -> Method:
    """The last season again; bounds of a normal with the in-sample seasonal differences' deviation."""

    def method(task: Task) -> Answer:
        values = features.fill_missing(task.values, SEASONS)
        length = min(season, len(values) // 2)  # of a history that is shorter than two seasons
        step = np.arange(task.horizon)
        middle = values[-length:][step % length]
        spread = np.std(values[length:] - values[:-length]) * np.sqrt(step // length + 1)
        width = NormalDist().inv_cdf((1 + task.coverage) / 2) * spread
        return Answer(middle, middle - width, middle + width)

    return method


def naive2(values: Values, horizon: int) -> Values:
    """The M4 competition's benchmark: the last value, seasonally adjusted (24 h, multiplicative) where a test on the
    autocorrelation at lag 24 (90 %) says so. Makridakis, Spiliotis & Assimakopoulos (2020), The M4 Competition."""
    n = len(values)
    centred = values - values.mean()
    correlation = np.array([centred[k:] @ centred[: n - k] for k in range(1, DAY + 1)]) / (centred @ centred + 1e-300)
    limit = 1.645 * np.sqrt((1 + 2 * np.sum(correlation[:-1] ** 2)) / n)
    kernel = np.r_[0.5, np.ones(DAY - 1), 0.5] / DAY
    level = np.convolve(values, kernel, "valid")
    if abs(correlation[-1]) <= limit or n < 2 * DAY or values.min() <= 0:  # no share of a level that is not positive
        return np.full(horizon, values[-1])
    ratio = values[DAY // 2 : -(DAY // 2)] / level
    phase = (np.arange(len(ratio)) + DAY // 2) % DAY
    index = np.bincount(phase, ratio) / np.bincount(phase)
    index *= DAY / index.sum()
    return np.asarray(values[-1] / index[(n - 1) % DAY] * index[(n + np.arange(horizon)) % DAY])


def tutorial_forest(task: Task) -> Answer:
    """The tutorial's recipe: random forest, ten lags and a window mean, on the newest 164 hours."""
    from skforecast.preprocessing import RollingFeatures
    from skforecast.recursive import ForecasterRecursive
    from sklearn.ensemble import RandomForestRegressor

    model = ForecasterRecursive(
        estimator=RandomForestRegressor(random_state=123, n_jobs=1),
        lags=10,
        window_features=RollingFeatures(stats=["mean"], window_sizes=[20]),
    )
    model.fit(y=_frame(task).set_index("ds")["y"].asfreq("h")[-TUTORIAL_HOURS:])
    return Answer(model.predict(task.horizon).to_numpy())


def skforecast_lightgbm(task: Task) -> Answer:
    """LightGBM's defaults on a day and a week of lags, conformal bounds on in-sample residuals."""
    import lightgbm
    from skforecast.recursive import ForecasterRecursive

    model = ForecasterRecursive(
        estimator=lightgbm.LGBMRegressor(random_state=1, n_jobs=1, verbose=-1), lags=[*range(1, DAY + 1), WEEK]
    )
    model.fit(y=_frame(task).set_index("ds")["y"].asfreq("h"), store_in_sample_residuals=True)
    made = model.predict_interval(task.horizon, method="conformal", interval=task.coverage)
    return Answer(*made.to_numpy().T)


def mlforecast_lightgbm(task: Task) -> Answer:
    """LightGBM's defaults on the differences to the day before, lags 1 to 3 and 24 to 168, conformal bounds."""
    import lightgbm
    from mlforecast import MLForecast
    from mlforecast.target_transforms import Differences
    from mlforecast.utils import PredictionIntervals

    model = MLForecast(
        models={"m": lightgbm.LGBMRegressor(random_state=1, n_jobs=1, verbose=-1)},
        freq="h",
        lags=[1, 2, 3, *range(DAY, WEEK + 1, DAY)],
        target_transforms=[Differences([DAY])],
    )
    model.fit(_frame(task), prediction_intervals=PredictionIntervals(n_windows=2, h=task.horizon))
    return _answer(model.predict(task.horizon, level=[100 * task.coverage]))


def statsforecast_model(name: str) -> Method:
    """One of statsforecast's automatic models."""

    def method(task: Task) -> Answer:
        from statsforecast import StatsForecast, models

        made_of = {
            "MSTL": lambda: models.MSTL(season_length=list(SEASONS), alias="m"),
            "AutoETS": lambda: models.AutoETS(season_length=DAY, alias="m"),
            "AutoARIMA": lambda: models.AutoARIMA(season_length=DAY, alias="m"),
        }
        model: Any = made_of[name]()  # type: ignore[no-untyped-call]
        library: Any = StatsForecast(models=[model], freq="h", n_jobs=1)
        return _answer(library.forecast(df=_frame(task), h=task.horizon, level=[round(100 * task.coverage)]))

    return method


def _frame(task: Task) -> Any:
    """The hours in the long form that the peers read; missing hours filled as for our own lags."""
    import pandas as pd

    start = pd.Timestamp(task.first_period * HOUR, unit="s")
    hours = pd.date_range(start, periods=len(task.values), freq="h")
    return pd.DataFrame({"unique_id": "series", "ds": hours, "y": features.fill_missing(task.values, SEASONS)})


def _answer(made: Any) -> Answer:
    columns = {next((side for side in ("-lo-", "-hi-") if side in name), name): name for name in made.columns}
    return Answer(*(made[columns[key]].to_numpy(dtype=np.float64) for key in ("m", "-lo-", "-hi-")))


METHODS: dict[str, Method] = {
    OURS: actioncast,
    "seasonal_naive_24": seasonal_naive(DAY),
    "seasonal_naive_168": seasonal_naive(WEEK),
    "tutorial_forest": tutorial_forest,
    "statsforecast_mstl": statsforecast_model("MSTL"),
    "statsforecast_autoets": statsforecast_model("AutoETS"),
    "statsforecast_autoarima": statsforecast_model("AutoARIMA"),
    "mlforecast_lightgbm": mlforecast_lightgbm,
    "skforecast_lightgbm": skforecast_lightgbm,
}
PEERS = ("statsforecast", "mlforecast")  # packages of requirements/bench.txt
SLOW = ("statsforecast_autoarima",)  # minutes a series: only when it is named


def chosen(only: list[str] | None) -> list[str]:
    """Names of the methods to run; "ours" is accepted for our own. Peers that are not installed are left out and named.

    Raises SystemExit when one of those was asked for.
    """
    asked_for = only or [name for name in METHODS if name not in SLOW]
    names = [OURS if name == "ours" else name for name in asked_for]
    missing = [name for name in names if not _is_installed(name)]
    if missing:
        print(f"not installed: {', '.join(missing)}; pip install -r requirements/bench.txt", file=sys.stderr)
    if only and missing:
        raise SystemExit(2)
    return [name for name in names if name not in missing]


def _is_installed(method: str) -> bool:
    """Whether the library of a method is there; only the peers have one of their own."""
    if not method.startswith(PEERS):
        return True
    library, _, _ = method.partition("_")
    return find_spec(library) is not None


def scores(answer: Answer, actual: Values, scale: float, coverage: float) -> dict[str, float]:
    """sMAPE in percent, MASE and MSIS (by `scale`, the in-sample seasonal naive error), MAE, share inside the bounds.

    As in the M4 competition: Makridakis, Spiliotis & Assimakopoulos (2020). Missing hours are left out; without bounds
    MSIS and coverage are NaN. `quantile_loss` (twice the mean pinball loss of the deciles, summed over the periods) and
    `size` (the sum of the sizes of the values) make the WQL of many series: see `wql_of`.
    """
    observed = ~np.isnan(actual)
    actual = actual[observed]
    prediction = answer.prediction[observed]
    errors = np.abs(actual - prediction)
    size = np.abs(actual) + np.abs(prediction)
    result = {
        "smape": float(200 * np.mean(errors / np.where(size > 0, size, 1.0))),
        "mae": float(errors.mean()),
        "mase": float(errors.mean() / scale) if scale else float("nan"),
        "msis": float("nan"),
        "coverage": float("nan"),
        "quantile_loss": float("nan"),
        "size": float(np.abs(actual).sum()),
    }
    deciles = deciles_of(answer, coverage)
    if deciles is not None:
        losses = pinball_losses(deciles[:, observed], actual, DECILES)
        result["quantile_loss"] = float(2 * losses.mean(axis=0).sum())
    if answer.lower is None or answer.upper is None:
        return result
    lower = answer.lower[observed]
    upper = answer.upper[observed]
    result["coverage"] = float(np.mean((actual >= lower) & (actual <= upper)))
    if scale:
        outside = np.maximum(lower - actual, 0) + np.maximum(actual - upper, 0)
        width = upper - lower + 2 / (1 - coverage) * outside
        result["msis"] = float(np.mean(width) / scale)
    return result


def deciles_of(answer: Answer, coverage: float) -> Values | None:
    """The deciles [9, horizon] that a method states, or of a normal on each side by its bounds; None without."""
    if answer.quantiles is not None:
        return answer.quantiles
    if answer.lower is None or answer.upper is None:
        return None
    bound = NormalDist().inv_cdf((1 + coverage) / 2)
    deviations = [NormalDist().inv_cdf(level) / bound for level in DECILES]
    sides = [answer.prediction - answer.lower if z < 0 else answer.upper - answer.prediction for z in deviations]
    return np.array([answer.prediction + z * side for z, side in zip(deviations, sides, strict=True)])


def wql_of(measured: Sequence[Rows], name: str) -> float:
    """The weighted quantile loss over all series, as GluonTS has it; NaN for a method without bounds."""
    losses = np.array([rows[name]["quantile_loss"] for rows in measured])
    sizes = np.array([rows[name]["size"] for rows in measured])
    defined = np.isfinite(losses)
    size = float(sizes[defined].sum())
    return float(losses[defined].sum()) / size if size else float("nan")


Rows = dict[str, dict[str, float]]  # scores by method


def measure(names: list[str], task: Task, actual: Values) -> Rows:
    """Scores and CPU seconds of every method on one task, Naive2's among them."""
    values = features.fill_missing(task.values, SEASONS)
    scale = metrics.seasonal_scale(task.values, (DAY,))
    naive = Answer(naive2(values, task.horizon))
    rows = {"naive2": {**scores(naive, actual, scale, task.coverage), "seconds": 0.0}}
    for name in names:
        begun = time.process_time()
        answer = METHODS[name](task)
        seconds = time.process_time() - begun
        rows[name] = {**scores(answer, actual, scale, task.coverage), "seconds": seconds}
    return rows


def measure_all(
    tasks: Sequence[Task],
    actuals: Sequence[Values],
    names: list[str],
    *,
    jobs: int,
    unit: str,
    seconds_column: str,
) -> list[Rows]:
    """`measure` of each task, in order, on so many processes; `seconds` gets the name of its column."""
    measured = []
    with progress(unit, len(tasks)) as advance, ProcessPoolExecutor(jobs) as pool:
        for rows in pool.map(partial(measure, names), tasks, actuals):
            for row in rows.values():
                row[seconds_column] = row.pop("seconds")
            measured.append(rows)
            advance(1)
    return measured


def average(measured: Sequence[Rows], names: Sequence[str]) -> Rows:
    """Means over the tasks where a figure is defined, and OWA: mean of sMAPE and MASE relative to Naive2's means."""

    def mean(name: str, key: str) -> float:
        defined = [rows[name][key] for rows in measured if np.isfinite(rows[name][key])]
        return float(np.mean(defined)) if defined else float("nan")

    result = {name: {key: mean(name, key) for key in measured[0][name]} for name in names}
    for name, row in result.items():
        row["wql"] = wql_of(measured, name)
        naive = [mean("naive2", key) for key in ("smape", "mase")]
        row["owa"] = (row["smape"] / naive[0] + row["mase"] / naive[1]) / 2 if all(naive) else float("nan")
    return result


def rounded(result: Rows, columns: Sequence[str]) -> dict[str, dict[str, float | None]]:
    """These columns with four decimals, None where a method has no such figure: JSON knows no NaN."""
    return {
        name: {key: round(row[key], 4) if np.isfinite(row[key]) else None for key in columns}
        for name, row in result.items()
    }


def as_table(result: Rows, columns: Sequence[str]) -> str:
    """A row per method."""
    rows = [[method, *(row[column] for column in columns)] for method, row in result.items()]
    return table(["method", *columns], rows)
