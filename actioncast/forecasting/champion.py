"""The champion on disk: packed, saved, loaded and checked. It is a folder with three files:

- forecaster.npz: the fitted numbers.
- card.json: what people read and review (see card.py).
- explanation.svg: a drawing of why this champion serves.

No pickle is written or loaded: the numbers are a numpy archive that is read with
allow_pickle=False, and LightGBM's model is kept as its own text. Loading checks the format, the
size, the checksum and the versions of the libraries whose code runs at serving, and names what
differs. Each file is written under another name and then moved into its place, the card last.
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
from typing import Any

from actioncast.arrays import Array, Values, np
from actioncast.forecasting.card import (
    REMEDY,
    Card,
    Distribution,
    Explanation,
    Holidays,
    Member,
    ModelError,
    NoChampionError,
    as_text,
    read_card,
    six_figures,
)
from actioncast.forecasting.fitted import FittedRecipe
from actioncast.forecasting.forecaster import Forecaster
from actioncast.forecasting.intervals import Spread
from actioncast.forecasting.recipes import Recipe
from actioncast.paths import CARD, DRAWING, NUMBERS
from actioncast.periods.frequency import parse_frequency
from actioncast.periods.opening import parse_opening
from actioncast.periods.timeline import Timeline, timeline_of
from utils import Predictors

MAXIMUM_BYTES = 256 * 1024  # of the numbers: they lie in git
# Estimator -> package whose code runs at serving.
SERVING_LIBRARIES = {
    "lightgbm": "lightgbm",
    "fracast": "fracast",
    "flair": "flaircast",
}
CHECKSUM_FIGURES = 12  # of a sha256, in a message


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
    periods: int
    mae: float
    mase: float | None
    mae_by_lead: Values  # [horizon], NaN for a lead that was never observed
    libraries: Mapping[str, str]
    holidays: Holidays | None = None
    distribution: Distribution | None = None
    explanation: Explanation | None = None


# Packing -----------------------------------------------------------------------------------------------------------


def pack_numbers(forecaster: Forecaster, name: str) -> bytes:
    """The bytes of forecaster.npz.

    Raises ModelError, which names the champion, when they are too large to lie in git.
    """
    numbers = _archive(forecaster)
    if len(numbers) > MAXIMUM_BYTES:
        size = f"{len(numbers) / 1024:,.0f} KiB"
        allowed = f"{MAXIMUM_BYTES // 1024} KiB"
        raise ModelError(f"{name} takes {size}, more than the {allowed} allowed")
    return numbers


def make_card(forecaster: Forecaster, numbers: bytes, facts: Facts) -> Card:
    """The card of a forecaster whose packed numbers are `numbers`."""
    checksum = hashlib.sha256(numbers).hexdigest()
    mase = None if facts.mase is None else six_figures(facts.mase)
    spike_limit = forecaster.spike_limit if math.isfinite(forecaster.spike_limit) else None
    return Card(
        series=facts.series,
        name=facts.name,
        version=f"{facts.window_end:%Y%m%dT%H}-{checksum[:8]}",
        created_at=facts.created_at,
        window_start=facts.window_start,
        window_end=facts.window_end,
        periods=facts.periods,
        frequency=str(forecaster.timeline.frequency),
        timezone=forecaster.timeline.timezone,
        open=str(forecaster.timeline.opening or ""),
        wall=forecaster.timeline.wall,
        seasonality=forecaster.seasonality,
        coverage=forecaster.coverage,
        mae=six_figures(facts.mae),
        mase=mase,
        mae_by_lead=_rounded_by_lead(facts.mae_by_lead),
        shifts=forecaster.shifts,
        spike_limit=spike_limit,
        members=_members(forecaster),
        spread=_scalars_of_spread(forecaster.spread),
        libraries=dict(facts.libraries),
        bytes=len(numbers),
        sha256=checksum,
        holidays=facts.holidays,
        distribution=facts.distribution,
        explanation=facts.explanation,
    )


def _rounded_by_lead(errors: Values) -> list[float]:
    """Errors by lead for the card.

    One that was never observed is interpolated; beyond the last observed lead the last error is
    repeated.
    """
    leads = np.arange(len(errors))
    observed = np.flatnonzero(~np.isnan(errors))
    complete = np.interp(leads, observed, errors[observed])
    return [six_figures(error) for error in complete]


def _members(forecaster: Forecaster) -> list[Member]:
    """The fitted recipes without their arrays."""
    members = []
    for weight, fitted in zip(forecaster.weights, forecaster.members, strict=True):
        member = Member(
            weight=float(weight),
            recipe=asdict(fitted.recipe),
            offset=fitted.offset,
            center=fitted.center,
            scale=fitted.scale,
            low=fitted.low,
            high=fitted.high,
        )
        members.append(member)
    return members


def _scalars_of_spread(spread: Spread) -> dict[str, float]:
    """The fields of the spread that are not arrays."""
    return {
        "typical": spread.typical,
        "level_power": spread.level_power,
        "freedom": spread.freedom,
    }


def _archive(forecaster: Forecaster) -> bytes:
    """All arrays of the forecaster as a compressed numpy archive."""
    arrays: dict[str, Array] = {
        "weights": forecaster.weights,
        "spread.by_lead": forecaster.spread.by_lead,
        "spread.by_phase": forecaster.spread.by_phase,
        "spread.quantiles": forecaster.spread.quantiles,
    }
    for index, fitted in enumerate(forecaster.members):
        for name, array in _arrays_of_member(fitted).items():
            arrays[f"{index}.{name}"] = array
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _arrays_of_member(fitted: FittedRecipe) -> dict[str, Array]:
    """The arrays of a fitted recipe by their name in the archive."""
    arrays: dict[str, Array] = {"filter": fitted.filter, "intercept": fitted.intercept}
    if len(fitted.exogenous_coefficients):
        arrays["exogenous"] = fitted.exogenous_coefficients
    for name, array in fitted.trees.items():
        arrays[f"trees.{name}"] = array
    if fitted.smoothing:
        arrays["since"] = np.array([fitted.since])
    for name, array in fitted.smoothing.items():
        arrays[f"smoothing.{name}"] = array
    if fitted.booster and not fitted.trees:
        arrays["booster"] = np.frombuffer(fitted.booster.encode(), dtype=np.uint8)
    return arrays


# Saving ------------------------------------------------------------------------------------------------------------


def save_champion(directory: Path, card: Card, numbers: bytes, drawing: str = "") -> None:
    """Put the champion, and the drawing that explains it, into its folder.

    No file is ever half written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    if drawing:
        _replace_file(directory / DRAWING, drawing.encode())
    _replace_file(directory / NUMBERS, numbers)
    # The card comes last: it vouches for the numbers.
    _replace_file(directory / CARD, as_text(card).encode())


def _replace_file(path: Path, content: bytes) -> None:
    """Write beside the path first, then move there: a reader sees the old file or the new one."""
    new = path.with_name(f"{path.name}.new")
    new.write_bytes(content)
    new.replace(path)


# Loading -----------------------------------------------------------------------------------------------------------


def load_champion(directory: Path) -> Champion:
    """The champion, checked. Raises ModelError that names what is missing or differs."""
    card = read_card(directory)
    if card is None:
        raise NoChampionError(f"there is no champion in {directory}; run: python train.py")
    path = directory / NUMBERS
    numbers = _read_numbers(path, card)
    _check_libraries(card, directory)
    try:
        forecaster = _unpack(card, numbers)
    except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        kind = type(error).__name__
        raise ModelError(f"{path} does not fit its card: {kind}: {error}; {REMEDY}") from None
    return Champion(card, forecaster)


def _read_numbers(path: Path, card: Card) -> bytes:
    """The bytes that the card vouches for. Raises ModelError when they are missing or others."""
    try:
        numbers = path.read_bytes()
    except FileNotFoundError:
        raise ModelError(f"{path} is missing beside its card; {REMEDY}") from None
    if len(numbers) != card.bytes or len(numbers) > MAXIMUM_BYTES:
        expected_size = f"{card.bytes} bytes (at most {MAXIMUM_BYTES})"
        raise ModelError(f"{path}: expected {expected_size}, got {len(numbers)}; {REMEDY}")
    checksum = hashlib.sha256(numbers).hexdigest()
    if checksum != card.sha256:
        expected = card.sha256[:CHECKSUM_FIGURES]
        actual = checksum[:CHECKSUM_FIGURES]
        raise ModelError(f"{path}: expected sha256 {expected}..., got {actual}...; {REMEDY}")
    return numbers


def _check_libraries(card: Card, directory: Path) -> None:
    """Raise ModelError unless the libraries whose code runs at serving are those of the training.

    The other libraries of the training left plain numbers behind; their versions do not matter.
    """
    estimators = {str(member.recipe["estimator"]) for member in card.members}
    for estimator in estimators & SERVING_LIBRARIES.keys():
        package = SERVING_LIBRARIES[estimator]
        trained_with = card.libraries.get(package)
        installed = _installed_version(package)
        if installed != trained_with:
            raise ModelError(
                f"{directory}: trained with {package} {trained_with}, here it is {installed}; "
                "install requirements.txt or run: python train.py"
            )


def _installed_version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _unpack(card: Card, numbers: bytes) -> Forecaster:
    """The forecaster from its card and its numbers; an error means that they do not fit each other."""
    with np.load(io.BytesIO(numbers), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    members = [_unpack_member(member, i, arrays) for i, member in enumerate(card.members)]
    spread = Spread(
        by_lead=arrays["spread.by_lead"],
        by_phase=arrays["spread.by_phase"],
        quantiles=arrays["spread.quantiles"],
        **card.spread,
    )
    return Forecaster(
        members=tuple(members),
        weights=arrays["weights"],
        spread=spread,
        coverage=card.coverage,
        seasonality=card.seasonality,
        shifts=card.shifts,
        spike_limit=math.inf if card.spike_limit is None else card.spike_limit,
        timeline=timeline_of_card(card),
        levels=card.distribution.levels if card.distribution else (),
    )


def timeline_of_card(card: Card) -> Timeline:
    """The periods that the champion has learned from."""
    opening = parse_opening(card.open) if card.open else None
    return timeline_of(parse_frequency(card.frequency), card.timezone, opening, card.wall)


def _unpack_member(member: Member, index: int, arrays: Mapping[str, Array]) -> FittedRecipe:
    """One fitted recipe, from its part of the card and the arrays that its index begins."""
    recipe = _unpack_recipe(member.recipe)
    booster = arrays.get(f"{index}.booster", np.zeros(0, dtype=np.uint8))
    return FittedRecipe(
        recipe=recipe,
        offset=member.offset,
        center=member.center,
        scale=member.scale,
        low=member.low,
        high=member.high,
        filter=arrays[f"{index}.filter"],
        intercept=arrays[f"{index}.intercept"],
        exogenous_coefficients=arrays.get(f"{index}.exogenous", np.zeros(0)),
        trees=_with_prefix(arrays, f"{index}.trees."),
        booster=booster.tobytes().decode(),
        smoothing=_with_prefix(arrays, f"{index}.smoothing."),
        since=int(arrays.get(f"{index}.since", np.zeros(1))[0]),
    )


def _with_prefix(arrays: Mapping[str, Array], prefix: str) -> dict[str, Array]:
    """The arrays whose name begins with the prefix, without the prefix."""
    matches = [name for name in arrays if name.startswith(prefix)]
    return {name.removeprefix(prefix): arrays[name] for name in matches}


def _unpack_recipe(fields: Mapping[str, Any]) -> Recipe:
    """A recipe as the card states it: JSON has lists where the predictors have tuples."""
    predictors = {name: tuple(value) for name, value in fields["predictors"].items()}
    other_fields = {name: value for name, value in fields.items() if name != "predictors"}
    return Recipe(predictors=Predictors(**predictors), **other_fields)
