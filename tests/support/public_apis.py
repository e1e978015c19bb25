"""Stand-ins of the public sources of config.examples.toml: their shapes, their limits and their bad days.

The value of a point is the hour of its day in UTC, so that an hour that is right is easy to tell.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

from werkzeug import Response

from tests.support.http_server import LocalServer, Request, status_line

NEW_YORK = ZoneInfo("America/New_York")
LONDON = ZoneInfo("Europe/London")
ZONES = ("CAPITL", "N.Y.C.")


class PublicApis(LocalServer):
    """All sources on one host. `now` is the moment they believe in."""

    def __init__(self, now: datetime) -> None:
        super().__init__()
        self.now = now
        self.busy = 0  # requests that are answered by 429 first

    def respond(self, request: Request, /) -> Response:
        if self.busy:
            self.busy -= 1
            return Response("slow down", status_line(429), {"Retry-After": "2"})
        parts = urlsplit(request.path)
        query = dict(parse_qsl(parts.query))
        steps = parts.path.strip("/").split("/")
        kinds: dict[str, Callable[[], Response]] = {
            "bmrs": lambda: self._elexon(query),
            "public_power": lambda: self._energy_charts(query),
            "intensity": lambda: self._carbon_intensity(steps),
            "api": self._mempool,
            "metrics": lambda: self._wikimedia(request, steps),
            "public": lambda: self._nyiso(steps[-1]),
        }
        first = "metrics" if "metrics" in steps else steps[0]
        return kinds[first]()

    def _points(self, begin: datetime, end: datetime, minutes: int) -> Iterator[datetime]:
        """Moments from begin to end, on the clock's own grid."""
        step = 60 * minutes
        moment = datetime.fromtimestamp(-(-begin.timestamp() // step) * step, UTC)
        while moment <= end:
            yield moment
            moment += timedelta(minutes=minutes)

    def _elexon(self, query: dict[str, str]) -> Response:
        """Whole settlement days of London's clocks, so that periods are 46 or 50 when these change."""
        begin, end = (_day(query[f"settlementDate{name}"], LONDON) for name in ("From", "To"))
        if end - begin > timedelta(days=28):
            reason = "The date range between From and To inclusive must not exceed 28 days"
            return _json({"errors": {"": [reason]}}, 400)
        records = []
        for moment in self._points(begin, end + timedelta(days=1), 30):
            day = moment.astimezone(LONDON).date()
            if day > _date(query["settlementDateTo"]) or moment + timedelta(minutes=45) > self.now:
                continue
            period = 1 + int((moment - _day(day.isoformat(), LONDON)) / timedelta(minutes=30))
            records.append(
                {
                    "publishTime": _iso(moment + timedelta(minutes=30)),
                    "startTime": _iso(moment),
                    "settlementDate": day.isoformat(),
                    "settlementPeriod": period,
                    "initialDemandOutturn": moment.hour,
                    "initialTransmissionSystemDemandOutturn": moment.hour + 1000,
                }
            )
        return _json(records)

    def _energy_charts(self, query: dict[str, str]) -> Response:
        """Lists side by side; the newest quarters are not measured yet."""
        moments = list(self._points(_moment(query["start"]), _moment(query["end"]), 15))
        load = [moment.hour if moment < self.now - timedelta(minutes=40) else None for moment in moments]
        solar = [0.0 for _ in moments]
        kinds = [{"name": "Solar", "data": solar}, {"name": "Load", "data": load}]
        seconds = [int(moment.timestamp()) for moment in moments]
        return _json({"unix_seconds": seconds, "production_types": kinds, "deprecated": False})

    def _carbon_intensity(self, steps: list[str]) -> Response:
        begin, end = (_moment(step) for step in steps[1:])
        if end - begin > timedelta(days=14):
            message = "Please enter a date range of not more than 14 days."
            return _json({"error": {"code": "400 Bad Request", "message": message}}, 400)
        records = []
        for moment in self._points(begin, end, 30):
            over = moment + timedelta(minutes=30) <= self.now
            intensity = {"forecast": 266, "actual": moment.hour if over else None, "index": "moderate"}
            records.append({"from": f"{moment:%Y-%m-%dT%H:%MZ}", "intensity": intensity})
        return _json({"data": records})

    def _mempool(self) -> Response:
        """A month, the newest first."""
        moments = reversed(list(self._points(self.now - timedelta(days=30), self.now, 30)))
        records = [{"added": int(at.timestamp()), "vbytes_per_second": float(at.hour)} for at in moments]
        return _json(records)

    def _wikimedia(self, request: Request, steps: list[str]) -> Response:
        """Periods to nine hours late, for those who say who they are."""
        if "(+https://" not in request.headers["User-Agent"]:
            return Response("Please set a user-agent", status_line(429))
        begin, end = (datetime.strptime(step, "%Y%m%d%H").replace(tzinfo=UTC) for step in steps[-2:])
        records = [
            {"timestamp": f"{moment:%Y%m%d%H}", "granularity": "hourly", "views": moment.hour}
            for moment in self._points(begin, min(end, self.now - timedelta(hours=9)), 60)
        ]
        return _json({"items": records}) if records else _json({"title": "Not found."}, 404)

    def _nyiso(self, name: str) -> Response:
        """A day of New York's clocks; the newest has no file in its first minutes, and a load is empty."""
        midnight = datetime.strptime(name, "%Y%m%dpal.csv").replace(tzinfo=NEW_YORK)
        if self.now - midnight < timedelta(minutes=6):
            return Response("", status_line(404))
        lines = ['"Time Stamp","Time Zone","Name","PTID","Load"']
        for moment in self._points(midnight, min(self.now, midnight + timedelta(days=1, hours=2)), 5):
            local = moment.astimezone(NEW_YORK)
            if local.date() != midnight.date():
                continue
            for number, zone in enumerate(ZONES):
                load = "" if moment.minute == 50 else str(moment.hour + 1000 * (1 - number))
                lines.append(f'"{local:%m/%d/%Y %H:%M:%S}","{local:%Z}","{zone}",6175{number},{load}')
        return Response("\r\n".join(lines), content_type="text/csv")


def _json(document: Any, status: int = 200) -> Response:
    return Response(json.dumps(document), status_line(status), content_type="application/json")


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _date(text: str) -> Any:
    return datetime.fromisoformat(text).date()


def _day(text: str, zone: ZoneInfo) -> datetime:
    """The midnight of a day on the clocks of a zone."""
    return datetime.fromisoformat(text).replace(tzinfo=zone)
