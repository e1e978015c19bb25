"""Neptune in offline mode: one run per training, in a log on disk, and the reader of that log.

Nothing of Neptune is imported before a run is recorded, and the package is imported by name: it is
optional.
"""

from __future__ import annotations

import importlib
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

from actioncast.redaction import secret_values
from actioncast.settings import SettingsError
from actioncast.tracking.run import (
    TrainingRun,
    labels_of,
    notes_of,
    scores_of,
    short_key,
    short_text,
)
from actioncast.tracking.tracker import guarded, process_environment

NEPTUNE_PACKAGES = "neptune==1.14.0.post2"
NEPTUNE_MODES = ("offline", "debug")


class NeptuneTracker:
    """Writes Neptune's offline format below `directory`/.neptune; `read_neptune_log` reads it back.

    The hosted service closed on 2026-03-05, so `mode` is "offline", or "debug" (which writes
    nothing); any other raises SettingsError. No source code, host name or output is captured, and
    files are copied into the log.
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
        """Store the run as fields and files of one offline log; return where it lies.

        Raises TrackingError.
        """
        return guarded(
            lambda: self._record(run),
            service="Neptune",
            packages=NEPTUNE_PACKAGES,
            secrets=secret_values("", os.environ),
        )

    def _record(self, run: TrainingRun) -> str:
        folder = self.directory.resolve() / ".neptune"
        environment = process_environment({"NEPTUNE_DATA_DIRECTORY": str(folder)})
        # The package warns that it should be installed under another name.
        with environment, _same_excepthook(), warnings.catch_warnings(record=True):
            neptune = importlib.import_module("neptune")
            _send_neptune_messages_to_logging()
            self._write(neptune, run)
        if self.mode == "debug":
            return "Neptune: debug mode, nothing was written"
        return f"Neptune: run {run.run_id} in {folder / 'offline'}"

    def _write(self, neptune: Any, run: TrainingRun) -> None:
        log = neptune.init_run(
            mode=self.mode,
            name=run.title,
            source_files=[],
            capture_stdout=False,
            capture_stderr=False,
            capture_hardware_metrics=False,
            capture_traceback=False,
            git_ref=False,
        )
        try:
            for path, value in _fields(self.project, run).items():
                log[path] = value
            for file in run.files:
                extension = file.suffix.lstrip(".")
                content = neptune.types.File.from_content(file.read_bytes(), extension=extension)
                log[f"files/{file.name}"].upload(content)
        finally:
            log.stop()


def _fields(project: str, run: TrainingRun) -> dict[str, bool | int | float | str]:
    """The run as Neptune's fields: path -> value."""
    fields = {
        "project": project,
        "run_id": run.run_id,
        "series": run.series_id,
        "started_at": run.started_at.isoformat(),
        "finished_at": run.finished_at.isoformat(),
        "window/start": run.window_start.isoformat(),
        "window/end": run.window_end.isoformat(),
        "window/periods": run.periods,
        "verdict": run.verdict,
        "reason": run.reason,
        "version": run.version,
        "git_sha": run.git_sha,
        **{f"metrics/{name}": value for name, value in scores_of(run, "/").items()},
        **{f"notes/{candidate}": note for candidate, note in notes_of(run).items()},
        **{f"parameters/{short_key(name)}": value for name, value in run.settings.items()},
        **{f"libraries/{name}": version for name, version in run.library_versions.items()},
        **labels_of(run, "/"),
    }
    return {path: _value(value) for path, value in fields.items() if value is not None}


def _value(value: Any) -> bool | int | float | str:
    """A value that Neptune stores. NaN and infinity, which it drops with a warning, become text."""
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
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.WARNING)


@contextmanager
def _same_excepthook() -> Iterator[None]:
    """Neptune replaces `sys.excepthook` at the first run and leaves it so."""
    before = sys.excepthook
    try:
        yield
    finally:
        sys.excepthook = before


def read_neptune_log(directory: Path) -> list[dict[str, Any]]:
    """Read every run that `NeptuneTracker` left below `directory`/.neptune, oldest first; needs no
    Neptune package.

    Each run: `id`, `created_at` (ISO, UTC, or None), `fields` {path: value}, `files` {path: Path of
    the copy} and `not_read` {what: how often}, which counts broken lines and other operations.
    Returns [] when there is no log.
    """
    folders = {path.parent for path in (directory / ".neptune").rglob("data-*.log")}
    runs = [_read_run(folder) for folder in sorted(folders)]
    return sorted(runs, key=lambda run: run["created_at"] or "")


def _read_run(folder: Path) -> dict[str, Any]:
    metadata = {}
    metadata_file = folder / "metadata.json"
    if metadata_file.exists():
        metadata = json.loads(metadata_file.read_text(encoding="utf-8"))
    run: dict[str, Any] = {
        "id": metadata.get("containerId", folder.name),
        "created_at": metadata.get("createdAt"),
        "fields": {},
        "files": {},
        "not_read": {},
    }
    # A long log is split into data-<first version>.log; the newer part comes later.
    for path in sorted(folder.glob("data-*.log"), key=_first_version):
        for line in path.read_text(encoding="utf-8").splitlines():
            _apply_line(line, run, folder)
    return run


def _first_version(log: Path) -> int:
    return int(log.stem.partition("-")[2])


def _apply_line(line: str, run: dict[str, Any], folder: Path) -> None:
    """Carry out one operation of the log on `run`."""
    try:
        operation = json.loads(line)["obj"]
        kind = operation["type"]
        path = "/".join(operation["path"])
    except (ValueError, KeyError, TypeError):
        operation = {}
        kind = "broken line"
        path = ""
    if kind.startswith("Assign") and "value" in operation:
        run["fields"][path] = operation["value"]
    elif kind == "UploadFile" and operation.get("tmp_file_name"):
        run["files"][path] = folder / "upload_path" / operation["tmp_file_name"]
    else:
        run["not_read"][kind] = run["not_read"].get(kind, 0) + 1
