"""What the page shows of one series, as the database and the model folder hold it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from actioncast.dashboard.charts import Row
from actioncast.database.database import Database, Newest
from actioncast.forecasting.card import Card, ModelError, read_card
from actioncast.forecasting.vintage import Vintage
from actioncast.periods.grid import Grid
from actioncast.periods.timeline import Timeline
from actioncast.settings import LONGEST_HORIZON, Settings

ERROR_SHOWN = 4  # times the shown past, of the charts of the live error
MOST_DRAWN = 1_000  # periods of the past on a page: what it weighs is theirs
CHECKS_PAST = timedelta(days=30)
RUNS_PAST = timedelta(days=30)
LONG_AHEAD = 400  # periods of a day and longer, more than a forecast of them reaches
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


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
    trainings: Sequence[Row]  # newest first
    quarantined: Mapping[datetime, str]  # periods that are set aside, and why
    restated: int  # periods whose value was replaced by a newer one
    annotations: Sequence[Row]  # ascending
    card: Card | None
    card_problem: str  # why the card cannot be read; empty otherwise

    @property
    def training(self) -> Row | None:
        """The newest one."""
        return self.trainings[0] if self.trainings else None


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
    drawn_since = timeline.shift(end, -drawn_periods(settings, series_id))
    performance = database.performance(
        series_id,
        since=min(drawn_since, timeline.shift(end, -(ERROR_SHOWN + 1) * shown)),
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
    return Stored(
        newest=newest,
        end=end,
        performance=performance,
        history=_history(database, now, series_id, timeline, drawn_periods(settings, series_id)),
        errors_by_lead=errors_by_lead,
        vintage=vintage,
        checks=checks,
        etl_runs=database.etl_runs(series_id, since=now - RUNS_PAST),
        trainings=database.training_runs(series_id, since=LONG_AGO),
        quarantined=database.quarantined(series_id, since=drawn_since),
        restated=len({row["reality_date"] for row in database.revisions(series_id, since=drawn_since)}),
        annotations=database.annotations(series_id, since=drawn_since),
        card=card,
        card_problem=card_problem,
    )


def _history(database: Database, now: datetime, series_id: str, timeline: Timeline, newest: int) -> Grid | None:
    """The newest stored periods, those that are set aside too: people see what came."""
    return database.reality(series_id, until=now, newest=newest, timeline=timeline, quarantined=True)


def shown_periods(settings: Settings, series_id: str) -> int:
    """Periods of the past in the charts, and behind the figures on top."""
    series = settings.series[series_id]
    return series.defaults.shown.periods(series.frequency)


def drawn_periods(settings: Settings, series_id: str) -> int:
    """Periods of the past that a reader can zoom out to."""
    shown = shown_periods(settings, series_id)
    return max(shown, min(ERROR_SHOWN * shown, MOST_DRAWN))


def _farthest(timeline: Timeline) -> int:
    """Periods ahead, more than any forecast reaches."""
    return LONGEST_HORIZON + 1 if timeline.frequency.is_within_day else LONG_AHEAD


def _read_card(settings: Settings, series_id: str) -> tuple[Card | None, str]:
    """The champion's card, and why it cannot be read."""
    try:
        return read_card(settings.model_directory(series_id)), ""
    except ModelError as error:
        return None, str(error)
