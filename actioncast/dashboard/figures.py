"""What the page shows of one series: read from the database and the card, then computed by pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import fmean
from typing import Any

from actioncast import quantiles
from actioncast.dashboard import charts
from actioncast.dashboard.advice import Advice, advice_on
from actioncast.dashboard.charts import TABLE_ROWS, Chart, Range, Row
from actioncast.dashboard.data_health import Fact, data_health
from actioncast.dashboard.heatmap import Heatmap, heatmap
from actioncast.dashboard.marks import Mark, marks_of
from actioncast.dashboard.stored import ERROR_SHOWN, Stored, drawn_periods, read_stored, shown_periods
from actioncast.dashboard.trainings import Training, trainings_of, what_comes_next
from actioncast.database.database import Database
from actioncast.forecasting.card import Card
from actioncast.forecasting.exogenous import HOLIDAY
from actioncast.forecasting.naive import season_in_words
from actioncast.forecasting.seasons import usual
from actioncast.forecasting.vintage import Vintage
from actioncast.monitoring.lights import Issue, Light, Watched, lights
from actioncast.periods.timeline import Timeline
from actioncast.periods.words import Words
from actioncast.policies import RetrainPolicy
from actioncast.quantiles import DistributionScore
from actioncast.settings import SeriesSettings, Settings
from actioncast.text import number

SHOWN_LOOKS = 12
SHOWN_CANDIDATES = 8
MANY = 10_000  # periods, in which each usual season can be seen


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
    marks: Sequence[Mark]  # what happened, on the charts
    vintage: Vintage | None
    upcoming: Sequence[Row]  # of the vintage: the next periods, the one that has begun included
    advice: Advice | None  # what to do where there is no forecast yet
    card: Card | None
    card_problem: str
    notes: Sequence[str]  # about the champion and its newest forecast, a sentence each
    training: Row | None  # the newest one
    candidates: Sequence[Row]
    trainings: Sequence[Training]  # newest first
    heatmap: Heatmap | None  # of the live error
    data_health: Sequence[Fact]
    looks: list[Look]
    next: str  # when the next check and a retrain may come
    policy: RetrainPolicy
    by_hand: Mapping[str, str]  # what a person can do on GitHub -> where
    window: int  # periods of the live error
    shown: int  # periods of the past in the charts
    ranges: Sequence[Range]  # of the past, that a reader can choose
    earlier: Sequence[tuple[str, str]]  # forecasts to compare with, in words and as the page's script asks for them
    words: Words
    naive: str  # the reference in words: 168 hours (a week)
    coverage: float  # target share of hours inside lower..upper

    @property
    def columns(self) -> list[str]:
        """Columns known in the future with which a reader may ask what if: not the holidays, which nobody can shift."""
        names = self.card.columns() if self.card else []
        return [name for name in names if name != HOLIDAY]


def collect(settings: Settings, database: Database, now: datetime, series_id: str) -> PageFigures:
    """Read and compute the page of a series. Raises DatabaseError."""
    stored = read_stored(settings, database, now, series_id)
    return compute(stored, settings=settings, now=now, series_id=series_id)


def naive_season(card: Card | None, series: SeriesSettings) -> int:
    """The season of the naive reference, in periods: the champion's longest, or the usual one."""
    seasonality = card.seasonality if card else usual(series.timeline, MANY)
    return max(seasonality)


def compute(stored: Stored, *, settings: Settings, now: datetime, series_id: str) -> PageFigures:
    """The page of a series. Pure."""
    series = settings.series[series_id]
    card = stored.card
    policy = settings.retrain_of(series_id)
    coverage = card.coverage if card else settings.train_of(series_id).coverage
    scored = [row for row in stored.performance if row["reality"] is not None]
    timeline = series.timeline
    shown = shown_periods(settings, series_id)
    newest_scored = _after(scored, timeline.shift(stored.end, -shown))
    words = Words(timeline)
    naive = season_in_words(naive_season(card, series), series.frequency)
    error_since = timeline.shift(stored.end, -ERROR_SHOWN * shown)
    upcoming = not_over(stored.vintage, now, timeline)
    drawn_since = timeline.shift(stored.end, -drawn_periods(settings, series_id))
    page_charts = _charts(stored, scored, policy, timeline, drawn_since, error_since)
    return PageFigures(
        series=series_id,
        title=series.title or series_id,
        unit=series.unit,
        now=now,
        end=stored.newest.period,
        lights=_lights(stored, settings, now, series_id),
        figures=figures(newest_scored, coverage, words, naive),
        charts=page_charts,
        summaries=charts.summaries(page_charts, stored.vintage, upcoming, series.unit, words, naive),
        marks=_marks(stored, now, drawn_since, timeline),
        vintage=stored.vintage,
        upcoming=upcoming[:TABLE_ROWS],
        advice=advice_on(stored, series),
        card=card,
        card_problem=stored.card_problem,
        notes=notes(card, stored.vintage, quantiles.score_rows(newest_scored)),
        training=stored.training,
        candidates=leaderboard(stored.training),
        trainings=trainings_of(stored.trainings),
        heatmap=heatmap(_after(scored, error_since), timeline),
        data_health=data_health(stored, words),
        looks=group(stored.checks)[:SHOWN_LOOKS],
        next=what_comes_next(stored.checks, stored.trainings, policy, settings.retrain.check_hours, now, words),
        policy=policy,
        by_hand=_by_hand(settings),
        window=policy.window,
        shown=shown,
        ranges=charts.ranges(page_charts["forecast"], words, shown),
        earlier=charts.earlier_forecasts(words),
        words=words,
        naive=naive,
        coverage=coverage,
    )


def _after(rows: Sequence[Row], moment: datetime) -> list[Row]:
    return [row for row in rows if row["prediction_date"] > moment]


def _by_hand(settings: Settings) -> dict[str, str]:
    """The workflows that a person may run; none where the repository is not known."""
    files = {"Retrain now": "retrain.yml", "Roll back": "rollback.yml", "Rehearse other rules": "rehearse.yml"}
    urls = {name: settings.environment.workflow_url(file) for name, file in files.items()}
    return {name: url for name, url in urls.items() if url}


def _charts(
    stored: Stored,
    scored: Sequence[Row],
    policy: RetrainPolicy,
    timeline: Timeline,
    drawn_since: datetime,
    error_since: datetime,
) -> dict[str, Chart]:
    rows = with_newest(stored.performance, stored.vintage, stored.end)
    return {
        "forecast": charts.forecast_chart(stored.history, rows, drawn_since, stored.end, timeline),
        "error": charts.error_chart(scored, stored.card, policy, timeline, error_since),
        "lead": charts.lead_chart(stored.errors_by_lead, stored.card, policy),
    }


def with_newest(performance: Sequence[Row], vintage: Vintage | None, end: datetime) -> list[Row]:
    """Rows of `performance`, and of the newest forecast those after `end` for periods that had begun at its issue."""
    known = {row["prediction_date"] for row in performance}
    newest = vintage.rows if vintage else []
    begun = [row for row in newest if row["prediction_date"] > end and row["prediction_date"] not in known]
    return sorted([*performance, *begun], key=lambda row: row["prediction_date"])


def not_over(vintage: Vintage | None, now: datetime, timeline: Timeline) -> list[Row]:
    """The periods of a vintage that end after now."""
    if vintage is None:
        return []
    return [row for row in vintage.rows if timeline.end_of(timeline.number_of(row["prediction_date"])) > now]


def _lights(stored: Stored, settings: Settings, now: datetime, series_id: str) -> list[Light]:
    return lights(
        stored.newest.period,
        Issue.of(stored.vintage) if stored.vintage else None,
        card=stored.card,
        card_problem=stored.card_problem,
        checks=stored.checks,
        etl_runs=stored.etl_runs,
        watched=Watched(now, settings.freshness_of(series_id), settings.series[series_id].timeline),
    )


def _marks(stored: Stored, now: datetime, since: datetime, timeline: Timeline) -> list[Mark]:
    ends = stored.vintage.rows[-1]["prediction_date"] if stored.vintage else now
    return marks_of(
        since=since,
        until=max(now, ends),
        timeline=timeline,
        card=stored.card,
        trainings=stored.trainings,
        checks=stored.checks,
        etl_runs=stored.etl_runs,
        quarantined=stored.quarantined,
        annotations=stored.annotations,
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

    Each row gets its `rank`, whether it `is_challenger`, and for the bars its `share` of the largest shown error in
    percent.
    """
    if training is None:
        return []
    ranked = _ranked(training["leaderboard"])
    # Dozens of ridges differ little; beside the best ones, each other kind is worth a line.
    others = [row for row in ranked[SHOWN_CANDIDATES:] if not row["candidate"].startswith("ridge")]
    shown = ranked[:SHOWN_CANDIDATES] + others
    largest_mae = max((row["mae"] for row in shown), default=0.0)
    challenger = (training["challenger"] or {}).get("name")
    for row in shown:
        row["is_challenger"] = row["candidate"] == challenger
        row["share"] = round(100 * row["mae"] / largest_mae, 1) if largest_mae else 0.0
    return shown


def _ranked(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The candidates that were measured, with their rank."""
    ranked = []
    for rank, row in enumerate(rows, start=1):
        if row["mae"] is not None:
            ranked.append({"rank": rank, **row})
    return ranked
