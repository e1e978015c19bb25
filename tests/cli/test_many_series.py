from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

import check_retrain
import make_predictions
import train
import update_real_data
from actioncast.cli import many_series
from actioncast.config import load_settings, with_rows
from actioncast.database.database import open_database
from actioncast.periods.grid import Periods
from actioncast.times import HOUR, isoformat, to_seconds
from tests.support.series import START, seasonal

HOURS = 200
NOW = isoformat(START + timedelta(hours=HOURS))


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four series; `c` has no hour."""
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'test.db'}")
    path = tmp_path / "config.toml"
    source = '{ kind = "file", path = "none.csv" }'
    tables = [f'[series.{name}]\nsource = {source}\nunit = "x"\nhorizon = 24\n' for name in "abcd"]
    path.write_text("".join(tables) + '[train]\ncandidates = ["seasonal_naive"]\n')
    with open_database(load_settings(path)) as database:
        for seed, name in enumerate("abd"):
            run = {"run_id": name, "series_id": name, "started_at": START, "finished_at": START, "points_read": 0}
            counts = {"periods_missing": 0, "points_rejected": 0, "message": "", "outcome": "loaded"}
            starts = to_seconds(START) + HOUR * np.arange(HOURS)
            hours = Periods(starts, seasonal(HOURS, seed=seed), np.full(HOURS, 4))
            database.load_periods(name, hours, START, {**run, **counts})
    return path


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """No second process: the same calls, at once."""

    def results(one: many_series.OneSeries, names: list[str], _: int) -> Iterator[many_series.Result]:
        return map(one, reversed(names))  # they come in any order

    monkeypatch.setattr(many_series, "_on_processes", results)


def ran(main: Callable[[list[str]], int], config: Path, capsys: Any, *flags: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = main(["--config", str(config), "--now", NOW, "--json", *flags])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.usefixtures("in_process")
def test_a_failed_series_is_listed_and_stops_no_other(config: Path, capsys: Any) -> None:
    code, printed = ran(train.main, config, capsys, "--all")
    assert code == 1
    assert printed["failed"] == ["c"]
    assert [result["series"] for result in printed["results"]] == ["a", "b", "c", "d"]
    assert printed["results"][2]["error"].startswith("ForecastError: 0 hours of c are stored")
    assert [result.get("verdict") for result in printed["results"]] == ["promoted", "promoted", None, "promoted"]
    code, printed = ran(make_predictions.main, config, capsys, "--all", "--num-predictions", "3")
    assert code == 1
    assert [len(result.get("predictions", ())) for result in printed["results"]] == [3, 3, 0, 3]
    code, printed = ran(check_retrain.main, config, capsys, "--all", "--max-mae", "5")
    assert code == 0
    assert [result["verdict"] for result in printed["results"]] == ["too few periods"] * 4


@pytest.mark.usefixtures("in_process")
def test_shards_part_the_series(config: Path, capsys: Any) -> None:
    shards = [ran(train.main, config, capsys, "--shard", f"{i}/2")[1]["results"] for i in (1, 2)]
    assert [[result["series"] for result in shard] for shard in shards] == [["a", "c"], ["b", "d"]]


@pytest.mark.usefixtures("in_process")
def test_only_the_series_that_are_named_are_done(config: Path, capsys: Any) -> None:
    _, printed = ran(train.main, config, capsys, "--names", "d, b,d")
    assert [result["series"] for result in printed["results"]] == ["d", "b"]
    code, printed = ran(train.main, config, capsys, "--names", "a,zz")
    assert (code, "there is no series 'zz'" in printed["error"]) == (2, True)


def test_a_list_without_a_name_is_refused() -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="expected names separated by commas, got ','"):
        many_series.names_flag(",")


def test_processes_share_the_work(config: Path, capsys: Any) -> None:
    code, printed = ran(train.main, config, capsys, "--all", "--jobs", "2")
    assert code == 1
    assert printed["failed"] == ["c"]
    ledger = load_settings(config)
    with open_database(ledger) as database:
        assert all(database.training_runs(name, since=START) for name in "abd")


def end_the_process(name: str) -> many_series.Result:
    os._exit(1)


def test_series_whose_process_dies_are_listed() -> None:
    results = list(many_series._on_processes(end_the_process, ["a", "b"], jobs=2))
    assert [result["series"] for result in results] == ["a", "b"]
    assert all(result["error"].startswith("TerminatedWorkerError: ") for result in results)


def test_a_surprise_in_one_series_is_listed_without_secrets(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("password sesame-open")

    monkeypatch.setenv("API_KEY", "sesame-open")
    monkeypatch.setattr(train, "run", broken)
    result = many_series.run_one("train", config, START, {}, "a")
    assert result == {"series": "a", "outcome": "failed", "error": "ZeroDivisionError: password ***"}


def test_a_dask_cluster_is_asked_when_one_is_named(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for dask.distributed with its few names that are used; bench.scale runs the real one."""
    asked: list[str] = []

    class Client:
        def __init__(self, address: str) -> None:
            asked.append(address)

        def __enter__(self) -> Client:
            return self

        def __exit__(self, *_: object) -> None:
            """Nothing to close."""

        def submit(self, function: many_series.OneSeries, name: str, **_: bool) -> Future[many_series.Result]:
            future: Future[many_series.Result] = Future()
            if name == "b":
                future.set_exception(MemoryError("worker lost"))
            else:
                future.set_result(function(name))
            return future

    module = ModuleType("distributed")
    module.Client, module.as_completed = Client, iter  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "distributed", module)
    flags = argparse.Namespace(
        config=config, now=START + timedelta(hours=HOURS), names=[], shard=None, jobs=1, json=True
    )
    environment = {"DASK_SCHEDULER_ADDRESS": "tcp://127.0.0.1:1"}
    report = many_series.run("train", flags, load_settings(config), environment=environment)
    assert asked == ["tcp://127.0.0.1:1"]
    assert report.as_json()["failed"] == ["b", "c"]
    assert report.as_text().startswith("2 of 4 series done\n\n| failed")


def test_without_failures_the_text_is_one_line() -> None:
    assert many_series.FleetReport([{"series": "a"}]).as_text() == "1 of 1 series done"


def test_a_fault_of_all_series_is_a_failure_with_its_reason() -> None:
    report = many_series.FleetReport([{"series": "a"}], fault="GitHub refused")
    assert report.failed
    assert report.as_text() == "1 of 1 series done\n\nerror: GitHub refused"


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "a/b", "1/0", ""])
def test_a_shard_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="expected I/N"):
        many_series.shard_flag(text)


# The table `series` ------------------------------------------------------------------------------------------------

ROW = {"source": {"kind": "file", "path": "none.csv"}, "unit": "x", "horizon": 24}


def add_rows(config: Path, **rows: str) -> None:
    with open_database(load_settings(config)) as database, database.engine.begin() as connection:
        for name, settings in rows.items():
            connection.execute(
                text("insert into series values (:name, :settings)"), {"name": name, "settings": settings}
            )


@pytest.mark.usefixtures("in_process")
def test_rows_of_the_table_are_series_too_and_a_broken_one_stops_no_other(config: Path, capsys: Any) -> None:
    wrong = {"b2": "{", "c2": json.dumps(ROW | {"colour": "red"}), "a": json.dumps(ROW | {"horizon": 3})}
    add_rows(config, e=json.dumps(ROW), **wrong)
    with open_database(load_settings(config)) as database:
        settings = with_rows(load_settings(config), database.series())
    assert list(settings.series) == ["a", "b", "c", "d", "e"]
    assert settings.series["a"].horizon_periods == 24, "config.toml has the last word"
    code, printed = ran(train.main, config, capsys, "--all")
    assert code == 1
    assert printed["failed"] == ["c", "e", "b2", "c2"]
    errors = {result["series"]: result.get("error") for result in printed["results"]}
    assert errors["e"].startswith("ForecastError: 0 hours of e are stored")
    assert errors["b2"].startswith("the table series: its settings are not JSON")
    assert errors["c2"].startswith("the table series: unknown key series.c2.colour; allowed here: title, source")


def test_a_row_is_asked_for_by_its_name(config: Path, capsys: Any) -> None:
    add_rows(config, e=json.dumps(ROW), f="[]")
    code = train.main(["--config", str(config), "--now", NOW, "--series", "e"])
    assert (code, "0 hours of e are stored" in capsys.readouterr().err) == (1, True)
    code = train.main(["--config", str(config), "--now", NOW, "--series", "f"])
    assert (code, "error: the table series, f: series.f: Input should be an object" in capsys.readouterr().err) == (
        2,
        True,
    )


def test_many_series_are_loaded_at_once(config: Path, tmp_path: Path, capsys: Any) -> None:
    hour = isoformat(START + timedelta(hours=HOURS - 1))
    (tmp_path / "new.csv").write_text(f"timestamp,value\n{hour},1\n")
    good = json.dumps(ROW | {"source": {"kind": "file", "path": "new.csv"}})
    add_rows(config, **{f"s{number:03}": good for number in range(30)})
    code, printed = ran(update_real_data.main, config, capsys, "--all", "--jobs", "2")
    assert (code, printed["failed"]) == (1, ["a", "b", "c", "d"])
    assert {result["periods_loaded"] for result in printed["results"][4:]} == {1}
    with open_database(load_settings(config)) as database:
        runs = [database.etl_runs(f"s{number:03}", since=START)[0]["outcome"] for number in range(30)]
    assert set(runs) == {"loaded"}


def test_a_real_dask_cluster_does_the_work(config: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers in processes of their own, asked as DASK_SCHEDULER_ADDRESS says."""
    distributed = pytest.importorskip("distributed", reason="the package distributed is not installed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=logging.ERROR
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        client.wait_for_workers(2)
        monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", cluster.scheduler_address)
        code, printed = ran(train.main, config, capsys, "--all")
    assert (code, printed["failed"]) == (1, ["c"])
    assert [result["series"] for result in printed["results"]] == ["a", "b", "c", "d"]
    with open_database(load_settings(config)) as database:
        assert all(database.training_runs(name, since=START) for name in "abd")
