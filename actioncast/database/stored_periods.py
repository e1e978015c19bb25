"""Reads and writes the hours of series and of exogenous columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, cast, extract, func, insert, select

from actioncast.arrays import np
from actioncast.database.bulk import merge_periods, refuse_infinite, upsert_column
from actioncast.database.quarantine import is_set_aside
from actioncast.database.schema import ETL_RUNS, EXOGENOUS, REALITY, REVISIONS, SERIES, Row, UtcTime
from actioncast.database.transactions import Transactions
from actioncast.periods.grid import Grid, Periods, to_grid
from actioncast.periods.timeline import Timeline
from actioncast.times import from_seconds, to_seconds


class StoredPeriods(Transactions):
    """The tables `reality`, `revisions`, `exogenous` and `series`."""

    def load_periods(
        self,
        series_id: str,
        hours: Periods,
        loaded_at: datetime,
        run: Mapping[str, Any],
        columns: Mapping[str, Periods] | None = None,
        *,
        restates: bool = False,
    ) -> int:
        """Upsert complete hours, those of exogenous columns, and the row of the run, all or none.

        `run` is a row of `etl_runs` without `periods_loaded` and `outcome`; `columns`: name -> hours.
        An hour is never rewritten when nothing changed, nor replaced by one built from fewer points
        unless this load `restates` what was loaded before. A value that is replaced goes to the
        table `revisions`. Returns how many hours are new or changed. Raises DataError for a value
        that is not finite.
        """
        columns = columns or {}
        for loaded in (hours, *columns.values()):
            refuse_infinite(loaded)
        with self._transaction(write=True) as connection:
            changed = merge_periods(
                connection,
                series_id,
                hours,
                loaded_at,
                restates=restates,
                is_sqlite=self.is_sqlite,
            )
            changed_in_columns = 0
            for name, column in columns.items():
                changed_in_columns += upsert_column(
                    connection, series_id, name, column, loaded_at, is_sqlite=self.is_sqlite
                )
            outcome = "loaded" if changed or changed_in_columns else "nothing new"
            row = {**run, "periods_loaded": changed, "outcome": outcome}
            connection.execute(insert(ETL_RUNS), row)
        return changed

    def revisions(self, series_id: str, *, since: datetime) -> list[Row]:
        """The values of hours from `since` on that a newer one replaced: by hour, the oldest first."""
        query = (
            select(REVISIONS)
            .where(REVISIONS.c.series_id == series_id, REVISIONS.c.reality_date >= since)
            .order_by(REVISIONS.c.reality_date, REVISIONS.c.replaced_at)
        )
        return self._rows(query)

    def last_period(self, series_id: str) -> datetime | None:
        """Start of the newest stored hour."""
        newest = func.max(REALITY.c.reality_date, type_=UtcTime)
        return self._moment(select(newest).where(REALITY.c.series_id == series_id))

    def reality(
        self,
        series_id: str,
        *,
        until: datetime,
        newest: int,
        timeline: Timeline,
        quarantined: bool = False,
    ) -> Grid | None:
        """The newest `newest` stored hours that are over at `until`; None when there are none.

        With `quarantined` those that are set aside are among them; otherwise they are missing.
        """
        begins = REALITY.c.reality_date
        query = (
            select(begins, REALITY.c.value)
            .where(REALITY.c.series_id == series_id, begins <= timeline.start_of(timeline.last_over(until)))
            .order_by(begins.desc())
            .limit(newest)
        )
        if not quarantined:
            query = query.where(~is_set_aside())
        with self._transaction(write=False) as connection:
            rows = connection.execute(query).all()[::-1]
        if not rows:
            return None
        hours = _periods_of(rows)
        return to_grid(hours.starts, hours.values, timeline)

    def stored_periods(self, series_id: str, *, since: datetime, until: datetime, limit: int) -> list[Row]:
        """The stored hours that begin in [since, until), ascending: reality_date, value, set_aside."""
        begins = REALITY.c.reality_date
        query = (
            select(begins, REALITY.c.value, is_set_aside().label("set_aside"))
            .where(REALITY.c.series_id == series_id, begins >= since, begins < until)
            .order_by(begins)
            .limit(limit)
        )
        return self._rows(query)

    def values_since(self, series_id: str, since: datetime) -> list[tuple[int, float]]:
        """(start in unix seconds, value) of each hour stored from `since` on, in no order.

        The database makes the seconds, which is faster than to read times.
        """
        seconds = cast(extract("epoch", REALITY.c.reality_date), BigInteger)
        query = select(seconds, REALITY.c.value).where(
            REALITY.c.series_id == series_id,
            REALITY.c.reality_date >= since,
        )
        with self._transaction(write=False) as connection:
            return [(start, value) for start, value in connection.execute(query)]

    def newest_loads(self, series_id: str, *, timeline: Timeline, newest: int = 500) -> list[tuple[datetime, datetime]]:
        """(moment of loading, end of the hour) of the newest stored hours."""
        query = (
            select(REALITY.c.loaded_at, REALITY.c.reality_date)
            .where(REALITY.c.series_id == series_id)
            .order_by(REALITY.c.reality_date.desc())
            .limit(newest)
        )
        rows = self._rows(query)
        starts = np.array([to_seconds(row["reality_date"]) for row in rows], dtype=np.int64)
        ends = timeline.ends(timeline.numbers(starts)).tolist()
        return [(row["loaded_at"], from_seconds(end)) for row, end in zip(rows, ends, strict=True)]

    def exogenous(
        self,
        series_id: str,
        names: Sequence[str],
        *,
        since: datetime,
        until: datetime,
    ) -> dict[str, Periods]:
        """The stored hours of these columns in [since, until], ascending, by name."""
        begins = EXOGENOUS.c.exogenous_date
        query = (
            select(begins, EXOGENOUS.c.value)
            .where(EXOGENOUS.c.series_id == series_id, begins >= since, begins <= until)
            .order_by(begins)
        )
        columns = {}
        with self._transaction(write=False) as connection:
            for name in names:
                rows = connection.execute(query.where(EXOGENOUS.c.name == name)).all()
                columns[name] = _periods_of(rows)
        return columns

    def last_exogenous_period(self, series_id: str, name: str) -> datetime | None:
        """Start of the newest stored hour of this column."""
        newest = func.max(EXOGENOUS.c.exogenous_date, type_=UtcTime)
        query = select(newest).where(EXOGENOUS.c.series_id == series_id, EXOGENOUS.c.name == name)
        return self._moment(query)

    def series(self, only: str | None = None) -> dict[str, str]:
        """The rows of the table `series`, or one of them: series -> its settings as JSON text."""
        query = select(SERIES)
        if only is not None:
            query = query.where(SERIES.c.series_id == only)
        return {row["series_id"]: row["settings"] for row in self._rows(query)}


def _periods_of(rows: Sequence[Any]) -> Periods:
    """Periods from (start, value) rows; how many samples they were built from is not read."""
    starts = np.array([to_seconds(start) for start, _ in rows], dtype=np.int64)
    values = np.array([value for _, value in rows], dtype=np.float64)
    return Periods(starts, values, np.ones(len(rows), dtype=np.int64))
