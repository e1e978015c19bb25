"""The tutorial's ingestion on today's libraries, step for step, to measure against. Not used by the project.

It downloads the whole series each time, rounds stamps to the nearest hour, sums the rates of an hour and writes one
autocommitted INSERT per row, from the newest stored hour on. Only what today's libraries no longer take was changed.

    python -m bench.tutorial_etl URL      # DATABASE_URL names the database
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime

import pandas as pd
import requests
from sqlalchemy import create_engine, text

CREATE = "create table if not exists reality (reality_date timestamp primary key, reality double precision)"


def main(url: str) -> None:
    engine = create_engine(os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg2:"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(CREATE))
        newest = connection.execute(text("select max(reality_date) from reality")).scalar()
        hours = _hours(url)
        if newest is not None:
            hours = hours[hours["x"] >= newest]
        for _, row in hours.iterrows():
            connection.execute(
                text(
                    f"insert into reality (reality_date, reality) values ('{row['x']}', {row['y']}) "
                    f"on conflict (reality_date) do update set reality = {row['y']}"
                )
            )
    engine.dispose()


def _hours(url: str) -> pd.DataFrame:
    body = requests.get(f"{url}?timespan=all&sampled=false&metadata=false&cors=true&format=json", timeout=60).json()
    points = pd.DataFrame(body["values"])
    points["x"] = [datetime.fromtimestamp(x, UTC).strftime("%Y-%m-%d %H:%M:%S") for x in points["x"]]
    points["x"] = pd.to_datetime(points["x"]).dt.round("h")
    return points.groupby("x").sum().reset_index()


if __name__ == "__main__":
    main(sys.argv[1])
