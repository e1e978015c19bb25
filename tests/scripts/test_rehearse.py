"""The whole loop, as `make demo` runs it, on a short recording and few candidates; and everything failing at once."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

import app
import export_dashboard
import rehearse
from actioncast.config import load_settings
from actioncast.database.database import open_database
from actioncast.paths import DEMO
from actioncast.periods.points import Points
from actioncast.periods.timeline import UTC_HOURS
from actioncast.rehearsal.report import RehearsalReport
from actioncast.rehearsal.world import replay
from actioncast.rehearsal.world.faults import SCENARIOS, Faults, Span
from actioncast.settings import Settings
from actioncast.times import HOUR, isoformat, to_seconds
from tests.support.temp_postgres import TempPostgres

CONFIG = """
[series.demo]
unit = "transactions/h"
source = { kind = "blockchain" }
scale = 3600
points_per_period = 4
minimum_points_per_period = 3

[train]
candidates = ["seasonal_naive"]
"""
START = datetime(2022, 1, 3, tzinfo=UTC)


def settings_in(folder: Path) -> Settings:
    (folder / "config.toml").write_text(CONFIG)
    return load_settings(folder / "config.toml", {})


def daily_wave(days: int) -> Points:
    """Four points an hour; the value depends on the hour of the day only, so that a daily forecast is exact."""
    times = to_seconds(START) + np.arange(days * 96) * (HOUR // 4)
    return Points(times, 2.0 + (times // HOUR % 24) / 24)


def rehearsed(
    folder: Path, recording: Points, days: int, faults: Faults | None = None, seed: int = 0
) -> RehearsalReport:
    settings = settings_in(folder)
    return rehearse.run(
        settings, recording, series_id="demo", days=days, folder=folder / "demo", faults=faults, seed=seed
    )


def test_every_hour_that_was_shown_is_stored_and_every_forecast_of_a_periodic_series_is_right(tmp_path: Path) -> None:
    report = rehearsed(tmp_path, daily_wave(17), days=2)
    (outcome,) = report.outcomes
    assert report.violations == []
    assert not report.failed
    assert outcome.hours >= 40
    assert outcome.live_mae == pytest.approx(0, abs=1e-9)
    assert outcome.progress.verdict == "good"
    assert [promoted for _, promoted in outcome.progress.trainings] == [True]


def test_a_doubled_level_is_answered_by_a_promoted_model_and_then_calm(tmp_path: Path) -> None:
    (outcome,) = rehearsed(tmp_path, daily_wave(24), days=8, faults=Faults(shift=(Span(2, 72),))).outcomes
    assert outcome.hours_to_promotion is not None
    assert outcome.hours_to_promotion <= 36
    assert outcome.degraded_hours is not None
    assert outcome.degraded_hours <= 96
    assert outcome.retrains <= 3
    assert outcome.progress.verdict == "good"


@pytest.mark.parametrize("scenario", ["outage-10h", "outage-38h", "outage-3d", "empty"])
def test_an_outage_asks_for_no_retrain_and_loses_nothing(tmp_path: Path, scenario: str) -> None:
    report = rehearsed(tmp_path, daily_wave(20), days=6, faults=SCENARIOS[scenario])
    assert report.violations == []
    assert report.outcomes[0].retrains == 0


@pytest.mark.parametrize("seed", range(3))
def test_with_everything_failing_every_promise_holds(tmp_path: Path, seed: int) -> None:
    report = rehearsed(tmp_path, daily_wave(18), days=8, faults=SCENARIOS["squeezed"], seed=seed)
    assert report.violations == []
    assert {name.partition(": ")[2] for name in report.outcomes[0].progress.failures} >= {"killed", "SourceError"}


def test_the_same_seed_fails_in_the_same_places(tmp_path: Path) -> None:
    documents = []
    for _ in range(2):
        report = rehearsed(tmp_path, daily_wave(18), days=3, faults=SCENARIOS["killed"], seed=3)
        documents.append({**report.as_json(), "seconds": 0})
    assert documents[0] == documents[1]


class Interrupted(BaseException):
    """Somebody pressed Ctrl-C."""


def test_an_interrupted_rehearsal_is_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = rehearsed(tmp_path, daily_wave(18), days=3).outcomes[0].as_json()
    flags = _flags(tmp_path, daily_wave(18), "--days", "3")
    checks = 0

    def check(*arguments: object, **named: object) -> object:
        nonlocal checks
        checks += 1
        if checks == 20:
            raise Interrupted
        return real(*arguments, **named)

    real = rehearse.SCRIPTS.check
    with monkeypatch.context() as patched:
        patched.setattr(rehearse, "SCRIPTS", replace(rehearse.SCRIPTS, check=check))
        with pytest.raises(Interrupted):
            rehearse.main(flags)
    assert rehearse.main([*flags, "--resume"]) == 0
    with open_database(load_settings(tmp_path / "out" / "config.toml", {})) as database:
        hours = database.reality("demo", until=datetime(2030, 1, 1, tzinfo=UTC), newest=9999, timeline=UTC_HOURS)
    assert hours is not None
    assert len(hours) == 18 * 24
    document = json.loads((tmp_path / "out" / "progress.json").read_text())
    assert (document["ticks"], document["violations"]) == (whole["scored_periods"] + 2, [])


def _flags(folder: Path, recording: Points, *more: str) -> list[str]:
    settings_in(folder)
    path = folder / "recording.json"
    values = [{"x": int(x), "y": float(y)} for x, y in zip(recording.times, recording.values, strict=True)]
    path.write_text(json.dumps({"status": "ok", "values": values}))
    flags = ["--config", str(folder / "config.toml"), "--recording", str(path), "--output", str(folder / "out")]
    return [*flags, *more]


def test_the_json_names_what_others_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert rehearse.main(_flags(tmp_path, daily_wave(16), "--days", "1", "--json")) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["ticks"], document["violations"]) == (26, [])
    names = {"name", "live_mae", "naive_mae", "retrains", "promoted", "billed_minutes"}
    assert names <= set(document["policies"][0])
    assert load_settings(tmp_path / "out" / "config.toml", {}).folder == tmp_path / "out"


def test_the_text_shows_leaderboard_error_verdict_and_where_to_look(tmp_path: Path) -> None:
    report = rehearsed(tmp_path, daily_wave(16), days=1)
    text = report.as_text()
    for part in ("seasonal_naive_168", "seasonal naive", "good", "promoted", str(tmp_path / "demo" / "report.html")):
        assert part in text
    assert f"python app.py --demo {tmp_path / 'demo'}" in text
    assert "make serve DEMO=1" in replace(report, folder=DEMO).as_text()


def test_the_end_of_a_rehearsal_in_any_folder_can_be_served_and_exported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rehearse.main(_flags(tmp_path, daily_wave(16), "--days", "1")) == 0
    command = re.search(r"python app\.py (--demo \S+),", capsys.readouterr().out)
    assert command
    folder = Path(command[1].split()[1])
    with TestClient(app.demo_app(folder)) as client:
        page = client.get("/").text
    assert '"clockRuns":false' in page, "its clock stands at the end of the rehearsal"
    output = tmp_path / "page"
    assert export_dashboard.main(["--demo", str(folder), "--output", str(output)]) == 0
    assert '"clockRuns":false' in (output / "index.html").read_text()


def test_policies_are_compared_and_one_is_recommended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    policies = [part for name in ("config.toml", "never", "daily", "tutorial") for part in ("--policy", name)]
    assert rehearse.main(_flags(tmp_path, daily_wave(17), "--days", "2", "--recommend", *policies)) == 0
    text = capsys.readouterr().out
    retrains = {line.split("|")[1].strip(): line.split("|")[6].strip() for line in text.splitlines() if "| " in line}
    assert (retrains["never"], retrains["config.toml"], retrains["daily"]) == ("0", "0", "2")
    assert "[retrain]" in text
    assert "| tutorial" in summary.read_text()
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("<svg") == 4
    assert "http" not in page


def test_any_series_from_a_csv_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings_in(tmp_path)
    with (tmp_path / "load.csv").open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["timestamp", "value"])
        for hour in range(24 * 16):
            lines.writerow([isoformat(datetime.fromtimestamp(to_seconds(START) + HOUR * hour, UTC)), hour % 24 - 5])
    flags = ["--config", str(tmp_path / "config.toml"), "--csv", str(tmp_path / "load.csv"), "--days", "2", "--json"]
    assert rehearse.main([*flags, "--output", str(tmp_path / "out")]) == 0
    (policy,) = json.loads(capsys.readouterr().out)["policies"]
    assert policy["live_mae"] == pytest.approx(0, abs=1e-9)
    assert policy["scored_periods"] >= 46


def test_on_the_users_own_stored_hours(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = settings_in(tmp_path)
    wave = daily_wave(17)
    with replay.ReplayServer(wave, datetime(2022, 1, 20, 2, tzinfo=UTC)) as server, open_database(settings) as database:
        source = settings.series["demo"].source.model_copy(update={"url": server.url})
        series = {"demo": settings.series["demo"].model_copy(update={"source": source})}
        rehearse.SCRIPTS.ingest(settings.model_copy(update={"series": series}), database, server.now, series_id="demo")
    before = (tmp_path / "actioncast.db").read_bytes()
    flags = [
        "--config",
        str(tmp_path / "config.toml"),
        "--stored",
        "--now",
        "2022-01-20T02:00",
        "--days",
        "2",
        "--json",
    ]
    assert rehearse.main([*flags, "--output", str(tmp_path / "out")]) == 0
    assert json.loads(capsys.readouterr().out)["violations"] == []
    assert (tmp_path / "actioncast.db").read_bytes() == before


def test_in_a_database_of_ones_own_but_not_in_one_that_is_used(
    tmp_path: Path, postgres: TempPostgres, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = _flags(tmp_path, daily_wave(16), "--days", "1", "--database", postgres.new_database())
    assert rehearse.main([*flags, "--scenario", "all", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["violations"] == []
    assert rehearse.main(flags) == 1
    assert "a rehearsal wants a database of its own" in capsys.readouterr().err


def test_a_recording_too_short_to_learn_from_is_refused(tmp_path: Path) -> None:
    with pytest.raises(replay.RecordingError, match=r"spans 9 days; 7 live leave less than 8\.33 to learn"):
        rehearsed(tmp_path, daily_wave(10), days=7)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--policy", "often"], "unknown policy 'often'"),
        (["--policy", "mine:cooldwn=3"], "keys are mode, check_hours"),
        (["--policy", "never", "--policy", "never"], "a policy is named twice: never"),
        (["--fault", "flood=1"], "unknown fault 'flood'; there are: drop"),
        (["--fault", "silent=38"], "expected AMOUNT@HOUR"),
        (["--fault", "drop=most"], "could not convert"),
    ],
)
def test_wrong_flags_say_what_is_allowed(
    tmp_path: Path, flags: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rehearse.main(_flags(tmp_path, daily_wave(16), *flags)) == 2
    assert message in capsys.readouterr().err


def test_a_dead_live_api_is_said_plainly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.toml").write_text(
        CONFIG.replace('kind = "blockchain"', 'kind = "blockchain", url = "http://127.0.0.1:9/charts"')
    )
    assert rehearse.main(["--config", str(tmp_path / "config.toml"), "--live"]) == 1
    assert "the live API is dead or out of reach" in capsys.readouterr().err


def test_a_replayed_recording_is_not_live(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.toml").write_text(CONFIG.replace('kind = "blockchain"', 'kind = "demo"'))
    assert rehearse.main(["--config", str(tmp_path / "config.toml"), "--live"]) == 1
    assert "replays the bundled recording, so nothing of it is live" in capsys.readouterr().err


def test_the_live_api_is_recorded_and_rehearsed(tmp_path: Path) -> None:
    wave = daily_wave(17)
    now = datetime(2022, 1, 20, 1, tzinfo=UTC)
    with replay.ReplayServer(wave, now) as server:
        (tmp_path / "config.toml").write_text(
            CONFIG.replace('kind = "blockchain"', f'kind = "blockchain", url = "{server.url}"')
        )
        flags = ["--config", str(tmp_path / "config.toml"), "--output", str(tmp_path / "out")]
        assert rehearse.main([*flags, "--live", "--now", now.isoformat(), "--days", "1"]) == 0
