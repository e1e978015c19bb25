"""The verdict on scores and checks made by hand: errors of 10 against a backtest of 10 and a naive of 20 are good."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise, takewhile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actioncast.forecasting.card import Holidays
from actioncast.monitoring.live_error import LiveScore, live_score
from actioncast.monitoring.verdict import OPEN_HOURS, Verdict, VerdictName, judge
from actioncast.policies import RetrainPolicy
from actioncast.times import ONE_WEEK
from tests.support.performance import NOW, ago, row, score

POLICY = RetrainPolicy()  # 3 bad looks of 4, 24 of 48 hours, 1.5 x backtest, 1 x naive, 24 h cooldown, 3 a week


def check(
    hours_ago: float,
    *,
    bad: bool = True,
    newest_hours_ago: float | None = None,
    dispatched: bool = False,
    verdict: VerdictName = "watch",
) -> dict[str, Any]:
    """A row of `checks`; the newest hour it saw is two hours older than itself."""
    return {
        "checked_at": ago(hours_ago),
        "bad": bad,
        "verdict": verdict,
        "newest_period": ago(hours_ago + 2 if newest_hours_ago is None else newest_hours_ago),
        "dispatched": dispatched,
    }


def look(
    live: LiveScore,
    earlier: Sequence[dict[str, Any]] = (),
    *,
    trained: datetime | None = None,
    policy: RetrainPolicy = POLICY,
) -> Verdict:
    return judge(live, earlier=earlier, last_training=trained, policy=policy, now=NOW)


BAD = score(30.0)
THREE_BAD = [check(2), check(4), check(6)]


# holidays ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "name"), [(-3, "wait"), (0, "wait"), (3, "wait"), (4, "retrain"), (-4, "retrain")])
def test_a_retrain_waits_around_a_holiday(days: int, name: str) -> None:
    newest = BAD.newest_period
    assert newest is not None
    holiday = newest.date() - timedelta(days=days)
    holidays = Holidays(code="ES", timezone="UTC", until=date(2030, 1, 1), days=[holiday])
    verdict = judge(BAD, earlier=THREE_BAD, last_training=None, policy=POLICY, now=NOW, holidays=holidays)
    assert verdict.name == name
    assert verdict.bad
    assert (f"{holiday:%Y-%m-%d} is a holiday" in verdict.reasons[-1]) == (name == "wait")


# one look ------------------------------------------------------------------------------------------------------------


def test_good_says_what_it_was_compared_with() -> None:
    verdict = look(score(10.0))
    assert (verdict.name, verdict.bad) == ("good", False)
    assert verdict.reasons == [
        "live error 10 over 46 hours is within 1.5 x the champion's backtest error (10)",
        "live error 10 over 46 hours is within 1.1 x the error of 168 hours (a week) earlier (20)",
    ]


@pytest.mark.parametrize(("hours", "name"), [(0, "too few periods"), (23, "too few periods"), (24, "good")])
def test_fewer_hours_than_the_minimum_are_no_verdict(hours: int, name: str) -> None:
    assert look(score(hours=hours)).name == name


def test_too_few_hours_never_retrain_whatever_their_error() -> None:
    verdict = look(score(30.0, hours=23), THREE_BAD)
    assert (verdict.name, verdict.bad) == ("too few periods", False)
    assert "23 scored hours of the champion's forecasts within 48, 24 are needed" in verdict.reasons[0]


@pytest.mark.parametrize(("hours_ago", "name"), [(48, "good"), (48.1, "too few periods")])
def test_old_hours_are_no_verdict(hours_ago: float, name: str) -> None:
    assert look(score(newest=ago(hours_ago))).name == name


def test_an_error_that_cannot_be_compared_is_not_good() -> None:
    verdict = look(score(reference=None, naive=None, naive_periods=0))
    assert verdict.name == "too few periods"
    assert "nothing to compare with" in verdict.reasons[0]


@pytest.mark.parametrize("broken", [math.nan, math.inf])
@pytest.mark.parametrize("figure", ["mae", "reference", "naive"])
def test_what_is_no_number_is_an_alarm(figure: str, broken: float) -> None:
    verdict = look(score(**{figure: broken}), THREE_BAD)  # type: ignore[arg-type]
    assert (verdict.name, verdict.bad) == ("alarm", False)
    assert f"is {broken}: a stored value is broken" in verdict.reasons[0]


def test_an_alarm_does_not_wait_for_enough_hours() -> None:
    assert look(score(math.nan, hours=1)).name == "alarm"


@pytest.mark.parametrize(("mae", "bad"), [(15.0, False), (15.01, True)])
def test_bad_by_the_backtest_ratio(mae: float, bad: bool) -> None:
    assert look(score(mae)).bad is bad


@pytest.mark.parametrize(("mae", "bad"), [(8.79, False), (8.81, True)])
def test_bad_by_the_naive_ratio(mae: float, bad: bool) -> None:
    verdict = look(score(mae, naive=8.0))
    assert verdict.bad is bad
    assert any("a week" in reason for reason in verdict.reasons)


def test_no_error_at_all_is_good_even_against_a_perfect_backtest() -> None:
    assert look(score(0.0, reference=0.0, naive=0.0)).name == "good"


def test_a_champion_that_is_the_naive_is_not_bad_by_rounding() -> None:
    assert not look(score(0.1 + 0.2, naive=0.3, reference=None)).bad


def test_the_naive_ratio_uses_the_errors_of_the_same_hours() -> None:
    calm = [row(40 - i, error=5.0, naive=10.0) for i in range(24)]
    wild = [row(10 - i, error=50.0, naive=None) for i in range(6)]
    live = live_score([*calm, *wild], [])
    assert live.mae == 14.0  # above the naive's 10, which was never tried on the wild hours
    assert look(live).name == "good"


@pytest.mark.parametrize(("naive_periods", "bad"), [(23, False), (24, True)])
def test_the_naive_counts_once_it_is_known_for_enough_hours(naive_periods: int, bad: bool) -> None:
    assert look(score(10.0, naive=8.0, naive_periods=naive_periods)).bad is bad


@pytest.mark.parametrize(("mae", "bad"), [(6.0, False), (6.1, True)])
def test_bad_by_the_absolute_limit_alone(mae: float, bad: bool) -> None:
    live = score(mae, reference=None, naive=None, naive_periods=0)
    assert look(live, policy=RetrainPolicy(max_mae=6.0)).bad is bad


def test_every_limit_that_is_exceeded_is_named() -> None:
    verdict = look(score(30.0), policy=RetrainPolicy(max_mae=6.0))
    assert [reason.split(" is above ")[1] for reason in verdict.reasons[:3]] == [
        "1.5 x the champion's backtest error (10)",
        "1.1 x the error of 168 hours (a week) earlier (20)",
        "1 x max_mae (6)",
    ]


def test_large_errors_are_written_out() -> None:
    assert "live error 12,345 over 46 hours" in look(score(12345.0)).reasons[0]


# k of the last n looks -----------------------------------------------------------------------------------------------


def test_the_first_bad_look_is_watched() -> None:
    verdict = look(BAD)
    assert (verdict.name, verdict.bad) == ("watch", True)
    assert "bad looks among the last 4: 1, 3 are needed" in verdict.reasons[-1]


def test_the_third_bad_look_is_a_retrain() -> None:
    assert look(BAD, [check(2), check(4)]).name == "retrain"


def test_three_of_four_are_enough() -> None:
    assert look(BAD, [check(2), check(4, bad=False, verdict="good"), check(6)]).name == "retrain"


def test_looks_before_the_last_four_do_not_count() -> None:
    two_good = [check(h, bad=False, verdict="good") for h in (4, 6)]
    assert look(BAD, [check(2), *two_good, check(8), check(10)]).name == "watch"


def test_a_good_look_after_bad_ones_is_good() -> None:
    assert look(score(10.0), THREE_BAD).name == "good"


def test_looks_at_the_same_newest_hour_are_one_look() -> None:
    repeated = [check(h / 10, newest_hours_ago=2) for h in range(1, 10)]
    assert look(BAD, repeated).name == "watch"


def test_of_looks_at_the_same_newest_hour_the_newest_counts() -> None:
    good_then_bad = [check(2, newest_hours_ago=5), check(3, newest_hours_ago=5, bad=False, verdict="good")]
    assert look(BAD, [*good_then_bad, check(6)]).name == "retrain"


def test_looks_at_newer_hours_are_about_another_champion() -> None:
    # After a rollback the older model's forecasts are scored again.
    assert look(score(30.0, newest=ago(20)), THREE_BAD).name == "watch"


@pytest.mark.parametrize("verdict", ["too few periods", "alarm"])
def test_looks_without_a_verdict_are_no_evidence(verdict: VerdictName) -> None:
    mute = [check(h, bad=True, verdict=verdict) for h in (2, 4, 6)]
    assert look(BAD, mute).name == "watch"
    assert look(BAD, [*mute, check(8), check(10)]).name == "retrain"


def test_a_three_day_outage_never_triggers() -> None:
    newest, earlier = ago(2), [check(2, bad=False, verdict="good")]
    for hours in range(0, 72, 2):
        now = NOW + timedelta(hours=hours)
        live = score(30.0, newest=newest)
        verdict = judge(live, earlier=earlier, last_training=None, policy=POLICY, now=now)
        assert verdict.name == ("watch" if hours <= 46 else "too few periods")
        earlier.insert(0, {**check(-hours, verdict=verdict.name, bad=verdict.bad), "newest_period": newest})


def test_looks_before_the_last_training_are_spent() -> None:
    assert look(BAD, [check(26), check(28), check(30)], trained=ago(25)).name == "watch"
    assert look(BAD, [check(26), check(28), check(30)], trained=ago(31)).name == "retrain"


def test_looks_before_the_last_dispatch_are_spent() -> None:
    assert look(BAD, [check(2), check(26, dispatched=True, verdict="retrain"), check(28), check(30)]).name == "watch"


def test_hours_seen_by_the_last_dispatch_are_spent() -> None:
    once = RetrainPolicy(bad_checks=1, of_checks=1, cooldown=timedelta(hours=1))
    dispatch = check(8, newest_hours_ago=9, dispatched=True, verdict="retrain")
    assert look(score(30.0, newest=ago(9)), [dispatch], policy=once).name == "watch"
    assert look(score(30.0, newest=ago(8)), [dispatch], policy=once).name == "retrain"


# what a due retrain waits for ----------------------------------------------------------------------------------------

NO_COOLDOWN = RetrainPolicy(cooldown=timedelta(0), bad_checks=1, of_checks=1)


def dispatch(hours_ago: float) -> dict[str, Any]:
    return check(hours_ago, dispatched=True, verdict="retrain")


@pytest.mark.parametrize(("hours_ago", "name"), [(1, "wait"), (OPEN_HOURS - 0.1, "wait"), (OPEN_HOURS, "retrain")])
def test_one_open_retrain_at_a_time(hours_ago: float, name: str) -> None:
    verdict = look(BAD, [dispatch(hours_ago)], policy=NO_COOLDOWN)
    assert verdict.name == name
    if name == "wait":
        assert "has not been recorded as run yet" in verdict.reasons[-1]


@pytest.mark.parametrize(("trained_hours_ago", "name"), [(1.9, "retrain"), (2, "retrain"), (2.1, "wait")])
def test_a_training_that_started_since_closes_the_request(trained_hours_ago: float, name: str) -> None:
    assert look(BAD, [dispatch(2)], trained=ago(trained_hours_ago), policy=NO_COOLDOWN).name == name


@pytest.mark.parametrize(("hours_ago", "name"), [(23.9, "wait"), (24, "retrain")])
def test_the_cooldown_runs_from_the_dispatch(hours_ago: float, name: str) -> None:
    assert look(BAD, [check(2), check(4), dispatch(hours_ago)]).name == name


@pytest.mark.parametrize(("hours_ago", "name"), [(23.9, "wait"), (24, "retrain")])
def test_the_cooldown_runs_from_the_last_training_too(hours_ago: float, name: str) -> None:
    assert look(BAD, [check(2), check(4)], trained=ago(hours_ago)).name == name
    assert look(BAD, [check(2), check(4), dispatch(30)], trained=ago(hours_ago)).name == name


def test_a_dispatch_that_no_training_followed_is_pointed_out() -> None:
    verdict = look(BAD, [check(2), check(4), dispatch(10)])
    assert verdict.name == "wait"
    assert "no training run followed it, so look at the retrain workflow" in verdict.reasons[-1]


def test_after_the_cooldown_a_champion_that_was_kept_may_be_challenged_again() -> None:
    assert look(BAD, [check(2), check(4), dispatch(25)], trained=ago(24.9)).name == "retrain"


@pytest.mark.parametrize(("oldest_hours_ago", "name"), [(167.9, "wait"), (168, "retrain")])
def test_the_weekly_cap(oldest_hours_ago: float, name: str) -> None:
    asked = [check(2), check(4), dispatch(30), dispatch(60), dispatch(oldest_hours_ago)]
    verdict = look(BAD, asked)
    assert verdict.name == name
    if name == "wait":
        assert verdict.reasons[-1] == "retrains asked for in the last 7 days: 3, the cap is 3"


def test_a_cap_of_zero_never_retrains() -> None:
    assert look(BAD, THREE_BAD, policy=RetrainPolicy(maximum_per_week=0)).name == "wait"


def test_a_dispatch_that_failed_holds_nothing_up() -> None:
    failed = check(2, verdict="retrain", dispatched=False)
    assert look(BAD, [failed, check(4), check(6)]).name == "retrain"


# the loop over time --------------------------------------------------------------------------------------------------


class Loop:
    """Checks one after the other, each seeing those before it, as the database hands them over."""

    def __init__(self, policy: RetrainPolicy = POLICY) -> None:
        self.policy = policy
        self.checks: list[dict[str, Any]] = []  # newest first
        self.trained: datetime | None = None

    def check(self, now: datetime, mae: float, newest: datetime, hours: int = 46) -> VerdictName:
        since = now - max(ONE_WEEK, self.policy.cooldown)
        earlier = list(takewhile(lambda row: row["checked_at"] >= since, self.checks))
        live = score(mae, hours=hours, newest=newest)
        verdict = judge(live, earlier=earlier, last_training=self.trained, policy=self.policy, now=now)
        seen = {"checked_at": now, "newest_period": newest, "verdict": verdict.name, "bad": verdict.bad}
        self.checks.insert(0, {**seen, "dispatched": verdict.name == "retrain"})
        return verdict.name

    def dispatches(self) -> list[datetime]:
        return [row["checked_at"] for row in self.checks if row["dispatched"]][::-1]


@pytest.mark.parametrize("trains", [True, False])
def test_46_days_of_constant_error_converge(trains: bool) -> None:
    loop, tutorial = Loop(), 0
    for hours in range(0, 46 * 24, 2):
        now = NOW + timedelta(hours=hours)
        if loop.check(now, 30.0, now - timedelta(hours=2)) == "retrain" and trains:
            loop.trained = now + timedelta(minutes=20)  # and the gate keeps the champion
        tutorial += 30.0 > 6.0
    assert tutorial == 552
    assert 6 * 3 <= len(loop.dispatches()) <= 7 * 3


step = st.tuples(
    st.floats(0.1, 30),  # hours since the last check: GitHub's cron is late and drops runs
    st.sampled_from([10.0, 30.0, 30.0, 30.0, math.nan]),  # live error
    st.booleans(),  # does the source answer
    st.integers(20, 46),  # scored hours
    st.booleans(),  # a training run follows, the champion is kept
)
policies = st.builds(
    RetrainPolicy,
    bad_checks=st.integers(1, 3),
    of_checks=st.integers(3, 5),
    cooldown=st.sampled_from([timedelta(hours=hours) for hours in (0, 3, 24, 200)]),
    maximum_per_week=st.integers(0, 4),
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(steps=st.lists(step, min_size=20, max_size=80), policy=policies)
def test_whatever_happens_the_loop_keeps_its_limits(steps: list[tuple[Any, ...]], policy: RetrainPolicy) -> None:
    loop, now, newest = Loop(policy), NOW, ago(2)
    for gap, mae, answers, hours, trains in steps:
        now += timedelta(hours=gap)
        newest = now - timedelta(hours=1) if answers else newest
        name = loop.check(now, mae, newest, hours)
        assert name != "good" or mae == 10.0
        assert name != "retrain" or (mae == 30.0 and hours >= 24)
        if name == "retrain" and trains:
            loop.trained = now + timedelta(minutes=3)
    asked = loop.dispatches()
    assert all(
        sum(first <= other < first + timedelta(days=7) for other in asked) <= policy.maximum_per_week for first in asked
    )
    assert all(b - a >= policy.cooldown for a, b in pairwise(asked))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(steps=st.lists(step, min_size=20, max_size=80), policy=policies)
def test_each_retrain_rests_on_enough_newer_hours(steps: list[tuple[Any, ...]], policy: RetrainPolicy) -> None:
    loop, now, newest = Loop(policy), NOW, ago(2)
    bad_hours: set[datetime] = set()
    for gap, mae, answers, hours, _ in steps:
        now += timedelta(hours=gap)
        newest = now - timedelta(hours=1) if answers else newest
        name = loop.check(now, mae, newest, hours)
        bad_hours |= {newest} if loop.checks[0]["bad"] else set()
        if name == "retrain":
            assert len(bad_hours) >= policy.bad_checks
            bad_hours = set()


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.floats(0.1, 30), st.floats(0, 15)), max_size=40), policies)
def test_a_good_error_never_asks_for_a_retrain(steps: list[tuple[float, float]], policy: RetrainPolicy) -> None:
    loop, now = Loop(policy), NOW
    for gap, mae in steps:
        now += timedelta(hours=gap)
        assert loop.check(now, mae, now - timedelta(hours=2)) == "good"
