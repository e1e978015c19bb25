"""All series in one table, the worst first: for the first page of many series, its export, and `--all` on a terminal.

The database is asked a few times, however many series there are; the rest is computed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from actioncast.database.database import Database
from actioncast.database.fleet import Means
from actioncast.forecasting.card import Card, ModelError, NoChampionError
from actioncast.monitoring.lights import WORST_FIRST, Issue, Light, Status, Watched, lights, worst
from actioncast.monitoring.live_error import Row
from actioncast.periods.frequency import DAY
from actioncast.periods.timeline import Timeline
from actioncast.settings import Settings
from actioncast.text import duration, table

CardOf = Callable[[str], Card | None]  # None or NoChampionError without a champion, ModelError for one that is broken
SPARK_PERIODS = 28  # stretches of the past in a sparkline
SPARK_DAYS = 7
SHOWN_ROWS = 20  # of the table on a terminal


@dataclass(frozen=True)
class SeriesRow:
    """One series of the overview. `past` and `ahead`: (unix second, mean) of its sparkline."""

    series: str
    title: str
    status: Status
    why: str  # the worst light, in words
    lights: Sequence[Light]
    known_until: datetime | None  # end of the newest stored period
    ratio: float | None  # live error / that of the naive
    coverage: float | None
    coverage_target: float
    promoted_at: datetime | None
    past: Sequence[tuple[int, float]] = field(default_factory=tuple)
    ahead: Sequence[tuple[int, float]] = field(default_factory=tuple)


@dataclass(frozen=True)
class _Facts:
    """What the database holds of all series, by their names."""

    periods: Mapping[str, datetime]
    runs: Mapping[str, Row]
    checks: Mapping[str, Row]
    forecasts: Mapping[str, Row]
    scores: Mapping[str, Row]
    past: Means
    ahead: Means


def overview(settings: Settings, database: Database, now: datetime, card_of: CardOf) -> list[SeriesRow]:
    """A row for each series, the worst first. Raises DatabaseError."""
    facts = _read(settings, database, now)
    rows = [_row(settings, series_id, facts, now, card_of) for series_id in settings.series]
    return sorted(rows, key=_badness)


def _badness(row: SeriesRow) -> tuple[int, float, str]:
    return WORST_FIRST.index(row.status), -(row.ratio or 0.0), row.title.lower()


def _read(settings: Settings, database: Database, now: datetime) -> _Facts:
    scores: dict[str, Row] = {}
    past: Means = {}
    ahead: Means = {}
    periods = database.newest_periods()
    for timeline, series in _by_timeline(settings).items():
        seconds = _stretch(timeline)
        shown = settings.series[series[0]].defaults.shown.periods(timeline.frequency)
        newest = max((periods[name] for name in series if name in periods), default=now)
        scores |= database.scores(series, since=timeline.shift(newest, -shown))
        begin = timeline.shift(newest, -SPARK_PERIODS * seconds // timeline.frequency.seconds)
        past |= database.mean_reality(series, since=begin, seconds=seconds)
        ahead |= database.mean_forecast(series, since=begin, seconds=seconds)
    return _Facts(
        periods=periods,
        runs=database.newest_runs(),
        checks=database.last_checks(),
        forecasts=database.newest_forecasts(),
        scores=scores,
        past=past,
        ahead=ahead,
    )


def _by_timeline(settings: Settings) -> dict[Timeline, list[str]]:
    """The series that have the same periods, and are asked for together."""
    groups: dict[Timeline, list[str]] = defaultdict(list)
    for name, series in settings.series.items():
        groups[series.timeline].append(name)
    return groups


def _stretch(timeline: Timeline) -> int:
    """Seconds behind one point of a sparkline."""
    return max(timeline.frequency.seconds, SPARK_DAYS * DAY // SPARK_PERIODS)


def _row(settings: Settings, series_id: str, facts: _Facts, now: datetime, card_of: CardOf) -> SeriesRow:
    series = settings.series[series_id]
    timeline = series.timeline
    card, problem = _card(card_of, series_id)
    period = facts.periods.get(series_id)
    checks = [facts.checks[series_id]] if series_id in facts.checks else []
    runs = [facts.runs[series_id]] if series_id in facts.runs else []
    shown = lights(
        period,
        _issue(facts.forecasts.get(series_id), timeline),
        card=card,
        card_problem=problem,
        checks=checks,
        etl_runs=runs,
        watched=Watched(now, settings.freshness_of(series_id), timeline),
    )
    status = worst(shown)
    bad = [f"{light.name}: {light.word}" for light in shown if light.status == status]
    score = facts.scores.get(series_id, {})
    return SeriesRow(
        series=series_id,
        title=series.title or series_id,
        status=status,
        why="" if status == "good" else ", ".join(bad),
        lights=shown,
        known_until=timeline.end_of(timeline.number_of(period)) if period else None,
        ratio=score["mae"] / score["naive_mae"] if score.get("naive_mae") else None,
        coverage=score.get("coverage"),
        coverage_target=card.coverage if card else settings.train_of(series_id).coverage,
        promoted_at=card.created_at if card else None,
        past=facts.past.get(series_id, ())[-SPARK_PERIODS:],
        ahead=_ahead(facts, series_id),
    )


def _ahead(facts: _Facts, series_id: str) -> list[tuple[int, float]]:
    """The forecast after the last stretch that is known."""
    past = facts.past.get(series_id)
    known = past[-1][0] if past else 0
    return [point for point in facts.ahead.get(series_id, ()) if point[0] > known][:SPARK_PERIODS]


def _card(card_of: CardOf, series_id: str) -> tuple[Card | None, str]:
    """The champion's card, and why it cannot be read."""
    try:
        return card_of(series_id), ""
    except NoChampionError:
        return None, ""
    except ModelError as error:
        return None, str(error)


def _issue(row: Row | None, timeline: Timeline) -> Issue | None:
    if row is None:
        return None
    return Issue(
        issued_at=row["issued_at"],
        origin=timeline.shift(row["first"], -row["lead"]),
        last=row["last"],
        fallback=row["fallback"],
    )


def as_text(rows: Sequence[SeriesRow], now: datetime) -> str:
    """The worst rows as a table for a terminal."""
    cells = []
    for row in rows[:SHOWN_ROWS]:
        age = duration(now - row.known_until) if row.known_until else None
        promoted = f"{duration(now - row.promoted_at)} ago" if row.promoted_at else None
        coverage = None if row.coverage is None else f"{row.coverage:.0%}"
        ratio = None if row.ratio is None else f"{row.ratio:.2f}"
        cells.append([row.series, row.status, row.why or None, ratio, coverage, age, promoted])
    text = table(["series", "status", "why", "error / naive", "coverage", "data age", "retrained"], cells)
    more = len(rows) - SHOWN_ROWS
    return f"{text}\n{more:,} more, none worse" if more > 0 else text
