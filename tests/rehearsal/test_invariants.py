"""Promises that must hold whatever fails."""

from __future__ import annotations

from actioncast.rehearsal.invariants import over_budget
from actioncast.settings import RetrainSettings
from tests.support.clock import at


def test_the_budget_is_counted_a_week_back() -> None:
    policy = RetrainSettings(maximum_per_week=2, cooldown_hours=24)
    assert list(over_budget([at(100), at(50)], policy, at(100))) == []
    assert "3 retrains were asked for" in next(over_budget([at(100), at(50), at(0)], policy, at(100)))
    assert "inside the cooldown" in next(over_budget([at(60), at(50)], policy, at(60)))
