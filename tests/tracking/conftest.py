"""A training run, and a process that no tracker is configured in."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from actioncast.tracking.run import TrainingRun

CANARY = "canary-Passw0rd"
STARTED = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
FINISHED = datetime(2026, 3, 1, 12, 31, tzinfo=UTC)


@pytest.fixture
def run(tmp_path: Path) -> TrainingRun:
    card = tmp_path / "model" / "card.json"
    card.parent.mkdir()
    card.write_text('{"recipe": "ridge"}')
    return TrainingRun(
        run_id="0123456789abcdef0123456789abcdef",
        series_id="mempool",
        started_at=STARTED,
        finished_at=FINISHED,
        window_start=datetime(2026, 1, 1, tzinfo=UTC),
        window_end=datetime(2026, 3, 1, tzinfo=UTC),
        periods=1416,
        leaderboard=[
            {"candidate": "ridge", "mae": 600.5, "mase": 0.8, "seconds": 2},
            {"candidate": "blend(ridge+forest)", "mae": float("nan"), "mase": None, "seconds": 4.5},
            {"candidate": "lightgbm", "mae": None, "mase": None, "seconds": None, "note": "package missing"},
        ],
        champion={"name": "naive", "mae": 729.0, "version": "20260201"},
        challenger={"name": "ridge", "mae": 600.5, "version": "20260301"},
        verdict="promoted",
        reason="17 % better",
        git_sha="a" * 40,
        library_versions={"numpy": "2.4.6"},
        settings={"horizon_hours": 168, "candidates": ["ridge", "naive"], "refit": True, "note": None},
        files=[card],
    )


@pytest.fixture(autouse=True)
def own_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("MLFLOW_", "NEPTUNE_", "GITHUB_SHA"))]:
        monkeypatch.delenv(name)
