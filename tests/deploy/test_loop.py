"""The loop without a scheduler, with scripts that only write down that they ran."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from actioncast.config import load_settings
from actioncast.database.database import open_database
from deploy import loop

SERIES = {"unit": "x", "source": {"kind": "file", "path": "x.csv"}}
CONFIG = '[series.demo]\nunit = "x"\nsource = { kind = "file", path = "x.csv" }\n'
SCRIPTS = ("update_real_data", "make_predictions", "check_retrain", "train")
SCRIPT = """
import json, sys
series_id = sys.argv[sys.argv.index("--series") + 1]
open({ran!r}, "a").write("{name}:" + series_id + " ")
print(json.dumps({{"series": series_id, "verdict": "{verdict}"}}))
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one series, and scripts whose check finds the live error good."""
    (tmp_path / "config.toml").write_text(CONFIG)
    monkeypatch.setattr("actioncast.cli.script.ROOT", tmp_path)
    monkeypatch.setattr(loop, "load_settings", lambda: load_settings(tmp_path / "config.toml", {}))
    write_scripts(tmp_path, verdict="good")
    return tmp_path


def write_scripts(folder: Path, verdict: str) -> None:
    for name in SCRIPTS:
        text = SCRIPT.format(ran=str(folder / "ran"), name=name, verdict=verdict)
        (folder / f"{name}.py").write_text(text)


def crown(folder: Path, series_id: str) -> None:
    """Put a champion where the loop looks for one."""
    directory = load_settings(folder / "config.toml", {}).model_directory(series_id)
    directory.mkdir(parents=True)
    (directory / "card.json").write_text("{}")


def add_row(folder: Path, series_id: str) -> None:
    """Add a series as a row of the table `series`."""
    with open_database(load_settings(folder / "config.toml", {})):
        pass  # makes the tables
    with closing(sqlite3.connect(folder / "actioncast.db")) as connection, connection:
        connection.execute("insert into series values (?, ?)", (series_id, json.dumps(SERIES)))


def scripts_of(folder: Path, series_id: str) -> list[str]:
    """The scripts that ran for this series, in order."""
    runs = [run.split(":") for run in (folder / "ran").read_text().split()]
    return [name for name, series in runs if series == series_id]


@pytest.mark.parametrize(
    ("verdict", "champion", "expected"),
    [
        ("good", True, "update_real_data make_predictions check_retrain"),
        ("good", False, "update_real_data train make_predictions check_retrain"),
        ("retrain", True, "update_real_data make_predictions check_retrain train make_predictions"),
    ],
)
def test_a_round_runs_what_is_due(project: Path, verdict: str, champion: bool, expected: str) -> None:
    write_scripts(project, verdict)
    if champion:
        crown(project, "demo")
    assert loop.main([]) == 0
    assert scripts_of(project, "demo") == expected.split()


def test_series_of_the_table_are_run_too(project: Path) -> None:
    add_row(project, "of_the_table")
    assert loop.main([]) == 0
    expected = ["update_real_data", "train", "make_predictions", "check_retrain"]
    assert scripts_of(project, "demo") == expected
    assert scripts_of(project, "of_the_table") == expected


@pytest.mark.parametrize(("verdict", "expected"), [("good", ["new"]), ("retrain", ["demo", "new"])])
def test_due_prints_only_the_series_that_want_a_training(
    project: Path, capfd: pytest.CaptureFixture[str], verdict: str, expected: list[str]
) -> None:
    write_scripts(project, verdict)
    crown(project, "demo")
    add_row(project, "new")
    assert loop.main(["--due"]) == 0
    assert capfd.readouterr().out.split() == expected


def test_a_script_that_fails_is_named_and_stops_no_other_series(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    add_row(project, "new")
    fails_for_demo = f"if 'demo' in sys.argv: raise SystemExit(1)\n{SCRIPT}"
    text = fails_for_demo.format(ran=str(project / "ran"), name="train", verdict="kept")
    (project / "train.py").write_text(f"import sys\n{text}")
    assert loop.main([]) == 1
    assert "error: demo: train.py ended with exit code 1" in capfd.readouterr().err
    assert scripts_of(project, "demo") == ["update_real_data"]
    assert scripts_of(project, "new") == ["update_real_data", "train", "make_predictions", "check_retrain"]


def test_an_alarm_of_the_check_is_a_failure(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    crown(project, "demo")
    check = project / "check_retrain.py"
    check.write_text(check.read_text().replace("good", "alarm") + "raise SystemExit(1)\n")
    assert loop.main([]) == 1
    assert "check_retrain.py ended with a failure" in capfd.readouterr().err


def test_a_wrong_configuration_is_exit_code_2(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (project / "config.toml").write_text(CONFIG + "nonsense = 1\n")
    assert loop.main([]) == 2
    assert "nonsense" in capfd.readouterr().err
