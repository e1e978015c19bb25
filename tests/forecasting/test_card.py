from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from actioncast.forecasting.card import Card, Holidays, ModelError, as_text, read_card, six_figures
from actioncast.paths import CARD

HOLIDAYS = Holidays(
    code="US",
    timezone="UTC",
    until=date(2025, 1, 1),
    days=[date(2024, 7, 4), date(2024, 12, 25)],
)
WEEKLY_NAIVE = Card(
    series="demo",
    name="seasonal_naive_168",
    version="20220119T15-0123abcd",
    created_at=datetime(2022, 2, 1, 12, tzinfo=UTC),
    window_start=datetime(2022, 1, 3, tzinfo=UTC),
    window_end=datetime(2022, 1, 19, 15, tzinfo=UTC),
    hours=400,
    seasonality=(24, 168),
    coverage=0.8,
    mae=1.5,
    mase=None,
    mae_by_lead=[1.0, 1.5],
    members=[],
    spread={},
    libraries={},
    bytes=0,
    sha256="",
    holidays=HOLIDAYS,
)


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A folder with a card."""
    (tmp_path / CARD).write_text(as_text(WEEKLY_NAIVE))
    return tmp_path


def test_what_is_read_is_what_was_written(stored: Path) -> None:
    assert read_card(stored) == WEEKLY_NAIVE


def test_a_list_of_numbers_or_days_stays_on_one_line() -> None:
    lines = as_text(WEEKLY_NAIVE).splitlines()
    assert '  "mae_by_lead": [ 1.0, 1.5 ],' in lines
    assert '    "days": [ "2024-07-04", "2024-12-25" ]' in lines
    assert '  "window_end": "2022-01-19T15:00:00Z",' in lines
    assert '  "mase": null,' in lines


@pytest.mark.parametrize(("value", "stated"), [(1.23456789, 1.23457), (1234567.0, 1234570.0), (0.5, 0.5)])
def test_six_figures_are_kept(value: float, stated: float) -> None:
    assert six_figures(value) == stated


def test_a_folder_without_a_card_has_no_champion(tmp_path: Path) -> None:
    assert read_card(tmp_path) is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 2}, r"format: Input should be 1"),
        ({"surprise": 1}, r"surprise: Extra inputs are not permitted"),
        ({"window_end": "2022-01-19T15:00:00"}, r"window_end: .*timezone"),
        ({"members": [{}]}, r"members\.0\.weight: Field required"),
    ],
)
def test_a_card_that_cannot_be_read_names_the_key_and_the_remedy(
    changes: dict[str, Any], message: str, stored: Path
) -> None:
    path = stored / CARD
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(ModelError, match=rf"card\.json: {message}.*; go back to the last good one"):
        read_card(stored)


def test_a_card_that_is_no_json_is_said(stored: Path) -> None:
    (stored / CARD).write_text("<<<<<<< HEAD")
    with pytest.raises(ModelError, match=r"card\.json: the file: Invalid JSON"):
        read_card(stored)
