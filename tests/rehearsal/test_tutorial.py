"""The tutorial's policy on the real series."""

from __future__ import annotations

import numpy as np

from actioncast.rehearsal import tutorial
from actioncast.rehearsal.policies import Policy
from tests.support.rehearsals import OWN, plan_of


def test_the_tutorials_policy_on_the_real_47_days_is_a_storm() -> None:
    storm = tutorial.rehearse(plan_of(21), Policy("tutorial", OWN))
    assert storm.retrains > 200
    assert storm.live_mae is not None
    assert storm.live_mae > 2000


def test_its_stored_error_compares_a_rate_with_a_sum() -> None:
    rates = np.full(60, 3.0)
    assert tutorial.stored_error(rates, rates) == 9.0
    assert tutorial.stored_error(np.full(60, np.nan), rates) == 0.0
