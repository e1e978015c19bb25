"""The engine, the migrations in sql/, upserts and reads. PostgreSQL and SQLite, the same schema and the same code.

Without DATABASE_URL a SQLite file beside config.toml is used. Hours go in and out as unix seconds in arrays, moments as
aware UTC datetimes. Errors never show a password.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    delete,
    func,
    insert,
    inspect,
    select,
    text,
    type_coerce,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from actioncast.arrays import np
from actioncast.database.bulk import copy_and_merge, insert_unnested, refuse_infinite, upsert_column, upsert_sqlite
from actioncast.database.connection import DatabaseError, database_url, postgresql_engine, sqlite_engine
from actioncast.database.schema import (
    CHECKS,
    ETL_RUNS,
    EXOGENOUS,
    PERFORMANCE,
    PREDICTIONS,
    REALITY,
    SERIES,
    TRAINING_RUNS,
    UtcTime,
)
from actioncast.hours import Grid, Hours, to_grid
from actioncast.paths import ROOT
from actioncast.settings import Settings
from actioncast.times import to_seconds

MIGRATIONS = ROOT / "sql"


@contextmanager
def open_database(settings: Settings) -> Iterator[Database]:
    """The database of these settings, migrated; its connections are closed at the end."""
    database = Database(database_url(settings))
    try:
        database.migrate()
        yield database
    finally:
        database.engine.dispose()


class Newest(NamedTuple):
    """The newest stored hour, the end of the newest run that changed hours, and when the newest vintage was issued."""

    hour: datetime | None
    loaded_at: datetime | None
    issued_at: datetime | None


class Database:
    """What the verbs read and write. Every method is one transaction."""

    def __init__(self, url: URL) -> None:
        self.is_sqlite = url.get_backend_name() == "sqlite"
        # Without the query: libpq takes a password there too.
        self.place = url.set(query={}).render_as_string(hide_password=True)
        self.engine = sqlite_engine(url) if self.is_sqlite else postgresql_engine(url)

    @contextmanager
    def _transaction(self, *, write: bool) -> Iterator[Connection]:
        try:
            with self.engine.connect().execution_options(write=write) as connection, connection.begin():
                yield connection
        except DBAPIError as error:
            # Without the statement's parameters: thousands of rows help nobody.
            raise DatabaseError(f"{self.place}: {str(error.orig).strip()}") from error
        except SQLAlchemyError as error:
            raise DatabaseError(f"{self.place}: {type(error).__name__}: {error}") from error

    def migrate(self) -> list[str]:
        """Apply the files of sql/ that were not applied yet, in their order. Returns their names."""
        with self._transaction(write=False) as connection:  # the usual case, which waits for nobody
            if not self._waiting_migrations(connection):
                return []
        with self._transaction(write=True) as connection:
            self._lock(connection, "migrations")
            connection.exec_driver_sql("create table if not exists schema_migrations (name text not null primary key)")
            waiting = self._waiting_migrations(connection)
            for path in waiting:
                _execute_script(connection, path.read_text(encoding="utf-8"))
                connection.execute(text("insert into schema_migrations (name) values (:name)"), {"name": path.name})
        return [path.name for path in waiting]

    def _waiting_migrations(self, connection: Connection) -> list[Path]:
        if not inspect(connection).has_table("schema_migrations"):
            return _migration_files(self.is_sqlite)
        applied = set(connection.scalars(text("select name from schema_migrations")))
        return [path for path in _migration_files(self.is_sqlite) if path.name not in applied]

    def _lock(self, connection: Connection, name: str) -> None:
        """Wait for other transactions of this name. SQLite has one writer at a time anyway."""
        if not self.is_sqlite:
            connection.execute(text("select pg_advisory_xact_lock(hashtext(:name))"), {"name": f"actioncast.{name}"})

    # reality -------------------------------------------------------------------------------------------------------

    def last_hour(self, series_id: str) -> datetime | None:
        """Start of the newest stored hour."""
        query = select(func.max(REALITY.c.reality_date, type_=UtcTime)).where(REALITY.c.series_id == series_id)
        with self._transaction(write=False) as connection:
            return connection.scalar(query)

    def load_hours(
        self,
        series_id: str,
        hours: Hours,
        loaded_at: datetime,
        run: Mapping[str, Any],
        columns: Mapping[str, Hours] | None = None,
    ) -> int:
        """Upsert complete hours, and those of exogenous columns, and write the run's row (its hours_loaded is filled
        in) in one transaction.

        An hour is never replaced by one built from fewer points, nor rewritten when nothing changed. Returns how many
        hours are new or changed. Raises DataError for a value that is not finite.
        """
        for loaded in (hours, *(columns or {}).values()):
            refuse_infinite(loaded)
        with self._transaction(write=True) as connection:
            changed = (upsert_sqlite if self.is_sqlite else copy_and_merge)(connection, series_id, hours, loaded_at)
            stated = [
                upsert_column(connection, self.is_sqlite, (series_id, name), column, loaded_at)
                for name, column in (columns or {}).items()
            ]
            outcome = "loaded" if changed or sum(stated) else "nothing new"
            connection.execute(insert(ETL_RUNS), {**run, "hours_loaded": changed, "outcome": outcome})
        return changed

    def record_etl_failure(self, run: Mapping[str, Any]) -> None:
        """Write the row of a run that loaded nothing."""
        with self._transaction(write=True) as connection:
            connection.execute(insert(ETL_RUNS), {**run, "hours_loaded": 0, "outcome": "failed"})

    def reality(self, series_id: str, *, until: datetime, newest: int) -> Grid | None:
        """The newest so many stored hours that are over at `until`, as a regular series; None when there are none."""
        begins = REALITY.c.reality_date
        query = (
            select(begins, REALITY.c.value)
            .where(REALITY.c.series_id == series_id, begins <= until - timedelta(hours=1))
            .order_by(begins.desc())
            .limit(newest)
        )
        with self._transaction(write=False) as connection:
            rows = connection.execute(query).all()[::-1]
        if not rows:
            return None
        starts = np.array([to_seconds(start) for start, _ in rows], dtype=np.int64)
        return to_grid(starts, np.array([value for _, value in rows], dtype=np.float64))

    def exogenous(self, series_id: str, names: Sequence[str], *, since: datetime, until: datetime) -> dict[str, Hours]:
        """The stored hours of these columns in [since, until], ascending, by name."""
        e = EXOGENOUS.c
        query = select(e.exogenous_date, e.value).where(e.series_id == series_id).order_by(e.exogenous_date)
        columns = {}
        with self._transaction(write=False) as connection:
            for name in names:
                rows = connection.execute(
                    query.where(e.name == name, e.exogenous_date >= since, e.exogenous_date <= until)
                ).all()
                starts = np.array([to_seconds(start) for start, _ in rows], dtype=np.int64)
                values = np.array([value for _, value in rows], dtype=np.float64)
                columns[name] = Hours(starts, values, np.ones(len(rows), dtype=np.int64))
        return columns

    def last_exogenous_hour(self, series_id: str, name: str) -> datetime | None:
        """Start of the newest stored hour of this column."""
        e = EXOGENOUS.c
        query = select(func.max(e.exogenous_date, type_=UtcTime)).where(e.series_id == series_id, e.name == name)
        with self._transaction(write=False) as connection:
            return connection.scalar(query)

    def series(self, only: str | None = None) -> dict[str, str]:
        """The rows of the table `series`, or one of them: the settings of each, as JSON text."""
        query = select(SERIES) if only is None else select(SERIES).where(SERIES.c.series_id == only)
        return {row["series_id"]: row["settings"] for row in self._rows(query)}

    # predictions ---------------------------------------------------------------------------------------------------

    def store_vintage(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Store one vintage in one statement; the same issued_at issued again is replaced as a whole.

        Each row: series_id, prediction_date, issued_at, prediction, lower, upper, lead, model_version.
        """
        if not rows:
            raise ValueError("expected at least one forecast, got none")
        same = (PREDICTIONS.c.series_id == rows[0]["series_id"], PREDICTIONS.c.issued_at == rows[0]["issued_at"])
        with self._transaction(write=True) as connection:
            self._lock(connection, "predictions")
            connection.execute(delete(PREDICTIONS).where(*same))
            if self.is_sqlite:
                connection.execute(insert(PREDICTIONS), list(rows))
            else:
                insert_unnested(connection, rows)

    def vintage(self, series_id: str, issued_at: datetime) -> list[dict[str, Any]]:
        """The rows issued at this moment, by lead."""
        same = (PREDICTIONS.c.series_id == series_id, PREDICTIONS.c.issued_at == issued_at)
        return self._rows(select(PREDICTIONS).where(*same).order_by(PREDICTIONS.c.lead))

    def find_vintage(
        self, series_id: str, *, model_version: str, origin: datetime, horizon: int, since: datetime | None
    ) -> datetime | None:
        """When this model last issued, not before `since`, at least `horizon` hours after the hour `origin`."""
        p = PREDICTIONS.c
        last_hour = (p.prediction_date == origin + timedelta(hours=horizon), p.lead == horizon)
        query = select(func.max(p.issued_at, type_=UtcTime)).where(
            p.series_id == series_id, *last_hour, p.model_version == model_version
        )
        with self._transaction(write=False) as connection:
            return connection.scalar(query.where(p.issued_at >= since) if since else query)

    def newest(self, series_id: str) -> Newest:
        """What a stored or prepared answer depends on: three look-ups in indexes, one round trip."""
        hour = select(func.max(REALITY.c.reality_date)).where(REALITY.c.series_id == series_id)
        runs = ETL_RUNS.c
        loaded = select(runs.finished_at).where(runs.series_id == series_id, runs.outcome == "loaded")
        loaded = loaded.order_by(runs.started_at.desc()).limit(1)
        issued = select(func.max(PREDICTIONS.c.issued_at)).where(PREDICTIONS.c.series_id == series_id)
        columns = [type_coerce(query.scalar_subquery(), UtcTime) for query in (hour, loaded, issued)]
        with self._transaction(write=False) as connection:
            row = connection.execute(select(*columns)).one()
        return Newest(row[0], row[1], row[2])

    def performance(
        self, series_id: str, *, since: datetime, until: datetime, limit: int | None = None
    ) -> list[dict[str, Any]]:
        """Rows of the view `performance` for hours that begin in [since, until), ascending; reality may be None."""
        begins = PERFORMANCE.c.prediction_date
        query = (
            select(PERFORMANCE)
            .where(PERFORMANCE.c.series_id == series_id, begins >= since, begins < until)
            .order_by(begins)
            .limit(limit)
        )
        return self._rows(query)

    def error_by_lead(self, series_id: str, *, since: datetime, until: datetime) -> list[dict[str, Any]]:
        """Mean absolute error of all vintages for hours in [since, until), by lead: lead, mae, hours."""
        p, error = PREDICTIONS.c, func.abs(PREDICTIONS.c.prediction - REALITY.c.value)
        same_hour = (REALITY.c.series_id == p.series_id) & (REALITY.c.reality_date == p.prediction_date)
        return self._rows(
            select(p.lead, func.avg(error).label("mae"), func.count().label("hours"))
            .select_from(PREDICTIONS.join(REALITY, same_hour))
            .where(p.series_id == series_id, p.prediction_date >= since, p.prediction_date < until)
            .group_by(p.lead)
            .order_by(p.lead)
        )

    def newest_loads(self, series_id: str, newest: int = 500) -> list[tuple[datetime, datetime]]:
        """(loaded at, end of the hour) of the newest stored hours."""
        query = (
            select(REALITY.c.loaded_at, REALITY.c.reality_date)
            .where(REALITY.c.series_id == series_id)
            .order_by(REALITY.c.reality_date.desc())
            .limit(newest)
        )
        return [(row["loaded_at"], row["reality_date"] + timedelta(hours=1)) for row in self._rows(query)]

    def newest_vintages(self, series_id: str, newest: int = 100) -> list[datetime]:
        """When the newest forecasts were issued."""
        issued = PREDICTIONS.c.issued_at
        query = select(issued).where(PREDICTIONS.c.series_id == series_id).distinct().order_by(issued.desc())
        return [row["issued_at"] for row in self._rows(query.limit(newest))]

    # runs and checks -----------------------------------------------------------------------------------------------

    def store_training_run(self, row: Mapping[str, Any]) -> None:
        with self._transaction(write=True) as connection:
            connection.execute(insert(TRAINING_RUNS), row)

    def training_runs(self, series_id: str, *, since: datetime) -> list[dict[str, Any]]:
        """Training runs started since then, newest first."""
        started = TRAINING_RUNS.c.started_at
        return self._rows(
            select(TRAINING_RUNS)
            .where(TRAINING_RUNS.c.series_id == series_id, started >= since)
            .order_by(started.desc())
        )

    def store_check(self, row: Mapping[str, Any]) -> None:
        """Store a check; one checked again at the same moment is replaced."""
        same = (CHECKS.c.series_id == row["series_id"], CHECKS.c.checked_at == row["checked_at"])
        with self._transaction(write=True) as connection:
            self._lock(connection, "checks")
            connection.execute(delete(CHECKS).where(*same))
            connection.execute(insert(CHECKS), row)

    def checks(self, series_id: str, *, before: datetime, since: datetime) -> list[dict[str, Any]]:
        """Checks in [since, before), newest first."""
        checked = CHECKS.c.checked_at
        return self._rows(
            select(CHECKS)
            .where(CHECKS.c.series_id == series_id, checked >= since, checked < before)
            .order_by(checked.desc())
        )

    def etl_runs(self, series_id: str, *, since: datetime) -> list[dict[str, Any]]:
        """ETL runs started since then, newest first."""
        started = ETL_RUNS.c.started_at
        return self._rows(
            select(ETL_RUNS).where(ETL_RUNS.c.series_id == series_id, started >= since).order_by(started.desc())
        )

    def _rows(self, query: Any) -> list[dict[str, Any]]:
        with self._transaction(write=False) as connection:
            return [dict(row) for row in connection.execute(query).mappings()]


def _execute_script(connection: Connection, script: str) -> None:
    """Statements end in a semicolon at the end of a line: neither driver takes several at once in a transaction."""
    for statement in script.split(";\n"):
        if statement.strip():
            connection.exec_driver_sql(statement)


def _migration_files(is_sqlite: bool) -> list[Path]:
    """NNNN_name.sql for both, NNNN_name.DIALECT.sql for one of them."""
    other = ".postgresql.sql" if is_sqlite else ".sqlite.sql"
    return [path for path in sorted(MIGRATIONS.glob("[0-9]*.sql")) if not path.name.endswith(other)]
