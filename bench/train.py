"""How long train.py's whole main job takes, against the tutorial's grid search.

    python -m bench.train

A fresh folder and database hold the two years of data/bike_sharing_dc.csv.gz (17,544 hours); `python train.py` runs
there as a user runs it, process start and imports included. The tutorial's job is its grid (random forest, 100 or 500
trees, depth 3, 5 or 10, ten lags and a window mean, cross-validated at ten steps on 164 hours), in this process.
Prints a table, or with --json {"actioncast": {"seconds", "hours", "model_bytes", "load_and_forecast_seconds"},
"tutorial_grid": {"seconds", "hours"}, "ratio"}. Exit codes: 0 measured; 1 train.py failed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from actioncast.config import load_settings
from actioncast.database.database import Database, open_database
from actioncast.forecasting import features, forecaster
from actioncast.forecasting.champion import load_champion
from actioncast.paths import ROOT
from actioncast.periods.grid import Grid, Periods
from actioncast.text import table
from actioncast.times import HOUR, HOURS_PER_WEEK, ONE_HOUR, isoformat, to_seconds
from bench.accuracy import bikes
from bench.methods import SEASONS, TUTORIAL_HOURS

CONFIG = '[series.bikes]\nsource = { kind = "file", path = "none.csv" }\nunit = "rentals/h"\n'


def measure_training(history: Grid, folder: Path) -> dict[str, Any]:
    """Seconds of train.py in a folder of its own, then of one load and forecast of what it promoted."""
    config = folder / "config.toml"
    config.write_text(CONFIG)
    database_url = f"sqlite:///{folder / 'bench.db'}"
    settings = load_settings(config, {"DATABASE_URL": database_url})
    with open_database(settings) as database:
        _store(database, history)
    seconds = _run_training(config, database_url, now=history.end + ONE_HOUR)
    begun = time.perf_counter()
    champion = load_champion(settings.model_directory("bikes"))
    forecaster.forecast(champion.forecaster, Grid(history.start, history.values), HOURS_PER_WEEK)
    return {
        "seconds": round(seconds, 2),
        "hours": len(history),
        "model_bytes": champion.card.bytes,
        "load_and_forecast_seconds": round(time.perf_counter() - begun, 3),
    }


def _store(database: Database, history: Grid) -> None:
    """Put the history into the table reality."""
    stored = np.flatnonzero(~np.isnan(history.values))
    hours = Periods(
        starts=to_seconds(history.start) + HOUR * stored,
        values=history.values[stored],
        samples=np.ones(len(stored), dtype=np.int64),
    )
    run_row = {
        "run_id": "bench",
        "series_id": "bikes",
        "started_at": history.start,
        "finished_at": history.start,
        "points_read": len(stored),
        "points_rejected": 0,
        "periods_missing": 0,
        "message": "",
        "outcome": "loaded",
    }
    database.load_periods("bikes", hours, history.start, run_row)


def _run_training(config: Path, database_url: str, *, now: datetime) -> float:
    """Seconds of the process."""
    command = [sys.executable, "train.py", "--config", str(config), "--json", "--now", isoformat(now)]
    begun = time.perf_counter()
    subprocess.run(command, cwd=ROOT, env={"DATABASE_URL": database_url}, check=True, capture_output=True)
    return time.perf_counter() - begun


def measure_tutorial_grid(history: Grid) -> dict[str, Any]:
    """The tutorial's search on its 164 hours."""
    import pandas as pd
    from skforecast.model_selection import TimeSeriesFold, grid_search_forecaster
    from skforecast.preprocessing import RollingFeatures
    from skforecast.recursive import ForecasterRecursive
    from sklearn.ensemble import RandomForestRegressor

    values = features.fill_missing(history.values, SEASONS)[-TUTORIAL_HOURS:]
    y = pd.Series(values, index=pd.date_range("2012-01-01", periods=len(values), freq="h"))
    model = ForecasterRecursive(
        estimator=RandomForestRegressor(random_state=123, n_jobs=1),
        lags=10,
        window_features=RollingFeatures(stats=["mean"], window_sizes=[20]),
    )
    begun = time.perf_counter()
    grid_search_forecaster(
        forecaster=model,
        y=y,
        param_grid={"n_estimators": [100, 500], "max_depth": [3, 5, 10]},
        cv=TimeSeriesFold(steps=10, initial_train_size=int(len(y) * 0.5), refit=True, fixed_train_size=False),
        metric="mean_squared_error",
        return_best=True,
        n_jobs=1,
        verbose=False,
        show_progress=False,
    )
    return {"seconds": round(time.perf_counter() - begun, 2), "hours": len(y)}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout instead of a table")
    flags = parser.parse_args(argv)
    history = bikes()
    try:
        with tempfile.TemporaryDirectory() as folder:
            training = measure_training(history, Path(folder))
        tutorial = measure_tutorial_grid(history)
    except subprocess.CalledProcessError as error:
        print(error.stderr.decode(), file=sys.stderr)
        return 1
    if flags.json:
        ratio = round(tutorial["seconds"] / training["seconds"], 2)
        print(json.dumps({"actioncast": training, "tutorial_grid": tutorial, "ratio": ratio}))
    else:
        rows = [
            ["actioncast", training["seconds"], training["hours"]],
            ["tutorial_grid", tutorial["seconds"], tutorial["hours"]],
        ]
        print(table(["job", "seconds", "hours"], rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
