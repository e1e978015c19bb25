"""What a month of the clock costs: whole minutes of each job, at the price of its runner.

GitHub rounds each job up to the minute. Public repositories run free, and a plan includes minutes.
`python -m bench.minutes` measures the minutes of a run that are constants here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from actioncast.cli.crons import hours_between
from actioncast.settings import Settings
from actioncast.text import table

HOURS_PER_MONTH = 365.25 / 12 * 24
WEEKS_PER_MONTH = HOURS_PER_MONTH / 168
SLIM = "ubuntu-slim"
TWO_CORES = "ubuntu-24.04"
DOLLARS_PER_MINUTE = {SLIM: 0.002, TWO_CORES: 0.006}  # since January 2026
INCLUDED = {"Free": 2000, "Pro and Team": 3000}  # minutes a month
# What no cron line tells: the cooldown and the gate make retrains a few a month.
RETRAINS_PER_MONTH = 4
PUSHES_PER_MONTH = 10
DEPLOYMENTS_PER_MONTH = 4
RETRAIN_MINUTES = 3  # a job that trains and one that delivers
CI_MINUTES = 3
DEPLOYMENT_MINUTES = 8


@dataclass(frozen=True)
class Item:
    """One line of the bill."""

    name: str
    runner: str
    runs: float  # a month
    minutes: int  # billed of a run

    @property
    def billed_minutes(self) -> float:
        return self.runs * self.minutes

    @property
    def dollars(self) -> float:
        return self.billed_minutes * DOLLARS_PER_MINUTE[self.runner]


def month(settings: Settings) -> list[Item]:
    """The bill of a month with everything on, a deployment too. Raises SettingsError."""
    items = []
    for name in ("update_real_data", "make_predictions", "check_freshness"):
        runs = HOURS_PER_MONTH / hours_between(settings, f"{name}.yml")
        items.append(Item(name, SLIM, runs, 1))
    days = len(settings.schedule.pages_days)
    items.append(Item("pages", SLIM, days * WEEKS_PER_MONTH, 1))
    items.append(Item("retrain", TWO_CORES, RETRAINS_PER_MONTH, RETRAIN_MINUTES))
    return items + without_schedule()


def without_schedule() -> list[Item]:
    """What pushes and promotions start."""
    return [
        Item("ci of a copy", TWO_CORES, PUSHES_PER_MONTH, CI_MINUTES),
        Item("deployment", TWO_CORES, DEPLOYMENTS_PER_MONTH, DEPLOYMENT_MINUTES),
    ]


def as_text(items: Sequence[Item]) -> str:
    """A table with its sum."""
    rows: list[list[object]] = []
    for item in items:
        rows.append([item.name, item.runner, round(item.runs), round(item.billed_minutes), f"{item.dollars:.2f}"])
    minutes = sum(item.billed_minutes for item in items)
    dollars = sum(item.dollars for item in items)
    rows.append(["all", None, None, round(minutes), f"{dollars:.2f}"])
    everything = table(["job", "runner", "runs a month", "billed minutes", "$"], rows)
    return f"{everything}\n\n{sentence(minutes, dollars)}"


def sentence(minutes: float, dollars: float) -> str:
    """The sum in words."""
    plans = ", ".join(f"{plan} {included:,}" for plan, included in INCLUDED.items())
    return (
        f"A private repository needs {minutes:,.0f} minutes a month, worth {dollars:.2f} $ where none are left "
        f"of those that its plan includes ({plans}). A public one is free."
    )
