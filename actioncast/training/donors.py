"""Cold start: a series that holds its longest season hardly once borrows the shape of a week from another one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from actioncast.arrays import Numbers, Values, np
from actioncast.database.database import Database
from actioncast.forecasting.recipes import BORROWED, Recipe
from actioncast.periods.axis import phases_of_week
from actioncast.periods.grid import Grid
from actioncast.periods.wall import seen_by
from actioncast.settings import Settings
from utils import Predictors

SHORT = 1.5  # longest seasons, up to which a series borrows
DONATED_WEEKS = 8  # of a donor, whose medians make the shape
FEWEST_WEEKS = 3  # that a donor must have
FEWEST_SHARED = 12  # known periods that must show how alike two series are
LEAST_ALIKE = 0.5  # correlation
MOST_DONORS = 50  # other series that are looked at


def borrowed(
    settings: Settings,
    database: Database,
    history: Grid,
    now: datetime,
    *,
    series_id: str,
    longest_season: int,
) -> list[Recipe]:
    """The recipe with the shape of the series most alike; [] where the history is long or none is alike."""
    if len(history) > SHORT * longest_season or phases_of_week(history.timeline) == 1:
        return []
    own = _phases_and_values(history)
    best: tuple[float, str, Values] | None = None
    for donor, weeks in _donors(settings, database, history, now, series_id):
        shape = shape_of(weeks)
        if shape is None:
            continue
        alike = correlation(shape, *own)
        if alike >= LEAST_ALIKE and (best is None or alike > best[0]):
            best = (alike, donor, shape)
    if best is None:
        return []
    _, donor, shape = best
    rounded = [float(f"{value:.5g}") for value in shape]
    return [Recipe(f"{BORROWED}_{donor}", BORROWED, Predictors((1,)), parameters={"shape": rounded})]


def _donors(
    settings: Settings, database: Database, history: Grid, now: datetime, series_id: str
) -> Iterator[tuple[str, Grid]]:
    """Other series of the same frequency and zone, with their newest weeks on the same clocks."""
    timeline = settings.series[series_id].timeline
    weeks = DONATED_WEEKS * phases_of_week(timeline)
    alike = [name for name, other in settings.series.items() if name != series_id and other.timeline == timeline]
    for name in alike[:MOST_DONORS]:
        grid = database.reality(name, until=now, newest=weeks, timeline=timeline)
        if grid is not None:
            yield name, seen_by(history.timeline, grid, 0).history


def shape_of(donor: Grid) -> Values | None:
    """[phases of the week] the donor's medians, of mean 0 and deviation 1; None where it has too little or no shape."""
    phases = phases_of_week(donor.timeline)
    phase, values = _phases_and_values(donor)
    if len(values) < FEWEST_WEEKS * phases:
        return None
    medians = np.full(phases, np.nan)
    for each in np.unique(phase):
        medians[each] = np.median(values[phase == each])
    deviation = np.nanstd(medians)
    if not deviation > 0:
        return None
    return np.asarray(np.nan_to_num((medians - np.nanmean(medians)) / deviation))


def correlation(shape: Values, phase: Numbers, values: Values) -> float:
    """How alike a shape and the values at these phases are; 0 where too few are known."""
    borrowed_values = shape[phase]
    if len(values) < FEWEST_SHARED or not values.std() > 0 or not borrowed_values.std() > 0:
        return 0.0
    return float(np.corrcoef(borrowed_values, values)[0, 1])


def _phases_and_values(grid: Grid) -> tuple[Numbers, Values]:
    """The phase of the week and the value of each known period."""
    known = ~np.isnan(grid.values)
    phases = grid.axis.weekly(np.arange(len(grid)))
    return phases[known], grid.values[known]
