"""What the drawing of a training shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np

from actioncast.forecasting.seasons import Seasons
from actioncast.periods.frequency import parse_frequency
from actioncast.periods.timeline import timeline_of
from actioncast.training.backtest import Backtest
from actioncast.training.drawing import draw
from actioncast.training.explanation import explain
from actioncast.training.gate import Gate
from actioncast.training.leaderboard import Candidate
from tests.support.training import candidate, hour_of_trouble

REFERENCE = Path(__file__).with_name("drawing.svg")
BETTER = Gate(True, "the challenger errs 1.2, the champion 3", 3.0, 1.2, 96)


def drawn(board: Sequence[Candidate], test: Backtest, gate: Gate = BETTER) -> str:
    seasons = Seasons((24,), {24: 0.9}, "detected")
    explanation = explain(board, board[0], test, gate=gate, seasons=seasons)
    return draw(
        title="a & b",
        unit="<unit>",
        explanation=explanation,
        board=board,
        challenger=board[0],
        test=test,
    )


def test_the_drawing_is_the_reference_byte_for_byte() -> None:
    board, test = hour_of_trouble()
    assert drawn(board, test).encode() == REFERENCE.read_bytes()


def test_the_drawing_compares_with_the_champion_before() -> None:
    board, test = hour_of_trouble()
    text = " ".join(ET.fromstring(drawn(board, test)).itertext())  # noqa: S314  our own text
    for words in ("a & b: why ridge_<day>", "<unit>", "champion before it", "96 forecasts compared"):
        assert words in text


def test_perfect_forecasts_are_drawn_too() -> None:
    _, test = hour_of_trouble()
    perfect = candidate("seasonal_naive_24", 0.0, np.full((2, 48), 10.0))
    gate = Gate(True, "there is none", None, 0.0, 96)
    assert "nan" not in drawn([perfect], test, gate)


def test_the_phases_are_those_of_the_series_in_its_zone() -> None:
    """Days of Madrid: seven columns by weekday, from Thursday on."""
    board, hourly = hour_of_trouble()
    days = timeline_of(parse_frequency("1D"), "Europe/Madrid", None)
    grid = replace(hourly.series.history, timeline=days)
    test = replace(hourly, series=replace(hourly.series, history=grid))
    text = " ".join(ET.fromstring(drawn(board, test)).itertext())  # noqa: S314  our own text
    for words in ("Error by weekday, Europe/Madrid", "Error by lead time, days ahead", "Thu"):
        assert words in text
    assert "hour" not in text
