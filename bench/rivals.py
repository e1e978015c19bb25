"""The champion behind MLflow and BentoML, for bench/api.py. Runs in the venv of requirements/bench-api.in.

Both get the same fitted numbers and hours as our API and answer bare numbers: no database, nothing stored.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from actioncast.forecasting import champion, forecaster
from actioncast.periods.grid import Grid

FOLDER = "BENCH_MODEL"  # variable: the champion's folder, with the known hours in hours.npy
START = datetime(2022, 1, 1, tzinfo=UTC)


class Champion:
    """The hours after the known ones."""

    def __init__(self) -> None:
        folder = Path(os.environ[FOLDER])
        self._forecaster = champion.load_champion(folder).forecaster
        self._known = Grid(START, np.load(folder / "hours.npy"))

    def forecast(self, hours: int) -> list[float]:
        return [float(value) for value in forecaster.forecast(self._forecaster, self._known, hours).prediction]


def save_for_mlflow(folder: str) -> None:
    """As `mlflow models serve` wants it."""
    import mlflow.pyfunc

    class Model(mlflow.pyfunc.PythonModel):  # type: ignore[misc, name-defined]
        def load_context(self, context: Any) -> None:  # noqa: ARG002
            self.champion = Champion()

        def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]  # noqa: ARG002
            return self.champion.forecast(int(np.asarray(model_input).ravel()[0]))

    mlflow.pyfunc.save_model(folder, python_model=Model(), pip_requirements=[])
