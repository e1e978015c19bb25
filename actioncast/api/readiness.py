"""Can it serve, and from what? The same checks answer /ready and light the page."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from actioncast.api.forecasts import Service
from actioncast.api.problems import UNREACHABLE
from actioncast.api.schemas import Check, Readiness
from actioncast.database.connection import DatabaseError
from actioncast.database.database import Newest
from actioncast.errors import ActioncastError

HOUR = timedelta(hours=1)


async def readiness(service: Service) -> Readiness:
    """Every check of every series; the database is asked now, not remembered."""
    checks: list[Check] = []
    database = Check(name="database", series=None, ok=True, detail="answers")
    with suppress(DatabaseError):  # said below
        await service.series()
    for series_id in service.settings.series:
        checks.append(await check_model(service, series_id))
        try:
            newest = await service.ask(lambda database, name=series_id: database.newest(name))  # type: ignore[misc]
        except DatabaseError:
            database = Check(name="database", series=None, ok=False, detail=UNREACHABLE)
            break
        checks.append(check_data(series_id, newest, service.clock(), service.settings.freshness.actual_hours))
    checks.insert(0, database)
    return Readiness(ready=all(check.ok for check in checks), checks=checks)


async def check_model(service: Service, series_id: str) -> Check:
    """The champion can be loaded and matches its card."""
    try:
        version = await service.in_thread(lambda: service.checked_version(series_id))
    except ActioncastError as error:
        return Check(name="model", series=series_id, ok=False, detail=str(error))
    return Check(name="model", series=series_id, ok=True, detail=f"{version} matches its card")


def check_data(series_id: str, newest: Newest, now: datetime, allowed_hours: float) -> Check:
    """The newest stored hour is young enough."""
    if newest.hour is None:
        detail = "no hour is stored; run: python update_real_data.py"
        return Check(name="data", series=series_id, ok=False, detail=detail)
    age = (now - newest.hour - HOUR) / HOUR
    detail = (
        f"newest hour {newest.hour:%Y-%m-%d %H:%MZ}, over for {age:,.0f} h, at most {allowed_hours:g} h are allowed"
    )
    return Check(name="data", series=series_id, ok=age <= allowed_hours, detail=detail)
