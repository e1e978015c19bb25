"""The watch on a real database and against the local GitHub."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import check_freshness
from actioncast.config import load_settings
from actioncast.database.database import open_database
from actioncast.hours import Hours
from actioncast.settings import Settings
from actioncast.times import to_seconds
from tests.support.clock import MIDNIGHT
from tests.workflows.github_stand_in import GitHub

ROOT = Path(__file__).resolve().parents[2]


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
    printed = capsys.readouterr().out
    assert "pages.yml was disabled_inactivity: enabled again" in printed
    assert "ci.yml was disabled_manually: left disabled" in printed


def test_without_permission_it_says_so(github: GitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", github.issue_token({"issues": "write"}).value)
    assert check_freshness.main([]) == 1
    assert open_issues(github) == []
