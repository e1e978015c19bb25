"""The charts of the page as plain data: forecast and reality, error over time, error by lead.

A chart is a dictionary of columns; `t` is the x axis, in unix seconds or hours of lead. None is a
gap.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from actioncast.arrays import np
from actioncast.forecasting.card import Card
from actioncast.forecasting.vintage import Vintage
from actioncast.monitoring import live_error
from actioncast.monitoring.live_error import LiveScore
from actioncast.periods.frequency import DAY, WEEK
from actioncast.periods.grid import Grid
from actioncast.periods.timeline import UTC_HOURS, Timeline
from actioncast.periods.words import Words
from actioncast.policies import RetrainPolicy
from actioncast.text import number, short
from actioncast.times import to_seconds

Row = Mapping[str, Any]
Chart = dict[str, Any]
FEWEST_SHARE = 0.5  # of the scored periods of a verdict, behind an error by lead time; fewer are noise
TABLE_ROWS = 24  # of the next periods
FORECAST_COLUMNS = ("prediction", "lower", "upper", "naive")
YEAR = 365 * DAY
FAN_PERIODS = 400  # ahead, over which the quantiles are drawn
FAN_BANDS = 3  # pairs of quantiles that are drawn beside the interval


class Range(NamedTuple):
    """A range of the past that a reader may choose."""

    name: str
    seconds: int
    is_default: bool


def forecast_chart(
    history: Grid | None,
    rows: Sequence[Row],
    since: datetime,
    end: datetime,
    timeline: Timeline = UTC_HOURS,
) -> Chart:
    """Reality up to the period `end` beside what a user would have seen for it, then the periods ahead.

    `rows` of the view `performance`; those before `since` are left out. Where a timeline closes, a moment without
    values ends the lines.
    """
    columns: dict[str, dict[int, float | None]] = {}  # name -> unix second -> value
    columns["reality"] = _reality(history)
    for name in FORECAST_COLUMNS:
        columns[name] = {}
    newest_rows = [row for row in rows if row["prediction_date"] > since]
    for row in newest_rows:
        second = to_seconds(row["prediction_date"])
        for name in FORECAST_COLUMNS:
            columns[name][second] = short(row[name])
    times = _with_closings(sorted(columns["reality"].keys() | columns["prediction"].keys()), timeline)
    chart: Chart = {"t": times, "end": to_seconds(end)}
    for name, values in columns.items():
        chart[name] = [values.get(time) for time in times]
    chart["fan"] = fan([row for row in newest_rows if row["prediction_date"] > end])
    return chart


def _with_closings(times: list[int], timeline: Timeline) -> list[int]:
    """The starts of periods, ascending, and the moments at which the timeline closes after one of them."""
    if timeline.opening is None or not times:
        return times
    starts = np.array(times)
    ends = timeline.ends(timeline.numbers(starts))
    closings = ends[:-1][ends[:-1] < starts[1:]]
    return sorted({*times, *closings.tolist()})


# The ranges of the past that a reader may choose, by the unit of the frequency.
RANGES: dict[str, tuple[tuple[str, int], ...]] = {
    "min": (("6 h", DAY // 4), ("1 d", DAY), ("7 d", WEEK), ("28 d", 4 * WEEK)),
    "h": (("1 d", DAY), ("7 d", WEEK), ("28 d", 4 * WEEK)),
    "D": (("28 d", 4 * WEEK), ("90 d", 90 * DAY), ("1 y", YEAR)),
    "W": (("26 w", 26 * WEEK), ("1 y", YEAR), ("2 y", 2 * YEAR)),
    "MS": (("2 y", 2 * YEAR), ("5 y", 5 * YEAR), ("10 y", 10 * YEAR)),
    "QS": (("5 y", 5 * YEAR), ("10 y", 10 * YEAR)),
    "YS": (("10 y", 10 * YEAR), ("20 y", 20 * YEAR)),
}


def ranges(chart: Chart, words: Words, shown: int) -> list[Range]:
    """The ranges that are shorter than the chart's past, that of the `shown` periods among them, and all of it.

    None where the chart has no past.
    """
    if not chart["t"]:
        return []
    frequency = words.timeline.frequency
    past = chart["end"] - chart["t"][0] + frequency.seconds
    by_default = shown * frequency.seconds
    names = {by_default: words.count(shown)} | {seconds: name for name, seconds in RANGES[frequency.unit]}
    shorter = [Range(name, seconds, seconds == by_default) for seconds, name in sorted(names.items()) if seconds < past]
    return [*shorter, Range("all", past, not any(each.is_default for each in shorter))] if past > 0 else []


def earlier_forecasts(words: Words) -> list[tuple[str, str]]:
    """Forecasts to compare the newest with: d and the age in seconds, or n and the lead in periods."""
    frequency = words.timeline.frequency
    if frequency.is_within_day:
        per_day = DAY // frequency.seconds
        choices = [("that of a day ago", f"d{DAY}"), ("that of a week ago", f"d{WEEK}")]
        leads = [1, per_day, 7 * per_day]
    else:
        choices = [(f"that of {words.count(count)} ago", f"d{count * frequency.seconds}") for count in (1, 4)]
        leads = [1, 2, 4]
    return choices + [(f"as said {words.count(lead)} before", f"n{lead}") for lead in leads]


def fan(rows: Sequence[Row]) -> dict[str, Any]:
    """The pairs of quantiles that are drawn beside the interval of the periods ahead `t`, the widest first.

    `rows` of the view `performance`, ascending.
    """
    shown = [row for row in rows if row.get("quantiles")][:FAN_PERIODS]
    if not shown:
        return {"t": [], "bands": []}
    levels = list(shown[0]["quantiles"])
    half = len(levels) // 2
    bands = []
    for low, high in zip(levels[:half], reversed(levels[-half:]), strict=True):
        alike = [row["quantiles"] for row in shown if low in row["quantiles"] and high in row["quantiles"]]
        if len(alike) < len(shown) or _is_the_interval(shown, low):
            continue
        lower = [short(quantiles[low]) for quantiles in alike]
        upper = [short(quantiles[high]) for quantiles in alike]
        bands.append({"label": f"{low} to {high}", "lower": lower, "upper": upper})
    return {"t": [to_seconds(row["prediction_date"]) for row in shown], "bands": bands[:FAN_BANDS]}


def _is_the_interval(rows: Sequence[Row], low: str) -> bool:
    """Whether the quantiles of this level are the lower bounds, which are drawn anyway."""
    return all(math.isclose(row["quantiles"][low], row["lower"], rel_tol=1e-6) for row in rows)


def _reality(history: Grid | None) -> dict[int, float | None]:
    """Values by the unix second of their hour's start, None where the hour is missing."""
    if history is None:
        return {}
    starts = history.timeline.starts(history.numbers).tolist()
    return {start: short(value) for start, value in zip(starts, history.values, strict=True)}


def error_chart(
    scored: Sequence[Row],
    card: Card | None,
    policy: RetrainPolicy,
    timeline: Timeline,
    since: datetime,
) -> Chart:
    """Live error over the window of the checks as it was at each hour, and the limit they compare
    it with.

    `scored` are rows of the view `performance` with reality, ascending.
    """
    chart: Chart = {"t": [], "mae": [], "naive": [], "limit": [], "coverage": []}
    for index, row in enumerate(scored):
        if row["prediction_date"] < since:
            continue
        score = _score_then(scored[: index + 1], card, policy, timeline)
        if score is None:
            continue
        chart["t"].append(to_seconds(row["prediction_date"]))
        chart["mae"].append(short(score.mae))
        chart["naive"].append(short(score.naive_mae))
        chart["limit"].append(short(_limit(score.reference_mae, policy)))
        chart["coverage"].append(short(score.coverage))
    return chart


def _score_then(
    scored: Sequence[Row], card: Card | None, policy: RetrainPolicy, timeline: Timeline
) -> LiveScore | None:
    """The score over the window that ends with the last row; None over too few hours for a check."""
    # A window cannot hold more rows than hours.
    newest_rows = scored[-policy.window :]
    window = live_error.newest_window(newest_rows, policy.window, timeline)
    if len(window) < policy.minimum_scored:
        return None
    return live_error.live_score(window, card.mae_by_lead if card else [])


def _limit(backtest_mae: float | None, policy: RetrainPolicy) -> float | None:
    """The error above which a check is bad: relative to the backtest or absolute, whichever is less."""
    limits = []
    if backtest_mae:
        limits.append(backtest_mae * policy.maximum_ratio_to_backtest)
    if policy.max_mae:
        limits.append(policy.max_mae)
    return min(limits, default=None)


def lead_chart(errors_by_lead: Sequence[Row], card: Card | None, policy: RetrainPolicy) -> Chart:
    """Live error of all vintages by lead time, beside the champion's in the backtest.

    Empty without a live error.
    """
    fewest = FEWEST_SHARE * policy.minimum_scored
    live = {row["lead"]: row["mae"] for row in errors_by_lead if row["periods"] >= fewest}
    if not live:
        return {"t": [], "live": [], "backtest": []}
    backtest = dict(enumerate(card.mae_by_lead, start=1)) if card else {}
    longest = max([*live, *backtest])
    leads = list(range(1, longest + 1))
    return {
        "t": leads,
        "live": [short(live.get(lead)) for lead in leads],
        "backtest": [short(backtest.get(lead)) for lead in leads],
    }


def summaries(
    charts: Mapping[str, Chart],
    vintage: Vintage | None,
    upcoming: Sequence[Row],
    unit: str,
    words: Words,
    naive: str,
) -> dict[str, str]:
    """Each chart in a sentence, for those who cannot see it; none for an empty chart.

    `upcoming` are the periods of the vintage that are not over yet.
    """
    sentences = {}
    if vintage:
        sentences["forecast"] = _forecast_sentence(vintage, upcoming, unit, words)
    if charts["error"]["t"]:
        sentences["error"] = _error_sentence(charts["error"], unit, naive)
        sentences["coverage"] = _coverage_sentence(charts["error"], words)
    by_lead = zip(charts["lead"]["t"], charts["lead"]["live"], strict=True)
    live = {lead: error for lead, error in by_lead if error is not None}
    if live:
        sentences["lead"] = _lead_sentence(live, unit, words)
    return sentences


def _forecast_sentence(vintage: Vintage, upcoming: Sequence[Row], unit: str, words: Words) -> str:
    """Periods by their names: a sentence that counts from now would be wrong when now has passed."""
    if not upcoming:
        known = words.period(vintage.origin)
        last = words.period(vintage.rows[-1]["prediction_date"])
        return f"The newest forecast is over: it knows the {words.plural} up to {known}, and ends with {last}."
    rows = upcoming[:TABLE_ROWS]
    lowest = min(row["prediction"] for row in rows)
    highest = max(row["prediction"] for row in rows)
    begin = words.period(rows[0]["prediction_date"])
    end = words.period(rows[-1]["prediction_date"])
    return f"Forecast of {words.count(len(rows))}, {begin} to {end}: {number(lowest)} to {number(highest)} {unit}."


def _error_sentence(chart: Chart, unit: str, naive: str) -> str:
    mae = number(chart["mae"][-1])
    of_naive = number(chart["naive"][-1])
    limit = number(chart["limit"][-1])
    return f"At the end the error is {mae} {unit}, that of {naive} earlier {of_naive}, the retrain limit {limit}."


def _lead_sentence(live: Mapping[int, float], unit: str, words: Words) -> str:
    """`live` holds the error by lead, in periods."""
    nearest = min(live)
    farthest = max(live)
    sentence = f"{number(live[nearest])} {unit} {words.count(nearest)} ahead"
    if farthest > nearest:
        sentence += f", {number(live[farthest])} {unit} {words.count(farthest)} ahead"
    return f"{sentence}."


def _coverage_sentence(chart: Chart, words: Words) -> str:
    return f"At the end {chart['coverage'][-1]:.0%} of the {words.plural} fall inside the interval."
