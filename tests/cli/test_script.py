from __future__ import annotations

import argparse
import json
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from actioncast.cli import script
from actioncast.cli.script import run_script
from actioncast.database.database import Database
from actioncast.errors import ActioncastError
from actioncast.report import Report
from actioncast.settings import Settings
from actioncast.times import parse_time
from tests.support.source import Configure


@dataclass
class StubReport(Report):
    failed: bool = False
    facts: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return self.facts

    def as_text(self) -> str:
        return "for a person"


@pytest.fixture
def config(configure: Configure) -> str:
    return str(configure('{ kind = "file", path = "a.csv" }'))


def test_a_script_gets_its_flags_its_settings_and_a_database(config: str, capsys: Any) -> None:
    heard: list[tuple[argparse.Namespace, Settings, Database]] = []

    def run(*told: Any) -> StubReport:
        heard.append(told)
        return StubReport()

    before = datetime.now(UTC).replace(microsecond=0)
    assert run_script(["--config", config], "What it does.", run) == 0
    arguments, settings, database = heard[0]
    assert (arguments.series, arguments.time_travel, settings.folder) == ("demo", False, Path(config).parent)
    assert before <= arguments.now <= before + timedelta(seconds=60)
    assert database.is_sqlite
    assert capsys.readouterr().out == "for a person\n"


def test_now_is_time_travel(config: str) -> None:
    heard: list[argparse.Namespace] = []

    def run(arguments: argparse.Namespace, *_: object) -> StubReport:
        heard.append(arguments)
        return StubReport()

    run_script(["--config", config, "--now", "2022-03-04T03:00+01:00"], None, run)
    assert (heard[0].now, heard[0].time_travel) == (datetime(2022, 3, 4, 2, tzinfo=UTC), True)


def test_json_is_one_object_on_stdout_and_logs_go_to_stderr(config: str, capsys: Any) -> None:
    def run(*_: object) -> StubReport:
        logging.getLogger("anything").warning("careful")
        return StubReport(facts={"a": 1})

    assert run_script(["--config", config, "--json"], None, run) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"a": 1}
    assert "WARNING careful" in printed.err


def test_settings_are_logged_by_a_job_that_debugs_and_only_what_differs(
    config: str, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RUNNER_DEBUG", raising=False)
    run_script(["--config", config], None, lambda *_: StubReport())
    assert "settings" not in capsys.readouterr().err
    monkeypatch.setenv("RUNNER_DEBUG", "1")
    run_script(["--config", config], None, lambda *_: StubReport())
    logged = capsys.readouterr().err.splitlines()
    assert all(line.startswith("DEBUG settings ") for line in logged)
    (series,) = [line.removeprefix("DEBUG settings series ") for line in logged if "settings series" in line]
    assert "demo" in json.loads(series)
    assert "frequency" not in json.loads(series)["demo"], "it has the default"
    monkeypatch.delenv("RUNNER_DEBUG")
    run_script(["--config", config], None, lambda *_: StubReport())
    assert logging.getLogger("actioncast").level == logging.NOTSET


def test_a_report_of_failure_is_exit_code_1(config: str) -> None:
    assert run_script(["--config", config], None, lambda *_: StubReport(failed=True)) == 1


def test_an_error_is_exit_code_1_and_hides_secrets(config: str, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "s3cret")

    def run(*_: object) -> StubReport:
        raise ActioncastError("the key s3cret was refused")

    assert run_script(["--config", config, "--json"], None, run) == 1
    printed = capsys.readouterr()
    assert "error: the key *** was refused\n" in printed.err
    assert json.loads(printed.out) == {"outcome": "failed", "error": "the key *** was refused"}


def test_a_wrong_config_is_exit_code_2(config: str, capsys: Any) -> None:
    Path(config).write_text("[series]\n")
    assert run_script(["--config", config], None, lambda *_: StubReport()) == 2
    assert "error: " in capsys.readouterr().err


def test_a_wrong_database_url_is_exit_code_2(config: str, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setenv("DATABASE_URL", "s3cret")
    assert run_script(["--config", config], None, lambda *_: StubReport()) == 2
    assert "s3cret" not in capsys.readouterr().err


def test_a_script_adds_its_own_flags(config: str) -> None:
    heard: list[int] = []

    def run(arguments: argparse.Namespace, *_: object) -> StubReport:
        heard.append(arguments.hours)
        return StubReport()

    def add_flags(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--hours", type=int)

    run_script(["--config", config, "--hours", "3"], None, run, add_flags)
    assert heard == [3]


def test_urllib3_does_not_log_urls(config: str, capsys: Any) -> None:
    def run(*_: object) -> StubReport:
        logging.getLogger("urllib3.connectionpool").warning("Retrying /a?key=s3cret")
        return StubReport()

    run_script(["--config", config], None, run)
    assert "s3cret" not in capsys.readouterr().err


def test_a_time_without_an_offset_is_utc() -> None:
    assert parse_time("2022-03-04") == datetime(2022, 3, 4, tzinfo=UTC)
    with pytest.raises(argparse.ArgumentTypeError, match="'noon' is not an ISO 8601 time"):
        parse_time("noon")


def test_importing_the_module_has_no_effect_on_logging() -> None:
    assert script.log.level == logging.NOTSET
