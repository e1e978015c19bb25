"""The cron lines of the workflow files, as config.toml wants the clock."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from actioncast.github.schedules import FOLDER
from actioncast.settings import HOURS_OF_A_CLOCK, WEEKDAYS, Settings, SettingsError

FILES = ("update_real_data.yml", "make_predictions.yml", "check_freshness.yml", "pages.yml")
DAILY_HOUR = "4"  # UTC, of a workflow that ran several times a day and is to run once
_CRON = re.compile(r"""(?m)^(\s*-\s+cron:\s*["'])([^"'\n]+)(["'])""")


@dataclass(frozen=True)
class Cron:
    """The schedule of a workflow file: as it is, and as config.toml says."""

    file: str
    present: str
    configured: str

    @property
    def agrees(self) -> bool:
        return self.present == self.configured


def read(settings: Settings, checkout: Path) -> list[Cron]:
    """The schedules of this checkout. A workflow that is not there or has no schedule is left out.

    Raises SettingsError for a clock that cron cannot keep, and for a file with several cron lines.
    """
    listed = []
    for file in FILES:
        path = checkout / FOLDER / file
        lines = _CRON.findall(path.read_text(encoding="utf-8")) if path.is_file() else []
        if len(lines) > 1:
            raise SettingsError(f"{FOLDER}/{file}: expected one cron line, got {len(lines)}")
        for _, present, _ in lines:
            listed.append(Cron(file, present, expression(settings, file, present)))
    return listed


def expression(settings: Settings, file: str, present: str) -> str:
    """The cron expression that config.toml asks for. The minute stays: each workflow has its own.

    Raises SettingsError.
    """
    minute, hour = present.split()[:2]
    if file == "pages.yml":
        days = sorted(WEEKDAYS.index(day) for day in settings.schedule.pages_days)
        return f"{minute} {hour} * * {','.join(str(day) for day in days)}"
    every = hours_between(settings, file)
    if every == 1:
        return f"{minute} * * * *"
    if every == 24:
        return f"{minute} {hour if hour.isdigit() else DAILY_HOUR} * * *"
    return f"{minute} */{every} * * *"


def hours_between(settings: Settings, file: str) -> int:
    """Periods between two runs of a workflow that runs each day. Raises SettingsError."""
    look_hours = settings.freshness.look_hours
    if look_hours not in HOURS_OF_A_CLOCK:
        hours = ", ".join(str(value) for value in HOURS_OF_A_CLOCK)
        raise SettingsError(f"freshness.look_hours: the clock can start every {hours} hours, got {look_hours:g}")
    hours_of = {
        "update_real_data.yml": settings.schedule.load_hours,
        "make_predictions.yml": settings.schedule.forecast_hours,
        "check_freshness.yml": int(look_hours),
    }
    return hours_of[file]


def write(cron: Cron, checkout: Path) -> None:
    """Put the schedule of config.toml into the workflow file."""
    path = checkout / FOLDER / cron.file
    text = path.read_text(encoding="utf-8")
    path.write_text(_CRON.sub(rf"\g<1>{cron.configured}\g<3>", text), encoding="utf-8")
