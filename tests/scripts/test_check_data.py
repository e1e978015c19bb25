"""The check of the data as a person runs it, on both databases."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import check_data
from actioncast.config import load_settings
from actioncast.database.database import open_database
from actioncast.periods.grid import Periods
from actioncast.times import isoformat, to_seconds
from tests.support.rows import run_row
from tests.support.series import START, seasonal
from tests.support.source import Configure

LENGTH = 6 * 168
NOW = START + timedelta(hours=LENGTH, minutes=20)


@pytest.fixture
def config(url: str, configure: Configure, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DATABASE_URL", url)
    return configure('{ kind = "file", path = "points.csv" }')


def store(config: Path, values: np.ndarray, **counts: Any) -> None:
    starts = to_seconds(START) + 3600 * np.arange(len(values), dtype=np.int64)
    hours = Periods(starts, values, np.ones(len(values), dtype=np.int64))
    with open_database(load_settings(config)) as database:
        database.load_periods("demo", hours, NOW, run_row(series_id="demo", started_at=NOW, finished_at=NOW, **counts))


def check(config: Path, *flags: str) -> int:
    return check_data.main(["--config", str(config), "--now", isoformat(NOW), *flags])


def test_a_healthy_series_is_said_to_be_with_its_picture(config: Path, capsys: Any) -> None:
    store(config, seasonal(LENGTH))
    assert check(config) == 0
    out = capsys.readouterr().out
    assert out.startswith("demo: healthy\n")
    assert re.search("^[▁▂▃▄▅▆▇█]{70}$", out, re.MULTILINE)
    assert "1,008 hours from 2022-01-03T00:00:00Z to 2022-02-13T23:00:00Z, one value every 1 hour" in out


def test_findings_are_warnings_with_hours_evidence_and_remedy(config: Path, capsys: Any) -> None:
    values = seasonal(LENGTH)
    values[-10:] = 0
    store(config, values, points_rejected=1)
    assert check(config, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["outcome"] == "findings"
    zeros, rejected = report["findings"]
    assert zeros["kind"] == "zeros"
    assert zeros["first"] == "2022-02-13T14:00:00Z"
    assert zeros["periods"] == 10
    assert zeros["remedy"].startswith("A source that is down")
    assert rejected["kind"] == "rejected points"
    assert report["rejected_share"] == 0.25


def test_a_table_names_the_findings_for_a_person(config: Path, capsys: Any) -> None:
    values = seasonal(LENGTH)
    values[-10:] *= 1000
    store(config, values)
    assert check(config) == 0
    out = capsys.readouterr().out
    assert "| unit    | 2022-02-13 14:00Z | 2022-02-13 23:00Z | 10 hours are x 1000 of the same hours" in out
    assert "unit: Look at the unit of the source" in out


def test_hours_to_come_and_silence_are_findings(config: Path, capsys: Any) -> None:
    store(config, seasonal(LENGTH))
    check_data.main(["--config", str(config), "--now", isoformat(NOW - timedelta(hours=5)), "--json"])
    assert [each["kind"] for each in json.loads(capsys.readouterr().out)["findings"]] == ["future periods"]
    check_data.main(["--config", str(config), "--now", isoformat(NOW + timedelta(hours=50)), "--json"])
    assert [each["kind"] for each in json.loads(capsys.readouterr().out)["findings"]] == ["silent"]


def test_a_series_without_hours_fails_and_names_the_remedy(config: Path, capsys: Any) -> None:
    assert check(config) == 1
    assert "nothing of demo is stored; run: python update_real_data.py --series demo" in capsys.readouterr().err


def test_an_unknown_series_is_asked_wrongly(config: Path) -> None:
    assert check(config, "--series", "typo") == 2


def test_all_series_are_checked_in_one_run(config: Path, capsys: Any) -> None:
    store(config, seasonal(LENGTH))
    assert check(config, "--all", "--jobs", "1", "--json") == 0
    assert [result["outcome"] for result in json.loads(capsys.readouterr().out)["results"]] == ["healthy"]


def test_hours_are_set_aside_by_hand_and_released_again(config: Path, capsys: Any) -> None:
    store(config, seasonal(LENGTH))
    span = "2022-02-13T00:00..2022-02-13T06:00"
    assert check(config, "--quarantine", span) == 0
    assert "6 set aside" in capsys.readouterr().out
    assert check(config, "--release", span, "--json") == 0
    assert json.loads(capsys.readouterr().out)["periods_set_aside"] == 0


def test_a_span_without_hours_fails_and_names_it(config: Path, capsys: Any) -> None:
    store(config, seasonal(LENGTH))
    assert check(config, "--quarantine", "2021-01-01..2021-01-02") == 1
    assert "nothing of demo is stored from 2021-01-01T00:00:00Z to 2021-01-02T00:00:00Z" in capsys.readouterr().err


@pytest.mark.parametrize("span", ["2022-02-13", "2022-02-13..2022-02-12", "a..b"])
def test_a_span_that_is_none_is_asked_wrongly(config: Path, span: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        check(config, "--release", span)
    assert stopped.value.code == 2


def test_all_series_cannot_be_set_aside_at_once(config: Path) -> None:
    assert check(config, "--all", "--quarantine", "2022-02-13..2022-02-14") == 2
