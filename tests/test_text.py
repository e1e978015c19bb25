from __future__ import annotations

import sys
from typing import Any

import pytest

from actioncast.text import progress, table


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
