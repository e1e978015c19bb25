"""The arithmetic of the clock's cost; the measuring itself runs every workflow and is a bench."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from actioncast.cli import bill
from actioncast.config import load_settings
from bench import minutes
from bench.minutes import Cost, runs_per_month
from tests.support.checkout import CONFIG, ROOT
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


def test_the_bill_of_the_product_has_the_runs_that_the_workflows_schedule() -> None:
    items = {item.name: item for item in bill.month(load_settings(CONFIG, {}))}
    scheduled = {}
    for path in WORKFLOWS.glob("*.yml"):
        file = load(path.name, lambda name: (WORKFLOWS / name).read_text())
        if "schedule" in file.triggers:
            name = path.name.removesuffix(".yml")
            scheduled[name] = runs_per_month([entry["cron"] for entry in file.triggers["schedule"]])
            assert {job["runs-on"] for job in file.jobs.values()} == {items[name].runner}
    assert scheduled == pytest.approx({name: items[name].runs for name in scheduled})


def test_table_json_and_readme(tmp_path: Path) -> None:
    costs = [
        Cost("etl", "ubuntu-slim", 10.4, 5.0, 730.0, 1, 0.002),
        Cost("retrain", "ubuntu-24.04", None, None, 4.0, 2, 0.012),
    ]
    assert json.loads(minutes.as_json(costs)) == {
        "minutes_per_month": 738.0,
        "dollars_per_month": 1.51,
        "workflows": {
            "etl": {
                "runners": "ubuntu-slim",
                "seconds": 10.4,
                "after_checkout": 5.0,
                "runs_per_month": 730.0,
                "billed_minutes": 730.0,
                "dollars": 1.46,
            },
            "retrain": {
                "runners": "ubuntu-24.04",
                "seconds": None,
                "after_checkout": None,
                "runs_per_month": 4.0,
                "billed_minutes": 8.0,
                "dollars": 0.05,
            },
        },
    }
    text = minutes.as_text(costs)
    assert "738 minutes a month" in text
    assert "1.51 $" in text
    readme = tmp_path / "README.md"
    readme.write_text("a <!-- minutes: begin -->old<!-- minutes: end --> z")
    minutes.write_readme(text, readme)
    assert readme.read_text().startswith("a <!-- minutes: begin -->\n| workflow")
    assert "old" not in readme.read_text()
