"""Reads and writes which hours are set aside from learning and scoring."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, exists, literal, select

from actioncast.database.bulk import insert_of
from actioncast.database.schema import QUARANTINE, REALITY, UtcTime
from actioncast.database.transactions import Transactions

_COLUMNS = ("series_id", "reality_date", "set_aside", "reason", "decided_at")


class Quarantine(Transactions):
    """The table `quarantine`."""

    def quarantined(self, series_id: str, *, since: datetime) -> dict[datetime, str]:
        """The stored hours from `since` on that are set aside, ascending, and why."""
        begins = REALITY.c.reality_date
        query = (
            select(begins, QUARANTINE.c.reason)
            .select_from(REALITY.join(QUARANTINE, _holds()))
            .where(REALITY.c.series_id == series_id, begins >= since)
            .order_by(begins)
        )
        return {row["reality_date"]: row["reason"] for row in self._rows(query)}

    def set_aside(
        self,
        series_id: str,
        hours: Sequence[datetime],
        *,
        reason: str,
        decided_at: datetime,
    ) -> None:
        """Set hours aside, but for those that a person released."""
        rows = [
            {
                "series_id": series_id,
                "reality_date": hour,
                "set_aside": True,
                "reason": reason,
                "decided_at": decided_at,
            }
            for hour in hours
        ]
        if not rows:
            return
        insert = insert_of(QUARANTINE, is_sqlite=self.is_sqlite)
        with self._transaction(write=True) as connection:
            connection.execute(_upsert(insert, where=QUARANTINE.c.set_aside), rows)

    def decide(
        self,
        series_id: str,
        *,
        first: datetime,
        last: datetime,
        set_aside: bool,
        decided_at: datetime,
    ) -> int:
        """Let a person's decision hold for the stored hours from `first` to `last`; how many they are."""
        begins = REALITY.c.reality_date
        hours = select(
            REALITY.c.series_id,
            begins,
            literal(set_aside),
            literal("by hand"),
            literal(decided_at, UtcTime),
        ).where(REALITY.c.series_id == series_id, begins >= first, begins <= last)
        insert = insert_of(QUARANTINE, is_sqlite=self.is_sqlite).from_select(_COLUMNS, hours)
        with self._transaction(write=True) as connection:
            return int(connection.execute(_upsert(insert)).rowcount)


def _upsert(insert: Any, where: Any = None) -> Any:
    new = insert.excluded
    return insert.on_conflict_do_update(
        index_elements=["series_id", "reality_date"],
        set_={"set_aside": new.set_aside, "reason": new.reason, "decided_at": new.decided_at},
        where=where,
    )


def _holds() -> Any:
    """The condition that a row of `quarantine` sets a row of `reality` aside: a newer value is not concerned."""
    return and_(
        QUARANTINE.c.series_id == REALITY.c.series_id,
        QUARANTINE.c.reality_date == REALITY.c.reality_date,
        QUARANTINE.c.set_aside,
        QUARANTINE.c.decided_at >= REALITY.c.loaded_at,
    )


def is_set_aside() -> Any:
    """The condition that a row of `reality` is set aside."""
    return exists().where(_holds())
