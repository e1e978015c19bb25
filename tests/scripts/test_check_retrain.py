"""The check on a real database and against a stand-in for GitHub.

The world: ten days of hours, 100 in the last five days and 120 before, so that the weekly naive is 20 off. The champion
was 10 off in its backtest; one vintage forecasts the last 60 hours with a given error.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import check_retrain
from actioncast.config import load_settings
from actioncast.database.connection import DatabaseError
from actioncast.database.database import Database, open_database
from actioncast.github.api import ApiError
from actioncast.monitoring.retrain_request import FIRST_REASON, CheckReport
from actioncast.paths import CARD
from actioncast.periods.grid import Periods
from actioncast.settings import Settings
from actioncast.times import to_seconds
from tests.support.clock import at
from tests.support.fake_github import READ_ONLY_TOKEN, TOKEN, FakeGitHub
from tests.support.performance import champion_card
from tests.support.source import Configure

FIRST_PERIODS = 504  # hours, three weeks, that a first training needs
NOW = at(240)
SOURCE = '{ kind = "file", path = "points.csv" }'
AT_ONCE = "[retrain]\nbad_checks = 1\nof_checks = 1\n"  # one bad look is enough
GOOD, BAD = 10.0, 30.0  # live errors


@dataclass
class World:
    """A project folder with its database."""

    settings: Settings
    database: Database
    series_id: str = "demo"

    def load(self, first: int, values: list[float]) -> None:
        """Reality from this hour on."""
        starts = np.array([to_seconds(at(first + i)) for i in range(len(values))], dtype=np.int64)
        hours = Periods(starts, np.array(values, dtype=np.float64), np.full(len(values), 4, dtype=np.int32))
        run = {
            "run_id": f"{self.series_id}-{first}-{len(values)}",
            "series_id": self.series_id,
            "started_at": at(first),
            "finished_at": at(first),
        }
        self.database.load_periods(
            self.series_id,
            hours,
            NOW,
            {**run, "points_read": 0, "points_rejected": 0, "periods_missing": 0, "message": ""},
        )

    def forecast(self, error: float, version: str = "v1") -> None:
        """A vintage issued 60 hours ago that stays this far above the truth."""
        row = {"series_id": "demo", "issued_at": at(180), "prediction": 100 + error, "lower": 80.0, "upper": 120.0}
        self.database.store_vintage(
            [
                {
                    **row,
                    "prediction_date": at(hour),
                    "lead": hour - 179,
                    "model_version": version,
                    "naive": 120.0 if hour < 288 else 100.0,
                }
                for hour in range(180, 300)
            ]
        )

    def train(self, started: datetime) -> None:
        """A training run that kept the champion."""
        texts: dict[str, Any] = {name: {} for name in ("champion", "challenger", "library_versions", "settings")}
        moments = dict.fromkeys(("started_at", "finished_at", "window_start", "window_end"), started)
        self.database.store_training_run(
            {"run_id": str(started), "series_id": "demo", **moments, **texts, "leaderboard": [], "periods": 1}
            | {"verdict": "kept", "reason": "no better", "git_sha": None}
        )

    def crown(self, version: str = "v1", mae_by_lead: tuple[float, ...] = (10.0,)) -> None:
        """Put the card of a champion into its place; nobody forecasts with it here."""
        card = champion_card(version, mae_by_lead)
        directory = self.settings.model_directory("demo")
        directory.mkdir(parents=True, exist_ok=True)
        (directory / CARD).write_text(card.model_dump_json(), encoding="utf-8")

    def live(self, error: float) -> None:
        """The world as the module's docstring has it."""
        self.load(0, [120.0] * 120 + [100.0] * 120)
        self.forecast(error)
        self.crown()

    def check(self, now: datetime = NOW, **options: Any) -> CheckReport:
        return check_retrain.run(self.settings, self.database, now, series_id="demo", **options)

    def recorded(self) -> list[dict[str, Any]]:
        """The rows of `checks`, oldest first."""
        return self.database.checks("demo", since=at(0), before=at(1000))[::-1]

    def with_variables(self, variables: dict[str, str]) -> World:
        """The same world with other environment variables."""
        environment = type(self.settings.environment).of(variables)
        return World(self.settings.model_copy(update={"environment": environment}), self.database)


def write_config(configure: Configure, more: str) -> Path:
    path = configure(SOURCE)
    path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
    return path


@pytest.fixture
def make_world(database: Database, configure: Configure) -> Any:
    def make(error: float, config: str = "") -> World:
        world = World(load_settings(write_config(configure, config), variables={}), database)
        world.live(error)
        return world

    return make


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGitHub]:
    with FakeGitHub() as fake:
        yield fake


def test_a_good_look_is_recorded(make_world: Any) -> None:
    world = make_world(GOOD)
    report = world.check()
    assert (report.verdict.name, report.dispatched, report.failed) == ("good", False, False)
    assert world.recorded() == [
        {
            "series_id": "demo",
            "checked_at": NOW,
            "verdict": "good",
            "bad": False,
            "newest_period": at(239),
            "reasons": report.verdict.reasons,
            "scored_periods": 48,
            "mae": 10.0,
            "reference_mae": 10.0,
            "naive_mae": 20.0,
            "dispatched": False,
        }
    ]


def test_the_answer_has_the_documented_fields(make_world: Any) -> None:
    report = make_world(GOOD).check()
    assert report.as_json() == {
        "series": "demo",
        "verdict": "good",
        "reasons": report.verdict.reasons,
        "scored_periods": 48,
        "newest_period": "2022-03-13T23:00:00Z",
        "mae": 10.0,
        "reference_mae": 10.0,
        "naive_mae": 20.0,
        "coverage": 1.0,
        "crps": None,
        "dispatched": False,
    }


def test_the_verdict_and_its_reasons_are_what_a_person_reads(make_world: Any) -> None:
    assert make_world(GOOD).check().as_text().splitlines()[0] == "demo: good"


def test_looks_add_up_over_the_recorded_checks(make_world: Any, server: FakeGitHub) -> None:
    world = make_world(BAD).with_variables(server.variables())
    verdicts = [world.check().verdict.name]
    for hour in (240, 242, 244):
        world.load(hour, [100.0, 100.0])
        verdicts.append(world.check(at(hour + 2)).verdict.name)
    assert verdicts == ["watch", "watch", "retrain", "watch"]
    assert len(server.events) == 1


def test_checks_without_newer_hours_are_one_look(make_world: Any, server: FakeGitHub) -> None:
    world = make_world(BAD).with_variables(server.variables())
    verdicts = [world.check(at(240 + hours)).verdict.name for hours in range(0, 72, 2)]
    assert set(verdicts) == {"watch", "too few periods"}
    assert server.events == []


def test_while_the_source_is_silent_the_score_stands_still(make_world: Any) -> None:
    world = make_world(GOOD)
    assert world.check(at(270)).score == world.check().score


def test_a_retrain_is_asked_of_github_with_its_reasons(make_world: Any, server: FakeGitHub) -> None:
    world = make_world(BAD, AT_ONCE).with_variables(server.variables())
    report = world.check()
    assert report.dispatched
    assert "repository_dispatch execute-retrain" in report.as_text()
    figures = {"scored_periods": [48], "mae": [30.0], "reference_mae": [10.0], "naive_mae": [20.0]}
    payload = {"series": "demo", "reasons": ["; ".join(report.verdict.reasons)], **figures}
    assert server.events == [{"event_type": "execute-retrain", "client_payload": payload}]
    assert [row["dispatched"] for row in world.recorded()] == [True]


def test_a_refused_dispatch_is_recorded_and_the_next_check_asks_again(make_world: Any, server: FakeGitHub) -> None:
    world = make_world(BAD, AT_ONCE)
    with pytest.raises(ApiError, match="contents: write"):
        world.with_variables(server.variables(READ_ONLY_TOKEN)).check()
    (refused,) = world.recorded()
    assert (refused["verdict"], refused["dispatched"]) == ("retrain", False)
    assert "403 Resource not accessible by integration" in refused["reasons"][-1]
    assert world.with_variables(server.variables()).check(at(241)).dispatched


def test_without_a_token_github_is_not_asked_and_the_check_fails(make_world: Any, server: FakeGitHub) -> None:
    world = make_world(BAD, AT_ONCE).with_variables({**server.variables(), "GITHUB_TOKEN": ""})
    with pytest.raises(ApiError, match="GITHUB_TOKEN is not set"):
        world.check()
    assert [row["dispatched"] for row in world.recorded()] == [False]


def test_a_dispatch_that_cannot_be_recorded_is_not_sent(
    make_world: Any, server: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise DatabaseError("read-only")

    world = make_world(BAD, AT_ONCE).with_variables(server.variables())
    monkeypatch.setattr(Database, "store_check", refuse)
    with pytest.raises(DatabaseError):
        world.check()
    assert server.requests == []


def test_repeated_at_the_same_moment_it_asks_once_and_remembers(make_world: Any, server: FakeGitHub) -> None:
    world = make_world(BAD, AT_ONCE + "cooldown = 0\n").with_variables(server.variables())
    assert [world.check().dispatched, world.check().dispatched] == [True, False]
    assert [row["dispatched"] for row in world.recorded()] == [True]


def test_without_a_repository_it_says_what_to_run(make_world: Any) -> None:
    world = make_world(BAD, AT_ONCE)
    report = world.check()
    assert (report.verdict.name, report.dispatched, report.failed) == ("retrain", False, False)
    assert "run: python train.py --series demo" in report.as_text()
    assert world.recorded()[0]["reasons"] == report.verdict.reasons


def test_suggest_mode_only_reports(make_world: Any, server: FakeGitHub) -> None:
    world = make_world(BAD, AT_ONCE + 'mode = "suggest"\n').with_variables(server.variables())
    report = world.check()
    assert (report.verdict.name, report.dispatched) == ("retrain", False)
    assert "retrain.mode is suggest" in report.verdict.reasons[-1]
    assert server.requests == []


def test_after_a_promotion_only_the_new_champion_is_scored(make_world: Any) -> None:
    world = make_world(BAD, AT_ONCE)
    world.crown("v2")
    assert (world.check().verdict.name, world.check().score.scored_periods) == ("too few periods", 0)


def test_without_a_champion_all_forecasts_are_compared_with_the_naive(make_world: Any) -> None:
    world = make_world(BAD, AT_ONCE)
    (world.settings.model_directory("demo") / CARD).unlink()
    report = world.check()
    assert (report.verdict.name, report.score.reference_mae) == ("retrain", None)


def test_a_card_that_cannot_be_read_is_an_alarm(make_world: Any) -> None:
    world = make_world(GOOD)
    (world.settings.model_directory("demo") / CARD).write_text("{", encoding="utf-8")
    assert world.check().failed
    assert world.recorded()[0]["verdict"] == "alarm"
    assert "card.json" in world.recorded()[0]["reasons"][0]


@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_a_broken_stored_value_is_an_alarm_that_json_can_carry(
    make_world: Any, server: FakeGitHub, monkeypatch: pytest.MonkeyPatch, broken: float
) -> None:
    world = make_world(BAD, AT_ONCE).with_variables(server.variables())
    stored = world.database.performance("demo", since=at(190), until=NOW)
    # The tables refuse such a value today; a database filled by other hands may still hold one.
    rows = [*stored[:-1], {**stored[-1], "absolute_error": broken}]
    monkeypatch.setattr(Database, "performance", lambda *_, **__: rows)
    report = world.check()
    assert (report.verdict.name, report.failed, report.dispatched) == ("alarm", True, False)
    assert json.loads(json.dumps(report.as_json(), allow_nan=False))["mae"] is None
    assert [(row["verdict"], row["mae"]) for row in world.recorded()] == [("alarm", None)]


def test_a_backtest_error_that_is_no_number_is_an_alarm(make_world: Any) -> None:
    world = make_world(GOOD)
    world.crown(mae_by_lead=(math.inf,))
    assert world.check().verdict.name == "alarm"


def test_the_first_days_have_too_few_hours(make_world: Any) -> None:
    world = make_world(BAD, AT_ONCE)
    assert world.check(at(203)).verdict.name == "too few periods"
    assert world.check(at(204)).verdict.name == "retrain"


def test_before_anything_happened_there_is_no_verdict(database: Database, configure: Configure) -> None:
    world = World(load_settings(configure(SOURCE), variables={}), database)
    assert world.check().verdict.name == "too few periods"
    assert len(world.recorded()) == 1


# the first training --------------------------------------------------------------------------------------------------


@pytest.fixture
def newcomer(database: Database, configure: Configure, server: FakeGitHub) -> World:
    """A series with just enough hours for a first training, and no champion."""
    world = World(load_settings(configure(SOURCE), variables=server.variables()), database)
    world.load(0, [100.0] * FIRST_PERIODS)
    return world


def test_data_without_a_champion_ask_for_the_first_training(newcomer: World, server: FakeGitHub) -> None:
    report = newcomer.check(at(FIRST_PERIODS))
    assert (report.verdict.name, report.verdict.reasons) == ("too few periods", [FIRST_REASON])
    assert report.dispatched
    assert len(server.events) == 1
    assert [row["dispatched"] for row in newcomer.recorded()] == [True]


@pytest.mark.parametrize(("hours_later", "requests"), [(23, 1), (25, 2)])
def test_the_first_training_is_asked_for_once_a_day(
    newcomer: World, server: FakeGitHub, hours_later: int, requests: int
) -> None:
    newcomer.check(at(FIRST_PERIODS))
    newcomer.check(at(FIRST_PERIODS + hours_later))
    assert len(server.events) == requests


def test_one_hour_less_is_not_worth_a_first_training(newcomer: World, server: FakeGitHub) -> None:
    newcomer.check(at(FIRST_PERIODS - 1))
    assert server.events == []


def test_a_first_training_that_has_started_is_not_asked_for_again(newcomer: World, server: FakeGitHub) -> None:
    newcomer.train(at(FIRST_PERIODS - 1))
    newcomer.check(at(FIRST_PERIODS))
    assert server.events == []


def test_a_card_that_cannot_be_read_asks_for_no_first_training(newcomer: World, server: FakeGitHub) -> None:
    newcomer.crown()
    (newcomer.settings.model_directory("demo") / CARD).write_text("{", encoding="utf-8")
    assert newcomer.check(at(FIRST_PERIODS)).failed
    assert server.events == []


# what holds a retrain up ---------------------------------------------------------------------------------------------


def test_a_recent_training_is_a_cooldown(make_world: Any) -> None:
    world = make_world(BAD, AT_ONCE)
    world.train(at(230))
    assert world.check().verdict.name == "wait"


def test_a_training_after_the_moment_looked_at_is_not_known_yet(make_world: Any) -> None:
    world = make_world(BAD, AT_ONCE)
    world.train(at(250))
    assert world.check().verdict.name == "retrain"


def test_a_cooldown_may_be_longer_than_a_week(make_world: Any) -> None:
    world = make_world(BAD, AT_ONCE + "cooldown = '200h'\n")
    world.train(at(50))
    assert world.check().verdict.name == "wait"


def test_the_absolute_limit_of_the_flag_wins_over_the_configured_one(make_world: Any) -> None:
    world = make_world(GOOD, AT_ONCE + "max_mae = 100\n")
    assert world.check(max_mae=9.9).verdict.name == "retrain"
    assert world.check().verdict.name == "good"


# the command ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def command(configure: Configure, monkeypatch: pytest.MonkeyPatch, url: str, capsys: pytest.CaptureFixture[str]) -> Any:
    """Make a world, then run the command in it: (exit code, stdout, stderr)."""

    def run(
        error: float, *flags: str, config: str = "", mae_by_lead: tuple[float, ...] = (10.0,), **variables: str
    ) -> tuple[int, str, str]:
        path = write_config(configure, config)
        for name, value in {"DATABASE_URL": url, **variables}.items():
            monkeypatch.setenv(name, value)
        with open_database(settings := load_settings(path)) as opened:
            world = World(settings, opened)
            world.live(error)
            world.crown(mae_by_lead=mae_by_lead)
        code = check_retrain.main(["--config", str(path), "--now", NOW.isoformat(), *flags])
        return (code, *capsys.readouterr())

    return run


def test_json_prints_one_object(command: Any) -> None:
    code, out, _ = command(GOOD, "--json")
    assert code == 0
    documented = {"verdict", "reasons", "scored_periods", "mae", "reference_mae", "naive_mae", "dispatched"}
    assert documented <= json.loads(out).keys()


def test_max_mae_is_a_flag(command: Any) -> None:
    code, out, _ = command(GOOD, "--max-mae", "6", config=AT_ONCE)
    assert code == 0
    assert "is above 1 x max_mae (6)" in out


@pytest.mark.parametrize("limit", ["nan", "inf", "-1", "0", "six"])
def test_a_limit_that_limits_nothing_is_refused(limit: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        check_retrain.main(["--max-mae", limit])
    assert end.value.code == 2
    assert f"expected a number above 0, got '{limit}'" in capsys.readouterr().err


def test_a_dispatch_is_exit_code_0(command: Any, server: FakeGitHub) -> None:
    code, out, _ = command(BAD, "--json", config=AT_ONCE, **server.variables())
    assert (code, json.loads(out)["dispatched"]) == (0, True)
    assert len(server.events) == 1


def test_a_refused_dispatch_is_exit_code_1_without_the_token(command: Any, server: FakeGitHub) -> None:
    server.answers = [403]
    code, out, err = command(BAD, config=AT_ONCE, **server.variables())
    assert code == 1
    assert "expected 204, got 403" in err
    assert TOKEN not in out + err


def test_an_alarm_is_exit_code_1(command: Any) -> None:
    code, out, _ = command(GOOD, mae_by_lead=(math.inf,))
    assert code == 1
    assert out.startswith("demo: alarm")


# many series ---------------------------------------------------------------------------------------------------------

MORE = """
[series.{name}]
source = {{ kind = "file", path = "points.csv" }}
unit = "x"
"""


@pytest.fixture
def fleet(configure: Configure, monkeypatch: pytest.MonkeyPatch, url: str, server: FakeGitHub) -> Path:
    """Three series: `demo` and `b` have enough hours for their first training, `c` has none."""
    path = write_config(configure, "".join(MORE.format(name=name) for name in "bc"))
    for name, value in {"DATABASE_URL": url, **server.variables()}.items():
        monkeypatch.setenv(name, value)
    with open_database(settings := load_settings(path)) as opened:
        for name in ("demo", "b"):
            World(settings, opened, name).load(0, [100.0] * FIRST_PERIODS)
    return path


def check_all(config: Path, capsys: pytest.CaptureFixture[str], *flags: str) -> tuple[int, dict[str, Any]]:
    now = at(FIRST_PERIODS).isoformat()
    code = check_retrain.main(["--config", str(config), "--now", now, "--all", "--jobs", "1", "--json", *flags])
    return code, json.loads(capsys.readouterr().out)


def test_all_series_that_are_due_are_one_dispatch(
    fleet: Path, server: FakeGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    code, printed = check_all(fleet, capsys)
    assert code == 0
    assert [result["dispatched"] for result in printed["results"]] == [True, True, False]
    assert [event["client_payload"]["series"] for event in server.events] == ["demo,b"]
    check_all(fleet, capsys)
    assert len(server.events) == 1, "both are recorded"


def test_a_refusal_corrects_the_records_of_all_its_series_and_fails_the_run(
    fleet: Path, server: FakeGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answers = [403]
    code, printed = check_all(fleet, capsys)
    assert (code, printed["failed"]) == (1, []), "every look is there"
    assert "expected 204, got 403" in printed["fault"]
    assert [result["dispatched"] for result in printed["results"]] == [False] * 3
    with open_database(load_settings(fleet)) as database:
        for name in ("demo", "b"):
            (row,) = database.checks(name, since=at(0), before=at(1000))
            assert row["dispatched"] is False
            assert "403" in row["reasons"][-1]
    check_all(fleet, capsys)
    assert [event["client_payload"]["series"] for event in server.events] == ["demo,b"], "asked again"
