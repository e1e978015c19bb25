"""Freshness: what counts as dead, and that N looks must agree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import check_freshness
from actioncast.config import load_settings
from actioncast.database.database import open_database
from actioncast.hours import Hours
from actioncast.monitoring import freshness
from actioncast.monitoring.freshness import Finding, Seen, WorkflowSeen, age_verdict
from actioncast.settings import FreshnessSettings, Settings
from actioncast.times import to_seconds
from tests.conftest import MIDNIGHT, at
from tests.workflows.github_stand_in import GitHub

ROOT = Path(__file__).resolve().parents[2]
POLICY = FreshnessSettings()
NOW = at(500)


def seen(**changes: object) -> Seen:
    """Everything fresh."""
    scored = [{"prediction_date": NOW - timedelta(hours=i), "covered": i % 5 != 0} for i in range(400, 0, -1)]
    fresh = {
        "series": "demo",
        "loads": [(NOW - timedelta(hours=i), NOW - timedelta(hours=i + 1)) for i in range(60)],
        "issues": [NOW - timedelta(hours=6 * i) for i in range(9)],
        "champion_created": NOW - timedelta(days=3),
        "scored": scored,
        "nominal_coverage": 0.8,
    }
    return Seen(**(fresh | changes))  # type: ignore[arg-type]


def stale(found: list[Finding]) -> list[str]:
    return [finding.title for finding in found if finding.stale]


@pytest.mark.parametrize(
    ("hours_ago", "verdict"),
    [
        (None, (True, False, False)),
        (6, (False, False, False)),
        (6.1, (False, True, False)),
        (12, (False, True, False)),
        (12.1, (False, False, True)),
    ],
)
def test_an_age_is_missing_or_young_or_ageing_or_stale(
    hours_ago: float | None, verdict: tuple[bool, bool, bool]
) -> None:
    newest = None if hours_ago is None else NOW - timedelta(hours=hours_ago)
    age = age_verdict(newest, NOW, allowed_hours=12)
    assert (age.missing, age.ageing, age.stale) == verdict
    assert age.hours == hours_ago


def test_fresh() -> None:
    assert stale(freshness.of_series(seen(), POLICY, NOW)) == []


def loads_until(hours_ago: float) -> list[tuple[datetime, datetime]]:
    newest = NOW - timedelta(hours=hours_ago)
    return [(newest - timedelta(hours=i), newest - timedelta(hours=i + 1)) for i in range(60)]


@pytest.mark.parametrize(("hours_ago", "expected"), [(11.5, 0), (22, 0), (24, 1)])
def test_data_are_stale_when_both_looks_say_so(hours_ago: float, expected: int) -> None:
    found = freshness.of_series(seen(loads=loads_until(hours_ago)), POLICY, NOW)
    assert stale(found) == ["The data of demo are stale"] * expected


def test_an_outage_that_is_over_now_is_none() -> None:
    back = [*loads_until(48), (NOW - timedelta(minutes=5), NOW - timedelta(hours=1))]
    assert stale(freshness.of_series(seen(loads=back), POLICY, NOW)) == []


def test_a_back_fill_does_not_make_an_earlier_look_good() -> None:
    """At the earlier look the hours that were loaded since were not there."""
    policy = FreshnessSettings(actual_hours=12, look_hours=12)
    late = [(NOW - timedelta(hours=1), NOW - timedelta(hours=13 + i)) for i in range(20)] + loads_until(80)
    assert stale(freshness.of_series(seen(loads=late), policy, NOW)) == ["The data of demo are stale"]


def test_nothing_stored_and_no_forecast_are_findings_but_no_champion_is_not() -> None:
    found = freshness.of_series(seen(loads=[], issues=[], champion_created=None), POLICY, NOW)
    assert stale(found) == ["The data of demo are stale", "The forecast of demo is stale"]


def test_old_champion() -> None:
    found = freshness.of_series(seen(champion_created=NOW - timedelta(days=91)), POLICY, NOW)
    assert stale(found) == ["The champion of demo is old"]


@pytest.mark.parametrize(("inside", "expected"), [(0.8, False), (0.9, False), (0.5, True), (1.0, True)])
def test_coverage(inside: float, expected: bool) -> None:
    scored = [{"prediction_date": NOW - timedelta(hours=i), "covered": i % 100 < inside * 100} for i in range(400)]
    assert bool(stale(freshness.of_series(seen(scored=scored), POLICY, NOW))) is expected


def test_too_few_scored_hours_say_nothing_about_coverage() -> None:
    scored = [{"prediction_date": NOW - timedelta(hours=i), "covered": False} for i in range(50)]
    assert stale(freshness.of_series(seen(scored=scored), POLICY, NOW)) == []


@pytest.mark.parametrize(
    ("first", "successes", "expected"),
    [(600, [3], False), (600, [30], True), (600, [13], False), (30, [], True), (20, [], False), (None, [], False)],
)
def test_workflow(first: float | None, successes: list[float], expected: bool) -> None:
    runs = [NOW - timedelta(hours=hours) for hours in successes]
    workflow = WorkflowSeen("etl.yml", 12, NOW - timedelta(hours=first) if first else None, runs)
    assert freshness.of_workflow(workflow, POLICY, NOW).stale is expected


def test_the_schedule_is_the_one_that_the_settings_name() -> None:
    text = (ROOT / ".github/workflows/check_freshness.yml").read_text(encoding="utf-8")
    cron = yaml.safe_load(text)[True]["schedule"][0]["cron"]
    assert re.fullmatch(rf"\d+ \*/{POLICY.look_hours:g} \* \* \*", cron)


def test_the_watched_workflows_exist_and_have_a_schedule() -> None:
    for file in POLICY.workflow_hours:
        assert "schedule:" in (ROOT / ".github/workflows" / file).read_text(encoding="utf-8")


def test_without_github_it_looks_and_leaves_the_rest_alone(tmp_path: Path) -> None:
    settings: Settings = load_settings(variables={"DATABASE_URL": f"sqlite:///{tmp_path / 'x.db'}"})
    with open_database(settings) as database:
        report = check_freshness.run(settings, database, MIDNIGHT, series_ids=list(settings.series), api=None)
    assert report.failed
    assert "The data of bitcoin_transactions are stale" in report.as_text()
    assert "left alone" in report.actions[0]


# --- with the local GitHub ------------------------------------------------------------------------------------------

FILES = {path.name: path for path in (ROOT / ".github" / "workflows").glob("*.yml")}
MAY = {"actions": "write", "issues": "write"}


@pytest.fixture
def github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    """The shipped workflows, each of which has succeeded just now."""
    with GitHub(tmp_path / "github") as stand_in:
        stand_in.repository.commit({f".github/workflows/{name}": path for name, path in FILES.items()})
        for name in FILES:
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


def open_issues(github: GitHub) -> list[str]:
    return sorted(issue["title"] for issue in github.issues.values() if issue["state"] == "open")


def test_findings_become_issues_and_recovery_closes_them(github: GitHub, tmp_path: Path) -> None:
    assert check_freshness.main([]) == 1
    titles = ["The data of bitcoin_transactions are stale", "The forecast of bitcoin_transactions is stale"]
    assert open_issues(github) == titles
    assert (tmp_path / "output").read_text() == "looked=true\n"
    assert check_freshness.main([]) == 1
    assert len(github.issues) == 2, "the open ones are brought up to date"
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    with open_database(load_settings()) as database:
        run: dict[str, Any] = {"run_id": "r", "series_id": "bitcoin_transactions", "message": ""}
        run |= {"started_at": now, "finished_at": now, "points_read": 1, "points_rejected": 0, "hours_missing": 0}
        start = np.array([to_seconds(now) - 3600], dtype=np.int64)
        database.load_hours("bitcoin_transactions", Hours(start, np.array([1.0]), np.array([4])), now, run)
        row = {"series_id": "bitcoin_transactions", "prediction_date": now, "issued_at": now, "prediction": 1.0}
        database.store_vintage([row | {"lower": 0.0, "upper": 2.0, "lead": 1, "model_version": "v"}])
    assert check_freshness.main([]) == 0
    assert open_issues(github) == []


def test_a_workflow_without_success_is_found_and_a_disabled_one_enabled(
    github: GitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    github.runs.clear()
    github.add_run("update_real_data.yml", "success", datetime.now(UTC) - timedelta(hours=40))
    github.add_run("update_real_data.yml", "failure", datetime.now(UTC) - timedelta(hours=1))
    github.workflow_states = {"pages.yml": "disabled_inactivity", "ci.yml": "disabled_manually"}
    assert check_freshness.main([]) == 1
    assert "The workflow update_real_data.yml has not succeeded for too long" in open_issues(github)
    assert not any("check_retrain" in title for title in open_issues(github)), "which has never run"
    assert github.workflow_states == {"pages.yml": "active", "ci.yml": "disabled_manually"} | {
        name: "active" for name in FILES if name != "ci.yml"
    }
    told = capsys.readouterr().out
    assert "pages.yml was disabled_inactivity: enabled again" in told
    assert "ci.yml was disabled_manually: left disabled" in told


def test_without_permission_it_says_so(github: GitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", github.issue_token({"issues": "write"}).value)
    assert check_freshness.main([]) == 1
    assert open_issues(github) == []
