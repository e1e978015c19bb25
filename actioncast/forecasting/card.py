"""The model card: what people read about a champion, its schema and its text."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from actioncast.errors import ActioncastError
from actioncast.forecasting.level_shifts import Shift
from actioncast.paths import CARD


class ModelError(ActioncastError):
    """There is no champion, or the one there cannot be trusted."""


class Member(BaseModel):
    """One fitted recipe of the blend: what it is, and the scalars beside its arrays."""

    model_config = ConfigDict(extra="forbid")

    weight: float
    recipe: dict[str, Any]
    offset: float
    center: float
    scale: float
    low: float
    high: float


class Holidays(BaseModel):
    """The public holidays that a champion with the column `holiday` knows: serving needs no library for them."""

    model_config = ConfigDict(extra="forbid")

    code: str
    timezone: str
    until: date
    days: list[date]


class Ranked(BaseModel):
    """A row of the leaderboard."""

    rank: int
    candidate: str
    mae: float


class GateScores(BaseModel):
    """Mean absolute errors on the gate's hours; `champion` None when there was nothing to compare with."""

    champion: float | None
    challenger: float
    forecasts: int
    reason: str


class Explanation(BaseModel):
    """Why this champion: the seasons, the leaderboard, where it errs, and what the gate compared."""

    seasons: str
    autocorrelation: dict[str, float]  # at each season
    leaderboard: list[Ranked]
    mae_by_hour: list[float]  # [24] by hour of the day (UTC)
    gate: GateScores


class Card(BaseModel):
    """What the champion is, how good it was in the backtest and what it was made with. Errors in the series' unit."""

    model_config = ConfigDict(extra="forbid")

    format: Literal[1] = 1  # raise it when the meaning of the numbers changes: older files are refused, and retrained
    series: str
    name: str
    version: str  # end of the training window and the beginning of the checksum
    created_at: AwareDatetime
    window_start: AwareDatetime
    window_end: AwareDatetime
    hours: int
    seasonality: tuple[int, ...]
    coverage: float
    mae: float
    mase: float | None
    mae_by_lead: list[float]
    shifts: tuple[Shift, ...] = ()  # changes of level: what it looks back on from before them is restated
    spike_limit: float | None = None  # hours further from all like them are looked back on as missing; None: no limit
    members: list[Member]
    spread: dict[str, float]
    libraries: dict[str, str]
    bytes: int
    sha256: str
    holidays: Holidays | None = None  # of a champion that needs them
    explanation: Explanation | None = None


def as_text(card: Card) -> str:
    """The card as JSON for people: a list of numbers or days stays on one line, so that a diff shows what changed."""
    text = json.dumps(card.model_dump(mode="json"), indent=2) + "\n"
    return re.sub(r"\[[\d\s.,eE+\"-]*\]", lambda found: " ".join(found[0].split()), text)


def read_card(directory: Path) -> Card | None:
    """The card of the champion, None when there is no champion. Raises ModelError when it cannot be read."""
    path = directory / CARD
    try:
        return Card.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise ModelError(f"{path}: {place}: {first['msg']}; {REMEDY}") from None


REMEDY = "go back to the last good one with git, or run: python train.py"
