"""Reads of all series at once: one query each, however many series there are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Integer, case, cast, extract, func, select

from actioncast.database.schema import CHECKS, ETL_RUNS, PERFORMANCE, PREDICTIONS, REALITY, Row, UtcTime
from actioncast.database.transactions import Transactions

Means = dict[str, list[tuple[int, float]]]  # series -> (start of a stretch in unix seconds, mean), ascending


class Fleet(Transactions):
    """The newest facts of every series, by its name."""

    def newest_periods(self) -> dict[str, datetime]:
        """The start of the newest stored period of each series."""
        newest = func.max(REALITY.c.reality_date, type_=UtcTime).label("newest")
        rows = self._rows(select(REALITY.c.series_id, newest).group_by(REALITY.c.series_id))
        return {row["series_id"]: row["newest"] for row in rows}

    def newest_runs(self) -> dict[str, Row]:
        """The newest ingestion of each series."""
        return self._newest(ETL_RUNS, ETL_RUNS.c.started_at)

    def last_checks(self) -> dict[str, Row]:
        """The newest check of each series."""
        return self._newest(CHECKS, CHECKS.c.checked_at)

    def newest_forecasts(self) -> dict[str, Row]:
        """The newest forecast of each series: issued_at, its `first` period with its lead, its `last` one, fallback."""
        columns = PREDICTIONS.c
        newest = (
            select(columns.series_id, func.max(columns.issued_at).label("issued_at"))
            .group_by(columns.series_id)
            .subquery()
        )
        query = (
            select(
                columns.series_id,
                columns.issued_at,
                func.min(columns.prediction_date, type_=UtcTime).label("first"),
                func.min(columns.lead).label("lead"),
                func.max(columns.prediction_date, type_=UtcTime).label("last"),
                func.max(columns.fallback).label("fallback"),
            )
            .join(newest, (newest.c.series_id == columns.series_id) & (newest.c.issued_at == columns.issued_at))
            .group_by(columns.series_id, columns.issued_at)
        )
        return {row["series_id"]: row for row in self._rows(query)}

    def scores(self, series: Sequence[str], *, since: datetime) -> dict[str, Row]:
        """Of each series from `since` on: mae and naive_mae over the periods that have both, coverage, periods."""
        columns = PERFORMANCE.c
        error_beside_naive = case((columns.naive_error.is_not(None), columns.absolute_error))
        query = (
            select(
                columns.series_id,
                func.avg(error_beside_naive).label("mae"),
                func.avg(columns.naive_error).label("naive_mae"),
                func.avg(cast(columns.covered, Integer)).label("coverage"),
                func.count().label("periods"),
            )
            .where(columns.series_id.in_(series), columns.prediction_date >= since, columns.reality.is_not(None))
            .group_by(columns.series_id)
        )
        return {row["series_id"]: row for row in self._rows(query)}

    def mean_reality(self, series: Sequence[str], *, since: datetime, seconds: int) -> Means:
        """The means of the stored values over stretches of so many seconds."""
        return self._means(REALITY, REALITY.c.reality_date, REALITY.c.value, series, since, seconds)

    def mean_forecast(self, series: Sequence[str], *, since: datetime, seconds: int) -> Means:
        """The means of what was forecast last for each period, likewise."""
        columns = PERFORMANCE.c
        return self._means(PERFORMANCE, columns.prediction_date, columns.prediction, series, since, seconds)

    def _means(
        self, table: Any, begins: Any, value: Any, series: Sequence[str], since: datetime, seconds: int
    ) -> Means:
        epoch = cast(extract("epoch", begins), BigInteger)
        stretch = epoch - epoch % seconds
        query = (
            select(table.c.series_id, stretch, func.avg(value))
            .where(table.c.series_id.in_(series), begins >= since)
            .group_by(table.c.series_id, stretch)
            .order_by(table.c.series_id, stretch)
        )
        means: Means = {}
        with self._transaction(write=False) as connection:
            for series_id, start, mean in connection.execute(query):
                means.setdefault(series_id, []).append((int(start), mean))
        return means

    def _newest(self, table: Any, moment: Any) -> dict[str, Row]:
        """The newest row of each series."""
        place = func.row_number().over(partition_by=table.c.series_id, order_by=moment.desc()).label("place")
        ranked = select(table, place).subquery()
        columns = [ranked.c[column.name] for column in table.c]
        return {row["series_id"]: row for row in self._rows(select(*columns).where(ranked.c.place == 1))}
