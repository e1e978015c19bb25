from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, text

from actioncast.config import load_settings
from actioncast.database.connection import DatabaseError, database_url
from actioncast.database.database import Database, open_database
from actioncast.database.migrations import execute_script
from actioncast.hours import DataError, Hours
from actioncast.paths import ROOT
from actioncast.settings import Settings, SettingsError
from actioncast.times import to_seconds
from tests.support.clock import MIDNIGHT, at
from tests.support.temp_postgres import TempPostgres


def settings_for(url: str) -> Settings:
    return load_settings(variables={"DATABASE_URL": url})


def hours(*values: float, start: float = 0, samples: int = 4) -> Hours:
    """Consecutive hours from `start` (hours after midnight) on."""
    starts = to_seconds(at(start)) + 3600 * np.arange(len(values), dtype=np.int64)
    return Hours(starts, np.array(values, dtype=np.float64), np.full(len(values), samples))


def run_row(run_id: str = "run", **more: Any) -> dict[str, Any]:
    counts = {"points_read": 4, "points_rejected": 0, "hours_missing": 0, "message": ""}
    return {"run_id": run_id, "series_id": "a", "started_at": at(0), "finished_at": at(0), **counts, **more}


def load(database: Database, loaded: Hours, series_id: str = "a", run_id: str = "run") -> int:
    return database.load_hours(series_id, loaded, at(9), run_row(run_id, series_id=series_id))


def vintage(issued: float, *predictions: float, series_id: str = "a") -> list[dict[str, Any]]:
    """Forecasts for the hours from the one after `issued` (hours after midnight) on, +- 1."""
    return [
        {
            "series_id": series_id,
            "prediction_date": at(int(issued) + lead),
            "issued_at": at(issued),
            "prediction": prediction,
            "lower": prediction - 1,
            "upper": prediction + 1,
            "lead": lead,
            "model_version": "v1",
        }
        for lead, prediction in enumerate(predictions, start=1)
    ]


def at_once(url: str, work: Callable[[Database, int], object]) -> list[object]:
    """Four connections do the same work at the same moment."""
    ready = threading.Barrier(4)

    def one(number: int) -> object:
        database = Database(database_url(settings_for(url)))
        try:
            ready.wait(30)
            return work(database, number)
        finally:
            database.close()

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(one, range(4)))


def stored(database: Database, series_id: str = "a", until: datetime = MIDNIGHT + timedelta(days=30)) -> list[float]:
    grid = database.reality(series_id, until=until, newest=99)
    return [] if grid is None else grid.values.tolist()


# Opening ----------------------------------------------------------------------------------------------------------


def test_without_a_url_there_is_a_sqlite_file_beside_the_config(tmp_path: Path) -> None:
    settings = settings_for("").model_copy(update={"folder": tmp_path})
    with open_database(settings) as opened:
        assert opened.last_hour("a") is None
    assert (tmp_path / "actioncast.db").exists()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgres://u:p@h:1/d", "postgresql+psycopg2://u:p@h:1/d"),
        ("postgresql://u:p@h/d?sslmode=require", "postgresql+psycopg2://u:p@h/d?sslmode=require"),
        ("postgresql+psycopg://u:p@h/d", "postgresql+psycopg2://u:p@h/d"),
        ("  sqlite:////tmp/a.db\n", "sqlite:////tmp/a.db"),
    ],
)
def test_the_driver_is_chosen_here(url: str, expected: str) -> None:
    assert database_url(settings_for(url)).render_as_string(hide_password=False) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("s3cret", "DATABASE_URL is not a URL such as postgresql://user:password@host:5432/name"),
        ("postgresql://u:p@h:s3cret/d", "DATABASE_URL is not a URL such as"),
        ("postgresql://u:p@s3cret@h/d", r"DATABASE_URL has more than one @; .*percent-encoded \(@ is %40\)"),
        ("mysql://u:s3cret@h/d", "DATABASE_URL: expected postgresql:// or sqlite:///, got mysql://"),
    ],
)
def test_a_url_that_cannot_be_used_is_not_shown(url: str, expected: str) -> None:
    with pytest.raises(SettingsError, match=expected) as caught:
        database_url(settings_for(url))
    assert "s3cret" not in str(caught.value)


def opening_error(url: str) -> str:
    with pytest.raises(DatabaseError) as caught, open_database(settings_for(url)):
        pass
    return str(caught.value)


def test_a_wrong_password_is_not_shown(postgres: TempPostgres) -> None:
    url = postgres.new_database(password="right")
    with open_database(settings_for(url)):
        pass
    message = opening_error(url.replace("right", "s3cret"))
    assert "password authentication failed" in message
    assert "s3cret" not in message


def test_a_password_with_special_characters(postgres: TempPostgres) -> None:
    url = postgres.new_database(password="p@ss/w:rd?#% é")
    assert "%40" in url
    with open_database(settings_for(url)) as opened:
        assert "w:rd" not in opened.address


def test_a_password_in_the_query_is_not_shown() -> None:
    assert "s3cret" not in opening_error("postgresql://127.0.0.1:9/d?user=u&password=s3cret")


def test_a_server_that_is_not_there_is_named() -> None:
    message = opening_error("postgresql://u:s3cret@127.0.0.1:9/d")
    assert message.startswith("postgresql+psycopg2://u:***@127.0.0.1:9/d: connection to server")
    assert "refused" in message


def test_a_server_that_goes_away_and_comes_back(postgres: TempPostgres) -> None:
    with open_database(settings_for(postgres.new_database())) as opened:
        load(opened, hours(1))
        postgres.stop()
        try:
            with pytest.raises(DatabaseError, match="refused"):
                opened.last_hour("a")
        finally:
            postgres.start()
        assert opened.last_hour("a") == at(0)


def test_too_many_readers_at_once_wait_and_then_fail(postgres: TempPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actioncast.database.connection.CONNECT_TIMEOUT_SECONDS", 1)
    with open_database(settings_for(postgres.new_database())) as opened:
        taken = [opened.engine.connect() for _ in range(2)]
        with pytest.raises(DatabaseError, match="TimeoutError: QueuePool limit of size 2 overflow 0 reached"):
            opened.last_hour("a")
        for connection in taken:
            connection.close()
        assert opened.last_hour("a") is None


def test_a_sqlite_file_whose_folder_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert opening_error(f"sqlite:///{tmp_path}/file/a.db").endswith("cannot make its folder: File exists")
    assert "cannot make its folder" in opening_error(f"sqlite:///{tmp_path}/file/b/a.db")


def test_a_sqlite_file_that_is_something_else(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"no database" * 100)
    assert "file is not a database" in opening_error(f"sqlite:///{tmp_path}/a.db")
    assert "unable to open database file" in opening_error(f"sqlite:///{tmp_path}")


# Migrations -------------------------------------------------------------------------------------------------------


def test_migrations_are_applied_once(url: str) -> None:
    database = Database(database_url(settings_for(url)))
    kind = "sqlite" if database.is_sqlite else "postgresql"
    assert database.migrate() == ["0001_tables.sql", f"0002_views.{kind}.sql", "0003_exogenous.sql", "0004_series.sql"]
    assert database.migrate() == []
    database.close()


def test_the_tables_have_the_same_columns_on_both(postgres: TempPostgres, tmp_path: Path) -> None:
    names = ["reality", "predictions", "latest_predictions", "performance", "etl_runs", "training_runs", "checks"]
    names += ["exogenous", "series"]
    columns = []
    for url in (postgres.new_database(), f"sqlite:///{tmp_path / 'a.db'}"):
        with open_database(settings_for(url)) as opened, opened.engine.connect() as connection:
            columns.append([list(connection.execute(text(f"select * from {name}")).keys()) for name in names])
    assert columns[0] == columns[1]


def test_a_migration_that_fails_leaves_nothing_behind(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "0001_broken.sql").write_text("create table half (a integer);\ncreate tabel;\n")
    monkeypatch.setattr("actioncast.database.migrations.MIGRATIONS", tmp_path)
    assert "syntax error" in opening_error(url)
    (tmp_path / "0001_broken.sql").write_text("create table half (a integer);\n")
    with open_database(settings_for(url)):
        pass


OPEN = "from actioncast.database.database import open_database; from actioncast.config import load_settings\n" + (
    "with open_database(load_settings()) as d: print(d.last_hour('a'))"
)


def test_processes_that_start_on_an_empty_database_at_once(url: str) -> None:
    environment = {"DATABASE_URL": url, "PATH": "/usr/bin:/bin"}
    processes = [
        subprocess.Popen([sys.executable, "-c", OPEN], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert [process.communicate(timeout=60)[1] for process in processes] == [""] * 4
    assert [process.returncode for process in processes] == [0] * 4


def test_migrations_that_meet_are_applied_once(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def slowly(connection: Connection, script: str) -> None:
        time.sleep(0.05)
        execute_script(connection, script)

    monkeypatch.setattr("actioncast.database.migrations.execute_script", slowly)
    applied = at_once(url, lambda database, _: database.migrate())
    assert sorted(len(names) for names in applied if isinstance(names, list)) == [0, 0, 0, 4]


# Reality ----------------------------------------------------------------------------------------------------------


def test_hours_come_back_as_they_went_in(database: Database) -> None:
    assert load(database, hours(1.5, 2.25)) == 2
    grid = database.reality("a", until=at(2), newest=9)
    assert grid is not None
    assert (grid.start, grid.values.tolist()) == (at(0), [1.5, 2.25])
    assert database.last_hour("a") == at(1)


def test_a_missing_hour_comes_back_as_nan(database: Database) -> None:
    load(database, hours(1))
    load(database, hours(3, start=2), run_id="second")
    np.testing.assert_array_equal(stored(database), [1, np.nan, 3])


def test_reality_knows_only_hours_that_are_over(database: Database) -> None:
    load(database, hours(1, 2, 3))
    assert stored(database, until=at(1.9)) == [1]
    assert stored(database, until=at(0.9)) == []


def test_reality_gives_the_newest_so_many(database: Database) -> None:
    load(database, hours(1, 2, 3))
    grid = database.reality("a", until=at(9), newest=2)
    assert grid is not None
    assert grid.values.tolist() == [2, 3]


def test_series_do_not_mix(database: Database) -> None:
    load(database, hours(1), series_id="a")
    load(database, hours(7, 8), series_id="b", run_id="second")
    assert (stored(database, "a"), stored(database, "b")) == ([1], [7, 8])
    assert (database.last_hour("a"), database.last_hour("b"), database.last_hour("c")) == (at(0), at(1), None)


@pytest.mark.parametrize(
    ("second", "changed", "expected"),
    [
        (hours(2, samples=3), 1, 2),  # as many points: the source corrected itself
        (hours(2, samples=4), 1, 2),  # more points: the hour is more complete
        (hours(2, samples=2), 0, 1),  # fewer points: the hour is only partly in the answer
        (hours(1, samples=3), 0, 1),  # the same again
    ],
)
def test_an_hour_is_replaced_unless_by_fewer_points(
    database: Database, second: Hours, changed: int, expected: float
) -> None:
    load(database, hours(1, samples=3))
    assert load(database, second, run_id="second") == changed
    assert stored(database) == [expected]


def test_nothing_is_loaded_with_an_empty_answer(database: Database) -> None:
    assert load(database, hours()) == 0
    assert database.etl_runs("a", since=at(-1))[0]["outcome"] == "nothing new"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_is_not_finite_is_refused(database: Database, value: float) -> None:
    with pytest.raises(DataError, match="the value of 2022-03-04T01:00:00Z is not finite; nothing was loaded"):
        load(database, hours(1, value))
    assert stored(database) == []


@pytest.mark.parametrize("value", ["'NaN'", "'Infinity'", "1e999"])
def test_the_table_itself_refuses_it_too(database: Database, value: str) -> None:
    cast = value if database.is_sqlite else f"{value.strip(chr(39)).replace('1e999', 'Infinity')!r}::double precision"
    with pytest.raises(DatabaseError), database._transaction(write=True) as connection:
        connection.execute(text(f"insert into reality values ('a', '2022-03-04T00:00:00Z', {cast}, 4, '2022-03-04')"))


def test_a_run_whose_write_fails_loads_nothing(database: Database) -> None:
    load(database, hours(1))
    with pytest.raises(DatabaseError, match=r"(?i)unique"):
        load(database, hours(5, 6), run_id="run")  # the run id is taken
    assert stored(database) == [1]


def test_writers_at_once_lose_nothing(url: str, database: Database) -> None:
    """Four connections load overlapping spans, each hour with its own value."""

    def work(mine: Database, number: int) -> None:
        for turn in range(5):
            load(mine, hours(*range(number, number + 200), start=number), run_id=f"{number}/{turn}")

    at_once(url, work)
    grid = database.reality("a", until=at(999), newest=999)
    assert grid is not None
    assert grid.values.tolist() == list(range(203))
    assert len(database.etl_runs("a", since=at(-1))) == 20


# Predictions and the views ----------------------------------------------------------------------------------------


def performance(database: Database) -> list[dict[str, Any]]:
    return database.performance("a", since=at(-999), until=at(999))


def test_the_latest_vintage_issued_before_the_hour_counts(database: Database) -> None:
    database.store_vintage(vintage(0, 10, 20, 30))  # for 01:00, 02:00, 03:00
    database.store_vintage(vintage(1, 21, 31))  # for 02:00, 03:00
    rows = [(row["prediction_date"], row["prediction"], row["issued_at"], row["lead"]) for row in performance(database)]
    assert rows == [(at(1), 10, at(0), 1), (at(2), 21, at(1), 1), (at(3), 31, at(1), 2)]


def test_a_vintage_issued_at_the_start_of_the_hour_counts_and_a_later_one_does_not(database: Database) -> None:
    issued = [{**vintage(0, 10)[0], "issued_at": at(1) + timedelta(minutes=m), "prediction": m} for m in (-1, 0, 1)]
    for row in issued:
        database.store_vintage([row])
    assert [(row["prediction"], row["issued_at"]) for row in performance(database)] == [(0, at(1))]


def test_performance_compares_with_what_happened(database: Database) -> None:
    database.store_vintage(vintage(0, 10, 20, 30))
    load(database, hours(10.5, 17, start=1))  # 03:00 is not known yet
    load(database, hours(13, start=1 - 168), run_id="week")  # 01:00 one week earlier
    columns = ("prediction", "lower", "upper", "reality", "absolute_error", "covered", "naive_error", "model_version")
    assert [tuple(row[name] for name in columns) for row in performance(database)] == [
        (10, 9, 11, 10.5, 0.5, True, 2.5, "v1"),
        (20, 19, 21, 17, 3, False, None, "v1"),
        (30, 29, 31, None, None, None, None, "v1"),
    ]


def test_performance_is_asked_for_a_span_of_hours(database: Database) -> None:
    database.store_vintage(vintage(0, 10, 20, 30))
    rows = database.performance("a", since=at(2), until=at(3))
    assert [row["prediction"] for row in rows] == [20]


def test_the_naive_error_is_one_week_earlier_over_a_month_and_a_leap_day(database: Database) -> None:
    start = -24 * 6  # 2022-02-26 00:00
    load(database, hours(*range(24 * 14), start=start))
    database.store_vintage(vintage(start + 200, 5.0))
    assert performance(database)[0]["naive_error"] == 168


def test_a_vintage_issued_again_is_replaced_as_a_whole_and_the_others_stay(database: Database) -> None:
    database.store_vintage(vintage(0, 10, 20, 30))
    database.store_vintage(vintage(0, 1, series_id="b"))
    database.store_vintage(vintage(1, 21))
    database.store_vintage(vintage(0, 11, 12))  # again, and shorter
    assert [row["prediction"] for row in performance(database)] == [11, 21]
    assert database.performance("b", since=at(0), until=at(9))[0]["prediction"] == 1


def test_a_vintage_issued_by_many_at_once_is_there_once(url: str, database: Database) -> None:
    def work(mine: Database, number: int) -> None:
        for turn in range(5):
            mine.store_vintage(vintage(0, *[float(10 * number + turn)] * 50))

    at_once(url, work)
    assert len({row["prediction"] for row in performance(database)}) == 1


def test_a_forecast_that_is_no_number_is_refused(database: Database) -> None:
    with pytest.raises(DatabaseError):
        database.store_vintage(vintage(0, 1, float("nan")))
    assert performance(database) == []


def test_a_vintage_without_a_row_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="expected at least one forecast, got none"):
        database.store_vintage([])


# Runs and checks --------------------------------------------------------------------------------------------------


def check(hour: float, **more: Any) -> dict[str, Any]:
    figures = {"scored_hours": 48, "mae": 1.5, "reference_mae": 1.0, "naive_mae": None}
    verdict = {"verdict": "good", "bad": False, "newest_hour": at(hour - 1), "reasons": ["fine"], "dispatched": False}
    return {"series_id": "a", "checked_at": at(hour), **figures, **verdict, **more}


def test_checks_come_back_newest_first_and_typed(database: Database) -> None:
    for hour in (1, 2, 3):
        database.store_check(check(hour))
    assert database.checks("a", before=at(3), since=at(1)) == [check(2), check(1)]


def test_a_check_made_again_replaces_the_first(database: Database) -> None:
    database.store_check(check(1))
    database.store_check(check(1, verdict="retrain", newest_hour=None))
    assert database.checks("a", before=at(2), since=at(0)) == [check(1, verdict="retrain", newest_hour=None)]


def test_a_check_made_by_many_at_once_is_there_once(url: str, database: Database) -> None:
    def work(mine: Database, _: int) -> None:
        for hour in range(1, 20):
            mine.store_check(check(hour))

    at_once(url, work)
    assert database.checks("a", before=at(99), since=at(0)) == [check(hour) for hour in range(19, 0, -1)]


def test_training_runs_come_back_newest_first_with_their_json(database: Database) -> None:
    def training(run_id: str, hour: float) -> dict[str, Any]:
        times = {name: at(hour) for name in ("started_at", "finished_at", "window_start", "window_end")}
        texts = {"verdict": "kept", "reason": "no better", "git_sha": None}
        json = {"leaderboard": [{"mae": 1.5}], "champion": {}, "challenger": {}, "library_versions": {}, "settings": {}}
        return {"run_id": run_id, "series_id": "a", "hours": 9, **times, **texts, **json}

    for run_id, hour in (("old", 0), ("first", 1), ("second", 2)):
        database.store_training_run(training(run_id, hour))
    assert database.training_runs("a", since=at(1)) == [training("second", 2), training("first", 1)]


def test_etl_runs_tell_what_happened(database: Database) -> None:
    load(database, hours(1, 2), run_id="first")
    database.record_etl_failure(run_row("second", started_at=at(1), message="the source is dead"))
    runs = database.etl_runs("a", since=at(0))
    assert [(run["run_id"], run["outcome"], run["hours_loaded"], run["message"]) for run in runs] == [
        ("second", "failed", 0, "the source is dead"),
        ("first", "loaded", 2, ""),
    ]
