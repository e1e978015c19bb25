"""The cron lines of workflow files, and what config.toml makes of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from actioncast.cli import bill, crons
from actioncast.config import load_settings
from actioncast.settings import Settings, SettingsError

SERIES = '[series.a]\nunit = "x"\nsource = { kind = "file", path = "a.csv" }\n'
LOAD = """
on:
  schedule:
    - cron: "17 * * * *" # hourly
  workflow_dispatch:
"""


def settings_of(folder: Path, text: str = "") -> Settings:
    (folder / "config.toml").write_text(SERIES + text)
    return load_settings(folder / "config.toml", {})


@pytest.mark.parametrize(
    ("text", "file", "present", "expected"),
    [
        ("", "update_real_data.yml", "17 * * * *", "17 * * * *"),
        ("load_hours = 3", "update_real_data.yml", "17 * * * *", "17 */3 * * *"),
        ("load_hours = 24", "update_real_data.yml", "17 */3 * * *", "17 4 * * *"),
        ("load_hours = 24", "update_real_data.yml", "17 22 * * *", "17 22 * * *"),
        ("forecast_hours = 12", "make_predictions.yml", "37 */6 * * *", "37 */12 * * *"),
        ("", "check_freshness.yml", "7 */6 * * *", "7 */12 * * *"),
        ('pages_days = ["Sun", "Wed"]', "pages.yml", "53 4 * * 1,4", "53 4 * * 0,3"),
    ],
)
def test_the_clock_of_config_keeps_the_minute_of_each_workflow(
    tmp_path: Path, text: str, file: str, present: str, expected: str
) -> None:
    assert crons.expression(settings_of(tmp_path, f"[schedule]\n{text}\n"), file, present) == expected


def test_a_changed_clock_is_written_and_the_rest_of_the_file_stays(tmp_path: Path) -> None:
    folder = tmp_path / ".github/workflows"
    folder.mkdir(parents=True)
    (folder / "update_real_data.yml").write_text(LOAD)
    (folder / "pages.yml").write_text("on:\n  workflow_dispatch:\n")
    settings = settings_of(tmp_path, "[schedule]\nload_hours = 2\n")
    (cron,) = crons.read(settings, tmp_path)
    assert not cron.agrees
    crons.write(cron, tmp_path)
    assert (folder / "update_real_data.yml").read_text() == LOAD.replace("17 * * * *", "17 */2 * * *")
    (cron,) = crons.read(settings, tmp_path)
    assert cron.agrees


def test_a_file_with_two_schedules_is_left_to_its_author(tmp_path: Path) -> None:
    folder = tmp_path / ".github/workflows"
    folder.mkdir(parents=True)
    (folder / "pages.yml").write_text(LOAD + LOAD)
    with pytest.raises(SettingsError, match=r"pages.yml: expected one cron line, got 2"):
        crons.read(settings_of(tmp_path), tmp_path)


def test_looks_that_no_cron_line_can_keep_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"freshness.look_hours: .* 1, 2, 3, .*, got 5"):
        bill.month(settings_of(tmp_path, "[freshness]\nlook_hours = 5\n"))


def test_the_bill_follows_the_clock_and_the_default_one_is_small(tmp_path: Path) -> None:
    items = bill.month(settings_of(tmp_path))
    assert sum(item.billed_minutes for item in items) <= 1000
    assert sum(item.dollars for item in items) <= 3
    halved = bill.month(settings_of(tmp_path, "[schedule]\nload_hours = 2\n"))
    assert halved[0].billed_minutes == items[0].billed_minutes / 2
    assert "| update_real_data | ubuntu-slim  |          365 |" in bill.as_text(halved)
