"""The model card, which people read and review: the schema of card.json, its text and reading it.

The API serves the card; the docstrings of the schema are part of the API's document.
"""

from __future__ import annotations

import json
import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AliasChoices, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from actioncast.errors import ActioncastError
from actioncast.forecasting.exogenous import FESTIVE_DAYS
from actioncast.forecasting.level_shifts import Shift
from actioncast.paths import CARD

REMEDY = "go back to the last good one with git, or run: python train.py"
LIST_ON_LINES = re.compile(r"\[[\d\s.,eE+\"-]*\]")  # of numbers or days, indented by json.dumps


class ModelError(ActioncastError):
    """There is no champion, or the one there cannot be trusted."""


class NoChampionError(ModelError):
    """None was ever trained."""


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
    """The public holidays of a series that asks for them: neither serving nor the checks need a library for them."""

    model_config = ConfigDict(extra="forbid")

    code: str
    timezone: str
    until: date
    days: list[date]

    def beside(self, moment: datetime) -> date | None:
        """The holiday within FESTIVE_DAYS of a moment, on the clocks of the zone; None without one."""
        day = moment.astimezone(ZoneInfo(self.timezone)).date()
        near = [holiday for holiday in self.days if abs(holiday - day) <= timedelta(days=FESTIVE_DAYS)]
        return min(near, default=None)


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
    # By hour of the day, weekday, month or quarter, whichever fits the frequency, on the clocks of the zone.
    mae_by_phase: list[float] = Field(validation_alias=AliasChoices("mae_by_phase", "mae_by_hour"))
    gate: GateScores
    notes: tuple[str, ...] = ()  # a sentence each: the blend, what was skipped, changes of level, the intervals


class Distribution(BaseModel):
    """The quantiles that are stated, and how good they were in the backtest: null where it could not tell."""

    model_config = ConfigDict(extra="forbid")

    levels: tuple[float, ...]
    crps: float | None = None  # in the series' unit, as the mean over these levels tells
    wql: float | None = None  # weighted quantile loss
    below: dict[str, float] = {}  # level -> share of the values at or below its quantile


class Card(BaseModel):
    """What the champion is, how good it was in the backtest and what it was made with. Errors in the series' unit."""

    model_config = ConfigDict(extra="forbid")

    # Raise the format when the meaning of the numbers changes: older files are then refused, and
    # retrained.
    format: Literal[1] = 1
    series: str
    name: str
    version: str  # end of the training window and the beginning of the checksum
    created_at: AwareDatetime
    window_start: AwareDatetime
    window_end: AwareDatetime
    # A card of earlier days is of an hourly series, and counts hours.
    periods: int = Field(validation_alias=AliasChoices("periods", "hours"))
    frequency: str = "1h"
    timezone: str = "UTC"
    open: str = ""  # opening times; empty: always
    wall: bool = False  # whether it looks back by the clocks on the wall
    seasonality: tuple[int, ...]
    coverage: float
    mae: float
    mase: float | None
    mae_by_lead: list[float]
    shifts: tuple[Shift, ...] = ()  # changes of level: the hours before them are restated
    # An hour that is further from all hours like it counts as missing; None: no limit.
    spike_limit: float | None = None
    members: list[Member]
    spread: dict[str, float]
    libraries: dict[str, str]
    bytes: int
    sha256: str
    holidays: Holidays | None = None  # of a series that asks for them
    distribution: Distribution | None = None  # of a series whose `quantiles` are asked for
    explanation: Explanation | None = None

    def columns(self) -> list[str]:
        """The columns known in the future that the champion uses."""
        names = {name for member in self.members for name in member.recipe["predictors"].get("exogenous", ())}
        return sorted(names)


def six_figures(value: float) -> float:
    """The value as a card states it: six significant figures are plenty and read well."""
    return float(f"{value:.6g}")


def as_text(card: Card) -> str:
    """The card as JSON for people.

    A list of numbers or days stays on one line, so that a diff shows what changed.
    """
    text = json.dumps(card.model_dump(mode="json"), indent=2) + "\n"
    return LIST_ON_LINES.sub(_on_one_line, text)


def _on_one_line(match: re.Match[str]) -> str:
    return " ".join(match[0].split())


def read_card(directory: Path) -> Card | None:
    """The card of the champion, or None when there is no champion.

    Raises ModelError when the card cannot be read.
    """
    path = directory / CARD
    try:
        return Card.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"])) or "the file"
        raise ModelError(f"{path}: {key}: {first['msg']}; {REMEDY}") from None
