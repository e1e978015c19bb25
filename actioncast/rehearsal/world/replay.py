"""A recorded series as the live source would have shown it at a given moment.

The live charts API publishes a point 45 to 70 minutes late, so its newest hour is always
incomplete; it answers with the newest `timespan`. `ReplayServer` is that API on loopback, under a
clock that the caller sets, so the real source code reads it over real HTTP. It also fails as the
live API does: silence that is back-filled later, `values: []`, truncated JSON, HTML, 429, 503, and
answers that never come.
"""

from __future__ import annotations

import gzip
import json
import random
import re
import zlib
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np

from actioncast.errors import ActioncastError
from actioncast.ingestion import sources
from actioncast.paths import RECORDING, ROOT
from actioncast.periods.points import Points, describe, read_points
from actioncast.periods.timeline import UTC_HOURS, Timeline
from actioncast.rehearsal.world.faults import Answer
from actioncast.rehearsal.world.loopback import Handler, Loopback
from actioncast.settings import SeriesSettings, Settings
from actioncast.source_settings import FileSource
from actioncast.times import HOUR, HOURS_PER_DAY, HOURS_PER_WEEK, from_seconds, to_seconds

LEAD_IN = ROOT / "data" / "bitcoin_transactions_2021.json.gz"
DELAY_MINUTES = (45, 70)  # age of the newest point of the live API, as measured
SILENCE_SECONDS = 2  # real ones, of an answer that never comes; the client waits for less
POINT_SECONDS = 900  # that a point of the live API stands for; a longer one is complete only later
STEPS_LOOKED_AT = 200  # points, enough for the usual distance; every request asks for it
DAY_SECONDS = HOURS_PER_DAY * HOUR
WEEK_SECONDS = HOURS_PER_WEEK * HOUR
BODY = b'{"status":"ok","name":"Transaction Rate","period":"minute","values":[%s]}'
POINT = b'{"x":%d,"y":%s}'
HTML = b"<!DOCTYPE html><html><body>We are under maintenance</body></html>"


class RecordingError(ActioncastError):
    """The recording cannot be replayed."""


def read_recording(path: Path = RECORDING) -> Points:
    """The points of a recorded body of the charts API (gzip allowed), ascending in time.

    Raises RecordingError for a file that is none.
    """
    try:
        recording = _recorded_points(path)
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise RecordingError(f"{path} is no recorded body of the charts API: {reason}") from None
    is_ascending = (np.diff(recording.times) > 0).all()
    if not len(recording) or not is_ascending:
        raise RecordingError(f"{path}: expected points in ascending order of time, at least one")
    return recording


def _recorded_points(path: Path) -> Points:
    body = path.read_bytes()
    if path.suffix == ".gz":
        body = gzip.decompress(body)
    points = json.loads(body)["values"]
    times = np.array([point["x"] for point in points], dtype=np.int64)
    values = np.array([point["y"] for point in points], dtype=np.float64)
    return Points(times, values)


def shown_at(
    recording: Points,
    now: datetime,
    *,
    seed: int = 0,
    days: int | None = None,
) -> Points:
    """The points that the live source would have answered with at `now`: the newest `days`, all
    when None.

    The delay of the newest point is drawn for each hour from the seed: the same moment shows the
    same points.
    """
    begin = _first_shown(recording, now, days)
    end = _end_of_shown(recording, now, seed)
    return Points(recording.times[begin:end], recording.values[begin:end])


def _first_shown(recording: Points, now: datetime, days: int | None) -> int:
    """Index of the oldest point that an answer for so many days holds."""
    if days is None:
        return 0
    oldest = to_seconds(now) - DAY_SECONDS * days
    first = np.searchsorted(recording.times, oldest, side="left")
    return int(first)


def _end_of_shown(recording: Points, now: datetime, seed: int) -> int:
    """Index after the newest point that is published at `now`."""
    hour = to_seconds(now) // HOUR
    shortest, longest = DELAY_MINUTES
    delay_seconds = 60 * random.Random(f"{seed}/{hour}").uniform(shortest, longest)
    # A point that stands for a longer time cannot be known before that time is over.
    delay_seconds += max(step_seconds(recording) - POINT_SECONDS, 0)
    newest = to_seconds(now) - delay_seconds
    end = np.searchsorted(recording.times, newest, side="right")
    return int(end)


def step_seconds(recording: Points) -> int:
    """The usual distance of two points, an hour where there is one point."""
    steps = np.diff(recording.times[:STEPS_LOOKED_AT])
    if not len(steps):
        return HOUR
    return int(np.median(steps))


def joined(earlier: Points, later: Points) -> Points:
    """`earlier`, moved by whole weeks to lie right before `later`: hour and weekday stay true, the date does not."""
    distance = later.times[0] - earlier.times[-1]
    weeks = (distance + WEEK_SECONDS - 1) // WEEK_SECONDS
    moved = earlier.times + weeks * WEEK_SECONDS
    is_before = moved < later.times[0]
    times = np.concatenate([moved[is_before], later.times])
    values = np.concatenate([earlier.values[is_before], later.values])
    return Points(times, values)


def read_csv(path: Path, timeline: Timeline = UTC_HOURS) -> Points:
    """The columns timestamp,value of a CSV file (ISO 8601 or unix seconds; gzip allowed), sorted,
    each time once. A date without a clock names a day of the timeline's zone.

    Raises RecordingError when a line cannot be read or none is usable, SourceError when the file
    cannot be read.
    """
    source = FileSource(kind="file", path=path.resolve())
    series_settings = SeriesSettings(
        source=source,
        unit="",
        frequency=timeline.frequency,
        timezone=timeline.timezone,
    )
    settings = Settings(series={"csv": series_settings})
    rows = sources.fetch(settings, "csv", since=None, until=from_seconds(0))
    points, unreadable = read_points(rows)
    if unreadable:
        raise RecordingError(f"{path}: {describe(unreadable)}")
    is_usable = np.isfinite(points.values) & (points.times >= 0)
    usable = points.where(is_usable)
    if not len(usable):
        raise RecordingError(f"{path}: no line holds a time and a number")
    times, first_index = np.unique(usable.times, return_index=True)
    return Points(times, usable.values[first_index])


def first_and_last(recording: Points) -> tuple[datetime, datetime]:
    """When the recording begins and ends."""
    if not len(recording):
        raise RecordingError("the recording holds no point")
    first = from_seconds(int(recording.times[0]))
    last = from_seconds(int(recording.times[-1]))
    return first, last


class ReplayServer(Loopback):
    """The charts API on loopback. Set `now` before each request; `url` is what a blockchain source
    takes.

    `answers`: the kinds of the next answers, one for each request, "ok" when the list is spent;
    `silent_since`: when the newest point came, None while they keep coming.
    """

    def __init__(self, recording: Points, now: datetime, *, seed: int = 0) -> None:
        self.recording = recording
        self.now = now
        self.seed = seed
        self.answers: list[Answer] = []
        self.silent_since: datetime | None = None
        self._encoded = _encoded_points(recording)  # once: a rehearsal asks thousands of times
        super().__init__(self._handler())
        self.url += "/charts"

    def shown(self, days: int | None = None) -> Points:
        """The points that this moment's answer holds."""
        part = self._part(days)
        return Points(self.recording.times[part], self.recording.values[part])

    def _part(self, days: int | None) -> slice:
        """Where in the recording this moment's answer lies."""
        begin = _first_shown(self.recording, self.now, days)
        end = _end_of_shown(self.recording, self.now, self.seed)
        if self.silent_since is not None:
            end_of_silence = _end_of_shown(self.recording, self.silent_since, self.seed)
            end = min(end, end_of_silence)
        return slice(begin, end)

    def answer(self, timespan: str) -> bytes:
        """The body for `timespan` ("all" or "<n>days") at this moment."""
        match = re.fullmatch(r"(\d+)days", timespan)
        days = int(match[1]) if match else None
        return BODY % b",".join(self._encoded[self._part(days)])

    def next_kind(self) -> Answer:
        """The kind of the next answer, which is then spent."""
        return self.answers.pop(0) if self.answers else "ok"

    def _handler(self) -> type[Handler]:
        replay = self

        class Answers(Handler):
            def do_GET(self) -> None:
                query = parse_qs(urlsplit(self.path).query)
                timespan = query.get("timespan", ["all"])[0]
                kind = replay.next_kind()
                if kind == "slow":  # silence until the client is gone
                    replay.closing.wait(SILENCE_SECONDS)
                    self.close_connection = True
                    return
                status, body = _spoiled(kind, replay.answer(timespan))
                headers = {"Retry-After": "30"} if status == 429 else {}
                self.answer(status, body, headers)

        return Answers


def _encoded_points(recording: Points) -> list[bytes]:
    """Each point as JSON."""
    times = recording.times.tolist()
    values = recording.values.tolist()
    encoded = []
    for x, y in zip(times, values, strict=True):
        number = repr(y).encode()
        encoded.append(POINT % (x, number))
    return encoded


def _spoiled(kind: Answer, body: bytes) -> tuple[int, bytes]:
    """(status, body) of a bad answer, or of a good one."""
    match kind:
        case "truncated":
            return 200, body[: len(body) * 2 // 3]
        case "html":
            return 200, HTML
        case "empty":
            return 200, BODY % b""
        case "429" | "503":
            return int(kind), b""
        case _:
            return 200, body
