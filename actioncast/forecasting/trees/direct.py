"""Direct recipes: one LightGBM forecasts every lead from what is known at the origin; no forecast is fed back.

It learns from pairs of an origin and a lead: the lead, the calendar of the period, the newest values
at the same time of the day and of the week, and means before the origin, all as distances from the mean
of the last season. Its errors differ from those of the recursive recipes, which is what a blend lives
from. At serving the trees are plain arrays, so that neither LightGBM nor its version is needed there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from actioncast.arrays import Array, Numbers, Values, np
from actioncast.forecasting.features import TrainingPeriods
from actioncast.forecasting.fitted import FittedRecipe
from actioncast.forecasting.recipes import Recipe
from actioncast.forecasting.trees.recursive import booster_values, leaves_of, stack
from actioncast.periods.axis import WEEKDAYS, Axis
from actioncast.periods.frequency import DAY, HOUR

ORIGINS = 1_500  # that are learned from, evenly spread
EACH = 4  # one lead in so many of each origin is learned from
SEASONS_BACK = 3  # of the longest season, that are looked back on
NEWEST = 3  # periods before the origin
LONG_MEAN = 4  # of the longest season


@dataclass(frozen=True)
class Pairs:
    """Pairs of an origin and a lead, as they are learned from and forecast."""

    features: Values  # [pairs, features]
    base: Values  # [pairs] the mean of the season before the origin


def fit_direct(recipe: Recipe, training: TrainingPeriods) -> dict[str, Any]:
    """The fields of FittedRecipe that the direct LightGBM learns: `booster`, and the same as `trees`."""
    import lightgbm

    count = len(training.levels)
    horizon = recipe.parameters["horizon"]
    origins = np.unique(np.linspace(recipe.reach, count - 1, ORIGINS).astype(np.int64))
    steps = np.arange(len(origins) * horizon)
    chosen = steps[steps * 7919 % EACH == 0]  # a prime, so that the leads of neighbouring origins differ
    origin = origins[chosen // horizon]
    lead = chosen % horizon
    known = origin + lead < count
    origin, lead = origin[known], lead[known]
    keep = training.may_be_target[origin + lead]
    origin, lead = origin[keep], lead[keep]
    target = origin + lead
    pairs = _pairs(recipe, training.levels, origin, lead, training.axis, target, training.terms[target])
    parameters = {name: value for name, value in recipe.parameters.items() if name != "horizon"}
    model = lightgbm.LGBMRegressor(**parameters, n_jobs=1, verbose=-1)
    model.fit(pairs.features, training.levels[target] - pairs.base)
    return {"booster": model.booster_.model_to_string(), "trees": _arrays(model.booster_)}


def walk_direct(
    fitted: FittedRecipe,
    levels: Values,
    axis: Axis,
    targets: Numbers,
    terms: Values,
) -> Values:
    """Levels [origins, horizon]; `levels` [origins, reach] end with the period before each origin."""
    recipe = fitted.recipe
    origins, horizon = targets.shape
    flat = levels.reshape(-1)
    origin = np.repeat((np.arange(origins) + 1) * levels.shape[1], horizon)
    lead = np.tile(np.arange(horizon), origins)
    pairs = _pairs(recipe, flat, origin, lead, axis, targets.reshape(-1), terms.reshape(len(lead), -1))
    ahead = _evaluate(fitted, pairs.features) + pairs.base
    return ahead.reshape(origins, horizon)


def _pairs(
    recipe: Recipe,
    levels: Values,
    origin: Numbers,
    lead: Numbers,
    axis: Axis,
    target: Numbers,
    terms: Values,
) -> Pairs:
    """The pairs of an origin in levels [n] and a target on the axis."""
    day, week = recipe.predictors.lags[0], recipe.predictors.lags[-1]
    sums = np.concatenate([[0.0], np.cumsum(levels)])

    def mean(count: int) -> Values:
        return np.asarray((sums[origin] - sums[origin - count]) / count)

    base = mean(week)
    same_day = origin - day + lead % day
    same_week = origin - week + lead % week
    history = [levels[same_day], levels[same_day - day]]
    history += [levels[same_week - back * week] for back in range(SEASONS_BACK)]
    history += [levels[origin - back] for back in range(1, NEWEST + 1)]
    history += [mean(day), mean(LONG_MEAN * week)]
    distances = [values - base for values in history]
    columns = [lead, *_calendar(axis, target), *distances, base, *np.nan_to_num(terms).T]
    return Pairs(np.column_stack(columns), base)


def _calendar(axis: Axis, target: Numbers) -> list[Array]:
    """Time of the day in hours, weekday, and day of the year of each target, on the clocks of the zone."""
    seconds = axis.local(target)
    days = seconds // DAY
    starts_of_year = seconds.astype("datetime64[s]").astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)
    return [seconds % DAY / HOUR, days % WEEKDAYS, days - starts_of_year]


def _evaluate(fitted: FittedRecipe, x: Values) -> Values:
    """[rows] by LightGBM itself where it has just been fitted, else by the arrays: they are the same trees."""
    if fitted.booster:
        return booster_values(fitted.booster, x)
    tree = np.arange(len(fitted.trees["value"]))
    return np.asarray(fitted.trees["value"][tree, leaves_of(fitted.trees, x)].sum(axis=1))


def _arrays(booster: Any) -> dict[str, Array]:
    """The trees of a booster, [trees, nodes] each, as those of a forest."""
    nodes = [_nodes(tree["tree_structure"]) for tree in booster.dump_model()["tree_info"]]
    return {
        "feature": stack([tree["feature"] for tree in nodes], np.int16),
        "threshold": stack([tree["threshold"] for tree in nodes], np.float64),
        "left": stack([tree["left"] for tree in nodes], np.int16),
        "right": stack([tree["right"] for tree in nodes], np.int16),
        "value": stack([tree["value"] for tree in nodes], np.float64),
    }


def _nodes(root: dict[str, Any]) -> dict[str, Array]:
    """The nodes of one tree, the root first; a leaf has the children -1."""
    nodes = [root]
    for node in nodes:
        if "left_child" in node:
            node["children"] = (len(nodes), len(nodes) + 1)
            nodes += [node["left_child"], node["right_child"]]
    return {
        "feature": np.array([node.get("split_feature", -1) for node in nodes]),
        "threshold": np.array([node.get("threshold", 0.0) for node in nodes]),
        "left": np.array([node.get("children", (-1, -1))[0] for node in nodes]),
        "right": np.array([node.get("children", (-1, -1))[1] for node in nodes]),
        "value": np.array([node.get("leaf_value", 0.0) for node in nodes]),
    }
