"""The database: hours in and out, forecasts, and the ledger, on PostgreSQL or SQLite.

Both have the same schema and run the same code. Without DATABASE_URL a SQLite file beside
config.toml is used. Periods are unix seconds in arrays, moments are aware UTC datetimes.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select, type_coerce

from actioncast.database import migrations
from actioncast.database.connection import database_url
from actioncast.database.fleet import Fleet
from actioncast.database.ledger import Ledger
from actioncast.database.quarantine import Quarantine
from actioncast.database.schema import ETL_RUNS, PREDICTIONS, REALITY, UtcTime
from actioncast.database.stored_forecasts import StoredForecasts
from actioncast.database.stored_periods import StoredPeriods
from actioncast.settings import Settings


@contextmanager
def open_database(settings: Settings) -> Iterator[Database]:
    """The database of these settings, migrated; its connections are closed at the end."""
    database = Database(database_url(settings))
    try:
        database.migrate()
        yield database
    finally:
        database.close()


class Newest(NamedTuple):
    """The newest facts of a series; each is None where there is none."""

    period: datetime | None  # start of the newest stored period
    loaded_at: datetime | None  # end of the newest run that changed hours
    issued_at: datetime | None  # moment of the newest vintage


class Database(StoredPeriods, Quarantine, StoredForecasts, Ledger, Fleet):
    """All that the scripts read and write. Every method is one transaction."""

    def migrate(self, only: Container[str] | None = None) -> list[str]:
        """Apply the files of sql/ that were not applied yet, in their order, or some of them.

        Returns their names.
        """
        # Usually nothing is to be done, and reading that waits for nobody.
        with self._transaction(write=False) as connection:
            if not migrations.waiting(connection, is_sqlite=self.is_sqlite):
                return []
        with self._transaction(write=True) as connection:
            self._lock(connection, "migrations")
            return migrations.apply(connection, is_sqlite=self.is_sqlite, only=only)

    def newest(self, series_id: str) -> Newest:
        """What a prepared answer depends on: three look-ups in indexes, one round trip."""
        newest_period = func.max(REALITY.c.reality_date)
        period = select(newest_period).where(REALITY.c.series_id == series_id)
        newest_issue = func.max(PREDICTIONS.c.issued_at)
        issued_at = select(newest_issue).where(PREDICTIONS.c.series_id == series_id)
        loaded_at = (
            select(ETL_RUNS.c.finished_at)
            .where(ETL_RUNS.c.series_id == series_id, ETL_RUNS.c.outcome == "loaded")
            .order_by(ETL_RUNS.c.started_at.desc())
            .limit(1)
        )
        queries = (period, loaded_at, issued_at)
        columns = [type_coerce(query.scalar_subquery(), UtcTime) for query in queries]
        with self._transaction(write=False) as connection:
            row = connection.execute(select(*columns)).one()
        return Newest(period=row[0], loaded_at=row[1], issued_at=row[2])
