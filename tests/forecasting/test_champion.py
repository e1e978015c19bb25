from __future__ import annotations

import hashlib
import io
import json
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actioncast.forecasting import champion, fitted, forecaster
from actioncast.forecasting.card import Card, ModelError
from actioncast.forecasting.champion import Facts
from actioncast.forecasting.forecaster import Forecaster
from actioncast.forecasting.intervals import Spread
from actioncast.forecasting.level_shifts import Shift
from actioncast.forecasting.recipes import Recipe
from actioncast.paths import CARD, NUMBERS
from actioncast.periods.axis import Axis
from actioncast.periods.timeline import UTC_HOURS
from tests.support.series import SEASONS, grid, seasonal
from utils import Predictors

VALUES = seasonal(400)
SPREAD = Spread(np.linspace(1, 2, 24), np.ones(24), 100.0, 0.5, np.linspace(-2, 3, 201), 7.5)
CALENDAR = ("hour", "weekday")
RECIPES = {
    "naive": Recipe("seasonal_naive_24", "seasonal_naive", Predictors((24,))),
    "ridge": Recipe("ridge", "ridge", Predictors((1, 2, 24), windows=(24,)), log=True, difference=24),
    "calendar": Recipe("calendar", "ridge", Predictors((1, 24), calendar=CALENDAR), loss="squared"),
    "forest": Recipe("forest", "random_forest", Predictors((1, 24)), parameters={"n_estimators": 5, "random_state": 1}),
    "boosting": Recipe("boosting", "lightgbm", Predictors((1, 24)), parameters={"n_estimators": 5}),
}
SHIFTS = (Shift(datetime(2022, 1, 10, tzinfo=UTC), 2.0, 0.0),)
FACTS = Facts(
    series="demo",
    name="blend",
    created_at=datetime(2022, 2, 1, 12, tzinfo=UTC),
    window_start=datetime(2022, 1, 3, tzinfo=UTC),
    window_end=datetime(2022, 1, 19, 15, tzinfo=UTC),
    periods=400,
    mae=1.23456789,
    mase=None,
    mae_by_lead=np.array([1.0, 1.5, float("nan")]),
    libraries={"lightgbm": version("lightgbm")},
)


def blend(*names: str) -> Forecaster:
    members = tuple(
        forecaster.fit(VALUES, RECIPES[n], axis=Axis(UTC_HOURS, 456_000), seasonality=SEASONS) for n in names
    )
    return Forecaster(members, np.full(len(names), 1 / len(names)), SPREAD, 0.8, SEASONS, SHIFTS)


def packed(model: Forecaster) -> tuple[Card, bytes]:
    """What `save_champion` writes."""
    numbers = champion.pack_numbers(model, FACTS.name)
    return champion.make_card(model, numbers, FACTS), numbers


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A champion that can be loaded."""
    champion.save_champion(tmp_path / "demo", *packed(blend("naive", "ridge")))
    return tmp_path / "demo"


def edit(directory: Path, **changes: Any) -> None:
    path = directory / CARD
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def put_numbers(directory: Path, numbers: bytes) -> None:
    """Other numbers, with a card that vouches for them."""
    (directory / NUMBERS).write_bytes(numbers)
    edit(directory, bytes=len(numbers), sha256=hashlib.sha256(numbers).hexdigest())


def archive(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


@pytest.mark.parametrize("names", [*([name] for name in RECIPES), ["naive", "ridge", "calendar"]], ids="+".join)
def test_what_is_loaded_forecasts_the_same_numbers(names: list[str], tmp_path: Path) -> None:
    model = blend(*names)
    champion.save_champion(tmp_path, *packed(model))
    loaded = champion.load_champion(tmp_path)
    for one, other in zip(
        vars(forecaster.forecast(model, grid(VALUES), 48)).values(),
        vars(forecaster.forecast(loaded.forecaster, grid(VALUES), 48)).values(),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)
    assert loaded.forecaster.members[0].recipe == model.members[0].recipe


def test_the_card_states_rounded_errors_and_what_the_version_is_made_of() -> None:
    card, numbers = packed(blend("naive", "ridge"))
    assert card.mae == 1.23457
    assert card.mase is None
    assert card.mae_by_lead == [1.0, 1.5, 1.5], "the lead never observed takes the error of the one before"
    assert card.sha256 == hashlib.sha256(numbers).hexdigest()
    assert card.version == f"20220119T15-{card.sha256[:8]}"


def test_the_archive_names_its_arrays_by_member() -> None:
    _, numbers = packed(blend("naive", "forest"))
    with np.load(io.BytesIO(numbers)) as stored:
        names = stored.files
    spread = ["spread.by_lead", "spread.by_phase", "spread.quantiles"]
    forest = [f"1.trees.{name}" for name in ("feature", "threshold", "left", "right", "value")]
    assert names == ["weights", *spread, "0.filter", "0.intercept", "1.filter", "1.intercept", *forest]


def test_the_same_forecaster_makes_the_same_bytes() -> None:
    assert packed(blend("ridge")) == packed(blend("ridge"))


def test_saving_again_replaces_and_leaves_nothing_behind(stored: Path) -> None:
    champion.save_champion(stored, *packed(blend("calendar")))
    assert champion.load_champion(stored).forecaster.members[0].recipe.name == "calendar"
    assert sorted(path.name for path in stored.iterdir()) == [CARD, NUMBERS]


def test_a_forecaster_too_large_for_git_is_refused() -> None:
    noise = np.random.default_rng(0).normal(size=40_000)
    large = fitted.FittedRecipe(RECIPES["naive"], filter=noise)
    with pytest.raises(ModelError, match=r"blend takes 3\d\d KiB, more than the 256 KiB allowed"):
        packed(Forecaster((large,), np.ones(1), SPREAD, 0.8, SEASONS))


def test_no_champion_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"there is no champion in .*; run: python train.py"):
        champion.load_champion(tmp_path)


def test_missing_numbers_are_said(stored: Path) -> None:
    (stored / NUMBERS).unlink()
    with pytest.raises(ModelError, match=r"forecaster\.npz is missing beside its card"):
        champion.load_champion(stored)


def test_truncated_numbers_are_said(stored: Path) -> None:
    numbers = (stored / NUMBERS).read_bytes()
    (stored / NUMBERS).write_bytes(numbers[:-10])
    with pytest.raises(ModelError, match=rf"expected {len(numbers)} bytes .*, got {len(numbers) - 10}"):
        champion.load_champion(stored)


def test_too_many_bytes_are_refused_whatever_the_card_says(stored: Path) -> None:
    put_numbers(stored, bytes(champion.MAXIMUM_BYTES + 1))
    with pytest.raises(ModelError, match=r"at most 262144"):
        champion.load_champion(stored)


def test_changed_numbers_are_said(stored: Path) -> None:
    numbers = bytearray((stored / NUMBERS).read_bytes())
    numbers[100] ^= 1
    (stored / NUMBERS).write_bytes(numbers)
    with pytest.raises(ModelError, match=r"expected sha256 \w{12}\.\.\., got \w{12}\.\.\."):
        champion.load_champion(stored)


def test_an_archive_with_an_object_is_never_unpickled(stored: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return Path.touch, (stored / "ran",)  # type: ignore[return-value]

    put_numbers(stored, archive(weights=np.array([Bomb()], dtype=object)))
    with pytest.raises(ModelError, match=r"does not fit its card: ValueError: Object arrays cannot be loaded"):
        champion.load_champion(stored)
    assert not (stored / "ran").exists()


@pytest.mark.parametrize("numbers", [b"nothing", b"", archive(weights=np.ones(2)), b"\x80\x04N."])
def test_numbers_that_do_not_fit_the_card_are_said(numbers: bytes, stored: Path) -> None:
    put_numbers(stored, numbers)
    with pytest.raises(ModelError, match=r"does not fit its card"):
        champion.load_champion(stored)


def test_numbers_without_the_weights_of_the_members_are_said(stored: Path) -> None:
    with np.load(stored / NUMBERS) as numbers:
        arrays = {name: numbers[name] for name in numbers.files if name != "weights"}
    put_numbers(stored, archive(**arrays))
    with pytest.raises(ModelError, match=r"does not fit its card: KeyError: 'weights'"):
        champion.load_champion(stored)


def test_a_recipe_that_this_version_does_not_know_is_said(stored: Path) -> None:
    members = json.loads((stored / CARD).read_text())["members"]
    members[0]["recipe"]["wavelets"] = 3
    edit(stored, members=members)
    with pytest.raises(ModelError, match=r"does not fit its card: TypeError: .*wavelets"):
        champion.load_champion(stored)


def test_another_version_of_a_library_that_serves_is_refused(tmp_path: Path) -> None:
    champion.save_champion(tmp_path, *packed(blend("boosting")))
    edit(tmp_path, libraries={"lightgbm": "0.0.1"})
    with pytest.raises(ModelError, match=rf"trained with lightgbm 0\.0\.1, here it is {version('lightgbm')}"):
        champion.load_champion(tmp_path)


def test_a_library_that_is_not_installed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    champion.save_champion(tmp_path, *packed(blend("boosting")))

    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(champion, "version", missing)
    with pytest.raises(ModelError, match=r"here it is not installed"):
        champion.load_champion(tmp_path)


def test_the_libraries_of_plain_numbers_do_not_matter(stored: Path) -> None:
    edit(stored, libraries={"scikit-learn": "0.0.1", "numpy": "0.0.1"})
    champion.load_champion(stored)
