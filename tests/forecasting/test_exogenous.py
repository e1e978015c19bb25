"""Columns known in the future: from their source through the table into training, forecast and API."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from skforecast.preprocessing import RollingFeatures
from skforecast.recursive import ForecasterRecursive
from sklearn.preprocessing import StandardScaler
from starlette.testclient import TestClient

import app
import make_predictions
import train
import update_real_data
from actioncast.config import load_settings
from actioncast.database import copying
from actioncast.database.database import Database, open_database
from actioncast.forecasting import exogenous, features, forecaster, recipes
from actioncast.forecasting.card import read_card
from actioncast.forecasting.champion import load_champion
from actioncast.forecasting.exogenous import ColumnError
from actioncast.forecasting.recipes import Recipe
from actioncast.periods.axis import Axis
from actioncast.periods.grid import Periods
from actioncast.periods.timeline import UTC_HOURS
from actioncast.serving.trial import try_champion
from actioncast.settings import Settings, SettingsError
from actioncast.times import HOUR, isoformat, to_seconds
from tests.support.fitting import BOOSTING, CALENDAR, FIRST_HOUR
from tests.support.reference import estimator_of
from tests.support.series import SEASONS, START, grid, seasonal
from utils import Predictors

NAN = float("nan")
HISTORY, HORIZON = 900, 24
NOW = START + timedelta(hours=HISTORY)


def column(hours: int, seed: int = 5) -> NDArray[np.float64]:
    """[hours] something that no calendar knows, in a unit of its own."""
    return 5000 + 300 * np.cumsum(np.random.default_rng(seed).normal(0, 1, hours)) / np.sqrt(np.arange(1, hours + 1))


def hours_of(values: NDArray[np.float64], first: int = 0, every: int = 1) -> Periods:
    starts = to_seconds(START) + HOUR * (first + every * np.arange(len(values)))
    return Periods(starts, values, np.ones(len(values), dtype=np.int64))


# Arrays ------------------------------------------------------------------------------------------------------------


def test_a_column_is_laid_beside_the_hours_and_beyond_them() -> None:
    series = exogenous.attach(grid(np.zeros(4)), {"price": hours_of(np.array([1.0, 2, 3]), first=2)}, 3)
    np.testing.assert_array_equal(series.exogenous["price"], [NAN, NAN, 1, 2, 3, 3, 3])


def test_a_value_holds_six_hours_and_no_longer() -> None:
    series = exogenous.attach(grid(np.zeros(8)), {"price": hours_of(np.array([1.0, 2]), first=-2, every=9)}, 0)
    np.testing.assert_array_equal(series.exogenous["price"], [1, 1, 1, 1, NAN, NAN, NAN, 2])


def test_a_holiday_is_a_day_on_the_clocks_of_its_zone() -> None:
    first_period = to_seconds(datetime(2024, 7, 4, tzinfo=UTC)) // HOUR
    flags = exogenous.holiday_flags(
        [date(2024, 7, 4)],
        zone="America/New_York",
        axis=Axis(UTC_HOURS, first_period),
        periods=48,
        until=date(2024, 7, 5),
    )
    assert np.flatnonzero(flags == 1).tolist() == list(range(4, 28))
    flags = exogenous.holiday_flags(
        [date(2024, 7, 4)],
        zone="UTC",
        axis=Axis(UTC_HOURS, first_period),
        periods=48,
        until=date(2024, 7, 4),
    )
    assert np.isnan(flags[24:]).all(), "nothing is known after the last listed day"


def test_a_holiday_counts_by_hour_and_so_does_the_day_after_it() -> None:
    flags = np.zeros(72)
    flags[24:48] = 1
    holidays = Predictors((1,), exogenous=("holiday",))
    terms = exogenous.terms(holidays, {"holiday": flags}, Axis(UTC_HOURS, 0), np.arange(72))
    assert terms.shape == (72, 48)
    assert [np.flatnonzero(terms[hour]).tolist() for hour in (3, 27, 51)] == [[], [3], [24 + 3]]


def test_the_holidays_of_a_country_and_of_its_parts() -> None:
    pytest.importorskip("holidays", reason="the package holidays is not installed")
    year = date(2024, 1, 1), date(2024, 12, 31)
    assert {date(2024, 7, 4), date(2024, 12, 25)} <= set(exogenous.holidays_of("US", *year))
    day_after_thanksgiving = date(2024, 11, 29)
    assert day_after_thanksgiving not in exogenous.holidays_of("US", *year)
    assert day_after_thanksgiving in exogenous.holidays_of("US-CA", *year)
    for code in ("XX", "US-QQ"):
        with pytest.raises(ColumnError, match=f"holidays = '{code}': no such country"):
            exogenous.holidays_of(code, *year)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda x: x[: 700 + HORIZON - 1], "is not known for 1 of the hours from 2022-02-02 03:00Z"),
        (lambda x: np.where(np.arange(len(x)) == 650, NAN, x), "is not known for 1 of the hours"),
        (lambda x: np.where(np.arange(len(x)) < 500, NAN, x), "known for 100 hours before the backtest, 336 are"),
        (lambda x: np.full(len(x), 3.0), "constant before the backtest"),
    ],
)
def test_a_column_that_cannot_be_judged_is_left_out_with_its_reason(change: Any, why: str) -> None:
    history = replace(grid(np.zeros(700)), exogenous={"good": column(724), "bad": change(column(724))})
    usable, left_out = exogenous.usable(history, 600, HORIZON)
    assert list(usable.exogenous) == ["good"]
    assert left_out["bad"].startswith(why)


# The same numbers as skforecast ------------------------------------------------------------------------------------

DAY = tuple(range(1, 25))
TWO = ("price", "wind")
RECIPES = [
    Recipe("plain", "ridge", Predictors(DAY, exogenous=TWO)),
    Recipe("squared", "ridge", Predictors(DAY, windows=(20,), exogenous=TWO), loss="squared"),
    Recipe("difference", "ridge", Predictors(DAY, exogenous=TWO), difference=1, loss="squared"),
    Recipe("calendar", "ridge", Predictors(DAY, calendar=CALENDAR, exogenous=TWO), loss="squared", alpha=0.3),
    Recipe("boosting", "lightgbm", Predictors(DAY, calendar=("hour",), exogenous=TWO), parameters=BOOSTING),
]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_forecasts_with_columns_are_those_of_skforecast(recipe: Recipe) -> None:
    """Its exog are our terms: standardised ones for a linear recipe, as its penalty sees them."""
    values, end = seasonal(700), 600
    columns = {"price": column(760), "wind": column(760, seed=6)}
    fitted = forecaster.fit(
        values[:end], recipe, axis=Axis(UTC_HOURS, FIRST_HOUR), seasonality=SEASONS, columns=columns
    )
    origins = [600, 631, 700]
    axis = Axis(UTC_HOURS, FIRST_HOUR)
    ours = forecaster.predict(fitted, values, np.array(origins), 48, axis=axis, columns=columns)
    index = pd.date_range(START.replace(tzinfo=None), periods=760, freq="h")
    own = np.column_stack([columns[name] for name in TWO])
    if recipe.estimator == "ridge":
        own = StandardScaler(with_mean=False).fit(own[:end]).transform(own)
    calendar = [features.calendar_table(recipe.predictors.calendar, 168)] if recipe.predictors.calendar else []
    terms = [table[(FIRST_HOUR + np.arange(760)) % 168] for table in calendar]
    exog = pd.DataFrame(np.hstack([*terms, own]), index=index).add_prefix("x")
    sizes = list(recipe.predictors.windows)
    theirs = ForecasterRecursive(
        estimator=estimator_of(recipe),
        lags=list(recipe.predictors.lags),
        window_features=RollingFeatures(stats=["mean"] * len(sizes), window_sizes=sizes) if sizes else None,
        transformer_y=StandardScaler(),
        differentiation=recipe.difference or None,
    )
    y = pd.Series(values, index=index[:700])
    theirs.fit(y=y[:end], exog=exog[:end])
    expected = [theirs.predict(48, last_window=y[:o], exog=exog[o : o + 48]) for o in origins]
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-8 * values.mean())


def test_hours_without_a_column_are_not_learned_from() -> None:
    values, columns = seasonal(600), {"price": column(700)}
    recipe = Recipe("plain", "ridge", Predictors((1, 24), exogenous=("price",)))
    holes = columns["price"].copy()
    holes[100:200] = NAN
    wrong = values.copy()
    wrong[124:200] = 1e3  # hours whose column is missing, as targets
    with_holes = forecaster.fit(wrong, recipe, axis=Axis(UTC_HOURS, 0), seasonality=SEASONS, columns={"price": holes})
    assert np.isfinite(with_holes.filter).all()
    assert np.isfinite(with_holes.exogenous_coefficients).all()


# The whole way -----------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _few_ridges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some of the linear recipes: the story is the same and takes less time."""
    every = recipes._ridges

    def few(seasonality: Sequence[int], sets: dict[str, Predictors]) -> list[Recipe]:
        names = ("week", "two_days_calendar", "week_exogenous", "two_days_calendar_exogenous")
        return every(seasonality, {name: sets[name] for name in names if name in sets})

    monkeypatch.setattr(recipes, "_ridges", few)


def write_csv(path: Path, values: NDArray[np.float64]) -> None:
    rows = [f"{isoformat(START + timedelta(hours=hour))},{value!r}" for hour, value in enumerate(values.tolist())]
    path.write_text("\n".join(["timestamp,value", *rows]))


@pytest.fixture
def driven(tmp_path: Path, url: str) -> Iterator[tuple[Settings, Database, NDArray[np.float64]]]:
    """A series that a column drives, its settings, and what it will be."""
    steps = np.random.default_rng(3).normal(0, 1, HISTORY + 48)
    truth = seasonal(HISTORY + 48, noise=0.5) + 25 * steps
    write_csv(tmp_path / "load.csv", truth[:HISTORY])
    write_csv(tmp_path / "wind.csv", steps)
    config = tmp_path / "config.toml"
    config.write_text(
        f'[series.demo]\nsource = {{ kind = "file", path = "load.csv" }}\nunit = "x"\nhorizon = {HORIZON}\n'
        'exogenous = { wind = { kind = "file", path = "wind.csv" } }\n'
        '[train]\ncandidates = ["seasonal_naive", "ridge", "blend"]\nbacktest = "7D"\nbudget = 3600\n'
    )
    settings = load_settings(config, {"DATABASE_URL": url})
    with open_database(settings) as database:
        yield settings, database, truth


def test_a_column_makes_a_better_champion_and_is_used_where_it_serves(driven: Any) -> None:
    settings, database, truth = driven
    loaded = update_real_data.run(settings, database, NOW, series_id="demo")
    assert loaded.exogenous == {"wind": f"known until {isoformat(NOW + timedelta(hours=HORIZON))}"}
    report = train.run(settings, database, NOW, series_id="demo")
    champion = load_champion(settings.model_directory("demo"))
    assert champion.forecaster.columns == ("wind",)
    errors = {row.name: row.mae for row in report.board}
    assert errors["ridge_week_exogenous"] < 0.5 * errors["ridge_week"]
    made = make_predictions.run(settings, database, NOW, series_id="demo")
    miss = np.abs(np.array([row["prediction"] for row in made.rows]) - truth[HISTORY : HISTORY + HORIZON])
    assert miss.mean() < 5, "25 without the column"
    again = train.run(settings, database, NOW, series_id="demo")
    assert again.gate.champion_mae == pytest.approx(again.gate.challenger_mae, rel=0.5), "the gate can score it"
    application = app.create_app(settings, lambda: NOW + timedelta(minutes=5))
    with TestClient(application) as client:
        answer = client.post("/forecast?num_predictions=24")
        assert answer.status_code == 200, answer.text
        got = [hour["prediction"] for hour in answer.json()["predictions"]]
        assert got == pytest.approx([row["prediction"] for row in made.rows])
        windier = client.post("/forecast?num_predictions=24", json={"columns": {"wind": {"add": 1.0}}}).json()
        assert windier["hypothetical"]
        change = [hour["prediction"] - plain for hour, plain in zip(windier["predictions"], got, strict=True)]
        assert np.mean(change) == pytest.approx(25, rel=0.2), "the series has 25 for each unit of the column"
        calm = client.post("/forecast?num_predictions=2", json={"columns": {"wind": [0.0, 0.0]}}).json()
        assert calm["predictions"][0]["prediction"] != pytest.approx(got[0], rel=1e-3)
        unknown = client.post("/forecast", json={"columns": {"rain": {"add": 1.0}}})
        assert unknown.status_code == 409
        assert "'rain' is none of those that the champion of demo uses: wind" in unknown.text


def test_without_the_future_of_a_column_the_naive_steps_in_and_says_why(driven: Any) -> None:
    settings, database, _ = driven
    update_real_data.run(settings, database, NOW, series_id="demo")
    train.run(settings, database, NOW, series_id="demo")
    report = make_predictions.run(settings, database, NOW, series_id="demo", horizon=72)
    assert report.failed
    assert "needs the column wind, which is not known for 42 of the hours" in str(report.fallback)
    assert "ask for fewer periods" in report.as_text()
    assert len(database.vintage("demo", NOW)) == 72


def test_a_champion_that_needs_a_dropped_column_is_replaced(driven: Any) -> None:
    settings, database, _ = driven
    update_real_data.run(settings, database, NOW, series_id="demo")
    train.run(settings, database, NOW, series_id="demo")
    without_column = settings.series["demo"].model_copy(update={"exogenous": {}})
    dropped = settings.model_copy(update={"series": {"demo": without_column}})
    report = train.run(dropped, database, NOW, series_id="demo")
    assert report.gate.promoted
    assert load_champion(settings.model_directory("demo")).forecaster.columns == ()


def test_a_column_whose_source_is_dead_stops_neither_the_hours_nor_the_training(driven: Any, tmp_path: Path) -> None:
    settings, database, _ = driven
    (tmp_path / "wind.csv").write_text("timestamp,value\n")
    loaded = update_real_data.run(settings, database, NOW, series_id="demo")
    assert (loaded.failed, loaded.periods_loaded) == (True, HISTORY)
    assert loaded.exogenous["wind"].endswith("answered without a single point; nothing was loaded")
    assert loaded.exogenous["wind"] in database.etl_runs("demo", since=START)[0]["message"]
    report = train.run(settings, database, NOW, series_id="demo")
    assert report.skipped["wind"].startswith("known for 0 hours before the backtest")


def test_a_restated_column_replaces_what_it_said_and_asks_for_a_new_forecast(driven: Any, tmp_path: Path) -> None:
    settings, database, _ = driven
    update_real_data.run(settings, database, NOW, series_id="demo")
    assert update_real_data.run(settings, database, NOW, series_id="demo").outcome == "nothing new"
    write_csv(tmp_path / "wind.csv", np.full(HISTORY + 48, 7.0))
    later = NOW + timedelta(minutes=10)
    update_real_data.run(settings, database, later, series_id="demo")
    stored = database.exogenous("demo", ["wind"], since=NOW - timedelta(hours=40), until=NOW + timedelta(days=9))
    assert set(stored["wind"].values) == {7.0}
    newest = database.newest("demo").loaded_at
    assert newest is not None
    assert newest >= later, "what was prepared before is made again"


def test_all_rows_of_a_column_are_copied(driven: Any, tmp_path: Path) -> None:
    settings, database, _ = driven
    update_real_data.run(settings, database, NOW, series_id="demo")
    with copying.opened(tmp_path / "copy.db") as target:
        assert copying.copy_rows(database, target)["exogenous"] == HISTORY + HORIZON + 1
        assert target.last_exogenous_period("demo", "wind") == NOW + timedelta(hours=HORIZON)


def test_holidays_are_a_candidate_and_the_champion_carries_them(tmp_path: Path) -> None:
    pytest.importorskip("holidays", reason="the package holidays is not installed")
    begin, hours = datetime(2022, 9, 5, tzinfo=UTC), 24 * 150
    days = exogenous.holidays_of("US", begin.date(), date(2023, 3, 1))
    flags = exogenous.holiday_flags(
        days,
        zone="UTC",
        axis=Axis(UTC_HOURS, to_seconds(begin) // HOUR),
        periods=hours,
        until=date(2023, 3, 1),
    )
    values = np.where(flags == 1, 40.0, seasonal(hours, noise=1.0))
    config = tmp_path / "config.toml"
    config.write_text(
        '[series.demo]\nsource = { kind = "file", path = "none.csv" }\nunit = "x"\nhorizon = 24\nholidays = "US"\n'
        '[train]\ncandidates = ["seasonal_naive", "ridge"]\nbudget = 3600\n'
    )
    settings = load_settings(config, {"DATABASE_URL": f"sqlite:///{tmp_path / 'test.db'}"})
    now = datetime(2023, 1, 16, tzinfo=UTC)  # Martin Luther King's day begins
    with open_database(settings) as database:
        run = {"run_id": "a", "series_id": "demo", "started_at": begin, "finished_at": begin, "points_read": 0}
        counts = {"periods_missing": 0, "points_rejected": 0, "message": "", "outcome": "loaded"}
        starts = to_seconds(begin) + HOUR * np.arange(hours)
        database.load_periods("demo", Periods(starts, values, np.ones(hours, dtype=np.int64)), begin, run | counts)
        report = train.run(settings, database, now, series_id="demo")
        made = make_predictions.run(settings, database, now, series_id="demo")
    errors = {row.name: row.mae for row in report.board}
    assert errors["ridge_two_days_calendar_exogenous_squared"] < errors["ridge_two_days_calendar_squared"]
    stored = read_card(settings.model_directory("demo"))
    assert stored is not None
    assert stored.holidays is not None
    assert date(2025, 12, 25) in stored.holidays.days
    assert try_champion(settings.model_directory("demo")) == stored, "a copy's ci tries what needs a column, too"
    assert np.mean([row["prediction"] for row in made.rows]) < 70, "100 on any other Monday"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('exogenous = { holiday = { kind = "file", path = "x" } }', "this name is the column that `holidays` makes"),
        ('exogenous = { a = { kind = "fax" } }', "series.demo.exogenous.a: kind must be one of blockchain, json"),
        ('exogenous = { a = { kind = "file", pat = "x" } }', "unknown key series.demo.exogenous.a.pat; allowed here:"),
        ('holidays = "America"', "series.demo.holidays: String should match pattern"),
        ('timezone = "Mars"', "series.demo.timezone: expected the name of a time zone"),
    ],
)
def test_a_wrong_key_is_named(table: str, message: str, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'[series.demo]\nsource = {{ kind = "file", path = "x" }}\nunit = "x"\n{table}\n')
    with pytest.raises(SettingsError) as error:
        load_settings(config, {})
    assert message in str(error.value)
