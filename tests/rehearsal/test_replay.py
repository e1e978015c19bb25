from __future__ import annotations

import gzip
import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from actioncast.ingestion.documents import SourceError
from actioncast.periods.frequency import parse_frequency
from actioncast.periods.points import Points
from actioncast.periods.timeline import timeline_of
from actioncast.rehearsal.world.replay import (
    RecordingError,
    ReplayServer,
    first_and_last,
    joined,
    read_csv,
    read_recording,
    shown_at,
)
from actioncast.times import HOUR, from_seconds, isoformat
from tests.support.clock import at
from tests.support.source import chart, quarters

TIMES, VALUES = zip(*quarters(*range(4 * 24 * 10)), strict=True)
RECORDING = Points(np.array(TIMES), np.array(VALUES, dtype=np.float64))  # ten days


def test_the_bundled_recording() -> None:
    recording = read_recording()
    first, last = first_and_last(recording)
    assert (len(recording), f"{first:%Y-%m-%d}", f"{last:%Y-%m-%d}") == (4523, "2022-01-16", "2022-03-04")


def test_a_recording_may_be_packed_or_not(tmp_path: Path) -> None:
    body = chart(quarters(1, 2))
    (tmp_path / "a.json").write_bytes(body)
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(body))
    for name in ("a.json", "a.json.gz"):
        assert read_recording(tmp_path / name).values.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "JSONDecodeError"),
        (b'{"status": "ok"}', "KeyError: 'values'"),
        (b'{"values": [{"x": 1}]}', "KeyError: 'y'"),
        (b'{"values": [{"x": null, "y": 1}]}', "TypeError"),
        (b'{"values": []}', "expected points in ascending order of time, at least one"),
        (chart(quarters(1, 2)[::-1]), "expected points in ascending order of time, at least one"),
    ],
)
def test_a_file_that_is_no_recording(tmp_path: Path, body: bytes, expected: str) -> None:
    (tmp_path / "a.json").write_bytes(body)
    with pytest.raises(RecordingError, match=expected):
        read_recording(tmp_path / "a.json")


def test_a_packed_recording_that_is_truncated(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(chart(quarters(1, 2)))[:-9])
    with pytest.raises(RecordingError, match="EOFError"):
        read_recording(tmp_path / "a.gz")


def test_a_recording_without_a_point_has_no_first() -> None:
    with pytest.raises(RecordingError, match="the recording holds no point"):
        first_and_last(Points(np.zeros(0, dtype=np.int64), np.zeros(0)))


@given(minutes=st.integers(0, 60 * 24 * 12), seed=st.integers(0, 99))
def test_no_point_younger_than_45_minutes_is_shown(minutes: int, seed: int) -> None:
    now = at(minutes / 60)
    shown = shown_at(RECORDING, now, seed=seed)
    ages_minutes = (now.timestamp() - RECORDING.times) / 60
    assert set(shown.times) >= set(RECORDING.times[ages_minutes >= 70])
    assert set(shown.times) <= set(RECORDING.times[ages_minutes >= 45])


def test_the_same_moment_shows_the_same_points() -> None:
    counts = {len(shown_at(RECORDING, at(24.5), seed=seed)) for seed in range(30)}
    assert len(counts) > 1  # another seed, another delay
    assert len({len(shown_at(RECORDING, at(24.5), seed=7)) for _ in range(5)}) == 1


def test_days_are_the_newest_ones() -> None:
    shown = shown_at(RECORDING, at(24 * 5), days=2)
    assert shown.times[0] == at(24 * 3).timestamp()


def test_the_server_answers_as_the_api_does_at_its_moment() -> None:
    with ReplayServer(RECORDING, at(24), seed=1) as server:
        for moment, query, days in ((at(24), "timespan=all", None), (at(99), "timespan=2days", 2), (at(99), "", None)):
            server.now = moment
            body = requests.get(f"{server.url}/transactions-per-second?{query}", timeout=5).json()
            assert body["status"] == "ok"
            expected = shown_at(RECORDING, moment, seed=1, days=days)
            assert [(p["x"], p["y"]) for p in body["values"]] == [
                *zip(expected.times.tolist(), expected.values.tolist(), strict=True)
            ]
            assert body["values"][-1]["x"] <= (moment - timedelta(minutes=45)).timestamp()


def test_before_the_recording_the_answer_is_empty() -> None:
    with ReplayServer(RECORDING, at(-5)) as server:
        assert json.loads(server.answer("all"))["values"] == []


def test_what_came_before_a_silence_stays_and_all_is_back_filled_after_it() -> None:
    with ReplayServer(RECORDING, at(48), seed=1) as server:
        server.silent_since = at(24)
        assert server.shown().times.tolist() == shown_at(RECORDING, at(24), seed=1).times.tolist()
        server.silent_since = None
        assert len(server.shown()) == len(shown_at(RECORDING, at(48), seed=1))


def test_bad_answers_come_one_a_request_and_then_good_ones() -> None:
    with ReplayServer(RECORDING, at(24)) as server:
        server.answers = ["429", "503", "html", "empty", "truncated"]
        answers = [requests.get(f"{server.url}/x?timespan=1days", timeout=5) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [429, 503, 200, 200, 200, 200]
    assert answers[0].headers["Retry-After"] == "30"
    assert answers[2].text.startswith("<!DOCTYPE html>")
    assert answers[3].json()["values"] == []
    with pytest.raises(ValueError, match=r"Expecting|delimiter"):
        answers[4].json()
    assert answers[5].json()["values"]


def test_an_earlier_recording_is_moved_by_whole_weeks_to_lie_right_before() -> None:
    both = joined(RECORDING, Points(RECORDING.times[:4] + 30 * 24 * HOUR, RECORDING.values[:4]))
    moved = both.times[0] - RECORDING.times[0]
    assert moved % (168 * HOUR) == 0
    assert (np.diff(both.times) > 0).all()
    assert len(both) > len(RECORDING) - 7 * 96


def test_a_csv_is_sorted_and_each_time_taken_once(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("timestamp,value\n2022-01-01T01:00,2\n2022-01-01T00:00,1\n2022-01-01T01:00,2\n")
    assert read_csv(tmp_path / "a.csv").values.tolist() == [1, 2]
    (tmp_path / "b.csv").write_text("timestamp,value\nyesterday,2\n")
    with pytest.raises(SourceError, match="yesterday"):
        read_csv(tmp_path / "b.csv")


def test_the_dates_of_a_csv_are_days_of_the_zone(tmp_path: Path) -> None:
    (tmp_path / "months.csv").write_text("timestamp,value\n2022-01-01,1\n2022-07-01,2\n")
    months = timeline_of(parse_frequency("1MS"), "America/New_York", None)
    times = read_csv(tmp_path / "months.csv", months).times
    assert [isoformat(from_seconds(int(time))) for time in times] == ["2022-01-01T05:00:00Z", "2022-07-01T04:00:00Z"]
