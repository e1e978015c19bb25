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


def shifts(values: Values, judged: int, _plural: str = "hours") -> list[Suspicion]:
    """Windows of a day in which the profile of the days before fits one hour earlier or later."""
    if judged < WEEK + FEWEST_BEFORE:
        return []
    missing_share = np.isnan(values[:judged]).mean()
    if missing_share > 0.5:
        return []
    steps = np.diff(values, prepend=np.nan)
    levels = _expected(values, judged)
    expected = np.diff(levels, prepend=np.nan)
    errors = np.abs(steps - expected[:-1])
    scales = _usual_errors(errors[:judged])
    if scales is None:
        return []
    visible = _visible(steps[:judged], scales)
    if visible < VISIBLE:
        return []
    suspicions = []
    for direction in DIRECTIONS:
        ends = _ends_of_shifts(
            steps,
            expected,
            scales=scales,
            direction=direction,
            judged=judged,
        )
        if len(ends):
            suspicion = _shift(ends, direction)
            suspicions.append(suspicion)
    return suspicions


def _shift(ends: Numbers, direction: int) -> Suspicion:
    """One suspicion for the windows that end at these indices."""
    word = DIRECTIONS[direction]
    fit = "the steps from hour to hour fit those of the days before"
    evidence = f"{fit} when these come one hour {word}"
    return Suspicion(
        first=int(ends[0]) - WINDOW + 1,
        last=int(ends[-1]),
        evidence=evidence,
    )


def _expected(values: Values, judged: int) -> Values:
    """[n + 1] each hour and the next one, expected from the same hour of earlier days.

    The hours before `judged` give the weights.
    """
    longer = np.append(values, np.nan)
    centre = float(np.nanmean(values[:judged]))
    target = longer - centre
    earlier = _lagged(target)
    has_earlier = ~np.isnan(earlier).any(axis=1)
    has_target = ~np.isnan(target)
    usable = has_earlier & has_target
    usable[judged:] = False
    weights = _ridge_weights(earlier[usable], target[usable])
    result: Values = centre + earlier @ weights
    return result


def _lagged(values: Values) -> Values:
    """[n, LAGS] the values of so many hours before; NaN where there is none."""
    count = len(values)
    lagged = np.full((count, len(LAGS)), np.nan)
    for column, lag in enumerate(LAGS):
        lagged[lag:, column] = values[:-lag]
    return lagged


def _ridge_weights(rows: Values, target: Values) -> Values:
    """[LAGS] the weights of a ridge regression of target [n] on rows [n, LAGS]."""
    square = rows.T @ rows
    count = len(LAGS)
    strength = RIDGE * np.trace(square) / count + RIDGE
    damping = strength * np.eye(count)
    weights: Values = np.linalg.solve(
        square + damping,
        rows.T @ target,
    )
    return weights


def _usual_errors(errors: Values) -> Values | None:
    """[24] the median error by hour of the day, counted from the first hour.

    None where nothing shows it.
    """
    typical = _by_hour_of_day(errors)
    usual = median(typical)
    if np.isnan(usual):
        return None
    if usual <= 0:
        return None
    smallest = SMALLEST_SCALE * usual
    scales: Values = np.maximum(typical, smallest)
    return scales


def _by_hour_of_day(values: Values) -> Values:
    """[24] the median by hour of the day, counted from the first; NaN where all are missing."""
    days = -(-len(values) // HOURS_PER_DAY)
    padded = np.full(days * HOURS_PER_DAY, np.nan)
    padded[: len(values)] = values
    by_day = padded.reshape(days, HOURS_PER_DAY)
    return medians(by_day)


def _visible(steps: Values, scales: Values) -> float:
    """How far the typical steps of a day differ from those an hour later, in usual errors.

    Where all steps are alike, no shift could be seen: what looks like one is chance.
    """
    typical = _by_hour_of_day(steps)
    an_hour_later = np.roll(typical, 1)
    difference = np.abs(typical - an_hour_later)
    return float(np.mean(difference / scales))


def _ends_of_shifts(
    steps: Values,
    expected: Values,
    *,
    scales: Values,
    direction: int,
    judged: int,
) -> Numbers:
    """The indices from `judged` on at which a window ends that looks shifted."""
    count = len(steps)
    hour_of_day = np.arange(count) % HOURS_PER_DAY
    moved_hour = (hour_of_day - direction) % HOURS_PER_DAY
    moved = np.roll(expected, direction)
    error = _scaled_error(steps, expected[:-1], scales[hour_of_day])
    error_moved = _scaled_error(steps, moved[:count], scales[moved_hour])
    gain = _window_means(error - error_moved)
    total = _window_means(error)
    limit = _gain_limit(gain[:judged])
    if limit is None:
        return np.zeros(0, dtype=np.int64)
    is_rare = gain > limit
    is_large = gain > SHARE_OF_ERROR * total
    is_shifted = is_rare & is_large
    ends: Numbers = judged + np.flatnonzero(is_shifted[judged:])
    return ends


def _scaled_error(steps: Values, expected: Values, scales: Values) -> Values:
    """[n] how far each step lies from what was expected, in usual errors, LARGEST_ERROR at most."""
    scaled = np.abs(steps - expected) / scales
    limited: Values = np.minimum(scaled, LARGEST_ERROR)
    return limited


def _gain_limit(gain: Values) -> float | None:
    """The gain that no window shows by chance, from the windows before what is judged.

    None where too few windows show it.
    """
    before = gain[~np.isnan(gain)]
    if len(before) < FEWEST_BEFORE / 2:
        return None
    above_usual = before.mean() + STANDARD_DEVIATIONS * before.std()
    above_highest = before.max() + ABOVE_ALL
    return float(max(above_usual, above_highest))


def _window_means(errors: Values) -> Values:
    """[n] the mean over the WINDOW hours that end at each index; NaN where too many are missing."""
    count = len(errors)
    window = np.ones(WINDOW)
    missing = np.isnan(errors)
    filled = np.where(missing, 0.0, errors)
    sums = np.convolve(filled, window)[:count]
    present = np.convolve(~missing, window)[:count]
    enough = present >= FEWEST_IN_WINDOW
    divisor = np.maximum(present, 1)
    means: Values = np.where(enough, sums / divisor, np.nan)
    return means


def shapes(values: Values, judged: int, _plural: str = "hours") -> list[Suspicion]:
    """One suspicion if the newest week has a daily shape unlike all weeks before.

    The weeks before must be alike.
    """
    hours = len(values)
    weeks = hours // WEEK
    if weeks <= FEWEST_WEEKS:
        return []
    first = hours - WEEK
    if first > judged + WEEK:
        return []
    start = hours - weeks * WEEK
    profiles = _profiles(values[start:])
    if np.isnan(profiles).any():
        return []
    *usual, newest = _likenesses(profiles)
    least_usual = min(usual)
    if newest >= UNLIKE:
        return []
    if least_usual < LIKE:
        return []
    evidence = (
        f"the daily shape of the week has a correlation of {newest:.2f} with that of "
        f"{weeks - 1} weeks before, which had at least {least_usual:.2f} among themselves"
    )
    return [Suspicion(first, hours - 1, evidence)]


def _likenesses(profiles: Values) -> list[float]:
    """The correlation of each week's profile with the mean profile of all weeks but the newest."""
    earlier = profiles[:-1]
    mean_profile = earlier.mean(axis=0)
    return [_correlation(week, mean_profile) for week in profiles]


def _profiles(values: Values) -> Values:
    """[weeks, 24] the median of each hour of the day; NaN where half of its hours are missing."""
    days = WEEK // HOURS_PER_DAY
    by_week = values.reshape(-1, days, HOURS_PER_DAY)
    profiles = np.array([medians(week) for week in by_week])
    missing_share = np.isnan(by_week).mean(axis=1)
    half_missing = missing_share >= 0.5
    result: Values = np.where(half_missing, np.nan, profiles)
    return result


def _correlation(one: Values, other: Values) -> float:
    """The correlation of two profiles; 1 where one of them is flat."""
    one = one - one.mean()
    other = other - other.mean()
    squares = (one @ one) * (other @ other)
    size = float(np.sqrt(squares))
    if not size:
        return 1.0
    return float(one @ other) / size
