"""Can it serve? The checks behind /ready.

Whether data are too old is decided by `age.age_verdict`, which lights the page and opens the
issues too.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from actioncast.api.forecasts import Forecasts
from actioncast.api.problems import UNREACHABLE
from actioncast.api.schemas import Check, Readiness
from actioncast.database.connection import DatabaseError
from actioncast.database.database import Newest
from actioncast.errors import ActioncastError
from actioncast.monitoring.age import age_verdict
from actioncast.periods.timeline import Timeline


async def readiness(forecasts: Forecasts) -> Readiness:
    """Check the database, then the model and the data of every series.

    The database is queried, not a cache.
    """
    checks: list[Check] = []
    database = Check(name="database", series=None, ok=True, detail="answers")
    with suppress(DatabaseError):  # the query for the first series fails too
        await forecasts.catalogue.series()
    for series_id in forecasts.catalogue.settings.series:
        checks.append(await check_model(forecasts, series_id))
        try:
            checks.append(await check_data(forecasts, series_id))
        except DatabaseError:
            database = Check(name="database", series=None, ok=False, detail=UNREACHABLE)
            break
    checks.insert(0, database)
    return Readiness(ready=all(check.ok for check in checks), checks=checks)


async def check_model(forecasts: Forecasts, series_id: str) -> Check:
    """Whether the champion can be loaded and matches its card."""
    try:
        read_version = partial(forecasts.champions.checked_version, series_id)
        version = await forecasts.threads.run(read_version)
    except ActioncastError as error:
        return Check(name="model", series=series_id, ok=False, detail=str(error))
    return Check(name="model", series=series_id, ok=True, detail=f"{version} matches its card")


async def check_data(forecasts: Forecasts, series_id: str) -> Check:
    """Whether the newest stored hour is young enough. Raises DatabaseError."""
    newest = await forecasts.threads.ask(lambda database: database.newest(series_id))
    settings = forecasts.catalogue.settings
    timeline = settings.series[series_id].timeline
    return judge_data(series_id, newest, forecasts.clock(), timeline, settings.freshness_of(series_id).actual)


def judge_data(series_id: str, newest: Newest, now: datetime, timeline: Timeline, allowed: timedelta) -> Check:
    """The check of the newest stored period. Pure."""
    noun = timeline.frequency.noun
    if newest.period is None:
        detail = f"no {noun} is stored; run: python update_real_data.py"
        return Check(name="data", series=series_id, ok=False, detail=detail)
    end = timeline.end_of(timeline.number_of(newest.period))
    age = age_verdict(end, now, allowed, timeline)
    detail = (
        f"newest {noun} {newest.period:%Y-%m-%d %H:%MZ}, over for {age.hours:,.0f} h, "
        f"at most {age.allowed_hours:g} h are allowed"
    )
    return Check(name="data", series=series_id, ok=not age.stale, detail=detail)
