"""The tutorial's endpoint on today's libraries, step for step, to measure against. Not used by the project.

Each request unpickles the model, downloads and sums the whole series, forecasts from the end of the training and writes
one autocommitted INSERT per hour. It answers null, as the original does. The forest is the smallest of the tutorial's
grid that reaches its depth: 100 trees of depth 10, where its search may choose 500.

    uvicorn bench.tutorial_api:app      # DATABASE_URL, SOURCE_URL, MODEL_DIRECTORY
"""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
from fastapi import FastAPI
from sqlalchemy import create_engine, text

from bench.tutorial_etl import _hours

CREATE = "create table if not exists predictions (prediction_date timestamp primary key, prediction double precision)"
app = FastAPI()


def train(folder: Path, values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    """The last 164 hours, 10 lags and the mean of the last 20."""
    from skforecast.preprocessing import RollingFeatures
    from skforecast.recursive import ForecasterRecursive
    from sklearn.ensemble import RandomForestRegressor

    forecaster = ForecasterRecursive(
        RandomForestRegressor(n_estimators=100, max_depth=10, random_state=123),
        lags=10,
        window_features=RollingFeatures(stats=["mean"], window_sizes=[20]),
    )
    forecaster.fit(pd.Series(values[-164:]))
    (folder / "model.pickle").write_bytes(pickle.dumps(forecaster))
    (folder / "last_training_date.pickle").write_bytes(pickle.dumps(pd.Timestamp("2022-03-04")))


@app.post("/forecast")
def forecast(num_predictions: int = 168, return_predictions: bool = True) -> None:  # noqa: ARG001
    folder = Path(os.environ["MODEL_DIRECTORY"])
    forecaster = pickle.loads((folder / "model.pickle").read_bytes())  # noqa: S301  as the original, its own file
    last_training_date = pickle.loads((folder / "last_training_date.pickle").read_bytes())  # noqa: S301
    _hours(os.environ["SOURCE_URL"])  # downloaded, summed and then not used, as in the original
    predictions = forecaster.predict(num_predictions)
    engine = create_engine(os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg2:"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(CREATE))
        for hour, prediction in enumerate(predictions):
            date = last_training_date + pd.Timedelta(hours=hour)
            connection.execute(
                text(
                    f"insert into predictions (prediction_date, prediction) values ('{date}', {prediction}) "
                    f"on conflict (prediction_date) do update set prediction = {prediction}"
                )
            )
    engine.dispose()
