"""Neptune in offline mode: one run per training, on disk."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import logging
import math
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from actioncast.settings import SettingsError
from actioncast.tracking.run import (
    TrainingRun,
    guarded,
    is_number,
    process_environment,
    scores_of,
    secret_values,
    short_key,
    short_text,
)

NEPTUNE_PACKAGES = "neptune==1.14.0.post2"
NEPTUNE_MODES = ("offline", "debug")


class NeptuneTracker:
    """Writes Neptune's offline format below `directory`/.neptune; `read_neptune_log` reads it back.

    The hosted service closed on 2026-03-05, so `mode` is "offline", or "debug" (which writes nothing); any other raises
    SettingsError. No source code, host name or output is captured, and files are copied into the log.
    """

    name = "neptune"

    def __init__(self, project: str, mode: str = "offline", directory: Path = Path()) -> None:
        if mode not in NEPTUNE_MODES:
            raise SettingsError(
                f"NEPTUNE_MODE: expected one of {', '.join(NEPTUNE_MODES)}, got {mode!r}. Neptune's hosted service "
                "closed on 2026-03-05 and takes no runs; set NEPTUNE_MODE=offline, or record with MLflow "
                "(MLFLOW_TRACKING_URI=sqlite:///mlflow.db)"
            )
        self.project = project
        self.mode = mode
        self.directory = directory

    def record(self, run: TrainingRun) -> str:
        """Store the run as fields and files of one offline log; return its place. Raises TrackingError."""
        secrets = secret_values("", os.environ)
        return guarded("Neptune", NEPTUNE_PACKAGES, secrets, lambda: self._record(run))

    def _record(self, run: TrainingRun) -> str:
        home = self.directory.resolve() / ".neptune"
        environment = process_environment({"NEPTUNE_DATA_DIRECTORY": str(home)})
        # Its warnings ask for its package under another name.
        with environment, _same_excepthook(), warnings.catch_warnings(record=True):
            neptune = importlib.import_module("neptune")
            _send_neptune_messages_to_logging()
            self._write(neptune, run)
        if self.mode == "debug":
            return "Neptune: debug mode, nothing was written"
        return f"Neptune: run {run.run_id} in {home / 'offline'}"

    def _write(self, neptune: Any, run: TrainingRun) -> None:
        log = neptune.init_run(
            mode=self.mode,
            name=f"{run.series_id} {run.started_at:%Y-%m-%d %H:%M}",
            source_files=[],
            capture_stdout=False,
            capture_stderr=False,
            capture_hardware_metrics=False,
            capture_traceback=False,
            git_ref=False,
        )
        try:
            for path, value in _neptune_fields(self.project, run).items():
                log[path] = value
            for file in run.files:
                content = neptune.types.File.from_content(file.read_bytes(), extension=file.suffix.lstrip("."))
                log[f"files/{file.name}"].upload(content)
        finally:
            log.stop()


def _neptune_fields(project: str, run: TrainingRun) -> dict[str, bool | int | float | str]:
    fields = {
        "project": project,
        "run_id": run.run_id,
        "series": run.series_id,
        "started_at": run.started_at.isoformat(),
        "finished_at": run.finished_at.isoformat(),
        "window/start": run.window_start.isoformat(),
        "window/end": run.window_end.isoformat(),
        "window/hours": run.hours,
        "verdict": run.verdict,
        "reason": run.reason,
        "version": run.version,
        "git_sha": run.git_sha,
        **{f"metrics/{name}": value for name, value in scores_of(run, "/").items()},
        **{f"notes/{short_key(row['candidate'])}": row.get("note") for row in run.leaderboard},
        **{f"parameters/{short_key(name)}": value for name, value in run.settings.items()},
        **{f"libraries/{name}": version for name, version in run.library_versions.items()},
    }
    for role, model in (("champion", run.champion), ("challenger", run.challenger)):
        fields.update({f"{role}/{key}": value for key, value in (model or {}).items() if not is_number(value)})
    return {path: _neptune_value(value) for path, value in fields.items() if value is not None}


def _neptune_value(value: Any) -> bool | int | float | str:
    """Neptune drops NaN and infinity with a warning, so they are kept as text."""
    if isinstance(value, bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real) and math.isfinite(value):
        return float(value)
    return short_text(value)


def _send_neptune_messages_to_logging() -> None:
    """Neptune's own handlers write to stdout, which belongs to --json."""
    for name in ("neptune", "neptune_no_prefix"):
        theirs = logging.getLogger(name)
        theirs.handlers.clear()
        theirs.propagate = True
        theirs.setLevel(logging.WARNING)


@contextmanager
def _same_excepthook() -> Iterator[None]:
    """Neptune replaces `sys.excepthook` at the first run and leaves it so."""
    before = sys.excepthook
    try:
        yield
    finally:
        sys.excepthook = before


def read_neptune_log(directory: Path) -> list[dict[str, Any]]:
    """Read every run that a Neptune client left below `directory`/.neptune, synchronised or not, oldest first.

    Each run: `id`, `created_at` (ISO, UTC, or None), `fields` {path: value}, `series` {path: [(step, value, unix
    seconds)]}, `files` {path: Path of the copy or the original}, and `not_read` {what: how often}, which counts broken
    lines and operations that carry no value. Needs no Neptune package. Returns [] when there is no log.
    """
    homes = {path.parent for path in (directory / ".neptune").rglob("data-*.log")}
    runs = [_read_neptune_run(home) for home in sorted(homes)]
    return sorted(runs, key=lambda run: run["created_at"] or "")


def _read_neptune_run(home: Path) -> dict[str, Any]:
    metadata_file = home / "metadata.json"
    metadata = json.loads(metadata_file.read_text(encoding="utf-8")) if metadata_file.exists() else {}
    run: dict[str, Any] = {
        "id": metadata.get("containerId", home.name),
        "created_at": metadata.get("createdAt"),
        **{part: {} for part in ("fields", "series", "files", "not_read")},
    }
    # A log is split at 64 MB into data-<first version>.log
    for path in sorted(home.glob("data-*.log"), key=lambda log: int(log.stem.partition("-")[2])):
        for line in path.read_text(encoding="utf-8").splitlines():
            _apply_neptune_line(line, run, home)
    return run


def _apply_neptune_line(line: str, run: dict[str, Any], home: Path) -> None:
    try:
        operation = json.loads(line)["obj"]
        kind, path = operation["type"], "/".join(operation["path"])
    except (ValueError, KeyError, TypeError):
        kind, path, operation = "broken line", "", {}
    if kind.startswith("Assign") and "value" in operation:
        run["fields"][path] = operation["value"]
    elif kind in ("LogFloats", "LogStrings"):
        points = [(point["step"], point["value"], point["ts"]) for point in operation["values"]]
        run["series"].setdefault(path, []).extend(points)
    elif kind == "AddStrings":
        run["fields"][path] = sorted({*run["fields"].get(path, []), *operation["values"]})
    elif kind == "UploadFile":
        run["files"][path] = Path(operation["file_path"] or home / "upload_path" / operation["tmp_file_name"])
    else:
        run["not_read"][kind] = run["not_read"].get(kind, 0) + 1
