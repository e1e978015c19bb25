"""Reads and writes forecasts, and compares them with what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Boolean, delete, func, insert, select, type_coerce

from actioncast.database.bulk import insert_arrays
from actioncast.database.quarantine import is_set_aside
from actioncast.database.schema import PERFORMANCE, PREDICTIONS, REALITY, Row, UtcTime
from actioncast.database.transactions import Transactions
from actioncast.periods.timeline import Timeline

_SAME_PERIOD = (REALITY.c.series_id == PREDICTIONS.c.series_id) & (
    REALITY.c.reality_date == PREDICTIONS.c.prediction_date
)
_PREDICTIONS_WITH_REALITY = PREDICTIONS.join(REALITY, _SAME_PERIOD)


class IssuedVintage(NamedTuple):
    """The rows of a vintage by lead, and the newest hour that was over at its issue and is not set aside."""

    rows: list[Row]
    last_period: datetime | None


class StoredForecasts(Transactions):
    """The table `predictions` and the view `performance`."""

    def store_vintage(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Store one vintage; one with the same `issued_at` is replaced as a whole.

        Each row has the columns of `predictions`, but for those that may be null. Raises ValueError without a row.
        """
        if not rows:
            raise ValueError("expected at least one forecast, got none")
        same_vintage = _vintage(rows[0]["series_id"], rows[0]["issued_at"])
        with self._transaction(write=True) as connection:
            self._lock(connection, "predictions")
            connection.execute(delete(PREDICTIONS).where(same_vintage))
            if self.is_sqlite:
                connection.execute(insert(PREDICTIONS), list(rows))
            else:
                insert_arrays(connection, rows)

    def vintage(self, series_id: str, issued_at: datetime) -> list[Row]:
        """The rows issued at this moment, by lead."""
        return self._rows(_select_vintage(series_id, issued_at))

    def issued_vintage(self, series_id: str, issued_at: datetime, timeline: Timeline) -> IssuedVintage:
        """The rows issued at this moment, and the hour that they follow, as of one transaction."""
        newest_period = func.max(REALITY.c.reality_date, type_=UtcTime)
        last_period = select(newest_period).where(
            REALITY.c.series_id == series_id,
            REALITY.c.reality_date <= timeline.start_of(timeline.last_over(issued_at)),
            ~is_set_aside(),
        )
        with self._transaction(write=False) as connection:
            rows = connection.execute(_select_vintage(series_id, issued_at)).mappings().all()
            return IssuedVintage([dict(row) for row in rows], connection.scalar(last_period))

    def find_vintage(
        self,
        series_id: str,
        *,
        timeline: Timeline,
        model_version: str,
        origin: datetime,
        horizon: int,
        since: datetime | None,
    ) -> datetime | None:
        """Moment when this model last issued a vintage of at least `horizon` hours after `origin`.

        None without one; with `since` an older one does not count.
        """
        columns = PREDICTIONS.c
        query = select(func.max(columns.issued_at, type_=UtcTime)).where(
            columns.series_id == series_id,
            columns.prediction_date == timeline.shift(origin, horizon),
            columns.lead == horizon,
            columns.model_version == model_version,
        )
        if since:
            query = query.where(columns.issued_at >= since)
        return self._moment(query)

    def newest_vintages(self, series_id: str, newest: int = 100) -> list[datetime]:
        """Moments when the newest forecasts were issued, newest first."""
        issued_at = PREDICTIONS.c.issued_at
        query = (
            select(issued_at)
            .where(PREDICTIONS.c.series_id == series_id)
            .distinct()
            .order_by(issued_at.desc())
            .limit(newest)
        )
        return [row["issued_at"] for row in self._rows(query)]

    def vintages(self, series_id: str, *, until: datetime, newest: int) -> list[Row]:
        """The forecasts issued up to a moment, newest first.

        issued_at, the `first` period and its lead, the count of periods, model_version and fallback.
        """
        columns = PREDICTIONS.c
        query = (
            select(
                columns.issued_at,
                func.min(columns.prediction_date, type_=UtcTime).label("first"),
                func.min(columns.lead).label("lead"),
                func.count().label("periods"),
                func.max(columns.model_version).label("model_version"),
                func.max(columns.fallback).label("fallback"),
            )
            .where(columns.series_id == series_id, columns.issued_at <= until)
            .group_by(columns.issued_at)
            .order_by(columns.issued_at.desc())
            .limit(newest)
        )
        return self._rows(query)

    def said_before(self, series_id: str, *, lead: int, since: datetime, until: datetime, limit: int) -> list[Row]:
        """Rows as those of `performance`, but of the newest forecast that was made at least `lead` periods ahead."""
        columns = PREDICTIONS.c
        newest = func.row_number().over(partition_by=columns.prediction_date, order_by=columns.issued_at.desc())
        early = (
            select(PREDICTIONS, newest.label("place"))
            .where(_periods_between(series_id, since, until), columns.lead >= lead)
            .subquery()
        )
        value = REALITY.c.value
        same_period = (REALITY.c.series_id == early.c.series_id) & (REALITY.c.reality_date == early.c.prediction_date)
        query = (
            select(
                *(early.c[column.name] for column in columns),
                value.label("reality"),
                func.abs(early.c.prediction - value).label("absolute_error"),
                type_coerce(value.between(early.c.lower, early.c.upper), Boolean).label("covered"),
                func.abs(early.c.naive - value).label("naive_error"),
            )
            .select_from(early.outerjoin(REALITY, same_period))
            .where(early.c.place == 1)
            .order_by(early.c.prediction_date)
            .limit(limit)
        )
        return self._rows(query)

    def performance(
        self,
        series_id: str,
        *,
        since: datetime,
        until: datetime,
        limit: int | None = None,
    ) -> list[Row]:
        """Rows of the view `performance` for hours that begin in [since, until), ascending.

        `reality` is None where it is not stored.
        """
        begins = PERFORMANCE.c.prediction_date
        query = (
            select(PERFORMANCE)
            .where(PERFORMANCE.c.series_id == series_id, begins >= since, begins < until)
            .order_by(begins)
            .limit(limit)
        )
        return self._rows(query)

    def error_by_lead(self, series_id: str, *, since: datetime, until: datetime) -> list[Row]:
        """Mean absolute error of all vintages for hours in [since, until): lead, mae, periods."""
        columns = PREDICTIONS.c
        error = func.abs(columns.prediction - REALITY.c.value)
        query = (
            select(columns.lead, func.avg(error).label("mae"), func.count().label("periods"))
            .select_from(_PREDICTIONS_WITH_REALITY)
            .where(_periods_between(series_id, since, until))
            .group_by(columns.lead)
            .order_by(columns.lead)
        )
        return self._rows(query)

    def live_errors(
        self,
        series_id: str,
        model_version: str,
        *,
        since: datetime,
        until: datetime,
        longest_lead: int,
    ) -> list[tuple[datetime, int, float, float]]:
        """Forecasts of this model, up to this lead, for periods in [since, until] that have happened and count.

        Each is the start of its period, lead, prediction and reality.
        """
        columns = PREDICTIONS.c
        query = (
            select(columns.prediction_date, columns.lead, columns.prediction, REALITY.c.value)
            .select_from(_PREDICTIONS_WITH_REALITY)
            .where(
                columns.series_id == series_id,
                columns.prediction_date.between(since, until),
                columns.lead <= longest_lead,
                columns.model_version == model_version,
                ~is_set_aside(),
            )
        )
        with self._transaction(write=False) as connection:
            return [(start, lead, forecast, value) for start, lead, forecast, value in connection.execute(query)]

    def forecasts_with_reality(
        self,
        series_id: str,
        *,
        since: datetime,
        until: datetime,
    ) -> list[Row]:
        """Forecasts of all vintages for hours in [since, until) that have happened, oldest first.

        Each row: prediction_date, issued_at, prediction, reality.
        """
        columns = PREDICTIONS.c
        query = (
            select(
                columns.prediction_date,
                columns.issued_at,
                columns.prediction,
                REALITY.c.value.label("reality"),
            )
            .select_from(_PREDICTIONS_WITH_REALITY)
            .where(_periods_between(series_id, since, until))
            .order_by(columns.issued_at)
        )
        return self._rows(query)


def _vintage(series_id: str, issued_at: datetime) -> Any:
    """The condition that a forecast belongs to this vintage."""
    same_series = PREDICTIONS.c.series_id == series_id
    return same_series & (PREDICTIONS.c.issued_at == issued_at)


def _select_vintage(series_id: str, issued_at: datetime) -> Any:
    """The query for the rows of one vintage, by lead."""
    query = select(PREDICTIONS).where(_vintage(series_id, issued_at))
    return query.order_by(PREDICTIONS.c.lead)


def _periods_between(series_id: str, since: datetime, until: datetime) -> Any:
    """The condition that a forecast is for an hour that begins in [since, until)."""
    begins = PREDICTIONS.c.prediction_date
    return (PREDICTIONS.c.series_id == series_id) & (begins >= since) & (begins < until)
