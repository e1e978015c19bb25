from __future__ import annotations

import os
from pathlib import Path

import pytest

from actioncast.config import load_settings
from actioncast.environment import Environment
from actioncast.settings import SettingsError
from actioncast.source_settings import FileSource
from tests.support.checkout import CONFIG

MINIMAL = '[series.a]\nunit = "x"\nsource = { kind = "file", path = "a.csv" }\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def error_of(folder: Path, text: str) -> str:
    path = write(folder, text)
    with pytest.raises(SettingsError) as caught:
        load_settings(path, {})
    assert str(path) in str(caught.value)
    return str(caught.value).replace(f"{path}: ", "")


def test_the_shipped_file_is_valid_and_spells_out_the_defaults() -> None:
    settings = load_settings(CONFIG, {})
    minimal = type(settings)(series=settings.series)
    assert settings.train == minimal.train
    assert settings.retrain == minimal.retrain
    assert settings.freshness == minimal.freshness


def test_defaults_fill_what_is_left_out(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, MINIMAL), {})
    assert settings.series["a"].source == FileSource(kind="file", path=Path("a.csv"))
    assert settings.series["a"].horizon_periods == 168
    assert settings.model_directory("a") == tmp_path / "model" / "a"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (MINIMAL + "horizn = 3", "unknown key series.a.horizn; allowed here: title, source, unit, "),
        (MINIMAL + "[trian]\nseed = 1", "unknown key trian; allowed here: series, train, retrain, freshness"),
        (MINIMAL + "[retrain]\nmood = 1", "unknown key retrain.mood; allowed here: mode, check_hours, window, "),
        (
            MINIMAL.replace("path", "file"),
            "missing key series.a.source.path; it has no default\n"
            "unknown key series.a.source.file; allowed here: timestamp, value, where, timezone, ",
        ),
        ("environment = 1\n" + MINIMAL, "unknown key environment; allowed here: series, "),
        ("", "missing key series; it has no default"),
        ('[series.a]\nunit = "x"', "missing key series.a.source; it has no default"),
        (
            MINIMAL + 'horizon = "168"',
            "series.a.horizon: '168' is no length; expected a number of periods, or a duration",
        ),
        (MINIMAL + "horizon = true", "series.a.horizon: True is no length; expected a number of periods"),
        (
            MINIMAL + "seasonality = [24, 1]",
            "series.a: seasonality: a season has at least two periods",
        ),
        (MINIMAL + "history = 0", "series.a.history: 0 is no length; expected more than zero"),
        (MINIMAL + '[retrain]\nmode = "auto"', "retrain.mode: Input should be 'dispatch' or 'suggest'; got 'auto'"),
        (
            MINIMAL.replace("file", "fil"),
            "series.a.source: kind must be one of blockchain, json, csv, file, sql, python, demo; got",
        ),
        (MINIMAL.replace('kind = "file", ', ""), "series.a.source: kind must be one of blockchain, json, csv, file,"),
        (
            MINIMAL.replace('"a.csv"', '"a.csv", timezone = "Europe/Madird"'),
            "series.a.source.timezone: expected the name of a time zone such as UTC or Europe/Madrid, "
            "got 'Europe/Madird'",
        ),
        (
            MINIMAL.replace('kind = "file", path = "a.csv"', 'kind = "csv", url = "ftp://x/y"'),
            "series.a.source.url: String should match pattern '^https?://",
        ),
        (MINIMAL.replace("series.a", 'series."a/b"'), "String should match pattern '^[A-Za-z0-9_-]+$'; got 'a/b'"),
        (
            MINIMAL + "points_per_period = 4\nminimum_points_per_period = 5",
            "series.a: minimum_points_per_period is 5, more than points_per_period = 4",
        ),
        (
            MINIMAL + 'aggregate = "counter"\nstamps = "end"',
            'series.a: stamps = "end" is for periods; the points of aggregate = "counter" are moments',
        ),
        (
            MINIMAL.replace("path =", 'date_format = "%H:%M", path ='),
            "expected a form such as %d.%m.%Y %H:%M, or one of excel, unix, unix_ms; got '%H:%M', which leaves out",
        ),
        (MINIMAL.replace("path =", 'date_format = "iso", path ='), "got 'iso'"),
        (MINIMAL.replace("path =", 'date_format = "%Q", path ='), "got '%Q' ("),
        (MINIMAL.replace("path =", 'date_format = "%Y-%d-%d", path ='), "got '%Y-%d-%d' ("),
        (
            MINIMAL.replace("path =", 'date_format = "%Y-%m-%d %H:%M %p", path ='),
            "%I, the hour up to 12, and %p, AM or PM, need each other",
        ),
        (
            MINIMAL.replace("path =", 'decimal = ",", thousands = ",", path ='),
            "decimal and thousands are both ','",
        ),
        (
            MINIMAL.replace("path =", 'encoding = "martian", path ='),
            "series.a.source.encoding: expected an encoding such as latin-1 or cp1252, got 'martian'",
        ),
        (MINIMAL + "[retrain]\nbad_checks = 5", "retrain, of the series a: bad_checks is 5, more than of_checks = 4"),
        (
            MINIMAL + "[retrain]\nminimum_scored = 49",
            "retrain, of the series a: minimum_scored is 49 hours, more than window = 48",
        ),
        (MINIMAL + "x = " + repr("long" * 100), "unknown key series.a.x"),
        (
            MINIMAL + '[train]\nmodel_directory = "elsewhere"',
            "train.model_directory is no longer a key: champions always lie in model/ beside config.toml; delete this",
        ),
        (
            MINIMAL + 'exogenous = { t = { kind = "file", path = "t.csv", colour = 1 } }',
            "unknown key series.a.exogenous.t.colour; allowed here: timestamp, value, where, timezone, ",
        ),
    ],
)
def test_a_wrong_key_is_named_with_what_is_allowed(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in error_of(tmp_path, text)


def test_a_sum_needs_all_points_unless_the_series_says_otherwise(tmp_path: Path) -> None:
    summed = MINIMAL + 'aggregate = "sum"\npoints_per_period = 4\n'
    settings = load_settings(write(tmp_path, summed), {})
    assert settings.series["a"].minimum_points_per_period == 4
    settings = load_settings(write(tmp_path, summed + "minimum_points_per_period = 3"), {})
    assert settings.series["a"].minimum_points_per_period == 3


@pytest.mark.parametrize("text", [MINIMAL + 'stamps = "end"', MINIMAL.replace("path =", 'stamps = "end", path =')])
def test_the_series_or_its_source_says_which_end_of_a_period_a_time_names(tmp_path: Path, text: str) -> None:
    series = load_settings(write(tmp_path, text), {}).series["a"]
    assert isinstance(series.source, FileSource)
    assert (series.stamps, series.source.stamps) == ("end", "end")


def test_a_long_wrong_value_is_cut(tmp_path: Path) -> None:
    assert error_of(tmp_path, MINIMAL + f"minimum_value = '{'x' * 999}'").endswith("xxx...")


def test_every_wrong_key_is_listed(tmp_path: Path) -> None:
    assert error_of(tmp_path, MINIMAL + "horizn = 3\nhorizon = 0").count("\n") == 1


def test_text_that_is_not_toml(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"config\.toml is not valid TOML: .*line 1"):
        load_settings(write(tmp_path, "series = = 1"), {})


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.toml: No such file or directory; pass --config FILE"):
        load_settings(tmp_path / "none.toml", {})


def test_the_first_series_is_the_default_and_an_unknown_one_is_refused(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, MINIMAL + MINIMAL.replace("series.a", "series.b")), {})
    assert settings.series_id() == "a"
    assert settings.series_id("b") == "b"
    with pytest.raises(SettingsError, match=r"no series 'c'; config\.toml and the table series have: a, b"):
        settings.series_id("c")


@pytest.mark.parametrize(
    ("variables", "database_url", "token"),
    [
        ({"DATABASE_URL": "postgresql://a", "URI": "postgresql://b", "GITHUB_TOKEN": "c", "TOKEN": "d"}, "a", "c"),
        ({"URI": "postgresql://b", "TOKEN": "d"}, "b", "d"),
        ({"DATABASE_URL": "", "URI": "postgresql://b", "GITHUB_TOKEN": "", "TOKEN": "d"}, "b", "d"),
    ],
)
def test_names_of_the_tutorial_are_accepted(variables: dict[str, str], database_url: str, token: str) -> None:
    environment = Environment.of(variables)
    assert environment.database_url is not None
    assert environment.github_token is not None
    assert environment.database_url.get_secret_value() == f"postgresql://{database_url}"
    assert environment.github_token.get_secret_value() == token


def test_an_empty_variable_counts_as_unset() -> None:
    assert Environment.of({"DATABASE_URL": "", "API_KEY": "", "GITHUB_API_URL": ""}) == Environment()


def test_dotenv_is_read_and_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"API_KEY": "from the environment"})
    (tmp_path / ".env").write_text("API_KEY=from the file\nTOKEN=t0ken\n", encoding="utf-8")
    environment = load_settings(write(tmp_path, MINIMAL)).environment
    assert environment.secrets() == ["t0ken", "from the environment"]


def test_a_variable_that_config_names_is_a_secret(tmp_path: Path) -> None:
    source = '{ kind = "csv", url = "https://x/y.csv", headers = { X-Feed = "$FEED" } }'
    path = write(tmp_path, f'[series.a]\nunit = "x"\nsource = {source}\n')
    environment = load_settings(path, {"FEED": "s3cret", "HOME": "/home/me"}).environment
    assert environment.secrets() == ["s3cret"]


def test_secrets_never_print(tmp_path: Path) -> None:
    variables = {"DATABASE_URL": "postgresql://u:s3cret@h/d", "TOKEN": "s3cret", "API_KEY": "s3cret"}
    settings = load_settings(write(tmp_path, MINIMAL), variables)
    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()} {settings.environment!r}"
    assert "s3cret" not in shown
