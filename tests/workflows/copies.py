"""Copies of the template, as "Use this template" and the first days of their users make them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import train
import update_real_data
from actioncast.config import load_settings
from actioncast.database.database import open_database
from actioncast.times import floor_hour, isoformat
from tests.support.checkout import SERIES, shipped_files
from tests.support.series import seasonal

from .github_stand_in import GitHub
from .project import SMALL, edited

BRANCH = "trunk"  # the default branch of a copy need not be main
OWN_SERIES = "load"
OWN_FILE = "load.csv"
OWN_HOURS = 40 * 24  # of the user's file
OWN_SOURCE = f'{{ kind = "file", path = "{OWN_FILE}" }}'
OWN_FUNCTION = '{ kind = "python", function = "my_source:read" }'
OWN_MODULE = f'''"""The meter of the plant."""

import csv
from datetime import datetime
from pathlib import Path


def read(since, until):
    """All points that the meter has written down."""
    with Path(__file__).with_name("{OWN_FILE}").open() as file:
        return [(datetime.fromisoformat(row["timestamp"]), float(row["value"])) for row in csv.DictReader(file)]
'''
FILES = Mapping[str, str | bytes | Path | None]


@contextmanager
def new_copy(folder: Path) -> Iterator[GitHub]:
    """A GitHub whose one repository is empty and will be a copy; `folder` must be new."""
    with GitHub(folder, full_name="acme/load-forecasts", default_branch=BRANCH, is_template=False) as github:
        yield github


def make_copy(
    github: GitHub,
    *,
    tree: FILES | None = None,
    source: str = OWN_SOURCE,
    now: datetime | None = None,
    changes: Mapping[str, str] | None = None,
) -> None:
    """Press "Use this template", then edit config.toml as its user does: two commits.

    `tree` are the files of the template, this checkout's by default; `source` is the inline table of
    the user's series; `changes` are further keys of config.toml.
    """
    github.repository.commit(tree or shipped_files(), "Initial commit")
    shipped = github.repository.read("config.toml").decode()
    own_files: FILES = {
        "config.toml": own_config(shipped, source, changes or {}),
        OWN_FILE: own_hours(now or datetime.now(UTC)),
        "my_source.py": OWN_MODULE,
        "utils.py": own_features(github.repository.read("utils.py").decode()),
    }
    github.repository.commit(own_files, "Our series")


def own_config(shipped: str, source: str = OWN_SOURCE, changes: Mapping[str, str] | None = None) -> str:
    """The shipped config.toml with a series of one's own, small enough that a training takes a second."""
    text = shipped.replace(f"[series.{SERIES}]", f"[series.{OWN_SERIES}]")
    own_keys = {
        "title": '"Load of the plant"',
        "source": source,
        "unit": '"MWh"',
        "scale": "1",
        "points_per_period": "1",
        "minimum_points_per_period": "1",
    }
    return edited(text, own_keys | SMALL | dict(changes or {}))


def own_features(shipped: str) -> str:
    """The shipped utils.py with one more predictor set."""
    first = '        "day": Predictors(day),\n'
    assert first in shipped
    return shipped.replace(first, f'{first}        "mine": Predictors((1, 2, short)),\n')


def own_hours(now: datetime, count: int = OWN_HOURS) -> bytes:
    """A CSV file whose last hour has just ended."""
    start = floor_hour(now) - timedelta(hours=count)
    lines = ["timestamp,value"]
    for hour, value in enumerate(seasonal(count).tolist()):
        lines.append(f"{isoformat(start + timedelta(hours=hour))},{value:.2f}")
    return ("\n".join(lines) + "\n").encode()


def promote_champion(github: GitHub, folder: Path, now: datetime | None = None) -> list[str]:
    """Train on the copy's own file, as its workflows would, and commit the champion. Returns its paths.

    `folder` is a new one to work in. A copy whose source is no file cannot be trained here.
    """
    moment = now or datetime.now(UTC)
    for name in ("config.toml", OWN_FILE):
        (folder / name).write_bytes(github.repository.read(name))
    settings = load_settings(folder / "config.toml", {})
    with open_database(settings) as database:
        update_real_data.run(settings, database, moment, series_id=OWN_SERIES)
        train.run(settings, database, moment, series_id=OWN_SERIES)
    champion: dict[str, str | bytes | Path | None] = {
        str(path.relative_to(folder)): path for path in (folder / "model").rglob("*.*") if path.is_file()
    }
    github.repository.commit(champion, f"Promote the first champion of {OWN_SERIES}")
    return sorted(champion)
