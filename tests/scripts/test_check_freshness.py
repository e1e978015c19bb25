"""The watch on a real database and against the local GitHub."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

import check_freshness
import check_retrain
from actioncast.config import load_settings
from actioncast.database.database import open_database
from actioncast.github import release_notice
from actioncast.periods.frequency import HOURLY
from actioncast.periods.grid import Periods
from actioncast.periods.lengths import defaults_of, parse_length
from actioncast.settings import SeriesSettings
from actioncast.times import to_seconds
from tests.support.clock import MIDNIGHT
from tests.support.series import seasonal
from tests.support.source import Configure
from tests.workflows import github_rest
from tests.workflows.github_git import BOT
from tests.workflows.github_stand_in import GitHub

ROOT = Path(__file__).resolve().parents[2]


SOURCE = '{ kind = "file", path = "points.csv" }'
MORE = """
[series.s{number}]
source = {{ kind = "file", path = "points.csv" }}
unit = "x"
"""
LONG_AGO = timedelta(days=30)


def test_without_github_it_looks_and_leaves_the_rest_alone(tmp_path: Path, configure: Configure) -> None:
    settings = load_settings(configure(SOURCE), {"DATABASE_URL": f"sqlite:///{tmp_path / 'x.db'}"})
    with open_database(settings) as database:
        report = check_freshness.run(settings, database, MIDNIGHT, series_ids=["demo"], api=None)
    assert report.failed
    assert "| The data are stale      | demo | STALE " in report.as_text()
    assert "left alone" in report.actions[0]


def test_a_stuck_source_is_seen_in_the_stored_hours(tmp_path: Path, configure: Configure) -> None:
    values = seasonal(600)
    values[-30:] = 5
    starts = to_seconds(MIDNIGHT) - 3600 * np.arange(600, 0, -1)
    run = {"run_id": "a", "series_id": "demo", "started_at": MIDNIGHT, "finished_at": MIDNIGHT, "message": ""}
    run |= {"points_read": 1, "points_rejected": 0, "periods_missing": 0}
    settings = load_settings(configure(SOURCE), {"DATABASE_URL": f"sqlite:///{tmp_path / 'x.db'}"})
    with open_database(settings) as database:
        database.load_periods("demo", Periods(starts, values, np.ones(600, dtype=np.int64)), MIDNIGHT, run)
        report = check_freshness.run(settings, database, MIDNIGHT, series_ids=["demo"], api=None)
    stuck = next(finding for finding in report.findings if finding.kind.title == "Sources are stuck")
    assert stuck.stale
    assert "30 hours are all 5" in stuck.evidence


# --- with the local GitHub ------------------------------------------------------------------------------------------

FILES = {path.name: path for path in (ROOT / ".github" / "workflows").glob("*.yml")}
MAY = {"actions": "write", "issues": "write"}


@pytest.fixture
def github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    """The shipped workflows, each of which has run for a month and succeeded just now."""
    with GitHub(tmp_path / "github") as stand_in:
        stand_in.repository.commit({f".github/workflows/{name}": path for name, path in FILES.items()})
        for name in FILES:
            stand_in.add_run(name, created_at=datetime.now(UTC) - LONG_AGO)
            stand_in.add_run(name)
        for name, value in {
            "GITHUB_API_URL": stand_in.api_url,
            "GITHUB_REPOSITORY": stand_in.full_name,
            "GITHUB_TOKEN": stand_in.issue_token(MAY).value,
            "GITHUB_OUTPUT": str(tmp_path / "output"),
            "DATABASE_URL": f"sqlite:///{tmp_path / 'x.db'}",
        }.items():
            monkeypatch.setenv(name, value)
        yield stand_in


@pytest.fixture
def config(configure: Configure) -> Path:
    return configure(SOURCE)


def look(config: Path, *flags: str) -> int:
    return check_freshness.main(["--config", str(config), *flags])


def open_issues(github: GitHub) -> list[str]:
    return sorted(issue["title"] for issue in github.issues.values() if issue["state"] == "open")


def load_and_forecast(config: Path, series_id: str) -> None:
    """One hour and one forecast, both of now."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    with open_database(load_settings(config)) as database:
        run: dict[str, Any] = {"run_id": series_id, "series_id": series_id, "message": ""}
        run |= {"started_at": now, "finished_at": now, "points_read": 1, "points_rejected": 0, "periods_missing": 0}
        start = np.array([to_seconds(now) - 3600], dtype=np.int64)
        database.load_periods(series_id, Periods(start, np.array([1.0]), np.array([4])), now, run)
        row = {"series_id": series_id, "prediction_date": now, "issued_at": now, "prediction": 1.0}
        database.store_vintage([row | {"lower": 0.0, "upper": 2.0, "lead": 1, "model_version": "v"}])


def test_findings_become_issues_and_recovery_closes_them(github: GitHub, config: Path, tmp_path: Path) -> None:
    assert look(config) == 1
    assert open_issues(github) == ["The data are stale · demo", "The forecasts are stale · demo"]
    assert github.issues[1]["body"].startswith("error: no new period of demo is stored")
    assert (tmp_path / "output").read_text() == "looked=true\n"
    assert look(config) == 1
    assert len(github.issues) == 2, "the open ones are brought up to date"
    load_and_forecast(config, "demo")
    assert look(config) == 0
    assert open_issues(github) == []


def test_where_issues_are_off_it_still_looks_and_says_so(
    github: GitHub, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    github.issues_are_on = False
    assert look(config) == 1, "the data are stale"
    assert "no issue, Issues are switched off: The data are stale" in capsys.readouterr().out
    load_and_forecast(config, "demo")
    assert look(config) == 0


def test_an_issue_of_many_series_stays_open_until_the_last_has_recovered(github: GitHub, config: Path) -> None:
    config.write_text(config.read_text() + MORE.format(number=2))
    assert look(config) == 1
    assert github.issues[1]["body"].startswith("error: no new period of 2 series is stored: demo, s2")
    load_and_forecast(config, "demo")
    assert look(config) == 1
    assert "demo" not in github.issues[1]["body"]
    assert github.issues[1]["title"] == "The data are stale · s2", "the title follows"
    load_and_forecast(config, "s2")
    assert look(config) == 0
    assert open_issues(github) == []


def test_a_young_copy_opens_no_issue_and_its_look_is_green(
    github: GitHub, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    github.runs.clear()
    github.add_run("check_freshness.yml", None)
    assert look(config) == 0
    assert open_issues(github) == []
    printed = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("| The data")]
    assert [line[8] for line in printed] == ["young"]


def test_issues_of_an_earlier_version_give_way(github: GitHub, config: Path) -> None:
    for title in ("The data of demo are stale", "The data of gone are stale"):
        fields = {"title": title, "body": "old"}
        github_rest.new_issue(github, BOT, fields)
    assert look(config) == 1
    assert open_issues(github) == ["The data are stale · demo", "The forecasts are stale · demo"]
    assert "The data are stale" in next(iter(github.comments.values()))["body"]


def test_what_follows_from_a_failing_job_gets_no_second_issue(
    github: GitHub, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The source is dead: update_real_data fails every hour, and says so in its own issue."""
    github_rest.new_issue(github, BOT, {"title": "update_real_data is failing", "body": "dead"})
    github.runs.clear()
    for hours in range(48):
        github.add_run("update_real_data.yml", "failure", datetime.now(UTC) - timedelta(hours=hours + 1))
    load_and_forecast(config, "demo")
    github.add_run("check_freshness.yml", created_at=datetime.now(UTC) - LONG_AGO)
    with open_database(load_settings(config)) as database, database.engine.begin() as connection:
        for column in ("reality_date", "loaded_at"):
            connection.execute(text(f"update reality set {column} = '2022-01-01T00:00:00Z'"))
    assert look(config) == 1
    assert open_issues(github) == ["update_real_data is failing"]
    assert "The data are stale: left to the issue “update_real_data is failing”" in capsys.readouterr().out


def test_a_job_that_no_longer_runs_speaks_for_nobody(github: GitHub, config: Path) -> None:
    github_rest.new_issue(github, BOT, {"title": "update_real_data is failing", "body": "dead"})
    github.runs.clear()
    github.add_run("update_real_data.yml", "failure", datetime.now(UTC) - LONG_AGO)
    assert look(config) == 1
    assert "The data are stale · demo" in open_issues(github)
    assert "The workflow update_real_data.yml has not succeeded for too long" in open_issues(github)


def test_a_workflow_without_success_is_found_and_a_disabled_one_enabled(
    github: GitHub, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    github.runs.clear()
    github.add_run("update_real_data.yml", "success", datetime.now(UTC) - timedelta(hours=40))
    github.add_run("update_real_data.yml", "failure", datetime.now(UTC) - timedelta(hours=1))
    github.workflow_states = {"pages.yml": "disabled_inactivity", "ci.yml": "disabled_manually"}
    assert look(config) == 1
    assert "The workflow update_real_data.yml has not succeeded for too long" in open_issues(github)
    assert not any("make_predictions" in title for title in open_issues(github)), "which has never run"
    assert github.workflow_states == {"pages.yml": "active", "ci.yml": "disabled_manually"}
    printed = capsys.readouterr().out
    assert "pages.yml was disabled_inactivity: enabled again" in printed
    assert "ci.yml was disabled_manually: left disabled" in printed


def test_on_monday_it_looks_for_a_newer_release(github: GitHub, config: Path) -> None:
    github.template, github.template_tags = "acme/actioncast", ["v999.0.0"]
    look(config, "--now", "2026-11-24T00:07")
    assert release_notice.TITLE not in open_issues(github), "a Tuesday"
    look(config, "--now", "2026-11-23T00:07")
    assert release_notice.TITLE in open_issues(github)


def test_a_workflow_that_nothing_starts_is_not_judged_although_an_old_config_lists_it(
    github: GitHub, config: Path
) -> None:
    listed = '{ "update_real_data.yml" = 12, "check_retrain.yml" = 24 }'
    config.write_text(f"{config.read_text()}\n[freshness]\nworkflow_hours = {listed}\n")
    github.runs.clear()
    for name in ("update_real_data.yml", "check_retrain.yml"):
        github.add_run(name, "success", datetime.now(UTC) - timedelta(hours=40))
    look(config)
    (number,) = [number for number, issue in github.issues.items() if "workflow" in issue["title"]]
    assert "update_real_data.yml" in github.issues[number]["body"]
    assert "check_retrain.yml" not in github.issues[number]["body"]


def test_without_permission_it_says_so(github: GitHub, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", github.issue_token({"issues": "write"}).value)
    assert look(config) == 1
    assert open_issues(github) == []


def test_three_hundred_series_cost_few_requests(
    github: GitHub, config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All due for their first training, and all without a forecast."""
    early = replace(defaults_of(HOURLY), first_training=parse_length(2))
    monkeypatch.setattr(SeriesSettings, "defaults", property(lambda _: early))
    series = [f"s{number}" for number in range(299)]
    config.write_text(config.read_text() + "".join(MORE.format(number=number) for number in range(299)))
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    starts = np.array([to_seconds(now) - 7200, to_seconds(now) - 3600], dtype=np.int64)
    hours = Periods(starts, np.ones(2), np.full(2, 4))
    with open_database(load_settings(config)) as database:
        for name in ["demo", *series]:
            run: dict[str, Any] = {"run_id": name, "series_id": name, "message": "", "periods_missing": 0}
            run |= {"started_at": now - LONG_AGO, "finished_at": now, "points_read": 1, "points_rejected": 0}
            database.load_periods(name, hours, now, run)
    assert look(config) == 1
    assert open_issues(github) == ["The forecasts are stale · demo, s0, s1 and 297 more"]
    monkeypatch.setenv("GITHUB_TOKEN", github.issue_token({"contents": "write"}).value)
    assert check_retrain.main(["--config", str(config), "--all", "--jobs", "1"]) == 0
    capsys.readouterr()
    (dispatch,) = github.dispatches
    assert dispatch.payload["client_payload"]["series"].split(",") == ["demo", *series]
    assert len(github.requests) <= 60
