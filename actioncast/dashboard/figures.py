"""What the page shows of one series: read from the database and the card, then computed by pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from statistics import fmean
from typing import Any

from actioncast import quantiles
from actioncast.dashboard import charts
from actioncast.dashboard.charts import Chart, Row
from actioncast.dashboard.lights import Light, lights
from actioncast.database.database import Database, Newest
from actioncast.forecasting.card import Card, ModelError, read_card
from actioncast.forecasting.naive import season_in_words
from actioncast.forecasting.seasons import usual
from actioncast.forecasting.vintage import Vintage
from actioncast.periods.grid import Grid
from actioncast.periods.timeline import Timeline
from actioncast.periods.words import Words
from actioncast.quantiles import DistributionScore
from actioncast.settings import LONGEST_HORIZON, SeriesSettings, Settings
from actioncast.text import number

ERROR_SHOWN = 4  # times the shown past, of the charts of the live error
CHECKS_PAST = timedelta(days=30)
RUNS_PAST = timedelta(days=30)
LONG_AHEAD = 400  # periods of a day and longer, more than a forecast of them reaches
SHOWN_LOOKS = 12
SHOWN_CANDIDATES = 8
MANY = 10_000  # periods, in which each usual season can be seen
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Figure:
    """A number on top of the page."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Look:
    """Checks in a row with the same verdict; the figures and reasons are the newest one's."""

    newest: Row
    first: datetime
    count: int


@dataclass(frozen=True)
class PageFigures:
    """Everything the template needs of one series."""

    series: str
    title: str
    unit: str
    now: datetime
    end: datetime | None  # the newest stored hour
    lights: list[Light]
    figures: list[Figure]
    charts: Mapping[str, Chart]
    summaries: Mapping[str, str]  # what each chart shows, in words
    vintage: Vintage | None
    card: Card | None
    card_problem: str
    notes: Sequence[str]  # about the champion and its newest forecast, a sentence each
    training: Row | None  # the newest one
    candidates: Sequence[Row]
    looks: list[Look]
    window: int  # periods of the live error
    shown: int  # periods of the past in the charts
    words: Words
    naive: str  # the reference in words: 168 hours (a week)
    coverage: float  # target share of hours inside lower..upper


@dataclass(frozen=True)
class Stored:
    """What the database and the model folder hold of one series, as far as the page shows it."""

    newest: Newest
    end: datetime  # the newest stored hour, the current one without any
    performance: Sequence[Row]  # ascending
    history: Grid | None
    errors_by_lead: Sequence[Row]
    vintage: Vintage | None
    checks: Sequence[Row]  # newest first
    etl_runs: Sequence[Row]  # newest first
    training: Row | None  # the newest one
    card: Card | None
    card_problem: str  # why the card cannot be read; empty otherwise


def collect(settings: Settings, database: Database, now: datetime, series_id: str) -> PageFigures:
    """Read and compute the page of a series. Raises DatabaseError."""
    stored = read_stored(settings, database, now, series_id)
    return compute(stored, settings=settings, now=now, series_id=series_id)


def read_stored(settings: Settings, database: Database, now: datetime, series_id: str) -> Stored:
    """What the page of a series is computed from. Raises DatabaseError."""
    card, card_problem = _read_card(settings, series_id)
    timeline = settings.series[series_id].timeline
    newest = database.newest(series_id)
    end = newest.period or timeline.floor(now)
    vintage = None
    if newest.issued_at:
        vintage = Vintage.of_rows(database.vintage(series_id, newest.issued_at), timeline)
    shown = shown_periods(settings, series_id)
    performance = database.performance(
        series_id,
        since=timeline.shift(end, -(ERROR_SHOWN + 1) * shown),
        until=timeline.shift(end, _farthest(timeline)),
    )
    errors_by_lead = database.error_by_lead(
        series_id,
        since=timeline.shift(end, -ERROR_SHOWN * shown),
        until=timeline.shift(end, 1),
    )
    checks = database.checks(
        series_id,
        since=now - CHECKS_PAST,
        before=now + timedelta(seconds=1),  # a check of this very moment counts
    )
    trainings = database.training_runs(series_id, since=LONG_AGO)
    return Stored(
        newest=newest,
        end=end,
        performance=performance,
        history=database.reality(series_id, until=now, newest=shown, timeline=timeline, quarantined=True),
        errors_by_lead=errors_by_lead,
        vintage=vintage,
        checks=checks,
        etl_runs=database.etl_runs(series_id, since=now - RUNS_PAST),
        training=trainings[0] if trainings else None,
        card=card,
        card_problem=card_problem,
    )


def shown_periods(settings: Settings, series_id: str) -> int:
    """Periods of the past in the charts, and behind the figures on top."""
    series = settings.series[series_id]
    return series.defaults.shown.periods(series.frequency)


def _farthest(timeline: Timeline) -> int:
    """Periods ahead, more than any forecast reaches."""
    return LONGEST_HORIZON + 1 if timeline.frequency.is_within_day else LONG_AHEAD


def naive_season(card: Card | None, series: SeriesSettings) -> int:
    """The season of the naive reference, in periods: the champion's longest, or the usual one."""
    seasonality = card.seasonality if card else usual(series.timeline, MANY)
    return max(seasonality)


def _read_card(settings: Settings, series_id: str) -> tuple[Card | None, str]:
    """The champion's card, and why it cannot be read."""
    try:
        return read_card(settings.model_directory(series_id)), ""
    except ModelError as error:
        return None, str(error)


def compute(stored: Stored, *, settings: Settings, now: datetime, series_id: str) -> PageFigures:
    """The page of a series. Pure."""
    series = settings.series[series_id]
    card = stored.card
    policy = settings.retrain_of(series_id)
    coverage = card.coverage if card else settings.train_of(series_id).coverage
    scored = [row for row in stored.performance if row["reality"] is not None]
    timeline = series.timeline
    shown = shown_periods(settings, series_id)
    since = timeline.shift(stored.end, -shown)
    newest_scored = [row for row in scored if row["prediction_date"] > since]
    words = Words(timeline)
    naive = season_in_words(naive_season(card, series), series.frequency)
    error_since = timeline.shift(stored.end, -ERROR_SHOWN * shown)
    page_charts = {
        "forecast": charts.forecast_chart(stored.history, stored.performance, since, stored.end),
        "error": charts.error_chart(scored, card, policy, timeline, error_since),
        "lead": charts.lead_chart(stored.errors_by_lead, card, policy),
    }
    return PageFigures(
        series=series_id,
        title=series.title or series_id,
        unit=series.unit,
        now=now,
        end=stored.newest.period,
        lights=_lights(stored, settings, now, series_id),
        figures=figures(newest_scored, coverage, words, naive),
        charts=page_charts,
        summaries=charts.summaries(page_charts, stored.vintage, series.unit, words, naive),
        vintage=stored.vintage,
        card=card,
        card_problem=stored.card_problem,
        notes=notes(card, stored.vintage, quantiles.score_rows(newest_scored)),
        training=stored.training,
        candidates=leaderboard(stored.training),
        looks=group(stored.checks)[:SHOWN_LOOKS],
        window=policy.window,
        shown=shown,
        words=words,
        naive=naive,
        coverage=coverage,
    )


def _lights(stored: Stored, settings: Settings, now: datetime, series_id: str) -> list[Light]:
    return lights(
        stored.newest,
        card=stored.card,
        card_problem=stored.card_problem,
        checks=stored.checks,
        etl_runs=stored.etl_runs,
        now=now,
        policy=settings.freshness_of(series_id),
        timeline=settings.series[series_id].timeline,
        fallback=stored.vintage.fallback if stored.vintage else None,
    )


def notes(card: Card | None, vintage: Vintage | None, live: DistributionScore | None) -> list[str]:
    """What the card says of the champion, how good its quantiles are live, what live errors have changed, and whether a
    naive stands in."""
    sentences = list(card.explanation.notes) if card and card.explanation else []
    if live:
        shares = [f"{share:.0%} of {float(level):.0%}" for level, share in live.below.items()]
        sentences.append(f"So many values were at or below each quantile, of so many promised: {', '.join(shares)}.")
    if vintage is None:
        return sentences
    first = vintage.rows[0]
    if first["width_below"] is not None:
        below, above = first["width_below"], first["width_above"]
        sentences.append(f"Live errors have made the interval {below:.2f} times as wide below and {above:.2f} above.")
    if vintage.fallback:
        sentences.append(f"The newest forecast is a fallback, {vintage.model_version}: {vintage.fallback}.")
    return sentences


def figures(scored: Sequence[Row], target_coverage: float, words: Words, naive: str) -> list[Figure]:
    """Means over scored rows of `performance`; nothing without any."""
    if not scored:
        return []
    mean_actual = _mean(scored, "reality")
    mean_predicted = _mean(scored, "prediction")
    mae = _mean(scored, "absolute_error")
    coverage = fmean(bool(row["covered"]) for row in scored)
    relative_mae = f"{mae / mean_actual:.1%} of the mean" if mean_actual else ""
    shown = [
        Figure("Mean actual", number(mean_actual), f"over {words.count(len(scored), 'scored ')}"),
        Figure("Mean predicted", number(mean_predicted), f"on the same {words.plural}"),
        Figure("Mean absolute error", number(mae), relative_mae),
    ]
    comparison = _against_naive(scored, naive)
    if comparison:
        shown.append(comparison)
    target = f"{target_coverage:.0%} is aimed at"
    distribution = quantiles.score_rows(scored)
    if distribution:
        target += f"; CRPS of the quantiles {number(distribution.crps)}"
    shown.append(Figure("Interval coverage", f"{coverage:.0%}", target))
    return shown


def _mean(rows: Sequence[Row], column: str) -> float:
    return fmean(row[column] for row in rows)


def _against_naive(scored: Sequence[Row], naive: str) -> Figure | None:
    """The error beside the naive's, on the periods that have both; None without any."""
    both = [row for row in scored if row["naive_error"] is not None]
    if not both:
        return None
    naive_mae = _mean(both, "naive_error")
    if naive_mae == 0:
        return None
    change = _mean(both, "absolute_error") / naive_mae - 1
    word = "less" if change <= 0 else "more"
    return Figure(
        "Against the naive",
        f"{abs(change):.0%} {word}",
        f"error; that of {naive} earlier is {number(naive_mae)}",
    )


def group(checks: Sequence[Row]) -> list[Look]:
    """Checks -> looks, both newest first.

    A check that asked for a retrain begins a look of its own.
    """
    looks: list[Look] = []
    for check in checks:
        last = looks[-1] if looks else None
        if last and last.newest["verdict"] == check["verdict"] and not check["dispatched"]:
            looks[-1] = replace(last, first=check["checked_at"], count=last.count + 1)
        else:
            looks.append(Look(newest=check, first=check["checked_at"], count=1))
    return looks


def leaderboard(training: Row | None) -> list[dict[str, Any]]:
    """The best candidates of a training, and all others that are no ridge.

    Each row gets its `rank`, and its `share` of the largest shown error in percent, for the bars.
    """
    if training is None:
        return []
    ranked = _ranked(training["leaderboard"])
    # Dozens of ridges differ little; beside the best ones, each other kind is worth a line.
    others = [row for row in ranked[SHOWN_CANDIDATES:] if not row["candidate"].startswith("ridge")]
    shown = ranked[:SHOWN_CANDIDATES] + others
    largest_mae = max((row["mae"] for row in shown), default=0.0)
    for row in shown:
        row["share"] = round(100 * row["mae"] / largest_mae, 1) if largest_mae else 0.0
    return shown


def _ranked(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The candidates that were measured, with their rank."""
    ranked = []
    for rank, row in enumerate(rows, start=1):
        if row["mae"] is not None:
            ranked.append({"rank": rank, **row})
    return ranked
