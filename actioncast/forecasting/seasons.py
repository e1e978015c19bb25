"""The seasons of a series, found by autocorrelation. Pure functions.

A season is a length at which the detrended series resembles itself clearly more than half of it
away, and whose shape repeats better than chance allows. The usual ones are looked at first: a series
of people and machines has them, and a short or noisy one gets their benefit of the doubt. They are
day and week within a day, week and year of daily series, and the year of weekly and longer ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from actioncast.arrays import Flags, Values, np
from actioncast.forecasting.naive import NO_SEASON
from actioncast.periods.axis import Cycles
from actioncast.periods.timeline import UTC_HOURS, Timeline
from actioncast.times import HOURS_PER_DAY, HOURS_PER_WEEK

NEWEST_DAYS = 1_461  # looked at of a daily series, four years

USUAL = (HOURS_PER_DAY, HOURS_PER_WEEK)
NEWEST_WEEKS = 26  # looked at: what a season was years ago says little
CYCLES = 3  # that the history must hold of a season other than the usual ones
LONGEST_DAYS = 31
HELD = 2  # years that the history must hold, to learn from the one before
CLEAR = 0.2  # by which the autocorrelation at a period must exceed that half a period away
STRONG = 0.4  # autocorrelation that any other period must have: chance reaches 0.3
TINY = 1e-12  # a variance below this is none
BETTER = CLEAR / 4  # by which the autocorrelation at a period must exceed that of a more likely one
ABOUT_A_WEEK = 0.03  # share of a week by which the top of a wide peak may be off


@dataclass(frozen=True)
class Seasons:
    """`periods` are lengths, ascending; `autocorrelation` at each; `note`: where the periods come from."""

    periods: tuple[int, ...]
    autocorrelation: dict[int, float]
    note: str


def given(periods: Sequence[int], values: Values) -> Seasons:
    """The periods of config.toml, with what the data say about them."""
    correlations = autocorrelation(values, max(periods))
    return _seasons(periods, correlations, "as config.toml says")


def usual(timeline: Timeline, known: int) -> tuple[int, ...]:
    """The usual seasons of a timeline, ascending, of which `known` periods can show something; (1,) for none.

    A year counts where the history holds it twice; that of months and quarters where it holds one.
    Of days it is 52 weeks, so that weekdays meet.
    """
    cycles = Cycles(timeline)
    week = cycles.week or 1
    year = week * round(cycles.year / week)
    short = [season for season in (cycles.day, cycles.week) if season > 1]
    if timeline.frequency.is_within_day:
        return tuple(sorted(set(short))) or (NO_SEASON,)
    held = 1 if timeline.frequency.months else HELD
    if year > 1 and known >= held * year:
        short.append(year)
    return tuple(sorted(set(short))) or (NO_SEASON,)


def detect(values: Values, timeline: Timeline = UTC_HOURS) -> Seasons:
    """The usual seasons, or another clear one with a longer one above it; the usual ones where none
    is clear.

    `values` [n], NaN where a period is missing.
    """
    found = usual(timeline, len(values))
    search = _Search.of(timeline)
    if search is None:
        correlations = autocorrelation(values, max(found), level=max(found), fewest=max(found))
        return _seasons(found, correlations, "usual at this frequency")
    values = values[-search.newest :]
    longest = min(search.longest, len(values) // CYCLES)
    correlations = autocorrelation(values, max(longest, 2 * search.week, *found), level=search.week, fewest=search.day)
    periods = _clearest(correlations[: longest + 1])
    if _outdo_the_usual(periods, correlations, search):
        return _seasons(periods, correlations, "detected")
    if any(_is_clear(correlations, period) for period in found):
        return _seasons(found, correlations, "detected")
    return _seasons(found, correlations, f"no clear season: {_in_words(found)} tried")


def _in_words(seasons: Sequence[int]) -> str:
    """ "day and week are" for the hourly ones, "7 is" for others."""
    if seasons == (HOURS_PER_DAY, HOURS_PER_WEEK):
        return "day and week are"
    return f"{' and '.join(map(str, seasons))} {'is' if len(seasons) == 1 else 'are'}"


@dataclass(frozen=True)
class _Search:
    """Where other seasons than the usual ones are looked for; `day` and `week` are the usual lengths."""

    day: int
    week: int
    longest: int
    newest: int

    @classmethod
    def of(cls, timeline: Timeline) -> _Search | None:
        """None at a week and longer, where a year has no other seasons."""
        cycles = Cycles(timeline)
        if not cycles.week:
            return None
        day = cycles.day or cycles.week
        return cls(
            day=day if day > 1 else cycles.week,
            week=cycles.week,
            longest=cycles.days(LONGEST_DAYS),
            newest=NEWEST_WEEKS * cycles.week if timeline.frequency.is_within_day else NEWEST_DAYS,
        )


def _seasons(periods: Sequence[int], correlations: Values, note: str) -> Seasons:
    """The periods with their autocorrelation; 0 for a period longer than what is known."""
    at_period: dict[int, float] = {}
    for period in periods:
        at_period[period] = 0.0
        if period < len(correlations):
            correlation = float(correlations[period])
            at_period[period] = round(correlation, 3)
    return Seasons(
        periods=tuple(periods),
        autocorrelation=at_period,
        note=note,
    )


def autocorrelation(
    values: Values,
    longest: int,
    *,
    level: int = HOURS_PER_WEEK,
    fewest: int = HOURS_PER_DAY,
) -> Values:
    """[longest + 1] autocorrelation of the values about their level, on pairs of known periods; 0
    where there are fewer than `fewest`.

    The level is a linear trend and a centred mean over `level` periods.
    """
    nothing = np.zeros(longest + 1)
    present = ~np.isnan(values)
    if present.sum() < max(fewest, 2):
        return nothing
    deviations = _without_level(values, present, level)
    deviations = np.where(present, deviations, 0.0)
    pairs = _products(present.astype(np.float64), longest)
    sums = _products(deviations, longest)
    covariance = sums / np.maximum(pairs, 1)
    variance = covariance[0]
    if variance > TINY:
        enough = pairs >= fewest
        return np.where(enough, covariance / variance, 0.0)
    return nothing


def _without_level(values: Values, present: Flags, level: int) -> Values:
    """[n] the values without a linear trend and a centred mean; no meaning where a period is missing."""
    position = np.arange(len(values))
    trend = np.polynomial.Polynomial.fit(position[present], values[present], deg=1)
    centred = np.where(present, values - trend(position), 0.0)
    width = min(level, len(values))
    window = np.ones(width)
    sums = np.convolve(centred, window, "same")
    counts = np.convolve(present, window, "same")
    return np.asarray(centred - sums / np.maximum(counts, 1))


def _products(array: Values, longest: int) -> Values:
    """[longest + 1] at each shift the sum of the products of the array with itself, by way of the spectrum."""
    # Room for the longest shift, so that the end of the series does not meet its beginning.
    size = 1 << (len(array) + longest).bit_length()
    spectrum = np.fft.rfft(array, size)
    power = np.abs(spectrum) ** 2
    products = np.fft.irfft(power, size)
    return np.asarray(products[: longest + 1])


def _outdo_the_usual(periods: Sequence[int], correlations: Values, search: _Search) -> bool:
    """Whether these periods are others than the day and the week, and clearly stronger."""
    if not periods:
        return False
    if any(_is_usual(correlations, period, search) for period in periods):
        return False
    at_usual = [correlations[period] for period in (search.day, search.week) if correlations[period]]
    usual_mean = np.mean(at_usual or [0.0])
    least = max(usual_mean + BETTER, STRONG)
    strongest = periods[-1]
    return bool(correlations[strongest] > least)


def _is_usual(correlations: Values, period: int, search: _Search) -> bool:
    """A part of the day, some days, or about a week: the top of a wide peak is off by one or two."""
    if search.day % period == 0:
        return True
    some_days = period % search.day == 0
    if some_days and _is_clear(correlations, search.day):
        return True
    difference = abs(period - search.week)
    return difference <= ABOUT_A_WEEK * search.week


def _is_clear(correlations: Values, period: int) -> bool:
    """Whether the series resembles itself clearly more at this period than from half of it on."""
    half = period // 2
    lowest = correlations[half:period].min()
    return bool(correlations[period] > lowest + CLEAR)


def _clearest(correlations: Values) -> tuple[int, ...]:
    """The shortest clear period, and the one of the highest autocorrelation where that is another; () without one."""
    clear = []
    for period in _peaks(correlations):
        if correlations[period] > CLEAR and _is_clear(correlations, period):
            clear.append(period)
    if not clear:
        return ()
    highest = max(correlations[period] for period in clear)
    shortest = _top(correlations, clear, 0.6 * highest)
    strongest = _top(correlations, clear, 0.95 * highest)
    if correlations[strongest] > correlations[shortest] + BETTER:
        return (shortest, strongest)
    return (shortest,)


def _peaks(correlations: Values) -> list[int]:
    """The shifts at which the autocorrelation is higher than at both its neighbours."""
    inner = np.arange(2, len(correlations) - 1)
    here = correlations[inner]
    rises = here >= correlations[inner - 1]
    falls = here > correlations[inner + 1]
    peaks = inner[rises & falls]
    return [int(period) for period in peaks]


def _top(correlations: Values, clear: Sequence[int], least: float) -> int:
    """The period of the first peak above `least`.

    Noise makes several peaks of one: then it is the one whose multiples have the highest
    autocorrelation.
    """
    first = next(period for period in clear if correlations[period] > least)
    end = int(1.15 * first) + 2
    nearby = range(first, min(end, len(correlations)))
    return max(nearby, key=lambda period: _mean_at_multiples(correlations, period))


def _mean_at_multiples(correlations: Values, period: int) -> float:
    """The mean autocorrelation at the period and at its next three multiples."""
    end = 4 * period + 1
    multiples = correlations[period:end:period]
    return float(multiples.mean())
