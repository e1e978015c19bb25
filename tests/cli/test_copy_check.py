"""The small check of a copy; tests/workflows/test_copy.py runs it whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from actioncast.cli import copy_check
from actioncast.config import load_settings
from actioncast.settings import Settings
from tests.support.stage import Stage

CONFIG = """
[series.demo]
unit = "x"
source = { kind = "python", function = "plant_meter:read" }

[series.other]
unit = "x"
source = { kind = "file", path = "other.csv" }
exogenous = { heat = { kind = "python", function = "weather.stations:read" } }
"""
READ = "def read(since, until):\n    return []\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy with two sources of its own, in which the rehearsal succeeds."""
    (tmp_path / "config.toml").write_text(CONFIG)
    (tmp_path / "utils.py").write_text("SETS = {}\n")
    (tmp_path / "plant_meter.py").write_text(READ)
    (tmp_path / "weather").mkdir()
    (tmp_path / "weather" / "stations.py").write_text(READ)
    monkeypatch.setattr(copy_check, "_rehearses", lambda _: True)
    monkeypatch.setattr("actioncast.config.DEFAULT_CONFIG", tmp_path / "config.toml")
    return tmp_path


def settings_of(project: Path) -> Settings:
    return load_settings(project / "config.toml", {})


def test_a_sound_copy_has_no_problem(project: Path) -> None:
    assert copy_check.main() == 0


def test_a_wrong_config_is_exit_code_2(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "config.toml").write_text(CONFIG + "horizn = 3\n")
    assert copy_check.main() == 2
    assert "unknown key series.other.horizn" in capsys.readouterr().err


def test_another_clock_than_the_workflows_have_is_a_notice(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "config.toml").write_text(CONFIG + "\n[schedule]\nload_hours = 2\n")
    assert copy_check.main() == 0
    assert "::notice title=The clock is not that of config.toml::update_real_data.yml" in capsys.readouterr().out


def test_a_module_that_is_not_there_is_named(project: Path) -> None:
    (project / "plant_meter.py").unlink()
    problems = copy_check.check(settings_of(project))
    assert list(problems) == ["There is no plant_meter:read"]


@pytest.mark.parametrize("file", ["utils.py", "plant_meter.py", "weather/stations.py"])
def test_an_error_in_a_module_of_the_user_is_found(project: Path, file: str) -> None:
    (project / file).write_text("def read(since, until):\n    return nothing\n")
    assert list(copy_check.check(settings_of(project))) == ["The linter has found errors"]


def test_a_long_line_and_an_unused_argument_are_no_errors(project: Path) -> None:
    (project / "plant_meter.py").write_text(f"{READ}\n\nNOTE = '{'long ' * 50}'\n".replace("'", '"'))
    assert copy_check.check(settings_of(project)) == {}


def test_champions_are_loaded_and_a_broken_one_is_named(
    project: Path, stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.train(stage.load())
    (project / "config.toml").write_text(CONFIG)
    broken = project / "model" / "gone"
    broken.mkdir()
    (broken / "card.json").write_text("{}")
    problems = copy_check.check(settings_of(project))
    assert list(problems) == ["The champion of gone does not load"]
    assert "demo: " in capsys.readouterr().out


def test_a_rehearsal_that_fails_is_a_problem(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copy_check, "_rehearses", lambda _: False)
    assert list(copy_check.check(settings_of(project))) == ["The rehearsal of a day failed"]
