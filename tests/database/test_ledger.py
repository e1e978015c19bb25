"""Ingestions, trainings and checks come back as they were recorded."""

from __future__ import annotations

from typing import Any

from actioncast.database.database import Database
from tests.support.clock import at
from tests.support.rows import at_once, check, hours, load, run_row


def test_checks_come_back_newest_first_and_typed(database: Database) -> None:
    for hour in (1, 2, 3):
        database.store_check(check(hour))
    assert database.checks("a", before=at(3), since=at(1)) == [check(2), check(1)]


def test_the_newest_check_of_each_series(database: Database) -> None:
    for row in (check(3), check(2), check(1, series_id="b"), check(0, series_id="c")):
        database.store_check(row)
    assert database.newest_checks(since=at(1)) == {"a": check(3), "b": check(1, series_id="b")}


def test_a_check_made_again_replaces_the_first(database: Database) -> None:
    database.store_check(check(1))
    database.store_check(check(1, verdict="retrain", newest_period=None))
    assert database.checks("a", before=at(2), since=at(0)) == [check(1, verdict="retrain", newest_period=None)]


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
        return {"run_id": run_id, "series_id": "a", "periods": 9, **times, **texts, **json}

    for run_id, hour in (("old", 0), ("first", 1), ("second", 2)):
        database.store_training_run(training(run_id, hour))
    assert database.training_runs("a", since=at(1)) == [training("second", 2), training("first", 1)]


def test_etl_runs_tell_what_happened(database: Database) -> None:
    load(database, hours(1, 2), run_id="first")
    database.record_etl_failure(run_row("second", started_at=at(1), message="the source is dead"))
    runs = database.etl_runs("a", since=at(0))
    assert [(run["run_id"], run["outcome"], run["periods_loaded"], run["message"]) for run in runs] == [
        ("second", "failed", 0, "the source is dead"),
        ("first", "loaded", 2, ""),
    ]
