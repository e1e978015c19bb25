"""What the page says of the data, of the error's place, of trainings and of what happened: from rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actioncast.dashboard.data_health import data_health
from actioncast.dashboard.heatmap import heatmap
from actioncast.dashboard.marks import Mark, marks_of
from actioncast.dashboard.stored import Stored
from actioncast.dashboard.trainings import trainings_of, what_comes_next
from actioncast.database.database import Newest
from actioncast.forecasting.card import Holidays, read_card
from actioncast.forecasting.level_shifts import Shift
from actioncast.periods.frequency import parse_frequency
from actioncast.periods.grid import Grid
from actioncast.periods.timeline import UTC_HOURS, Timeline
from actioncast.periods.words import Words
from actioncast.policies import RetrainPolicy
from tests.support.clock import at
from tests.support.dashboard_rows import row
from tests.support.serving import promote

WORDS = Words(UTC_HOURS)
NAN = float("nan")
NOTHING = Stored(
    newest=Newest(None, None, None),
    end=at(0),
    performance=[],
    history=None,
    errors_by_lead=[],
    vintage=None,
    checks=[],
    etl_runs=[],
    trainings=[],
    quarantined={},
    restated=0,
    annotations=[],
    card=None,
    card_problem="",
)


def load(hour: float, outcome: str = "loaded", *, rejected: int = 0, message: str = "") -> dict[str, Any]:
    return {
        "started_at": at(hour),
        "outcome": outcome,
        "points_read": 4,
        "points_rejected": rejected,
        "message": message,
    }


# The data -------------------------------------------------------------------------------------------------------------


def facts_of(stored: Stored) -> dict[str, str]:
    return {fact.name: fact.text for fact in data_health(stored, WORDS)}


def test_the_health_of_the_data_in_figures() -> None:
    runs = [load(2, "failed", message="it answers 503"), load(1, rejected=2, message="2 points: no number")]
    values = np.array([1.0, NAN, NAN, 5.0, 5.0, 5.0, 7.0, NAN])
    stored = replace(NOTHING, etl_runs=runs, history=Grid(at(0), values), quarantined={at(3): "x"}, restated=3)
    assert [(fact.name, fact.text) for fact in data_health(stored, WORDS)] == [
        ("Loads", "2 in 30 days, 1 failed"),
        ("Points", "8 read, 2 rejected"),
        ("", "it answers 503"),
        ("", "2 points: no number"),
        ("Missing", "3 hours of 8, at most 2 in a row"),
        ("Stuck", "5 for 3 hours in a row"),
        ("Set aside", "1 hour"),
        ("Restated", "3 hours by the source, or by late points"),
    ]
    assert data_health(NOTHING, WORDS) == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2, 2, 3], "no value was there three times in a row"),
        ([1], "no value was there three times in a row"),
        ([4, 4, 4, 1, 6, 6, 6], "6 for 3 hours in a row"),
        ([2, 2, 2, 2], "2 for 4 hours in a row"),
        ([NAN, NAN, NAN, NAN], "no value was there three times in a row"),
    ],
)
def test_the_longest_run_of_one_value(values: list[float], expected: str) -> None:
    assert facts_of(replace(NOTHING, history=Grid(at(0), np.array(values, dtype=float))))["Stuck"] == expected


# The error's place ----------------------------------------------------------------------------------------------------


def test_the_error_by_weekday_and_hour_of_the_zone() -> None:
    madrid = Timeline(timezone="Europe/Madrid")
    rows = [row(hour, reality=9.0) for hour in range(48)]
    rows[23] = row(23, reality=14.0)  # Friday 4 March, midnight in Madrid: Saturday
    found = heatmap(rows, madrid)
    assert found
    assert found.largest == 4.0
    (worst,) = (cell for cell in found.cells if cell.error == 1.0)
    assert (found.rows[worst.row], found.columns[worst.column]) == ("Sat", "00")
    assert worst.bias == -1.0
    assert worst.text == "Sat 00: error 4, bias -4, of 1"
    assert found.bias == pytest.approx((47 - 4) / 48)


@pytest.mark.parametrize(("frequency", "columns"), [("1D", 7), ("1MS", 12), ("1W", 0), ("1YS", 0)])
def test_longer_periods_have_a_row_or_none(frequency: str, columns: int) -> None:
    timeline = Timeline(parse_frequency(frequency))
    starts = [timeline.start_of(number) for number in range(620, 660)]
    rows = [row(0, reality=9.0) | {"prediction_date": start} for start in starts]
    found = heatmap(rows, timeline)
    assert (len(found.columns) if found else 0) == columns
    assert heatmap(rows[:23], timeline) is None, "too few"


# Trainings and what comes next ----------------------------------------------------------------------------------------


def run(hour: float, verdict: str = "kept", name: str = "blend") -> dict[str, Any]:
    board = [{"candidate": f"ridge_{index}", "mae": 10.0 + index} for index in range(20)]
    board += [{"candidate": "seasonal_naive_24", "mae": 50.0}, {"candidate": "skipped", "mae": None}]
    return {
        "started_at": at(hour),
        "verdict": verdict,
        "challenger": {"name": name},
        "reason": "because",
        "periods": 500,
        "leaderboard": board,
    }


def test_trainings_are_listed_with_their_best_and_the_naive() -> None:
    (training,) = trainings_of([run(0, "promoted")])
    assert (training.verdict, training.challenger, training.periods) == ("promoted", "blend", 500)
    assert list(training.board) == [*(f"ridge_{index}" for index in range(12)), "seasonal_naive_24"]
    assert training.as_json(WORDS)["name"] == "04 Mar 2022 00:00, promoted"


def check(hour: float, *, dispatched: bool = False) -> dict[str, Any]:
    return {"checked_at": at(hour), "dispatched": dispatched, "reasons": ["above the limit"]}


@pytest.mark.parametrize(
    ("checks", "runs", "expected"),
    [
        ([check(0)], [], "a retrain is possible now; 0 of 3 this week."),
        (
            [check(0), check(-3, dispatched=True)],
            [run(-2)],
            "a retrain is possible after 04 Mar 2022 22:00 (a pause of 24 h); 1 of 3 this week.",
        ),
        ([check(0), check(-200, dispatched=True)], [run(-199)], "a retrain is possible now; 0 of 3 this week."),
    ],
)
def test_when_the_next_check_and_a_retrain_may_come(
    checks: list[dict[str, Any]], runs: list[dict[str, Any]], expected: str
) -> None:
    text = what_comes_next(checks, runs, RetrainPolicy(), 2, at(0.5), WORDS)
    assert text == f"Next check due 04 Mar 2022 02:00 UTC; {expected}"


def test_before_the_first_check_nothing_is_promised() -> None:
    assert what_comes_next([], [], RetrainPolicy(), 2, at(0), WORDS) == ""


# Marks ----------------------------------------------------------------------------------------------------------------


def marks(**facts: Any) -> list[Mark]:
    nothing: dict[str, Any] = {"card": None, "trainings": [], "checks": [], "etl_runs": []}
    nothing |= {"quarantined": {}, "annotations": []}
    return marks_of(since=at(-48), until=at(48), timeline=UTC_HOURS, **(nothing | facts))


def test_what_happened_is_marked_in_its_order_and_within_the_chart() -> None:
    found = marks(
        trainings=[run(5, "promoted"), run(-100)],
        checks=[check(4, dispatched=True), check(2)],
        annotations=[{"noted_for": at(-1), "note": "a strike"}],
    )
    assert [(mark.kind, mark.moment) for mark in found] == [("note", at(-1)), ("retrain", at(4)), ("promoted", at(5))]
    assert found[2].text == "blend promoted: because"
    assert found[1].text == "retrain asked for: above the limit"


def test_loads_that_fail_in_a_row_are_one_mark() -> None:
    runs = [load(5, "failed", message="old"), load(4, "failed", message="503"), load(3), load(2, "failed", message="x")]
    assert [(mark.moment, mark.text) for mark in marks(etl_runs=runs)] == [
        (at(2), "a load failed: x"),
        (at(4), "2 loads failed: old"),
    ]


def test_neighbours_that_are_set_aside_for_one_reason_are_one_mark() -> None:
    aside = {at(1): "stuck", at(2): "stuck", at(3): "zeros", at(7): "zeros"}
    assert [(mark.moment, mark.text) for mark in marks(quarantined=aside)] == [
        (at(1), "2 hours set aside: stuck"),
        (at(3), "1 hour set aside: zeros"),
        (at(7), "1 hour set aside: zeros"),
    ]


def test_levels_and_holidays_are_those_of_the_card(tmp_path: Path) -> None:
    promote(tmp_path)
    card = read_card(tmp_path)
    assert card
    holidays = Holidays(code="ES", timezone="Europe/Madrid", until=date(2030, 1, 1), days=[date(2022, 3, 5)])
    known = card.model_copy(update={"shifts": (Shift(at(-3), 2.0, 0.0),), "holidays": holidays})
    found = marks(card=known)
    assert [mark.kind for mark in found] == ["level", "holiday"]
    assert found[1].moment == datetime(2022, 3, 4, 23, tzinfo=UTC), "midnight in Madrid"


def test_a_long_reason_is_cut() -> None:
    (mark,) = marks(annotations=[], checks=[check(0, dispatched=True) | {"reasons": ["x" * 999]}])
    assert len(mark.text) < 200
