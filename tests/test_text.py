from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

import pytest

from actioncast.text import duration, number, progress, table


def test_a_table_is_markdown_with_numbers_to_the_right() -> None:
    assert table(["name", "mae"], [["ridge", 1234.5], ["naive", 0.12345], ["a|b", None]]) == (
        "| name  |   mae |\n| ----- | ----: |\n| ridge | 1,234 |\n| naive | 0.123 |\n| a\\|b  |     - |"
    )


def test_a_table_without_rows_is_its_header() -> None:
    assert table(["name"], []) == "| name |\n| ---- |"


@pytest.mark.parametrize(("watched", "expected"), [(True, "download"), (False, "")])
def test_a_bar_is_drawn_only_for_a_person(
    watched: bool, expected: str, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: watched)
    with progress("download", 10) as advance:
        advance(5)
    written = capsys.readouterr().err
    assert expected in written
    assert bool(written) == watched


@pytest.mark.parametrize(
    ("age", "text"), [(timedelta(minutes=5), "5 min"), (timedelta(hours=5), "5 h"), (timedelta(days=400), "400 days")]
)
def test_durations_are_about(age: timedelta, text: str) -> None:
    assert duration(age) == text


@pytest.mark.parametrize(
    ("value", "text"), [(12034.4, "12,034"), (0.81234, "0.8123"), (None, "\N{EN DASH}"), (float("nan"), "\N{EN DASH}")]
)
def test_numbers_are_short(value: float | None, text: str) -> None:
    assert number(value) == text
