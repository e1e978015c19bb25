"""The arithmetic of the clock's cost; the measuring itself runs every workflow and is a bench."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import minutes
from bench.minutes import Cost, runs_per_month
from tests.support.checkout import ROOT
from tests.workflows.workflow_file import load

WORKFLOWS = ROOT / ".github" / "workflows"


@pytest.mark.parametrize(
    ("cron", "per_week"),
    [("17 * * * *", 168), ("47 */2 * * *", 84), ("37 */6 * * *", 28), ("53 4 * * 1,4", 2), ("7,37 1-3 * * 1-5", 30)],
)
def test_runs(cron: str, per_week: int) -> None:
    assert runs_per_month([cron]) == pytest.approx(per_week * 30.4375 / 7)


def test_a_cron_of_certain_days_is_refused() -> None:
    with pytest.raises(ValueError, match="expected"):
        runs_per_month(["1 2 3 * *"])


def test_everything_on_at_a_minute_a_job_is_within_the_budget() -> None:
    files = [load(path.name, lambda name: (WORKFLOWS / name).read_text()) for path in WORKFLOWS.glob("*.yml")]
    triggers = [file.triggers for file in files]
    scheduled = sum(runs_per_month([entry["cron"] for entry in on["schedule"]]) for on in triggers if "schedule" in on)
    assert scheduled + 2 * minutes.RETRAINS_PER_MONTH <= minutes.MOST_MINUTES


def test_table_json_and_readme(tmp_path: Path) -> None:
    costs = [Cost("etl", 10.4, 5.0, 730.0, 1), Cost("retrain", 70.0, 66.0, 4.0, 2)]
    assert json.loads(minutes.as_json(costs)) == {
        "minutes_per_month": 738.0,
        "workflows": {
            "etl": {"seconds": 10.4, "after_checkout": 5.0, "runs_per_month": 730.0, "billed_minutes": 730.0},
            "retrain": {"seconds": 70.0, "after_checkout": 66.0, "runs_per_month": 4.0, "billed_minutes": 8.0},
        },
    }
    text = minutes.as_text(costs)
    assert "738 minutes a month" in text
    assert "4.43 $" in text
    readme = tmp_path / "README.md"
    readme.write_text("a <!-- minutes: begin -->old<!-- minutes: end --> z")
    minutes.write_readme(text, readme)
    assert readme.read_text().startswith("a <!-- minutes: begin -->\n| workflow")
    assert "old" not in readme.read_text()
