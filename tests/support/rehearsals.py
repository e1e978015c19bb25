"""Plans and outcomes that the tests of the rehearsal share."""

from __future__ import annotations

from pathlib import Path

from actioncast.config import load_settings
from actioncast.rehearsal.plan import Plan, make_plan
from actioncast.rehearsal.policies import Policy
from actioncast.rehearsal.progress import Progress
from actioncast.rehearsal.report import RehearsalReport
from actioncast.rehearsal.score import Outcome
from actioncast.rehearsal.world import replay
from actioncast.rehearsal.world.faults import Faults
from actioncast.settings import RetrainSettings
from tests.support.clock import at

OWN = RetrainSettings()


def plan_of(days: int, faults: Faults = Faults()) -> Plan:  # noqa: B008 - frozen
    """The last days of the bundled recording."""
    recording = replay.joined(replay.read_recording(replay.LEAD_IN), replay.read_recording())
    return make_plan(
        load_settings(variables={}),
        recording,
        series_id="bitcoin_transactions",
        ticks=24 * days,
        faults=faults,
        seed=0,
    )


def outcome_of(name: str, live_mae: float, retrains: int) -> Outcome:
    """A policy whose retrains were all promoted."""
    return Outcome(
        policy=Policy(name, OWN),
        hours=100,
        live_mae=live_mae,
        day_ahead_mae=None,
        naive_mae=900.0,
        distribution=None,
        coverage=0.8,
        retrains=retrains,
        promoted=retrains,
        false_alarms=0,
        degraded_hours=None,
        hours_to_promotion=None,
        billed_minutes=60,
        repository_bytes=1000,
        progress=Progress(),
    )


def report_of(*outcomes: Outcome) -> RehearsalReport:
    """A report of one day that recommends a policy."""
    return RehearsalReport(
        unit="tx/h",
        start=at(0),
        end=at(24),
        ticks=24,
        scenario="none",
        seed=0,
        outcomes=outcomes,
        seconds=1.0,
        folder=Path("demo"),
        recommends=True,
    )
