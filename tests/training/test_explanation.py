"""Why this champion: what the card says, and what the page and the drawing show of a training."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from actioncast.dashboard import render
from actioncast.dashboard.figures import collect
from actioncast.forecasting import champion
from actioncast.forecasting.card import Card, read_card
from actioncast.forecasting.seasons import Seasons
from actioncast.paths import CARD, DRAWING
from actioncast.training import explanation
from actioncast.training.gate import Gate
from tests.support.series import START
from tests.support.stage import Stage
from tests.support.training import hour_of_trouble

LARGEST_BYTES = 60 * 1024
pytestmark = pytest.mark.usefixtures("few_ridges")


def test_the_error_by_hour_of_the_day_is_where_the_trouble_is() -> None:
    board, test = hour_of_trouble()
    seasons = Seasons((24,), {24: 0.9}, "detected")
    gate = Gate(True, "better", 3.0, 1.2, 96)
    why = explanation.explain(board, board[0], test, gate=gate, seasons=seasons)
    assert [hour for hour, error in enumerate(why.mae_by_phase) if error != 1] == [3]
    assert why.mae_by_phase[3] == 5
    assert why.seasons == "24 hours, detected"
    assert [(row.rank, row.candidate) for row in why.leaderboard] == [(1, "ridge_<day>"), (2, "seasonal_naive_24")]


def test_an_hour_that_was_never_seen_takes_the_mean() -> None:
    board, test = hour_of_trouble()
    short = explanation.mae_by_phase(
        board[0].forecasts[:, :12], test.actual[:, :12], np.arange(12) + np.zeros((2, 1), int), 24
    )
    assert short[15] == pytest.approx(short[:12].mean(), rel=0.1)


def trained(stage: Stage) -> Card:
    report = stage.train(stage.load())
    assert report.gate.promoted
    card = read_card(stage.directory)
    assert card is not None
    return card


def test_the_card_says_why_and_the_drawing_lies_beside_it(stage: Stage) -> None:
    stored = trained(stage)
    why = stored.explanation
    assert why is not None
    assert why.seasons == "24, 168 hours, detected"
    assert len(why.mae_by_phase) == 24
    assert why.leaderboard[0].mae == pytest.approx(stage.ledger()[0]["leaderboard"][0]["mae"], rel=1e-5)
    assert any(row.candidate.startswith("seasonal_naive") for row in why.leaderboard)
    assert why.gate.reason == "there is no champion that could be compared"
    drawing = stage.directory / DRAWING
    assert drawing.stat().st_size < LARGEST_BYTES
    root = ET.fromstring(drawing.read_text())  # noqa: S314  our own file
    text = " ".join(root.itertext())
    for words in (
        f"why {stored.name}",
        "Leaderboard of the backtest",
        "Error by lead time",
        "Error by hour of the day, UTC",
        "What the gate compared",
    ):
        assert words in text


def test_the_page_shows_the_error_by_hour_and_the_seasons(stage: Stage) -> None:
    now = stage.load()
    stage.train(now)
    html = render.render_page(
        collect(stage.settings, stage.database, now, "demo"), {"demo": "."}, {"demo": "x"}, live=True
    )
    assert "Error by hour of the day" in html
    assert "24, 168 hours, detected" in html
    assert html.count('class="hour"') == 24


def test_a_card_from_before_there_were_explanations_still_serves(stage: Stage, tmp_path: Path) -> None:
    stored = trained(stage)
    old = stored.model_dump(mode="json", exclude={"explanation", "holidays"})
    (stage.directory / CARD).write_text(Card.model_validate(old).model_dump_json(exclude_none=True))
    assert champion.load_champion(stage.directory).card.explanation is None
    html = render.render_page(
        collect(stage.settings, stage.database, START, "demo"), {"demo": "."}, {"demo": "x"}, live=True
    )
    assert "Error by hour of the day" not in html


def test_the_same_training_draws_the_same(stage: Stage) -> None:
    now = stage.load()
    stage.train(now)
    first = (stage.directory / DRAWING).read_bytes()
    for path in stage.directory.iterdir():
        path.unlink()
    stage.train(now)
    assert (stage.directory / DRAWING).read_bytes() == first
