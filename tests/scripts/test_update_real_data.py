from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

import update_real_data
from actioncast.config import load_settings
from actioncast.database.database import Database, open_database
from actioncast.ingestion import ingestion
from actioncast.ingestion.documents import SourceError
from actioncast.paths import ROOT
from actioncast.periods.points import Points
from actioncast.periods.timeline import UTC_HOURS
from actioncast.rehearsal.world.replay import ReplayServer, first_and_last, read_recording
from actioncast.times import HOUR, isoformat
from tests.support.checkout import CONFIG
from tests.support.clock import at
from tests.support.source import Answer, Configure, Stub, chart, quarters
from tests.support.temp_postgres import TempPostgres

FOUR_HOURS = quarters(*[1] * 4, *[2] * 4, *[3] * 4, *[4] * 4)


@dataclass
class Ran:
    """What a whole run left: its exit code, what it printed, what is stored."""

    code: int
    out: dict[str, Any]
    err: str
    reality: dict[str, tuple[float, int]]  # day and hour -> value in the points' unit, samples
    etl_runs: list[dict[str, Any]]


Run = Callable[..., Ran]


@pytest.fixture
def run(
    url: str, stub: Stub, configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> Run:
    """Run the script as a person would, at so many hours after midnight (half past four), against the stub."""
    monkeypatch.setenv("DATABASE_URL", url)
    config = configure(f'{{ kind = "blockchain", url = "{stub.url}", timeout_seconds = 2 }}')

    def call(*flags: str, now: float = 4.5) -> Ran:
        capsys.readouterr()
        code = update_real_data.main(["--config", str(config), "--now", isoformat(at(now)), "--json", *flags])
        printed = capsys.readouterr()
        with open_database(load_settings(config)) as database:
            runs = database.etl_runs("demo", since=at(-999_999))
            return Ran(code, json.loads(printed.out), printed.err, reality(database), runs)

    return call


def reality(database: Database) -> dict[str, tuple[float, int]]:
    query = "select reality_date, value, samples from reality where series_id = 'demo' order by reality_date"
    with database.engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(text(query))]
    return {f"{_utc(moment):%d %H:%M}": (round(value / 3600, 6), samples) for moment, value, samples in rows}


def _utc(stored: str | datetime) -> datetime:
    return (datetime.fromisoformat(stored) if isinstance(stored, str) else stored).astimezone(UTC)


# Loading ----------------------------------------------------------------------------------------------------------


def test_complete_hours_are_stored_and_reported(run: Run, stub: Stub) -> None:
    stub.answer(chart(quarters(*[1] * 4, *[2] * 4, 3, None, None, 3, 4, 4, 4, None, 5, 5)))
    ran = run()
    assert ran.reality == {"04 00:00": (1, 4), "04 01:00": (2, 4), "04 03:00": (4, 3)}
    assert ran.code == 0
    assert ran.out == {
        "series": "demo",
        "periods_loaded": 3,
        "periods_missing": 1,
        "points_read": 15,
        "points_without_value": 0,
        "points_ahead": 0,
        "points_rejected": 0,
        "rejections": [],
        "rejected_by_reason": [],
        "notes": [],
        "last_period": "2022-03-04T03:00:00Z",
        "outcome": "loaded",
        "exogenous": {},
        "warnings": [],
    }
    figures = (
        "outcome",
        "points_read",
        "points_rejected",
        "periods_loaded",
        "periods_missing",
        "message",
        "started_at",
    )
    assert [tuple(row[name] for name in figures) for row in ran.etl_runs] == [("loaded", 15, 0, 3, 1, "", at(4.5))]


def test_the_same_again_is_nothing_new(run: Run, stub: Stub) -> None:
    stub.answer(chart(FOUR_HOURS))
    first, second = run(), run()
    assert (second.code, second.out["outcome"], second.out["periods_loaded"]) == (0, "nothing new", 0)
    assert second.reality == first.reality
    assert sorted(row["outcome"] for row in second.etl_runs) == ["loaded", "nothing new"]


def test_what_looks_wrong_in_the_newest_hours_is_a_warning_and_stored(run: Run, stub: Stub, url: str) -> None:
    days = 20
    values = [float(5 + quarter % 7) for quarter in range(days * 96)]
    values[-16:] = [0.0] * 16
    stub.answer(chart(quarters(*values)))
    ran = run(now=days * 24)
    assert ran.code == 0
    (warning,) = ran.out["warnings"]
    assert warning.startswith("zeros: 2022-03-23T20:00:00Z to 2022-03-23T23:00:00Z: 4 hours are exactly 0")
    assert ran.reality["23 23:00"] == (0, 4)
    with open_database(load_settings(variables={"DATABASE_URL": url})) as database:
        assert list(database.quarantined("demo", since=at(0)).values()) == ["zeros"] * 4
        history = database.reality("demo", until=at(days * 24), newest=9, timeline=UTC_HOURS)
        assert history is not None
        assert history.end == at(days * 24 - 5), "no training and no forecast sees the zeros"
    assert run(now=days * 24).out["warnings"] == []  # nothing new, nothing to look at


def test_the_first_run_asks_for_the_configured_history(run: Run, stub: Stub, configure: Configure, url: str) -> None:
    stub.answer(chart(FOUR_HOURS))
    run()
    assert "timespan=all&" in stub.requests[0].path
    with open_database(load_settings(variables={"DATABASE_URL": url})) as database:
        source_table = f'{{ kind = "blockchain", url = "{stub.url}" }}'
        settings = load_settings(configure_more(configure, source_table, "history = '10D'"), {})
        with database.engine.begin() as connection:
            connection.execute(text("delete from reality"))
        update_real_data.run(settings, database, at(4.5), series_id="demo")
    assert "timespan=12days&" in stub.requests[1].path  # ten, the begun hour, and one to spare


def configure_more(configure: Configure, source_table: str, more: str) -> Path:
    path = configure(source_table)
    path.write_text(path.read_text() + more + "\n")
    return path


def test_a_later_run_asks_for_what_is_new_and_the_last_two_days(run: Run, stub: Stub) -> None:
    stub.answer(chart(FOUR_HOURS))
    run()
    run(now=5.5)
    assert "timespan=4days&" in stub.requests[1].path


def test_a_run_after_days_of_silence_catches_up(run: Run, stub: Stub) -> None:
    stub.answer(chart(FOUR_HOURS))
    run()
    stub.answer(chart(quarters(*[7] * 4 * 100)))
    ran = run(now=100)
    assert len(ran.reality) == 100
    assert ran.out["periods_loaded"] == 100  # the values of the first four changed too
    assert "timespan=8days&" in stub.requests[1].path


def test_a_hole_that_the_source_fills_a_week_later_is_filled(run: Run, stub: Stub) -> None:
    week = [7.0] * 4 * 24 * 7
    hole = [None if 40 <= index < 80 else value for index, value in enumerate(week)]
    stub.answer(chart(quarters(*hole)))
    assert run(now=24 * 7).out["periods_missing"] == 10
    stub.answer(chart(quarters(*week)))
    assert run(now=24 * 7).out["periods_loaded"] == 10
    stub.answer(chart(quarters(*week)))
    run(now=24 * 7)
    timespans = [request.path.split("timespan=")[1].split("&")[0] for request in stub.requests]
    assert timespans[1:] == ["8days", "4days"], "once the hole is filled, two days are enough"


def test_late_points_complete_a_stored_hour(run: Run, stub: Stub) -> None:
    stub.answer(chart(quarters(1, 1, None, 4)))
    assert run(now=1).reality == {"04 00:00": (2, 3)}
    stub.answer(chart(quarters(1, 1, 2, 4)))
    assert run(now=2).reality == {"04 00:00": (2, 4)}


def test_fewer_points_never_replace_more(run: Run, stub: Stub) -> None:
    stub.answer(chart(quarters(1, 1, 2, 4)))
    run(now=1)
    stub.answer(chart(quarters(1, 1, None, 4)))
    ran = run(now=2)
    assert (ran.reality, ran.out["outcome"]) == ({"04 00:00": (2, 4)}, "nothing new")


def test_an_answer_that_begins_inside_a_stored_hour_leaves_it_alone(run: Run, stub: Stub) -> None:
    stub.answer(chart(FOUR_HOURS))
    before = run().reality
    stub.answer(chart([(t, y * 10) for t, y in FOUR_HOURS if t % HOUR]))  # three of four points of each hour
    assert run().reality == before


def test_a_time_zone_of_the_server_changes_nothing(postgres: TempPostgres, stub: Stub, configure: Configure) -> None:
    url = postgres.new_database()
    with open_database(load_settings(variables={"DATABASE_URL": url})) as database:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"alter database {url.rsplit('/', 1)[1]} set timezone to 'Asia/Kolkata'"))
        database.close()
        stub.answer(chart(FOUR_HOURS))
        settings = load_settings(configure(f'{{ kind = "blockchain", url = "{stub.url}" }}'), {})
        report = update_real_data.run(settings, database, at(4.5), series_id="demo")
        assert report.last_period == at(3)
        assert list(reality(database)) == ["04 00:00", "04 01:00", "04 02:00", "04 03:00"]


def test_a_series_whose_value_is_its_own_hour_is_stored_at_that_hour(run: Run, stub: Stub, url: str) -> None:
    points = [(t, t // HOUR) for t, _ in quarters(*[1.0] * 4 * 24 * 40)]
    stub.answer(chart(points))
    run(now=24 * 40)
    with open_database(load_settings(variables={"DATABASE_URL": url})) as database:
        grid = database.reality("demo", until=at(24 * 40), newest=9999, timeline=UTC_HOURS)
    assert grid is not None
    assert len(grid) == 24 * 40
    np.testing.assert_array_equal(grid.values / 3600, grid.start.timestamp() / HOUR + np.arange(len(grid)))


# --backfill and --now ---------------------------------------------------------------------------------------------


def test_backfill_asks_for_all_there_is(run: Run, stub: Stub) -> None:
    stub.answer(chart(FOUR_HOURS))
    run()
    run("--backfill")
    assert "timespan=all&" in stub.requests[1].path


def test_backfill_from_a_start_reads_from_that_hour_on(run: Run, stub: Stub) -> None:
    stub.answer(chart(FOUR_HOURS))
    ran = run("--backfill", "2022-03-04T02:20")
    assert "timespan=2days&" in stub.requests[0].path
    assert list(ran.reality) == ["04 02:00", "04 03:00"]


def test_in_the_past_the_source_has_a_future_which_is_left_out(run: Run, stub: Stub) -> None:
    stub.answer(chart(FOUR_HOURS))
    ran = run(now=2)
    assert list(ran.reality) == ["04 00:00", "04 01:00"]
    assert (ran.code, ran.out["points_rejected"]) == (0, 0)
    assert ran.out["points_ahead"] == 7  # the point of 02:00 sharp is there already


def test_in_the_past_of_what_is_stored(run: Run, stub: Stub) -> None:
    stub.answer(chart(FOUR_HOURS))
    before = run().reality
    ran = run(now=-100 + 2)
    assert ran.code == 1  # nothing that old in this answer
    assert "no usable point up to 2022-02-27T22:00:00Z" in ran.out["error"]
    assert "timespan=all&" in stub.requests[1].path, "as at that moment nothing is stored"
    assert ran.reality == before


def test_hours_to_come_wait_whatever_the_clock(stub: Stub, configure: Configure, tmp_path: Path) -> None:
    stub.answer(chart(FOUR_HOURS))
    path = configure(f'{{ kind = "blockchain", url = "{stub.url}" }}')
    settings = load_settings(path, {"DATABASE_URL": f"sqlite:///{tmp_path}/a.db"})
    with open_database(settings) as database:
        report = update_real_data.run(settings, database, at(2), series_id="demo")
    assert (report.periods_loaded, report.points_ahead) == (2, 7)
    assert (
        "points ahead of 2022-03-04T02:00:00Z, which wait for their hour: 7, up to 2022-03-04T03:45:00Z"
        in report.as_text()
    )


# Corrections ------------------------------------------------------------------------------------------------------


def the_later_row_wins(configure: Configure, stub: Stub) -> Path:
    return configure_more(configure, f'{{ kind = "blockchain", url = "{stub.url}" }}', 'revisions = "last"')


def test_a_correction_at_the_end_of_a_log_wins_where_the_source_says_so(
    run: Run, stub: Stub, configure: Configure
) -> None:
    stub.answer(chart(FOUR_HOURS))
    run()
    corrections = [(time, 7) for time, _ in FOUR_HOURS[4:8]]
    stub.answer(chart([*FOUR_HOURS, *corrections]))
    refused = run()
    assert refused.code == 1
    assert "4 moments come with different values, such as 2022-03-04T01:00:00Z with 2 and 7" in refused.out["error"]
    assert 'revisions = "last"' in refused.out["error"]
    the_later_row_wins(configure, stub)
    ran = run()
    assert (ran.code, ran.out["periods_loaded"], ran.reality["04 01:00"]) == (0, 1, (7, 4))


def test_a_restated_hour_replaces_the_stored_one_also_with_fewer_points(
    run: Run, stub: Stub, configure: Configure, database: Database
) -> None:
    the_later_row_wins(configure, stub)
    stub.answer(chart(quarters(1, 1, 2, 4)))
    run(now=1)
    stub.answer(chart(quarters(1, 1, None, 7)))
    ran = run("--backfill", now=2)
    assert ran.reality == {"04 00:00": (3, 3)}
    (revision,) = database.revisions("demo", since=at(0))
    assert (revision["value"] / 3600, revision["samples"], revision["replaced_at"]) == (2, 4, at(2))


# Rejected points --------------------------------------------------------------------------------------------------


def test_rejected_points_are_counted_and_listed(run: Run, stub: Stub) -> None:
    points: list[tuple[object, object]] = [*quarters(*[1] * 4 * 24)]
    points[5] = (points[5][0], -1)
    points[9] = (points[9][0], "broken")
    stub.answer(chart(points))
    ran = run(now=24)
    assert ran.code == 0
    assert ran.reality["04 01:00"] == ran.reality["04 02:00"] == (1, 3)
    assert ran.out["points_rejected"] == 2
    assert ran.out["rejections"] == [
        "2022-03-04T02:15:00Z = 'broken': Input should be a valid number, unable to parse string as a number",
        "2022-03-04T01:15:00Z = -1: the value is below minimum_value = 0",
    ]
    assert ran.out["rejected_by_reason"] == [
        {
            "reason": "Input should be a valid number, unable to parse string as a number",
            "count": 1,
            "examples": ["2022-03-04T02:15:00Z = 'broken'"],
        },
        {
            "reason": "the value is below minimum_value = 0",
            "count": 1,
            "examples": ["2022-03-04T01:15:00Z = -1"],
        },
    ]
    assert "1 x the value is below minimum_value = 0" in ran.etl_runs[0]["message"]
    assert ran.etl_runs[0]["points_rejected"] == 2


def test_points_rejected_for_a_common_reason_load_nothing_however_few_they_are(run: Run, stub: Stub) -> None:
    points: list[tuple[object, object]] = [*quarters(*[1] * 4 * 48)]
    for peak in (5, 60, 130):
        points[peak] = (points[peak][0], "1,012.55")
    stub.answer(chart(points))
    ran = run(now=48)
    assert (ran.code, ran.reality) == (1, {})
    assert "3 of 192 points rejected, and not by chance: 3 texts have the form '9,999.99'" in ran.out["error"]
    assert "e.g. 2022-03-04T01:15:00Z = '1,012.55'" in ran.out["error"]


def test_negative_values_are_right_where_no_minimum_is_set(stub: Stub, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        f'[series.demo]\nsource = {{ kind = "blockchain", url = "{stub.url}" }}\nunit = "EUR"\npoints_per_period = 4\n'
    )
    stub.answer(chart(quarters(*[-2] * 4)))
    settings = load_settings(path, {"DATABASE_URL": f"sqlite:///{tmp_path}/a.db"})
    with open_database(settings) as database:
        assert update_real_data.run(settings, database, at(1), series_id="demo").rejections == []


def test_values_that_are_not_there_yet_are_no_fault_however_many(run: Run, stub: Stub) -> None:
    empty = [(int(at(6 + index / 4).timestamp()), None) for index in range(60)]
    stub.answer(chart([*quarters(*[1] * 4 * 6), *empty]))
    ran = run(now=7)
    assert (ran.code, len(ran.reality), ran.out["points_rejected"]) == (0, 6, 0)
    assert ran.out["points_without_value"] == 60


def test_an_answer_of_nothing_but_empty_values_fails_with_an_example(run: Run, stub: Stub) -> None:
    stub.answer(chart([(time, None) for time, _ in FOUR_HOURS]))
    ran = run()
    assert ran.code == 1
    assert "16 without a value (e.g. 2022-03-04T00:00:00Z = nothing); nothing was loaded" in ran.out["error"]


def test_too_many_rejected_points_load_nothing(run: Run, stub: Stub) -> None:
    stub.answer(chart([*FOUR_HOURS[:-1], (FOUR_HOURS[-1][0], -1)]))
    ran = run()
    assert (ran.code, ran.reality) == (1, {})
    assert ran.out["error"].startswith(
        "1 of 16 points rejected, more than maximum_rejected_share = 0.05: 1 x the value"
    )
    assert (ran.etl_runs[0]["outcome"], ran.etl_runs[0]["message"]) == ("failed", ran.out["error"])
    assert (ran.etl_runs[0]["points_read"], ran.etl_runs[0]["points_rejected"]) == (16, 1)


# Answers that are none --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (chart([]), "answered without a single point; nothing was loaded"),
        (chart(quarters(1, 1, 1, 1, start=-30)), "the newest point is from 2022-03-02T18:45:00Z, 34 h before 2022-03"),
        (chart(FOUR_HOURS)[:-9], "JSON that is truncated or broken"),
        (Answer(chart(FOUR_HOURS), sent=50), "IncompleteRead"),
        (b"<html><body>Attention required</body></html>", "HTML instead of JSON"),
        (Answer(status=404), "HTTP 404 Not Found"),
        (Answer(status=429, headers={"Retry-After": "0"}), "HTTP 429 Too Many Requests"),
        (Answer(status=503), "HTTP 503 Service Unavailable"),
        (Answer(chart(FOUR_HOURS), pause=0.05), "the answer was not complete in time"),
        (chart([(t, -1) for t, _ in FOUR_HOURS]), "16 of 16 points rejected"),
        (chart([(t * 1000, y) for t, y in FOUR_HOURS]), "the time looks like milliseconds, expected unix seconds"),
        (chart([(str(t), 1e306) for t, _ in FOUR_HOURS]), "is not finite; nothing was loaded. Check `scale`"),
    ],
)
def test_an_answer_that_is_none_fails_with_its_reason_and_changes_nothing(
    run: Run, stub: Stub, answer: bytes | Answer, expected: str
) -> None:
    stub.answer(chart(FOUR_HOURS))
    before = run().reality
    stub.answer(answer)
    ran = run(now=4.75)
    assert ran.code == 1
    assert expected in ran.out["error"]
    assert ran.out["outcome"] == "failed"
    assert f"error: {ran.out['error']}" in ran.err
    assert ran.reality == before
    assert [(row["outcome"], row["message"]) for row in ran.etl_runs] == [
        ("failed", ran.out["error"]),
        ("loaded", ""),
    ]


def test_a_key_in_the_words_of_a_source_is_neither_printed_nor_stored(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEED_TOKEN", "canary-5c1d")

    def refuse(*_: object, **__: object) -> None:
        raise SourceError("401: the token canary-5c1d has expired")

    monkeypatch.setattr(ingestion, "read_series", refuse)
    ran = run()
    assert ran.out["error"] == "401: the token *** has expired"
    assert "canary" not in ran.err
    assert [row["message"] for row in ran.etl_runs] == [ran.out["error"]]


def test_a_source_that_recovers_within_the_run_is_no_failure(run: Run, stub: Stub) -> None:
    stub.answer(Answer(status=503), chart(FOUR_HOURS))
    assert run().code == 0


def test_old_news_names_the_remedy_for_a_recording(run: Run, stub: Stub) -> None:
    stub.answer(chart(FOUR_HOURS))
    assert "For a finished recording pass --now 2022-03-04T04:00:00Z" in run(now=99).out["error"]


# The database fails -----------------------------------------------------------------------------------------------


def refuse_writes(database: Database, table: str) -> None:
    """A trigger that raises at each insert."""
    statements = (
        [f"create trigger no_{table} before insert on {table} begin select raise(abort, 'disk full'); end"]
        if database.is_sqlite
        else [
            f"create function no_{table}() returns trigger language plpgsql as $$begin raise 'disk full'; end$$",
            f"create trigger no_{table} before insert on {table} for each row execute function no_{table}()",
        ]
    )
    with database.engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_a_write_that_fails_is_recorded_and_loads_nothing(run: Run, stub: Stub, database: Database) -> None:
    refuse_writes(database, "reality")
    stub.answer(chart(FOUR_HOURS))
    ran = run()
    assert (ran.code, ran.reality) == (1, {})
    assert "disk full" in ran.out["error"]
    assert [(row["outcome"], row["message"]) for row in ran.etl_runs] == [("failed", ran.out["error"])]


def test_a_failure_that_cannot_be_recorded_still_shows_its_reason(run: Run, stub: Stub, database: Database) -> None:
    refuse_writes(database, "etl_runs")
    stub.answer(chart([]))
    ran = run()
    assert (ran.code, ran.etl_runs) == (1, [])
    assert "without a single point" in ran.out["error"]
    assert "WARNING the failure could not be recorded in etl_runs: " in ran.err


def test_a_database_that_is_not_there(configure: Configure, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:s3cret@127.0.0.1:9/d")
    path = configure('{ kind = "file", path = "none.csv" }')
    assert update_real_data.main(["--config", str(path)]) == 1
    printed = capsys.readouterr()
    assert "error: postgresql+psycopg2://u:***@127.0.0.1:9/d: connection to server" in printed.err
    assert "s3cret" not in printed.err + printed.out


# As a process -----------------------------------------------------------------------------------------------------


def script(*flags: str, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "update_real_data.py", *flags]
    variables = {"PATH": "/usr/bin:/bin", **environment}
    return subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_runs_at_once_lose_and_double_nothing(url: str, stub: Stub, configure: Configure) -> None:
    """On an empty database, so that the migrations race too."""
    stub.answer(Answer(chart(quarters(*[1] * 4 * 500)), delay=0.2))
    path = configure(f'{{ kind = "blockchain", url = "{stub.url}" }}')
    flags = ["--config", str(path), "--now", isoformat(at(500)), "--json"]
    processes = [script(*flags, DATABASE_URL=url) for _ in range(2)]
    outputs = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    reports = [json.loads(out) for out, _ in outputs]
    assert sorted(report["periods_loaded"] for report in reports) == [0, 500]
    with open_database(load_settings(variables={"DATABASE_URL": url})) as database:
        assert len(reality(database)) == 500
        assert sorted(row["outcome"] for row in database.etl_runs("demo", since=at(0))) == ["loaded", "nothing new"]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--now", "yesterday"], "'yesterday' is not an ISO 8601 time such as 2022-03-04T03:00"),
        (["--backfill", "soon"], "'soon' is not an ISO 8601 time"),
        (
            ["--config", str(CONFIG), "--series", "none"],
            "there is no series 'none'; config.toml and the table series have: bitcoin_transactions",
        ),
        (["--config", "none.toml"], "none.toml: No such file or directory"),
    ],
)
def test_a_wrong_flag_is_exit_code_2(flags: list[str], expected: str) -> None:
    process = script(*flags)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert expected in err


# The recording ----------------------------------------------------------------------------------------------------


def test_the_bundled_recording_arrives_hour_by_hour(url: str, configure: Configure) -> None:
    """A whole day through the live shape of the API: partial hours, late points. It ends as one backfill does."""
    recording = read_recording()
    recording = Points(recording.times[: 4 * 96], recording.values[: 4 * 96])
    begin, end = first_and_last(recording)
    with ReplayServer(recording, begin) as server:
        settings = load_settings(configure(f'{{ kind = "blockchain", url = "{server.url}" }}'), {"DATABASE_URL": url})
        with open_database(settings) as database:
            for hour in range(72, 97):
                server.now = begin + timedelta(hours=hour)
                update_real_data.run(settings, database, server.now, series_id="demo")
            step_by_step = reality(database)
            with database.engine.begin() as connection:
                connection.execute(text("delete from reality"))
            update_real_data.run(settings, database, server.now, series_id="demo", backfill=True)
            assert reality(database) == step_by_step
    assert end - begin > timedelta(hours=90)
    assert len(step_by_step) in (94, 95)


def test_the_report_reads_well(run: Run, stub: Stub, capsys: Any, configure: Configure) -> None:
    points: list[tuple[object, object]] = [*quarters(*[1] * 4 * 24)]
    points[5] = (points[5][0], -1)
    stub.answer(chart(points))
    path = configure(f'{{ kind = "blockchain", url = "{stub.url}" }}')
    assert update_real_data.main(["--config", str(path), "--now", isoformat(at(24))]) == 0
    assert capsys.readouterr().out == (
        "demo: loaded: 24 hours new or changed, 0 missing (too few points), last hour 2022-03-04T23:00:00Z\n"
        "1 points rejected: 1 x the value is below minimum_value = 0 (e.g. 2022-03-04T01:15:00Z = -1)\n"
    )
