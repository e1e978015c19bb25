"""The stored checks under other rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from actioncast.database.database import open_database
from actioncast.monitoring.what_if import replay
from actioncast.policies import RetrainPolicy
from tests.support.clock import at
from tests.support.serving import SERIES, client_of, settings_in

POLICY = RetrainPolicy(cooldown=timedelta(hours=12), maximum_per_week=7)


def checks_of(errors: list[float]) -> list[dict[str, Any]]:
    """A check every two hours with these live errors; the backtest's is 10, the naive's 100."""
    return [
        {
            "series_id": SERIES,
            "checked_at": at(2 * index + 0.4),
            "newest_period": at(2 * index - 1),
            "verdict": "good",
            "bad": False,
            "reasons": ["as it was"],
            "scored_periods": 48,
            "mae": error,
            "reference_mae": 10.0,
            "naive_mae": 100.0,
            "dispatched": False,
        }
        for index, error in enumerate(errors)
    ]


BAD_FOR_A_DAY = [9.0] * 6 + [14.0] * 12 + [9.0] * 6


def test_a_stricter_ratio_asks_for_the_retrains_that_the_own_one_did_not() -> None:
    checks = checks_of(BAD_FOR_A_DAY)
    assert replay(checks, POLICY).retrains == []
    strict = replay(checks, replace(POLICY, maximum_ratio_to_backtest=1.3))
    assert strict.retrains == [at(2 * 8 + 0.4), at(2 * 14 + 0.4)], "the third bad look, and again after the cooldown"
    assert strict.verdicts[:7] == ["good"] * 6 + ["watch"]


def test_fewer_bad_checks_ask_earlier() -> None:
    quick = replay(checks_of(BAD_FOR_A_DAY), replace(POLICY, maximum_ratio_to_backtest=1.3, bad_checks=1, of_checks=1))
    assert quick.retrains[0] == at(2 * 6 + 0.4)


def test_the_cooldown_and_the_weekly_cap_hold() -> None:
    bad = checks_of([30.0] * 84)
    assert len(replay(bad, replace(POLICY, maximum_per_week=2)).retrains) == 2
    assert len(replay(bad, replace(POLICY, cooldown=timedelta(days=4))).retrains) == 2


def test_it_is_answered_by_the_api_and_stores_nothing(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, f"sqlite:///{tmp_path / 'test.db'}")
    with open_database(settings) as database:
        for check in checks_of(BAD_FOR_A_DAY):
            database.store_check(check)
    with client_of(settings, at(60)) as client:
        parameters = {"maximum_ratio_to_backtest": 1.3, "bad_checks": 2, "of_checks": 3, "cooldown_hours": 12}
        answer = client.get("/what-if", params=parameters).json()
        assert answer["sentence"] == "With 1.3 x the backtest, 2 of 3 checks: 2 retrains instead of 0, in 24 checks."
        assert len(answer["other"]["asked_for"]) == 2
        assert client.get("/what-if", params={"bad_checks": 0}).status_code == 422
    with open_database(settings) as database:
        stored = database.checks(SERIES, since=at(-1), before=at(99))
    assert not any(check["dispatched"] for check in stored)


def test_without_checks_it_says_so(tmp_path: Path) -> None:
    with client_of(settings_in(tmp_path, f"sqlite:///{tmp_path / 'test.db'}")) as client:
        assert client.get("/what-if").json()["sentence"] == "No check is stored yet."
