"""The command that keeps the clock of the workflows in step with config.toml."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from actioncast.cli import bill, schedule
from actioncast.config import load_settings
from tests.support.checkout import CONFIG, ROOT


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The workflows and a config.toml, apart from this checkout."""
    shutil.copytree(ROOT / ".github/workflows", tmp_path / ".github/workflows")
    (tmp_path / "config.toml").write_text(CONFIG.read_text())
    monkeypatch.setattr(schedule, "ROOT", tmp_path)
    monkeypatch.setattr(schedule, "load_settings", lambda: load_settings(tmp_path / "config.toml", {}))
    return tmp_path


def change(copy: Path, before: str, after: str) -> None:
    text = (copy / "config.toml").read_text()
    assert before in text
    (copy / "config.toml").write_text(text.replace(before, after))


def test_the_shipped_workflows_agree_with_the_shipped_config(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert schedule.main([]) == 0
    assert bill.as_text(bill.month(load_settings(CONFIG, {}))) in capsys.readouterr().out


def test_another_clock_is_a_difference_until_it_is_written(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(copy, "forecast_hours = 6", "forecast_hours = 3")
    assert schedule.main([]) == 1
    complaint = capsys.readouterr().err
    assert "make_predictions.yml: the schedule is '37 */6 * * *', and config.toml says '37 */3 * * *'" in complaint
    assert schedule.COMMAND in complaint
    assert schedule.main(["--write"]) == 0
    assert "written: make_predictions.yml 37 */3 * * *" in capsys.readouterr().out
    assert schedule.main([]) == 0


def test_a_slow_clock_that_would_cause_false_alarms_is_warned_of(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(copy, "load_hours = 1 ", "load_hours = 12 ")
    assert schedule.main(["--write"]) == 0
    printed = capsys.readouterr().out
    for key in ("actual", "workflow_hours, update_real_data.yml,"):
        assert f"freshness.{key} is 12 h and the clock comes every 12 h; allow 24 h at least" in printed


def test_a_clock_that_cron_cannot_keep_is_a_wrong_config(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(copy, "forecast_hours = 6", "forecast_hours = 5")
    assert schedule.main([]) == 2
    assert "schedule.forecast_hours" in capsys.readouterr().err
