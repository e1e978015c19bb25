"""Thins old vintages: what was superseded before its hour began is dropped. Standard library only."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from actioncast.database.state.partitions import first_open_month, tables_in

# The view latest_predictions reads none of these rows, so no score of an hour changes.
_DROP_SUPERSEDED = """
delete from predictions
where issued_at < :month
  and (
    issued_at > prediction_date
    or exists (
      select 1 from predictions newer
      where newer.series_id = predictions.series_id
        and newer.prediction_date = predictions.prediction_date
        and newer.issued_at > predictions.issued_at
        and newer.issued_at <= newer.prediction_date
    )
  )
"""


def thin(path: Path, now: datetime, vintage_days: float) -> int:
    """Drop superseded forecasts of the months that ended more than `vintage_days` ago.

    0 days keep all. Returns how many rows were dropped.
    """
    if not vintage_days or "predictions" not in tables_in(path):
        return 0
    month = first_open_month(now, vintage_days)
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(_DROP_SUPERSEDED, {"month": month}).rowcount
