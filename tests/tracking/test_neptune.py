"""The real Neptune client, offline, and the reader of its log."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from dataclasses import replace
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from actioncast.settings import SettingsError
from actioncast.tracking import neptune
from actioncast.tracking.neptune import NeptuneTracker
from actioncast.tracking.record import open_trackers
from actioncast.tracking.run import TrainingRun
from actioncast.tracking.tracker import TrackingError

ROOT = Path(__file__).resolve().parents[2]


def skip_without_neptune() -> None:
    """Not importorskip: the import warns about the package's name, which the tracker keeps to itself."""
    if find_spec("neptune") is None:
        pytest.skip("neptune is not installed: pip install neptune-client")


def test_neptune_offline_run_reads_back(tmp_path: Path, run: TrainingRun, capfd: pytest.CaptureFixture[str]) -> None:
    skip_without_neptune()
    hook = sys.excepthook
    line = NeptuneTracker("team/forecasts", directory=tmp_path).record(run)
    run.files[0].write_text("overwritten by the next training")

    (stored,) = neptune.read_neptune_log(tmp_path)
    assert line == f"Neptune: run {run.run_id} in {tmp_path / '.neptune' / 'offline'}"
    fields = {path: value for path, value in stored["fields"].items() if not path.startswith(("sys/", "source_code/"))}
    assert fields == {
        "project": "team/forecasts",
        "run_id": run.run_id,
        "series": "mempool",
        "started_at": "2026-03-01T12:30:00+00:00",
        "finished_at": "2026-03-01T12:31:00+00:00",
        "window/start": "2026-01-01T00:00:00+00:00",
        "window/end": "2026-03-01T00:00:00+00:00",
        "window/periods": 1416,
        "verdict": "promoted",
        "reason": "17 % better",
        "version": "20260301",
        "git_sha": "a" * 40,
        "metrics/mae/ridge": 600.5,
        "metrics/mase/ridge": 0.8,
        "metrics/seconds/ridge": 2.0,
        "metrics/mae/blend_ridge_forest_": "NaN",
        "metrics/seconds/blend_ridge_forest_": 4.5,
        "metrics/champion/mae": 729.0,
        "metrics/challenger/mae": 600.5,
        "notes/lightgbm": "package missing",
        "parameters/horizon_hours": 168,
        "parameters/candidates": '["ridge", "naive"]',
        "parameters/refit": True,
        "libraries/numpy": "2.4.6",
        "champion/name": "naive",
        "champion/version": "20260201",
        "challenger/name": "ridge",
        "challenger/version": "20260301",
    }
    assert stored["files"]["files/card.json"].read_text() == '{"recipe": "ridge"}', "a copy, not a path to the original"
    assert datetime.fromisoformat(stored["created_at"]).tzinfo is not None
    assert sys.excepthook is hook
    assert capfd.readouterr().out == ""
    assert "NEPTUNE_DATA_DIRECTORY" not in os.environ


def test_neptune_log_names_neither_host_nor_source(tmp_path: Path, run: TrainingRun) -> None:
    skip_without_neptune()
    print("something on stdout")
    NeptuneTracker("team/forecasts", directory=tmp_path).record(run)
    texts = [path.read_text() for path in (tmp_path / ".neptune").rglob("*") if path.is_file()]
    assert any("mempool" in text for text in texts)
    for word in (socket.gethostname(), "something on stdout", "monitoring/", "git_ref", "def test_"):
        assert word not in " ".join(texts)
    (stored,) = neptune.read_neptune_log(tmp_path)
    assert stored["not_read"] == {"UploadFileSet": 1}, "the empty list of source files"


def test_neptune_debug_writes_nothing(tmp_path: Path, run: TrainingRun) -> None:
    skip_without_neptune()
    line = NeptuneTracker("team/forecasts", mode="debug", directory=tmp_path).record(run)
    assert line == "Neptune: debug mode, nothing was written"
    assert neptune.read_neptune_log(tmp_path) == []


@pytest.mark.parametrize("mode", ["async", "sync", "read-only", "Offline"])
def test_neptune_refuses_the_modes_that_need_the_service(mode: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"closed on 2026-03-05.*NEPTUNE_MODE=offline") as caught:
        open_trackers({"NEPTUNE_MODE": mode}, tmp_path)
    assert repr(mode) in str(caught.value)


def test_neptune_failure_still_closes_the_run(tmp_path: Path, run: TrainingRun) -> None:
    skip_without_neptune()
    threads = threading.active_count()
    with pytest.raises(TrackingError, match=r"Neptune: FileNotFoundError: .*gone\.json"):
        NeptuneTracker("p", directory=tmp_path).record(replace(run, files=[tmp_path / "gone.json"]))
    assert threading.active_count() == threads
    (stored,) = neptune.read_neptune_log(tmp_path)
    assert stored["fields"]["run_id"] == run.run_id


def test_a_log_in_parts_with_a_torn_last_line_is_read(tmp_path: Path) -> None:
    folder = tmp_path / ".neptune" / "offline" / "run__1"
    folder.mkdir(parents=True)
    first: list[dict[str, Any]] = [
        {"type": "UploadFile", "path": ["files", "card"], "file_path": None, "tmp_file_name": "card.json"},
        {"type": "AssignInt", "path": ["window", "periods"], "value": 1},
    ]
    second: list[dict[str, Any]] = [
        {"type": "AssignInt", "path": ["window", "periods"], "value": 2},
        {"type": "DeleteAttribute", "path": ["x"]},
    ]
    write_part(folder / "data-2.log", first)
    write_part(folder / "data-10.log", second, torn='{"obj": {"type": "Assi')
    assert neptune.read_neptune_log(tmp_path) == [
        {
            "id": "run__1",
            "created_at": None,
            "fields": {"window/periods": 2},
            "files": {"files/card": folder / "upload_path" / "card.json"},
            "not_read": {"DeleteAttribute": 1, "broken line": 1},
        }
    ]


def write_part(path: Path, operations: list[dict[str, Any]], torn: str = "") -> None:
    lines = [json.dumps({"obj": operation, "version": 1, "at": 1.0}) for operation in operations]
    path.write_text("\n".join([*lines, torn]))
