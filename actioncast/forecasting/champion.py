"""The champion on disk: card.json, which people read and review, and forecaster.npz, which holds the fitted numbers.

No pickle is written or loaded: the numbers lie in a numpy archive that is read with allow_pickle=False, LightGBM's
model as its own text. explanation.svg beside them shows why this champion. Loading checks the format, the size, the
checksum and the versions of the libraries whose code
runs at serving, and says which differs. The files are written beside their place first and then moved, the card last.
"""

from __future__ import annotations

import hashlib
import io
import math
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from actioncast.arrays import Array, Values, np
from actioncast.forecasting.card import REMEDY, Card, Explanation, Holidays, Member, ModelError, as_text, read_card
from actioncast.forecasting.fitted import FittedRecipe
from actioncast.forecasting.forecaster import Forecaster
from actioncast.forecasting.intervals import Spread
from actioncast.forecasting.recipes import Recipe
from actioncast.paths import CARD, DRAWING, NUMBERS
from utils import Predictors

MAXIMUM_BYTES = 256 * 1024  # of the numbers: they lie in git
SERVING_LIBRARIES = {"lightgbm": "lightgbm"}  # estimator -> package whose code runs when it forecasts


@dataclass(frozen=True)
class Champion:
    """What serves: the card and the forecaster it describes."""

    card: Card
    forecaster: Forecaster


@dataclass(frozen=True)
class Facts:
    """What the card says about a training beside the forecaster itself."""

    series: str
    name: str
    created_at: datetime
    window_start: datetime
    window_end: datetime
    hours: int
    mae: float
    mase: float | None
    mae_by_lead: Values
    libraries: Mapping[str, str]
    holidays: Holidays | None = None
    explanation: Explanation | None = None


def pack_numbers(forecaster: Forecaster, name: str) -> bytes:
    """The bytes of forecaster.npz. Raises ModelError, with `name`, when they are too large to lie in git."""
    numbers = _pack(forecaster)
    if len(numbers) > MAXIMUM_BYTES:
        raise ModelError(
            f"{name} takes {len(numbers) / 1024:,.0f} KiB, more than the {MAXIMUM_BYTES // 1024} KiB allowed"
        )
    return numbers


def make_card(forecaster: Forecaster, numbers: bytes, facts: Facts) -> Card:
    """The card of a forecaster whose packed numbers are `numbers`."""
    checksum = hashlib.sha256(numbers).hexdigest()
    spread = forecaster.spread
    members = [
        Member(
            weight=float(weight),
            recipe=asdict(member.recipe),
            **{name: getattr(member, name) for name in ("offset", "center", "scale", "low", "high")},
        )
        for weight, member in zip(forecaster.weights, forecaster.members, strict=True)
    ]
    return Card(
        series=facts.series,
        name=facts.name,
        version=f"{facts.window_end:%Y%m%dT%H}-{checksum[:8]}",
        created_at=facts.created_at,
        window_start=facts.window_start,
        window_end=facts.window_end,
        hours=facts.hours,
        seasonality=forecaster.seasonality,
        coverage=forecaster.coverage,
        mae=float(f"{facts.mae:.6g}"),
        mase=None if facts.mase is None else float(f"{facts.mase:.6g}"),
        mae_by_lead=_rounded(facts.mae_by_lead),
        shifts=forecaster.shifts,
        spike_limit=forecaster.spike_limit if math.isfinite(forecaster.spike_limit) else None,
        members=members,
        spread={name: getattr(spread, name) for name in ("typical", "level_power", "freedom")},
        libraries=dict(facts.libraries),
        bytes=len(numbers),
        sha256=checksum,
        holidays=facts.holidays,
        explanation=facts.explanation,
    )


def _rounded(by_lead: Values) -> list[float]:
    """Six figures are plenty; a lead that was never observed takes the error of the one before."""
    known = np.flatnonzero(~np.isnan(by_lead))
    filled = np.interp(np.arange(len(by_lead)), known, by_lead[known])
    return [float(f"{value:.6g}") for value in filled]


def save_champion(directory: Path, card: Card, numbers: bytes, drawing: str = "") -> None:
    """Put the champion, and the drawing that explains it, into its place, whole or not at all."""
    directory.mkdir(parents=True, exist_ok=True)
    files = {NUMBERS: numbers, CARD: as_text(card).encode()}
    for name, content in ({DRAWING: drawing.encode()} | files if drawing else files).items():
        waiting = directory / f"{name}.new"
        waiting.write_bytes(content)
        waiting.replace(directory / name)


def load_champion(directory: Path) -> Champion:
    """The champion, checked. Raises ModelError that names what is missing or differs."""
    card = read_card(directory)
    if card is None:
        raise ModelError(f"there is no champion in {directory}; run: python train.py")
    path = directory / NUMBERS
    try:
        numbers = path.read_bytes()
    except FileNotFoundError:
        raise ModelError(f"{path} is missing beside its card; {REMEDY}") from None
    if len(numbers) != card.bytes or len(numbers) > MAXIMUM_BYTES:
        raise ModelError(f"{path}: expected {card.bytes} bytes (at most {MAXIMUM_BYTES}), got {len(numbers)}; {REMEDY}")
    checksum = hashlib.sha256(numbers).hexdigest()
    if checksum != card.sha256:
        raise ModelError(f"{path}: expected sha256 {card.sha256[:12]}..., got {checksum[:12]}...; {REMEDY}")
    _check_libraries(card, directory)
    return Champion(card, _unpack(card, numbers, path))


def _check_libraries(card: Card, directory: Path) -> None:
    """The libraries whose code runs at serving must be those of the training; the others left plain numbers behind."""
    for package in {
        SERVING_LIBRARIES[str(m.recipe["estimator"])]
        for m in card.members
        if m.recipe["estimator"] in SERVING_LIBRARIES
    }:
        wanted = card.libraries.get(package)
        try:
            here = version(package)
        except PackageNotFoundError:
            here = "not installed"
        if here != wanted:
            raise ModelError(
                f"{directory}: trained with {package} {wanted}, here it is {here}; install requirements.txt or run: "
                "python train.py"
            )


def _pack(forecaster: Forecaster) -> bytes:
    arrays: dict[str, Array] = {
        "weights": forecaster.weights,
        "spread.by_lead": forecaster.spread.by_lead,
        "spread.by_phase": forecaster.spread.by_phase,
        "spread.quantiles": forecaster.spread.quantiles,
    }
    for i, member in enumerate(forecaster.members):
        arrays |= {f"{i}.filter": member.filter, f"{i}.intercept": member.intercept}
        if len(member.exogenous):
            arrays[f"{i}.exogenous"] = member.exogenous
        arrays |= {f"{i}.trees.{name}": array for name, array in member.trees.items()}
        if member.booster:
            arrays[f"{i}.booster"] = np.frombuffer(member.booster.encode(), dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _unpack(card: Card, numbers: bytes, path: Path) -> Forecaster:
    try:
        with np.load(io.BytesIO(numbers), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        members = tuple(_member(member, i, arrays) for i, member in enumerate(card.members))
        spread = Spread(
            by_lead=arrays["spread.by_lead"],
            by_phase=arrays["spread.by_phase"],
            quantiles=arrays["spread.quantiles"],
            **card.spread,
        )
    except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path} does not fit its card: {type(error).__name__}: {error}; {REMEDY}") from None
    limit = math.inf if card.spike_limit is None else card.spike_limit
    return Forecaster(members, arrays["weights"], spread, card.coverage, card.seasonality, card.shifts, limit)


def _member(member: Member, i: int, arrays: Mapping[str, Array]) -> FittedRecipe:
    fields = dict(member.recipe)
    predictors = {name: tuple(value) for name, value in fields.pop("predictors").items()}
    trees = {name.split(".")[2]: array for name, array in arrays.items() if name.startswith(f"{i}.trees.")}
    booster = arrays.get(f"{i}.booster")
    return FittedRecipe(
        Recipe(predictors=Predictors(**predictors), **fields),
        offset=member.offset,
        center=member.center,
        scale=member.scale,
        low=member.low,
        high=member.high,
        filter=arrays[f"{i}.filter"],
        intercept=arrays[f"{i}.intercept"],
        exogenous=arrays.get(f"{i}.exogenous", np.zeros(0)),
        trees=trees,
        booster="" if booster is None else booster.tobytes().decode(),
    )
