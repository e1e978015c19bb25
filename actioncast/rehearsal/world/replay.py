"""A recorded series as the live source would have shown it at a given moment.

The live charts API publishes a point 45 to 70 minutes late, so its newest hour is always a part; it answers with the
newest `timespan`. `ReplayServer` is that API on loopback, under a clock that the caller sets: what reads it is the real
source code over real HTTP. It also fails as the live API does: silence that is back-filled later, `values: []`,
truncated JSON, HTML, 429, 503, and answers that never come.
"""

from __future__ import annotations

import gzip
import json
import math
import random
import re
import zlib
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np

from actioncast.errors import ActioncastError
from actioncast.hours import Points, describe, read_points
from actioncast.ingestion import sources
from actioncast.paths import ROOT
from actioncast.rehearsal.world.faults import Answer
from actioncast.rehearsal.world.loopback import Handler, Loopback
from actioncast.settings import FileSource, SeriesSettings, Settings
from actioncast.times import HOUR, from_seconds, to_seconds

BUNDLED = ROOT / "data" / "bitcoin_transactions_2022.json.gz"
LEAD_IN = ROOT / "data" / "bitcoin_transactions_2021.json.gz"
DELAY_MINUTES = (45, 70)  # age of the newest point of the live API, as measured
SILENCE_SECONDS = 2  # real ones, of an answer that never comes; the client waits for less
POINT_SECONDS = 900  # that a point of the live API stands for; a longer one cannot be known before its end
EMPTY = b'{"status":"ok","name":"Transaction Rate","period":"minute","values":[]}'
HTML = b"<!DOCTYPE html><html><body>We are under maintenance</body></html>"


class RecordingError(ActioncastError):
    """The recording cannot be replayed."""


def read_recording(path: Path = BUNDLED) -> Points:
    """The points of a recorded body of the charts API (gzip allowed), ascending in time."""
    try:
        body = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        values = json.loads(body)["values"]
        times = np.array([point["x"] for point in values], dtype=np.int64)
        recording = Points(times, np.array([point["y"] for point in values], dtype=np.float64))
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
        raise RecordingError(f"{path} is no recorded body of the charts API: {type(error).__name__}: {error}") from None
    if not len(recording) or (np.diff(times) <= 0).any():
        raise RecordingError(f"{path}: expected points in ascending order of time, at least one")
    return recording


def shown_at(recording: Points, now: datetime, *, seed: int = 0, days: int | None = None) -> Points:
    """The points that the live source would have answered with at `now`: the newest `days`, all when None.

    The delay of the newest point is drawn for each hour from the seed: the same moment shows the same points.
    """
    shown = _span_shown(recording, now, seed, days)
    return Points(recording.times[shown], recording.values[shown])


def _span_shown(recording: Points, now: datetime, seed: int, days: int | None) -> slice:
    delay_seconds = 60 * random.Random(f"{seed}/{to_seconds(now) // HOUR}").uniform(*DELAY_MINUTES)
    delay_seconds += max(step_seconds(recording) - POINT_SECONDS, 0)
    oldest = -math.inf if days is None else to_seconds(now) - 86400 * days
    first = np.searchsorted(recording.times, oldest, side="left")
    return slice(int(first), int(np.searchsorted(recording.times, to_seconds(now) - delay_seconds, side="right")))


def step_seconds(recording: Points) -> int:
    """The usual distance of two points, at most an hour."""
    steps = np.diff(recording.times[:200])  # the median of a few says it, and each request asks
    return min(int(np.median(steps)), HOUR) if len(steps) else HOUR


def joined(earlier: Points, later: Points) -> Points:
    """`earlier`, moved by whole weeks to lie right before `later`: hour and weekday stay true, the date does not."""
    week = 168 * HOUR
    moved = earlier.times + (later.times[0] - earlier.times[-1] + week - 1) // week * week
    before = moved < later.times[0]
    times = np.concatenate([moved[before], later.times])
    return Points(times, np.concatenate([earlier.values[before], later.values]))


def read_csv(path: Path) -> Points:
    """The columns timestamp,value of a CSV file (ISO 8601 or unix seconds; gzip allowed), sorted, each time once."""
    file = FileSource(kind="file", path=path.resolve())
    reading = Settings(series={"csv": SeriesSettings(source=file, unit="")})
    points, unreadable = read_points(sources.fetch(reading, "csv", None, from_seconds(0)))
    if unreadable:
        raise RecordingError(f"{path}: {describe(unreadable)}")
    usable = points.where(np.isfinite(points.values) & (points.times >= 0))
    if not len(usable):
        raise RecordingError(f"{path}: no line holds a time and a number")
    times, first = np.unique(usable.times, return_index=True)
    return Points(times, usable.values[first])


def first_and_last(recording: Points) -> tuple[datetime, datetime]:
    """When the recording begins and ends."""
    if not len(recording):
        raise RecordingError("the recording holds no point")
    return from_seconds(int(recording.times[0])), from_seconds(int(recording.times[-1]))


class ReplayServer(Loopback):
    """The charts API on loopback. Set `now` before each request; `url` is what a blockchain source takes.

    `answers`: how the next requests are answered, one each, "ok" when the list is spent; `silent_since`: when the
    newest point came, None while they keep coming.
    """

    def __init__(self, recording: Points, now: datetime, *, seed: int = 0) -> None:
        self.recording = recording
        self.now = now
        self.seed = seed
        self.answers: list[Answer] = []
        self.silent_since: datetime | None = None
        pairs = zip(recording.times.tolist(), recording.values.tolist(), strict=True)
        self._encoded = [b'{"x":%d,"y":%s}' % (x, repr(y).encode()) for x, y in pairs]
        super().__init__(self._handler())
        self.url += "/charts"

    def shown(self, days: int | None = None) -> Points:
        """The points that this moment's answer holds."""
        part = self._span(days)
        return Points(self.recording.times[part], self.recording.values[part])

    def _span(self, days: int | None) -> slice:
        part = _span_shown(self.recording, self.now, self.seed, days)
        if self.silent_since is None:
            return part
        return slice(part.start, min(part.stop, _span_shown(self.recording, self.silent_since, self.seed, None).stop))

    def answer(self, timespan: str) -> bytes:
        """The body for `timespan` ("all" or "<n>days") at this moment."""
        match = re.fullmatch(r"(\d+)days", timespan)
        shown = self._span(int(match[1]) if match else None)
        return b'{"status":"ok","name":"Transaction Rate","period":"minute","values":[%s]}' % b",".join(
            self._encoded[shown]
        )

    def _handler(self) -> type[Handler]:
        replay = self

        class Answers(Handler):
            def do_GET(self) -> None:
                query = parse_qs(urlsplit(self.path).query)
                kind = replay.answers.pop(0) if replay.answers else "ok"
                if kind == "slow":  # silence until the client is gone
                    replay.closing.wait(SILENCE_SECONDS)
                    self.close_connection = True
                    return
                status, body = _spoiled(kind, replay.answer(query.get("timespan", ["all"])[0]))
                self.answer(status, body, {"Retry-After": "30"} if status == 429 else {})

        return Answers


def _spoiled(kind: Answer, body: bytes) -> tuple[int, bytes]:
    """(status, body) of a bad answer, or of a good one."""
    match kind:
        case "truncated":
            return 200, body[: len(body) * 2 // 3]
        case "html":
            return 200, HTML
        case "empty":
            return 200, EMPTY
        case "429" | "503":
            return int(kind), b""
        case _:
            return 200, body
