"""The daily profile: has it moved by one hour, or changed? Pure.

A day that comes one hour late or early is seen in its steps from hour to hour: those of yesterday,
the day before and the same day of last week, moved by one hour, then fit better than they do as
they are. How much better they ever fitted before, by chance, is the measure.
"""

from __future__ import annotations

from actioncast.arrays import Numbers, Values, np
from actioncast.ingestion.health.findings import Suspicion
from actioncast.ingestion.health.medians import median, medians
from actioncast.times import HOURS_PER_DAY

LAGS = (24, 48, 168)  # hours back, from which an hour is expected
FEWEST_BEFORE = 336  # hours that must have shown what is usual
WINDOW = 24  # hours that a shift must have lasted
FEWEST_IN_WINDOW = 22  # of them that are not missing
STANDARD_DEVIATIONS = 3.25  # above what windows before show
ABOVE_ALL = 0.25  # above the highest window before, in usual errors
SHARE_OF_ERROR = 0.25  # of the error that the shift must take away
VISIBLE = 1.0  # usual errors by which steps must differ from those an hour later
LARGEST_ERROR = 6.0  # usual errors; one odd hour is no shift
SMALLEST_SCALE = 0.25  # of the usual error of all hours, for an hour of the day
RIDGE = 1e-3  # keeps the fit well posed where days are alike
DIRECTIONS = {1: "late", -1: "early"}

WEEK = 168
FEWEST_WEEKS = 4  # whose shape shows what is usual
UNLIKE = 0.5  # correlation of a week's shape with that of the others; less is another shape
LIKE = 0.8  # correlation that all weeks before had


def shifts(values: Values, judged: int) -> list[Suspicion]:
    """Windows of a day in which the profile of the days before fits one hour earlier or later."""
    if judged < WEEK + FEWEST_BEFORE or np.isnan(values[:judged]).mean() > 0.5:
        return []
    steps = np.diff(values, prepend=np.nan)
    expected = np.diff(_expected(values, judged), prepend=np.nan)
    scales = _usual_errors(np.abs(steps - expected[:-1])[:judged])
    if scales is None or _visible(steps[:judged], scales) < VISIBLE:
        return []
    suspicions = []
    for direction, word in DIRECTIONS.items():
        ends = _ends_of_shifts(steps, expected, scales, direction, judged)
        if len(ends):
            first, last = int(ends[0]) - WINDOW + 1, int(ends[-1])
            evidence = f"the steps from hour to hour fit those of the days before when these come one hour {word}"
            suspicions.append(Suspicion(first, last, evidence))
    return suspicions


def _expected(values: Values, judged: int) -> Values:
    """[n + 1] each hour and the next one from the same hour of earlier days, as hours before `judged` weigh them."""
    longer = np.append(values, np.nan)
    centre = float(np.nanmean(values[:judged]))
    earlier = np.full((len(longer), len(LAGS)), np.nan)
    for column, lag in enumerate(LAGS):
        earlier[lag:, column] = longer[:-lag] - centre
    target = longer - centre
    usable = ~np.isnan(earlier).any(axis=1) & ~np.isnan(target)
    usable[judged:] = False
    rows = earlier[usable]
    square = rows.T @ rows
    damping = (RIDGE * np.trace(square) / len(LAGS) + RIDGE) * np.eye(len(LAGS))
    weights = np.linalg.solve(square + damping, rows.T @ target[usable])
    result: Values = centre + earlier @ weights
    return result


def _usual_errors(errors: Values) -> Values | None:
    """[24] the median error by hour of the day (counted from the first hour); None where nothing shows it."""
    typical = _by_hour_of_day(errors)
    usual = median(typical)
    if np.isnan(usual) or usual <= 0:
        return None
    scales: Values = np.maximum(typical, SMALLEST_SCALE * usual)
    return scales


def _by_hour_of_day(values: Values) -> Values:
    """[24] the median by hour of the day, counted from the first hour; NaN where all are missing."""
    days = -(-len(values) // HOURS_PER_DAY)
    padded = np.full(days * HOURS_PER_DAY, np.nan)
    padded[: len(values)] = values
    return medians(padded.reshape(days, HOURS_PER_DAY))


def _visible(steps: Values, scales: Values) -> float:
    """How far the typical steps of a day differ from those an hour later, in usual errors.

    Where all steps are alike, no shift could be seen: what looks like one is chance.
    """
    typical = _by_hour_of_day(steps)
    return float(np.mean(np.abs(typical - np.roll(typical, 1)) / scales))


def _ends_of_shifts(
    steps: Values,
    expected: Values,
    scales: Values,
    direction: int,
    judged: int,
) -> Numbers:
    """The indices from `judged` on at which a window ends that looks shifted."""
    hour_of_day = np.arange(len(steps)) % HOURS_PER_DAY
    moved = np.roll(expected, direction)[: len(steps)]
    scale_here = scales[hour_of_day]
    scale_there = scales[(hour_of_day - direction) % HOURS_PER_DAY]
    error = np.minimum(np.abs(steps - expected[:-1]) / scale_here, LARGEST_ERROR)
    error_moved = np.minimum(np.abs(steps - moved) / scale_there, LARGEST_ERROR)
    gain = _window_means(error - error_moved)
    total = _window_means(error)
    before = gain[:judged]
    before = before[~np.isnan(before)]
    if len(before) < FEWEST_BEFORE / 2:
        return np.zeros(0, dtype=np.int64)
    limit = max(before.mean() + STANDARD_DEVIATIONS * before.std(), before.max() + ABOVE_ALL)
    is_shifted = (gain > limit) & (gain > SHARE_OF_ERROR * total)
    ends: Numbers = judged + np.flatnonzero(is_shifted[judged:])
    return ends


def _window_means(errors: Values) -> Values:
    """[n] the mean over the WINDOW hours that end at each index; NaN where too many are missing."""
    missing = np.isnan(errors)
    sums = np.convolve(np.where(missing, 0.0, errors), np.ones(WINDOW))[: len(errors)]
    present = np.convolve(~missing, np.ones(WINDOW))[: len(errors)]
    enough = present >= FEWEST_IN_WINDOW
    means: Values = np.where(enough, sums / np.maximum(present, 1), np.nan)
    return means


def shapes(values: Values, judged: int) -> list[Suspicion]:
    """One suspicion if the daily shape of the newest week is unlike all weeks before, which are alike."""
    weeks = len(values) // WEEK
    if weeks <= FEWEST_WEEKS or len(values) - WEEK > judged + WEEK:
        return []
    profiles = _profiles(values[len(values) - weeks * WEEK :])
    if np.isnan(profiles).any():
        return []
    earlier = profiles[:-1]
    likeness = [_correlation(week, earlier.mean(axis=0)) for week in profiles]
    usual = min(likeness[:-1])
    if likeness[-1] >= UNLIKE or usual < LIKE:
        return []
    evidence = (
        f"the daily shape of the week has a correlation of {likeness[-1]:.2f} with that of "
        f"{weeks - 1} weeks before, which had at least {usual:.2f} among themselves"
    )
    return [Suspicion(len(values) - WEEK, len(values) - 1, evidence)]


def _profiles(values: Values) -> Values:
    """[weeks, 24] the median of each hour of the day; NaN where half of its hours are missing."""
    by_hour = values.reshape(-1, WEEK // HOURS_PER_DAY, HOURS_PER_DAY)
    profiles = np.array([medians(week) for week in by_hour])
    half_missing = np.isnan(by_hour).mean(axis=1) >= 0.5
    result: Values = np.where(half_missing, np.nan, profiles)
    return result


def _correlation(one: Values, other: Values) -> float:
    one = one - one.mean()
    other = other - other.mean()
    size = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) / size if size else 1.0
