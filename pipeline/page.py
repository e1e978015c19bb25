"""The latest forecast as a static site: forecast.json and a plain table for each series.

    python -m pipeline.page site

Reads the database; writes the folder. Exit codes: 0 written; 1 the database failed; 2 wrong flags or config.toml.
"""

from __future__ import annotations

import argparse
import html
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline.database import Database, open_database
from pipeline.errors import ActioncastError
from pipeline.series import isoformat
from pipeline.settings import Settings, SettingsError, load_settings

COLUMNS = ("prediction", "lower", "upper")
HEAD = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>Forecasts</title><style>body{font:16px/1.4 system-ui;max-width:50em;margin:auto;padding:1em}"
    "td{text-align:right;padding:0 .7em}:root{color-scheme:light dark}</style>"
)


def latest(settings: Settings, database: Database, now: datetime) -> dict[str, Any]:
    """The forecast of every series from now on, as JSON."""
    return {name: _series(settings, database, name, now) for name in settings.series}


def _series(settings: Settings, database: Database, name: str, now: datetime) -> dict[str, Any]:
    wanted = settings.series[name]
    rows = database.performance(name, since=now, until=now + timedelta(hours=wanted.horizon))
    hours = [
        {"prediction_date": isoformat(row["prediction_date"]), **{key: row[key] for key in COLUMNS}} for row in rows
    ]
    issued = {"issued_at": isoformat(rows[-1]["issued_at"]), "model_version": rows[-1]["model_version"]} if rows else {}
    return {"title": wanted.title or name, "unit": wanted.unit, **issued, "predictions": hours}


def as_html(forecasts: dict[str, Any]) -> str:
    """One table a series; an empty one says what to do."""
    return HEAD + "".join(_table(name, forecast) for name, forecast in forecasts.items())


def _table(name: str, forecast: dict[str, Any]) -> str:
    head = f"<h1>{html.escape(forecast['title'])}</h1>"
    if not forecast["predictions"]:
        return f"{head}<p>There is no forecast of {html.escape(name)} yet: run the workflow make_predictions.</p>"
    issued = (
        f"<p>{html.escape(forecast['unit'])}; issued {forecast['issued_at']}, model {forecast['model_version']}</p>"
    )
    rows = "".join(
        f"<tr><th>{row['prediction_date']}</th>" + "".join(f"<td>{row[key]:,.0f}</td>" for key in COLUMNS) + "</tr>"
        for row in forecast["predictions"]
    )
    titles = "".join(f"<th>{title}</th>" for title in ("hour", *COLUMNS))
    return f"{head}{issued}<table><tr>{titles}</tr>{rows}</table>"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args(argv).folder
    try:
        settings = load_settings()
        with open_database(settings) as database:
            forecasts = latest(settings, database, datetime.now(UTC))
    except ActioncastError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, SettingsError) else 1
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "forecast.json").write_text(json.dumps(forecasts, indent=1), encoding="utf-8")
    (folder / "index.html").write_text(as_html(forecasts), encoding="utf-8")
    print(f"wrote {folder}/index.html and forecast.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
