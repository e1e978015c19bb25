"""Reads and writes the ledger: what each ingestion, training and check did, and what people have noted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select

from actioncast.database.bulk import insert_of
from actioncast.database.schema import ANNOTATIONS, CHECKS, ETL_RUNS, TRAINING_RUNS, Row
from actioncast.database.transactions import Transactions


class Ledger(Transactions):
    """The tables `etl_runs`, `training_runs`, `checks` and `annotations`."""

    def record_etl_failure(self, run: Mapping[str, Any]) -> None:
        """Write the row of an ingestion that loaded nothing."""
        with self._transaction(write=True) as connection:
            row = {**run, "periods_loaded": 0, "outcome": "failed"}
            connection.execute(insert(ETL_RUNS), row)

    def etl_runs(self, series_id: str, *, since: datetime) -> list[Row]:
        """Ingestions started since then, newest first. Those that load hours: see `load_hours`."""
        return self._rows(_runs_since(ETL_RUNS, series_id, since))

    def first_etl_run(self, series_id: str) -> datetime | None:
        """When the first ingestion of a series started, well or not."""
        started_at = ETL_RUNS.c.started_at
        query = select(started_at).where(ETL_RUNS.c.series_id == series_id).order_by(started_at).limit(1)
        return next((row["started_at"] for row in self._rows(query)), None)

    def store_training_run(self, row: Mapping[str, Any]) -> None:
        """Write the row of a training."""
        with self._transaction(write=True) as connection:
            connection.execute(insert(TRAINING_RUNS), row)

    def training_runs(self, series_id: str, *, since: datetime) -> list[Row]:
        """Trainings started since then, newest first."""
        return self._rows(_runs_since(TRAINING_RUNS, series_id, since))

    def store_check(self, row: Mapping[str, Any]) -> None:
        """Write the row of a check; another check of the same moment is replaced."""
        same_series = CHECKS.c.series_id == row["series_id"]
        same_moment = CHECKS.c.checked_at == row["checked_at"]
        with self._transaction(write=True) as connection:
            self._lock(connection, "checks")
            connection.execute(delete(CHECKS).where(same_series, same_moment))
            connection.execute(insert(CHECKS), row)

    def checks(self, series_id: str, *, before: datetime, since: datetime) -> list[Row]:
        """Checks in [since, before), newest first."""
        checked_at = CHECKS.c.checked_at
        query = (
            select(CHECKS)
            .where(CHECKS.c.series_id == series_id, checked_at >= since, checked_at < before)
            .order_by(checked_at.desc())
        )
        return self._rows(query)

    def newest_checks(self, *, since: datetime) -> dict[str, Row]:
        """The newest check of each series that was checked since then."""
        query = select(CHECKS).where(CHECKS.c.checked_at >= since).order_by(CHECKS.c.checked_at)
        return {row["series_id"]: row for row in self._rows(query)}

    def annotate(self, series_id: str, noted_for: datetime, note: str, noted_at: datetime) -> None:
        """Note something about a moment of a series; the same note again changes nothing."""
        row = {"series_id": series_id, "noted_for": noted_for, "note": note, "noted_at": noted_at}
        insert = insert_of(ANNOTATIONS, is_sqlite=self.is_sqlite)
        with self._transaction(write=True) as connection:
            connection.execute(insert.on_conflict_do_nothing(), row)

    def annotations(self, series_id: str, *, since: datetime) -> list[Row]:
        """The notes about moments from `since` on, ascending."""
        noted_for = ANNOTATIONS.c.noted_for
        query = select(ANNOTATIONS).where(ANNOTATIONS.c.series_id == series_id, noted_for >= since)
        return self._rows(query.order_by(noted_for))


def _runs_since(table: Any, series_id: str, since: datetime) -> Any:
    """The query for the runs of a series that started since then, newest first."""
    started_at = table.c.started_at
    query = select(table).where(table.c.series_id == series_id, started_at >= since)
    return query.order_by(started_at.desc())
