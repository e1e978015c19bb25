"""Policies: the flags and the grid."""

from __future__ import annotations

from actioncast.rehearsal.policies import read_policies
from tests.support.rehearsals import OWN


def test_a_policy_is_named_or_described() -> None:
    never, mine = read_policies(["never", "mine:cooldown=72,bad_checks=2,refresh_hours=168"], [], OWN)
    assert (never.retrain.mode, never.refresh_hours) == ("suggest", 0)
    assert (str(mine.retrain.cooldown), mine.retrain.bad_checks, mine.refresh_hours) == ("72", 2, 168)


def test_a_grid_spans_all_combinations() -> None:
    policies = read_policies([], ["window=24,48", "maximum_ratio_to_naive=0.8,0.9,1.0"], OWN)
    assert len({(p.retrain.window, p.retrain.maximum_ratio_to_naive) for p in policies}) == 6


def test_without_a_flag_it_is_the_users_own() -> None:
    (policy,) = read_policies([], [], OWN)
    assert (policy.name, policy.retrain) == ("config.toml", OWN)
