"""The bench of the state branch, on a few hours."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench import state
from bench.state import Clock, Cost, Figures

DAY = datetime(2026, 11, 15, tzinfo=UTC)


def test_a_day_of_one_series_sends_far_less_than_the_old_form(tmp_path: Path) -> None:
    week = timedelta(days=7)
    figures = state.one_series(tmp_path, {"a day": DAY}, history=week, vintages=week)
    (cost,) = figures.costs
    assert cost.saves == 28
    assert 0 < cost.mib < 0.2
    assert cost.old_mib is not None
    assert cost.old_mib > 10 * cost.mib
    assert figures.restore_seconds > 0
    assert figures.save_seconds > 0


def test_a_fleet_saves_once_a_day(tmp_path: Path) -> None:
    clock = Clock(series=2, load_hours=24, forecast_hours=24, horizon=3)
    saves, mib = state.fleet(tmp_path / "fleet", clock, [DAY, DAY + timedelta(days=1)], history=timedelta(days=2))
    assert saves == 4, "a load and a forecast"
    assert 0 < mib < 0.02


def test_the_figures_are_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    figures = Figures([Cost("a day", 28, 0.1, 200.0), Cost("a fleet", 2, 0.5)], restore_seconds=0.5, save_seconds=0.4)
    monkeypatch.setattr(state, "measure", lambda: figures)
    assert state.main([]) == 0
    assert "| 2000" in capsys.readouterr().out.replace(",", "")
    assert state.main(["--json"]) == 0
    assert json.loads(capsys.readouterr().out)["costs"][0]["old_mib"] == 200
