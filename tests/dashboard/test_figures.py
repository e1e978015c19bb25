"""Figures, checks and candidates of the page, from rows."""

from __future__ import annotations

from typing import Any

from actioncast.dashboard.figures import figures, group, leaderboard
from actioncast.periods.timeline import UTC_HOURS
from actioncast.periods.words import Words
from tests.support.clock import at
from tests.support.dashboard_rows import row

WORDS = Words(UTC_HOURS)
WEEK = "168 hours (a week)"


def test_figures_are_means_over_the_scored_hours() -> None:
    shown = {
        figure.name: figure.value for figure in figures([row(0, reality=11), row(1, reality=13)], 0.8, WORDS, WEEK)
    }
    assert shown == {
        "Mean actual": "12",
        "Mean predicted": "10",
        "Mean absolute error": "2",
        "Against the naive": "50% less",
        "Interval coverage": "50%",
    }
    assert figures([], 0.8, WORDS, WEEK) == []


def test_figures_without_a_naive_leave_it_out() -> None:
    assert "Against the naive" not in {f.name for f in figures([row(0, reality=11, naive=None)], 0.8, WORDS, WEEK)}


def look(hours: float, verdict: str, *, dispatched: bool = False) -> dict[str, Any]:
    return {"checked_at": at(hours), "verdict": verdict, "dispatched": dispatched}


def test_checks_in_a_row_are_one_look_but_every_retrain_its_own() -> None:
    checks = [look(9, "good"), look(8, "good"), look(7, "retrain", dispatched=True), look(6, "watch")]
    looks = group(checks)
    assert [(look.newest["verdict"], look.count, look.first) for look in looks] == [
        ("good", 2, at(8)),
        ("retrain", 1, at(7)),
        ("watch", 1, at(6)),
    ]


def test_leaderboard_shows_the_best_and_the_best_of_each_other_kind() -> None:
    board = [{"candidate": f"ridge_{i}", "mae": 1.0 + i, "mase": 1.0} for i in range(9)]
    board += [{"candidate": "seasonal_naive_168", "mae": 20.0, "mase": 2.0}]
    shown = leaderboard({"leaderboard": board, "challenger": {"name": "ridge_0"}})
    assert [candidate["rank"] for candidate in shown] == [1, 2, 3, 4, 5, 6, 7, 8, 10]
    assert shown[-1]["share"] == 100.0
    assert [candidate["candidate"] for candidate in shown if candidate["is_challenger"]] == ["ridge_0"]
    assert leaderboard(None) == []
