"""The tables and column types, as SQLAlchemy describes them; the files of sql/ create them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    DateTime,
    Dialect,
    Float,
    Integer,
    String,
    TypeDecorator,
    column,
    table,
)

from actioncast.times import isoformat

Row = dict[str, Any]  # column -> value


class UtcTime(TypeDecorator[datetime]):
    """Aware UTC datetimes here; timestamptz on PostgreSQL, ISO text ending in Z on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String())
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value and dialect.name == "sqlite":
            return isoformat(value)
        return value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if isinstance(value, str):  # ends in Z: aware and UTC already
            return datetime.fromisoformat(value)
        return value.astimezone(UTC) if value else None


class Json(TypeDecorator[Any]):
    """JSON kept as text, on both kinds of database; None is null."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else json.dumps(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002
        return None if value is None else json.loads(value)


def _table(table_name: str, /, **kinds: Any) -> Any:
    """A table or view of sql/, with the columns that the code reads and writes."""
    return table(table_name, *(column(name, kind) for name, kind in kinds.items()))


REALITY = _table(
    "reality",
    series_id=String,
    reality_date=UtcTime,
    value=Float,
    samples=Integer,
    loaded_at=UtcTime,
)
REVISIONS = _table(
    "revisions",
    series_id=String,
    reality_date=UtcTime,
    value=Float,
    samples=Integer,
    replaced_at=UtcTime,
)
QUARANTINE = _table(
    "quarantine",
    series_id=String,
    reality_date=UtcTime,
    set_aside=Boolean,
    reason=String,
    decided_at=UtcTime,
)
EXOGENOUS = _table(
    "exogenous",
    series_id=String,
    name=String,
    exogenous_date=UtcTime,
    value=Float,
    loaded_at=UtcTime,
)
SERIES = _table("series", series_id=String, settings=String)
_PREDICTION_COLUMNS: dict[str, Any] = {
    "series_id": String,
    "prediction_date": UtcTime,
    "issued_at": UtcTime,
    "prediction": Float,
    "lower": Float,
    "upper": Float,
    "lead": Integer,
    "model_version": String,
    "naive": Float,
    "quantiles": Json,
    "width_below": Float,
    "width_above": Float,
    "fallback": String,
}
PREDICTIONS = _table("predictions", **_PREDICTION_COLUMNS)
PERFORMANCE = _table(
    "performance",
    **_PREDICTION_COLUMNS,
    reality=Float,
    absolute_error=Float,
    covered=Boolean,
    naive_error=Float,
)
ETL_RUNS = _table(
    "etl_runs",
    run_id=String,
    series_id=String,
    started_at=UtcTime,
    finished_at=UtcTime,
    points_read=Integer,
    points_rejected=Integer,
    periods_loaded=Integer,
    periods_missing=Integer,
    outcome=String,
    message=String,
)
TRAINING_RUNS = _table(
    "training_runs",
    run_id=String,
    series_id=String,
    started_at=UtcTime,
    finished_at=UtcTime,
    window_start=UtcTime,
    window_end=UtcTime,
    periods=Integer,
    leaderboard=Json,
    champion=Json,
    challenger=Json,
    verdict=String,
    reason=String,
    git_sha=String,
    library_versions=Json,
    settings=Json,
)
CHECKS = _table(
    "checks",
    series_id=String,
    checked_at=UtcTime,
    verdict=String,
    bad=Boolean,
    newest_period=UtcTime,
    reasons=Json,
    scored_periods=Integer,
    mae=Float,
    reference_mae=Float,
    naive_mae=Float,
    dispatched=Boolean,
)
ANNOTATIONS = _table(
    "annotations",
    series_id=String,
    noted_for=UtcTime,
    note=String,
    noted_at=UtcTime,
)
# All that is stored, in the order of a copy.
TABLES = (
    REALITY,
    PREDICTIONS,
    ETL_RUNS,
    TRAINING_RUNS,
    CHECKS,
    EXOGENOUS,
    SERIES,
    REVISIONS,
    QUARANTINE,
    ANNOTATIONS,
)
