"""Patterns among rejected points: a few bad points come by chance, points that are rejected for a
common reason leave a gap that bends the series.

Always midnight, always Sunday, always the peaks, always the same form of text: such a load is
refused, however small its share. Evidence are days, not points: an outage rejects many points at
once. Pure functions: rejections and good points in, the pattern in words out.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from actioncast.arrays import np
from actioncast.hours import Points, Rejection
from actioncast.times import HOUR, HOURS_PER_DAY

DAY = HOURS_PER_DAY * HOUR
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
THURSDAY = 3  # the weekday of 1970-01-01
FEWEST_TEXTS = 3  # of one form, with digits: a number or a time was there and is lost
FEWEST_DAYS_OF_TEXT = 3  # at one hour of the day: by chance in one load of 600 with so many
FEWEST_DAYS = 5  # for all other patterns
PATTERN_SHARE = 0.9  # of the rejected points that a pattern holds
LARGEST_NATURAL_SHARE = 0.5  # of the good points that may lie at the same hour or weekday
EDGE = 1 / 6  # of the good values of the days around that are the highest, or the lowest
FEWEST_AROUND = 12  # good points of these days
FEWEST_DAYS_BELOW = 2  # where the values themselves show that they belong to the series
FEWEST_VALUES = 5  # below the minimum: a value that repeats is a sign of the source for "no value"
Group = Sequence[Rejection]


def find(rejections: Group, points: Points) -> str:
    """The first pattern among the rejected points, in words; empty where they come by chance.

    `points` are the good ones of the same answer.
    """
    pattern = _one_form(rejections)
    if pattern:
        return pattern
    checks: list[Callable[[Group, Points], str]] = [
        _continued_below,
        _one_hour,
        _one_weekday,
        _one_side,
    ]
    for group in _by_cause(rejections):
        for check in checks:
            pattern = check(group, points)
            if pattern:
                return pattern
    return ""


def _by_cause(rejections: Group) -> list[list[Rejection]]:
    """The rejections that have a readable time, together where their cause is the same."""
    groups: dict[str, list[Rejection]] = defaultdict(list)
    for point in rejections:
        if point.seconds is not None:
            groups["text" if point.text else point.reason].append(point)
    return list(groups.values())


# One form of text --------------------------------------------------------------------------------


def _one_form(rejections: Group) -> str:
    """Texts of one form that hold digits, such as 9,999.99 or 9 kW."""
    texts = [point.text for point in rejections if re.search(r"\d", point.text)]
    forms = Counter(_form(text) for text in texts)
    if not forms:
        return ""
    form, count = forms.most_common(1)[0]
    if count < FEWEST_TEXTS:
        return ""
    example = next(text for text in texts if _form(text) == form)
    masked = re.sub(r"\d", "9", example)
    return f"{count} texts have the form {masked!r}, such as {example!r}, and cannot be read as they stand"


def _form(text: str) -> str:
    """The text with one 9 for each run of digits: values of other lengths have the same form."""
    return re.sub(r"\d+", "9", text.strip())


# One time of the day or week ---------------------------------------------------------------------


def _one_hour(group: Group, points: Points) -> str:
    hours = [_seconds(point) % DAY // HOUR for point in group]
    hour, number = Counter(hours).most_common(1)[0]
    inside = [point for point, its_hour in zip(group, hours, strict=True) if its_hour == hour]
    fewest = FEWEST_DAYS_OF_TEXT if group[0].text else FEWEST_DAYS
    if number < PATTERN_SHARE * len(group) or _days(inside) < fewest:
        return ""
    if np.mean(points.times % DAY // HOUR == hour) > LARGEST_NATURAL_SHARE:
        return ""
    clock = f"between {hour:02d}:00 and {hour + 1:02d}:00 UTC"
    return f"{_of_all(number, group)} lie {clock}, on {_days(inside)} days"


def _one_weekday(group: Group, points: Points) -> str:
    weekdays = [_weekday(_seconds(point)) for point in group]
    weekday, number = Counter(weekdays).most_common(1)[0]
    inside = [point for point, its_day in zip(group, weekdays, strict=True) if its_day == weekday]
    if number < PATTERN_SHARE * len(group) or _days(inside) < FEWEST_DAYS:
        return ""
    if np.mean((points.times // DAY + THURSDAY) % 7 == weekday) > LARGEST_NATURAL_SHARE:
        return ""
    return f"{_of_all(number, group)} lie on a {WEEKDAYS[weekday]} (UTC), in {_days(inside)} weeks"


def _weekday(seconds: int) -> int:
    return (seconds // DAY + THURSDAY) % 7


# One side of the values --------------------------------------------------------------------------


def _continued_below(group: Group, points: Points) -> str:
    """Values below the minimum that go on where the good ones end: no error, but the low ones of the series."""
    if group[0].text or "below minimum_value" not in group[0].reason or not len(points):
        return ""
    rejected = np.array([float(point.value) for point in group])
    spread = np.ptp(points.values)
    if len(np.unique(rejected)) < FEWEST_VALUES or _days(group) < FEWEST_DAYS_BELOW:
        return ""
    if np.median(rejected) < points.values.min() - spread:
        return ""
    return (
        f"{_of_all(len(group), group)} are values from {rejected.min():g} to {rejected.max():g}, which go on below the "
        f"lowest good one, {points.values.min():g}: are they right? Then lower minimum_value of the series, "
        "or take it out"
    )


def _one_side(group: Group, points: Points) -> str:
    """Points that lie among the highest, or among the lowest, of the good ones of their days."""
    if _days(group) < FEWEST_DAYS:
        return ""
    ranks = np.array([_ranks(point, points) for point in group])
    highest = int(np.count_nonzero(ranks[:, 1] > 1 - EDGE))
    lowest = int(np.count_nonzero(ranks[:, 0] < EDGE))
    for number, side in ((highest, "highest"), (lowest, "lowest")):
        if number >= PATTERN_SHARE * len(group):
            return f"{_of_all(number, group)} lie beside the {side} values of their days"
    return ""


def _ranks(point: Rejection, points: Points) -> tuple[float, float]:
    """The ranks of the lower and of the higher one of the two good values beside a point: the share of
    the good values of the days around that are lower.

    Half where nothing can be said: too few points, or all alike.
    """
    moment = _seconds(point)
    first, last = np.searchsorted(points.times, [moment - DAY, moment + DAY])
    around = points.values[first:last]
    if len(around) < FEWEST_AROUND or not np.ptp(around):
        return 0.5, 0.5
    after = int(np.searchsorted(points.times[first:last], moment))
    beside = around[max(after - 1, 0) : after + 1]
    return float(np.mean(around < beside.min())), float(np.mean(around < beside.max()))


# Words -------------------------------------------------------------------------------------------


def _of_all(number: int, group: Group) -> str:
    """11 of 12 points whose text cannot be read."""
    cause = "whose text cannot be read" if group[0].text else f"with the reason {group[0].reason!r}"
    share = "all" if number == len(group) else f"{number} of"
    return f"{share} {len(group)} points {cause}"


def _days(group: Group) -> int:
    return len({_seconds(point) // DAY for point in group})


def _seconds(point: Rejection) -> int:
    return point.seconds or 0
