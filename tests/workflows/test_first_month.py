"""A copy of the template from its first button to an outage of its source and back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from werkzeug import Response

from actioncast.database.state import partitions
from actioncast.github.alerts.outage import Outage
from actioncast.times import isoformat
from tests.support.http_server import LocalServer, Request, status_line
from tests.support.receivers import Receiver
from tests.support.state import state_database

from . import project
from .act_records import Run
from .clock import Clock
from .copies import OWN_SERIES, make_copy, new_copy
from .copies import own_hours as hours_of_the_meter
from .github_stand_in import GitHub
from .project import edited
from .workflow_file import Json

CARD = f"model/{OWN_SERIES}/card.json"
ONE_DAY = timedelta(days=1)
DRIFT = """
insert into predictions
    (series_id, prediction_date, issued_at, prediction, lower, upper, lead, model_version)
select series_id, reality_date, :issued_at, 2 * value, value, 3 * value,
    row_number() over (order by reality_date), :version
from reality where series_id = :series and reality_date > :issued_at
"""


class Meter(LocalServer):
    """The user's source: a CSV file behind a URL, which may be out of reach."""

    def __init__(self) -> None:
        super().__init__()
        self.is_dead = False

    @property
    def source(self) -> str:
        """The source of the series, as config.toml names it."""
        return f'{{ kind = "csv", url = "{self.url}/load.csv" }}'

    def respond(self, _: Request, /) -> Response:
        if self.is_dead:
            return Response("out of service", status_line(503))
        return Response(hours_of_the_meter(datetime.now(UTC)), content_type="text/csv")


@pytest.fixture
def meter() -> Iterator[Meter]:
    with Meter() as server:
        yield server


@pytest.fixture
def slack() -> Iterator[Receiver]:
    with Receiver("slack") as receiver:
        yield receiver


@pytest.fixture
def clock(tmp_path: Path, meter: Meter, slack: Receiver) -> Iterator[Clock]:
    """A copy with a series of its own, whose first champion can only be a naive one."""
    with new_copy(tmp_path / "github") as github:
        changes = {"candidates": '["seasonal_naive"]'}
        make_copy(github, source=meter.source, changes=changes)
        yield Clock(
            github,
            secrets={"WEBHOOK_URL": slack.address},
            variables={"PUBLISH_PAGES": "true", "WEBHOOK_KIND": "slack"},
            environment=project.environment(),
        )


def forecasts_were_wrong(github: GitHub, folder: Path) -> None:
    """Rewrite the past 30 hours: the champion forecast twice what came, and the last check is 2 hours old."""
    path = folder / "state.db"
    path.write_bytes(state_database(github.repository))
    now = datetime.now(UTC)
    with closing(sqlite3.connect(path)) as connection:
        [version] = connection.execute("select max(model_version) from predictions").fetchone()
        values = {
            "issued_at": isoformat(now - timedelta(hours=30)),
            "series": OWN_SERIES,
            "version": version,
        }
        connection.execute(DRIFT, values)
        connection.execute("update checks set checked_at = ?", [isoformat(now - timedelta(hours=2))])
        connection.commit()
    replaced: dict[str, bytes | None] = dict.fromkeys(github.repository.files("state"))
    files = replaced | partitions.files_of(path, now, 0)
    github.repository.commit(files, "State", branch="state")


def let_a_day_pass(github: GitHub) -> None:
    """Whatever the open issues say has happened is a day longer ago."""
    for issue in open_issues(github):
        outage = Outage.of_body(issue["body"], issue["created_at"])
        older = replace(outage, since=outage.since - ONE_DAY, noticed=outage.noticed - ONE_DAY)
        issue["body"] = issue["body"].replace(outage.mark(), older.mark())


def open_issues(github: GitHub) -> list[Json]:
    return [issue for issue in github.issues.values() if issue["state"] == "open"]


def one_day_of_the_outage(clock: Clock) -> None:
    """Two of the day's loads, the watch, and the forecasts that go on."""
    clock.tick("update_real_data.yml").check("failure")
    clock.tick("update_real_data.yml").check("failure")
    clock.tick("make_predictions.yml").check()
    clock.tick("check_freshness.yml")


def the_source_dies_for_two_days(clock: Clock, meter: Meter, slack: Receiver) -> None:
    """One issue, a comment and a message a day."""
    github = clock.github
    meter.is_dead = True
    one_day_of_the_outage(clock)
    assert len(slack.taken) == 1
    let_a_day_pass(github)
    one_day_of_the_outage(clock)
    assert len(slack.taken) == 2
    let_a_day_pass(github)
    one_day_of_the_outage(clock)
    assert len(slack.taken) == 3
    [issue] = open_issues(github)
    assert issue["title"].startswith("update_real_data is failing · "), "and the series"
    assert "503" in issue["body"].splitlines()[0]
    assert len(github.comments) == 2


def test_copy_starts_improves_and_survives_an_outage(
    clock: Clock, meter: Meter, slack: Receiver, tmp_path: Path
) -> None:
    github = clock.github

    # The first day: one button, and the copy's own CI.
    clock.press("start.yml").check()
    assert github.repository.log()[0].subject.startswith("Promote seasonal_naive")
    clock.push("ci.yml").check()
    clock.tick("update_real_data.yml").check()
    clock.tick("make_predictions.yml").check()
    clock.tick("check_freshness.yml").check()

    # The champion is no longer good, and a better one may be had.
    config = github.repository.read("config.toml").decode()
    with_ridge = edited(config, {"candidates": '["seasonal_naive", "ridge"]'})
    github.repository.commit({"config.toml": with_ridge}, "Let ridge compete")
    forecasts_were_wrong(github, tmp_path)
    load = clock.tick("update_real_data.yml").check()
    assert f"{OWN_SERIES}: retrain" in load.log
    chain: list[Run] = clock.settle(load)
    assert [(run.file, run.conclusion) for run in chain] == [("retrain.yml", "success")]
    assert github.repository.log()[0].subject.startswith("Promote ridge")
    clock.push("ci.yml").check()
    clock.tick("pages.yml").check()
    assert b"Load of the plant" in github.pages["index.html"]
    assert github.issues == {}
    assert slack.taken == []

    the_source_dies_for_two_days(clock, meter, slack)

    # It comes back.
    meter.is_dead = False
    clock.tick("update_real_data.yml").check()
    clock.tick("check_freshness.yml").check()
    assert open_issues(github) == []
    assert len(github.issues) == 1
    assert len(github.comments) == 3
    assert "Recovered" in slack.texts()[-1]
    assert len(slack.taken) == 4
