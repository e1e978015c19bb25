"""Patterns among rejected points: a few bad points come by chance, points that are rejected for a
common reason leave a gap that bends the series.

Always midnight, always Sunday, always the peaks, always the same form of text: such a load is
refused, however small its share. Evidence are days, not points: an outage rejects many points at
once. Pure functions: rejections and good points in, the pattern in words out.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence

from actioncast.arrays import Numbers, np
from actioncast.periods.points import Points, Rejection
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
        if point.seconds is None:
            continue
        cause = "text" if point.text else point.reason
        groups[cause].append(point)
    return list(groups.values())


# One form of text --------------------------------------------------------------------------------


def _one_form(rejections: Group) -> str:
    """Texts of one form that hold digits, such as 9,999.99 or 9 kW."""
    by_form: dict[str, list[str]] = defaultdict(list)
    for point in rejections:
        if re.search(r"\d", point.text):
            form = _form(point.text)
            by_form[form].append(point.text)
    if not by_form:
        return ""
    texts = max(by_form.values(), key=len)
    count = len(texts)
    if count < FEWEST_TEXTS:
        return ""
    example = texts[0]
    masked = re.sub(r"\d", "9", example)
    forms = f"{count} texts have the form {masked!r}, such as {example!r}"
    return f"{forms}, and cannot be read as they stand"


def _form(text: str) -> str:
    """The text with one 9 for each run of digits: values of other lengths have the same form."""
    stripped = text.strip()
    return re.sub(r"\d+", "9", stripped)


# One time of the day or week ---------------------------------------------------------------------


def _one_hour(group: Group, points: Points) -> str:
    """Points that lie at one hour of the day, which few good ones do."""
    hour, inside = _at_commonest(group, _hour_of_day)
    fewest_days = FEWEST_DAYS_OF_TEXT if group[0].text else FEWEST_DAYS
    if not _holds_most(inside, group, fewest_days):
        return ""
    good_hours = points.times % DAY // HOUR
    if _share_of(hour, good_hours) > LARGEST_NATURAL_SHARE:
        return ""
    number = _of_all(len(inside), group)
    days = _days(inside)
    clock = f"between {hour:02d}:00 and {hour + 1:02d}:00 UTC"
    return f"{number} lie {clock}, on {days} days"


def _one_weekday(group: Group, points: Points) -> str:
    """Points that lie on one weekday, which few good ones do."""
    weekday, inside = _at_commonest(group, _weekday)
    if not _holds_most(inside, group, FEWEST_DAYS):
        return ""
    good_days = points.times // DAY
    good_weekdays = (good_days + THURSDAY) % 7
    if _share_of(weekday, good_weekdays) > LARGEST_NATURAL_SHARE:
        return ""
    number = _of_all(len(inside), group)
    name = WEEKDAYS[weekday]
    weeks = _days(inside)
    return f"{number} lie on a {name} (UTC), in {weeks} weeks"


def _at_commonest(
    group: Group,
    position: Callable[[Rejection], int],
) -> tuple[int, list[Rejection]]:
    """The commonest position of the points in the day or week, and the points that have it."""
    by_position: dict[int, list[Rejection]] = defaultdict(list)
    for point in group:
        key = position(point)
        by_position[key].append(point)
    inside = max(by_position.values(), key=len)
    commonest = position(inside[0])
    return commonest, inside


def _holds_most(inside: Group, group: Group, fewest_days: int) -> bool:
    """Whether nearly the whole group lies inside, and on enough days."""
    if len(inside) < PATTERN_SHARE * len(group):
        return False
    return _days(inside) >= fewest_days


def _share_of(number: int, numbers: Numbers) -> float:
    return float(np.mean(numbers == number))


def _hour_of_day(point: Rejection) -> int:
    return _seconds(point) % DAY // HOUR


def _weekday(point: Rejection) -> int:
    day = _seconds(point) // DAY
    return (day + THURSDAY) % 7


# One side of the values --------------------------------------------------------------------------


def _continued_below(group: Group, points: Points) -> str:
    """Values below the minimum that go on where the good ones end.

    They are no error, but the low ones of the series.
    """
    if not _is_below_minimum(group[0]):
        return ""
    if not len(points):
        return ""
    numbers = [float(point.value) for point in group]
    rejected = np.array(numbers)
    if len(np.unique(rejected)) < FEWEST_VALUES:
        return ""
    if _days(group) < FEWEST_DAYS_BELOW:
        return ""
    lowest = points.values.min()
    spread = np.ptp(points.values)
    if np.median(rejected) < lowest - spread:
        return ""
    number = _of_all(len(group), group)
    span = f"values from {rejected.min():g} to {rejected.max():g}"
    continuation = f"which go on below the lowest good one, {lowest:g}"
    remedy = "lower minimum_value of the series, or take it out"
    return f"{number} are {span}, {continuation}: are they right? Then {remedy}"


def _is_below_minimum(point: Rejection) -> bool:
    if point.text:
        return False
    return "below minimum_value" in point.reason


def _one_side(group: Group, points: Points) -> str:
    """Points that lie among the highest, or among the lowest, of the good ones of their days."""
    if _days(group) < FEWEST_DAYS:
        return ""
    highest = 0
    lowest = 0
    for point in group:
        lower_rank, higher_rank = _ranks(point, points)
        if higher_rank > 1 - EDGE:
            highest += 1
        if lower_rank < EDGE:
            lowest += 1
    fewest = PATTERN_SHARE * len(group)
    if highest >= fewest:
        number = _of_all(highest, group)
        return f"{number} lie beside the highest values of their days"
    if lowest >= fewest:
        number = _of_all(lowest, group)
        return f"{number} lie beside the lowest values of their days"
    return ""


def _ranks(point: Rejection, points: Points) -> tuple[float, float]:
    """The ranks of the lower and of the higher one of the two good values beside a point.

    A rank is the share of the good values of the days around that are lower. Half where nothing can
    be said: too few points, or all alike.
    """
    moment = _seconds(point)
    first = np.searchsorted(points.times, moment - DAY)
    last = np.searchsorted(points.times, moment + DAY)
    times = points.times[first:last]
    around = points.values[first:last]
    if len(around) < FEWEST_AROUND:
        return 0.5, 0.5
    if not np.ptp(around):
        return 0.5, 0.5
    after = int(np.searchsorted(times, moment))
    before = max(after - 1, 0)
    beside = around[before : after + 1]
    lower_rank = np.mean(around < beside.min())
    higher_rank = np.mean(around < beside.max())
    return float(lower_rank), float(higher_rank)


# Words -------------------------------------------------------------------------------------------


def _of_all(number: int, group: Group) -> str:
    """11 of 12 points whose text cannot be read."""
    first = group[0]
    if first.text:
        cause = "whose text cannot be read"
    else:
        cause = f"with the reason {first.reason!r}"
    count = len(group)
    share = "all" if number == count else f"{number} of"
    return f"{share} {count} points {cause}"


def _days(group: Group) -> int:
    """On how many days (UTC) the points lie."""
    days = {_seconds(point) // DAY for point in group}
    return len(days)


def _seconds(point: Rejection) -> int:
    return point.seconds or 0
