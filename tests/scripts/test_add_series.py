from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

import add_series
from actioncast.config import load_settings
from actioncast.database.database import open_database
from actioncast.periods.timeline import UTC_HOURS
from tests.support.source import Stub

BEGIN = datetime(2024, 3, 25, tzinfo=UTC)  # Monday; central Europe changes its clocks on the next Sunday
COUNT = 240  # hours
NUMBERS = [round(1234.56 + 900 * float(np.sin(hour / 3.8)) + hour % 7, 2) for hour in range(COUNT)]
SERIES = [(BEGIN + timedelta(hours=hour), number) for hour, number in enumerate(NUMBERS)]
Point = tuple[datetime, float]
CONFIG = """# Mine.

[series.first]  # stays
source = { kind = "demo" }
unit = "transactions/h"
"""


def lines(*rows: Sequence[object], delimiter: str = ",") -> str:
    """Rows as the text of a CSV."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return text.getvalue()


def german(number: float) -> str:
    """1.234,56"""
    return f"{number:,.2f}".translate(str.maketrans(",.", ".,"))


def table(form: str, header: Sequence[str] = ("time", "load"), delimiter: str = ",", zone: str = "UTC") -> str:
    """The series as a CSV with times of this form."""
    rows = [(moment.astimezone(ZoneInfo(zone)).strftime(form), number) for moment, number in SERIES]
    return lines(header, *rows, delimiter=delimiter)


def semicolons_and_decimal_commas() -> str:
    rows = [(moment.strftime("%d.%m.%Y %H:%M"), german(number)) for moment, number in SERIES]
    return lines(("Zeit (UTC)", "Last [kW]"), *rows, delimiter=";")


def a_preamble() -> str:
    return "Messstelle;Nord 7\nErstellt am;03.05.2024 10:11\n\n" + semicolons_and_decimal_commas()


def a_unit_below_the_header() -> str:
    header, _, data = table("%Y-%m-%d %H:%M", delimiter=";").partition("\n")
    return f"{header}\n[UTC];[kW]\n{data}"


def spreadsheet_days() -> str:
    zero = datetime(1899, 12, 30, tzinfo=UTC)
    return lines(
        ("day", "load"), *[(round((moment - zero) / timedelta(days=1), 6), number) for moment, number in SERIES]
    )


def milliseconds() -> str:
    return lines(("t", "v"), *[(int(moment.timestamp() * 1000), number) for moment, number in SERIES])


def seconds() -> str:
    return lines(("t", "v"), *[(int(moment.timestamp()), number) for moment, number in SERIES])


def date_and_hour_1_to_24() -> str:
    rows = [(moment.strftime("%Y-%m-%d"), moment.hour + 1, number) for moment, number in SERIES]
    return lines(("fecha", "hora", "consumo"), *rows)


def date_and_time_of_day() -> str:
    rows = [(f"{moment:%d.%m.%Y}", f"{moment:%H:%M}", number) for moment, number in SERIES]
    return lines(("Datum", "Uhrzeit", "Wert"), *rows, delimiter=";")


def parts_of_the_date() -> str:
    rows = [(i, m.year, m.month, m.day, m.hour, number) for i, (m, number) in enumerate(SERIES, 1)]
    return lines(("No", "year", "month", "day", "hour", "pm2.5"), *rows)


def several_columns() -> str:
    rows = [(moment.isoformat(), number, 7 * number, 3) for moment, number in SERIES]
    return lines(("time", "north", "south", "quality"), *rows)


def several_series() -> str:
    rows = []
    for moment, number in SERIES:
        rows += [(moment.isoformat(), "A", number), (moment.isoformat(), "B", 3 * number)]
    return lines(("time", "sensor", "value"), *rows)


def two_keys() -> str:
    rows = []
    for moment, number in SERIES:
        for station, factor in (("1", 1), ("2", 3)):
            rows += [(moment.isoformat(), station, "no2", factor * number), (moment.isoformat(), station, "o3", 7)]
    return lines(("time", "station_id", "parameter", "value"), *rows)


def entities_at_times_of_their_own() -> str:
    rows = []
    for moment, number in SERIES:
        rows.append(("sensor.a", number, (moment + timedelta(seconds=1.5)).isoformat()))
        rows.append(("sensor.b", 5, (moment + timedelta(seconds=700.25)).isoformat()))
    return lines(("entity_id", "state", "last_changed"), *rows)


def json_list() -> str:
    return json.dumps([{"from": moment.isoformat(), "load": number} for moment, number in SERIES])


def json_side_by_side() -> str:
    times = [moment.strftime("%Y-%m-%dT%H:%M") for moment, _ in SERIES]
    hourly = {"time": times, "temperature_2m": NUMBERS}
    return json.dumps({"latitude": 52.5, "timezone": "GMT", "hourly_units": {"time": "iso8601"}, "hourly": hourly})


def json_nested() -> str:
    records = [{"from": m.isoformat(), "intensity": {"actual": number, "index": "low"}} for m, number in SERIES]
    return json.dumps({"status": "ok", "data": [{"region": 3, "points": records}]})


def json_lines() -> str:
    return "\n".join(json.dumps({"ts": int(moment.timestamp()), "watt": number}) for moment, number in SERIES)


def json_pairs() -> str:
    return json.dumps({"prices": [[int(moment.timestamp() * 1000), number] for moment, number in SERIES]})


def newest_first() -> str:
    header, *data = table("%Y-%m-%dT%H:%M:%SZ").splitlines()
    return "\n".join([header, *data[::-1]])


def words_for_no_value() -> str:
    first = (BEGIN - timedelta(hours=1)).isoformat()
    rows = [(first, "unavailable"), *[(m.isoformat(), number) for m, number in SERIES]]
    return lines(("time", "state"), *rows)


def a_number_for_no_value() -> str:
    first = (BEGIN - timedelta(hours=1)).isoformat()
    return lines(("time", "load"), (first, -9999), *[(m.isoformat(), number) for m, number in SERIES])


def a_unit_at_each_value() -> str:
    return lines(("time", "load"), *[(m.isoformat(), f"{number} kW") for m, number in SERIES])


def every(minutes: int) -> Callable[[], str]:
    """Points whose mean is the value of the hour."""

    def text() -> str:
        rows = []
        count = 60 // minutes
        for moment, number in SERIES:
            for i in range(count):
                offset = (i - (count - 1) / 2) / 8
                rows.append(((moment + timedelta(minutes=minutes * i)).isoformat(), number + offset))
        return lines(("time", "power"), *rows)

    return text


def amounts() -> str:
    rows = []
    for moment, number in SERIES:
        rows += [((moment + timedelta(minutes=15 * i)).isoformat(), number / 4) for i in range(4)]
    return lines(("time", "energy_kWh"), *rows)


def a_name_for_the_end() -> str:
    rows = [((moment + timedelta(hours=1)).isoformat(), number) for moment, number in SERIES]
    return lines(("hour_ending", "load"), *rows)


def ends_of_hours() -> str:
    return a_name_for_the_end().replace("hour_ending", "time")


def begin_and_end() -> str:
    rows = [(m.isoformat(), (m + timedelta(hours=1)).isoformat(), number) for m, number in SERIES]
    return lines(("start_time", "end_time", "load"), *rows)


def days_below_13() -> str:
    rows = [((m + timedelta(days=7)).strftime("%d/%m/%Y %H:%M"), number) for m, number in SERIES[:48]]
    return lines(("time", "load"), *rows)


def sensors_that_take_turns() -> str:
    rows = []
    for moment, number in SERIES:
        rows.append((moment.isoformat(), "A", number))
        rows.append(((moment + timedelta(minutes=30)).isoformat(), "B", 3 * number))
    return lines(("time", "sensor", "value"), *rows)


def periods() -> str:
    form = "%d.%m.%Y %H:%M"
    rows = [(f"{m:{form}} - {m + timedelta(hours=1):{form}}", number) for m, number in SERIES]
    return lines(("MTU (UTC)", "Load [MW]"), *rows)


def json_numbered_periods() -> str:
    records = [
        {
            "startTime": (m + timedelta(minutes=30 * i)).isoformat(),
            "settlementPeriod": 2 * m.hour + i + 1,
            "demand": number,
        }
        for m, number in SERIES
        for i in range(2)
    ]
    return json.dumps({"data": records})


def json_named_lists() -> str:
    types = [{"name": "Load", "data": NUMBERS}, {"name": "Solar", "data": NUMBERS[::-1]}]
    return json.dumps({"unix_seconds": [int(m.timestamp()) for m, _ in SERIES], "production_types": types})


def json_hourly_and_daily() -> str:
    days = {"time": ["2024-03-25", "2024-03-26", "2024-03-27"], "maximum": [4.5, 6.0, 5.0]}
    return json.dumps(json.loads(json_side_by_side()) | {"daily": days})


def values_still_to_come() -> str:
    rows = [((BEGIN + timedelta(hours=COUNT + i)).isoformat(), "") for i in range(48)]
    return table("%Y-%m-%dT%H:%M:%SZ") + lines(*rows)


RIGHT: dict[str, tuple[Callable[[], str], list[str]]] = {
    "ISO times": (lambda: table("%Y-%m-%dT%H:%M:%SZ"), []),
    "ISO times without a zone": (lambda: table("%Y-%m-%d %H:%M:%S"), []),
    "tabs": (lambda: table("%Y-%m-%d %H:%M", delimiter="\t"), []),
    "semicolons and decimal commas": (semicolons_and_decimal_commas, []),
    "a preamble": (a_preamble, []),
    "a unit below the header": (a_unit_below_the_header, []),
    "spreadsheet days": (spreadsheet_days, []),
    "milliseconds": (milliseconds, []),
    "seconds": (seconds, []),
    "yyyymmddHH": (lambda: table("%Y%m%d%H"), []),
    "yyyymmddHHMM": (lambda: table("%Y%m%d%H%M"), []),
    "AM and PM": (lambda: table("%m/%d/%Y %I:%M %p"), []),
    "names of months": (lambda: table("%d-%b-%Y %H:%M"), []),
    "date and hour 1 to 24": (date_and_hour_1_to_24, []),
    "date and time of day": (date_and_time_of_day, []),
    "parts of the date": (parts_of_the_date, []),
    "several columns": (several_columns, ["--value", "north"]),
    "several series": (several_series, ["--where", "sensor=A"]),
    "two keys": (two_keys, ["--where", "station_id=1", "--where", "parameter=no2"]),
    "entities at times of their own": (entities_at_times_of_their_own, ["--where", "entity_id=sensor.a"]),
    "JSON list": (json_list, []),
    "JSON side by side": (json_side_by_side, []),
    "JSON nested": (json_nested, []),
    "JSON lines": (json_lines, []),
    "JSON pairs": (json_pairs, []),
    "JSON with numbers of periods": (json_numbered_periods, []),
    "JSON with named lists": (json_named_lists, ["--value", "production_types[name=Load].data"]),
    "JSON hourly and daily": (json_hourly_and_daily, []),
    "sensors that take turns": (sensors_that_take_turns, ["--where", "sensor=A"]),
    "periods": (periods, []),
    "values still to come": (values_still_to_come, []),
    "times of a fixed offset, as a name says": (
        lambda: table("%Y-%m-%d %H:%M", header=("Zeit (UTC+1)", "Last"), zone="Etc/GMT-1"),
        ["--stamps", "start"],
    ),
    "newest first": (newest_first, []),
    "words for no value": (words_for_no_value, []),
    "a number for no value": (a_number_for_no_value, []),
    "a unit at each value": (a_unit_at_each_value, []),
    "5 minutes": (every(5), []),
    "10 minutes": (every(10), []),
    "15 minutes": (every(15), []),
    "30 minutes": (every(30), []),
    "amounts": (amounts, ["--aggregate", "sum"]),
    "a name for the end": (a_name_for_the_end, []),
    "ends of hours": (ends_of_hours, ["--stamps", "end"]),
    "begin and end": (begin_and_end, []),
    "local times with a clock change": (lambda: table("%Y-%m-%d %H:%M", zone="Europe/Madrid"), []),
    "local times of a zone that is named": (
        lambda: "Time zone: America/New_York\n" + table("%Y-%m-%d %H:%M", zone="America/New_York"),
        [],
    ),
}


class Added:
    """What a run of the script left."""

    def __init__(self, folder: Path, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err
        self.config = (folder / "config.toml").read_text(encoding="utf-8")

    def hours(self, name: str, folder: Path) -> list[Point]:
        """The stored hours of the new series."""
        with open_database(load_settings(folder / "config.toml")) as database:
            grid = database.reality(name, until=BEGIN + timedelta(days=999), newest=9999, timeline=UTC_HOURS)
        assert grid is not None
        moments = [grid.start + timedelta(hours=i) for i in range(len(grid))]
        return [(m, round(float(v), 6)) for m, v in zip(moments, grid.values, strict=True) if np.isfinite(v)]


Add = Callable[..., Added]


@pytest.fixture
def add(tmp_path: Path, capsys: Any) -> Add:
    """Add the series `new` from a file of this content, with no terminal to ask at."""
    (tmp_path / "config.toml").write_text(CONFIG, encoding="utf-8")

    def call(content: str | bytes, *flags: str, encoding: str = "utf-8") -> Added:
        body = content.encode(encoding) if isinstance(content, str) else content
        (tmp_path / "in.txt").write_bytes(body)
        return call_at(str(tmp_path / "in.txt"), *flags)

    def call_at(address: str, *flags: str) -> Added:
        capsys.readouterr()
        config = str(tmp_path / "config.toml")
        code = add_series.main([address, "--name", "new", "--config", config, *flags])
        printed = capsys.readouterr()
        return Added(tmp_path, code, printed.out, printed.err)

    call.at = call_at  # type: ignore[attr-defined]
    return call


@pytest.mark.parametrize("shape", RIGHT)
def test_the_hours_of_a_file_are_stored_as_they_are(shape: str, add: Add, tmp_path: Path) -> None:
    make, flags = RIGHT[shape]
    added = add(make(), "--yes", *flags)
    assert added.code == 0, added.err
    assert added.hours("new", tmp_path) == SERIES


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "latin-1"])
def test_the_encoding_is_found(encoding: str, add: Add, tmp_path: Path) -> None:
    content = table("%Y-%m-%dT%H:%M:%SZ", header=("Zeit", "Zähler links"), delimiter=";")
    added = add(content, "--yes", encoding=encoding)
    assert added.code == 0, added.err
    assert [number for _, number in added.hours("new", tmp_path)] == NUMBERS


def counter() -> str:
    """Readings of a meter that was replaced once."""
    reading = 5000.0
    rows = []
    for hour, (moment, number) in enumerate(SERIES):
        rows.append((moment.isoformat(), round(reading, 2)))
        reading = reading + number if hour != 99 else 0.0
    return lines(("time", "meter_reading"), *rows)


def test_a_counter_becomes_its_rise_in_each_hour_without_the_one_of_its_restart(add: Add, tmp_path: Path) -> None:
    added = add(counter(), "--yes")
    assert added.code == 0, added.err
    assert 'aggregate = "counter"' in added.config
    expected = [(moment, number) for hour, (moment, number) in enumerate(SERIES[:-1]) if hour != 99]
    assert added.hours("new", tmp_path) == expected


def table_in_march(zone: str) -> str:
    """Local times over the change of American clocks."""
    begin = datetime(2024, 3, 5, tzinfo=UTC)
    moments = [(begin + timedelta(hours=hour)).astimezone(ZoneInfo(zone)) for hour in range(240)]
    return lines(("time", "load"), *[(f"{moment:%Y-%m-%d %H:%M}", 7 + moment.hour) for moment in moments])


def sum_since_midnight() -> str:
    rows = [(m.isoformat(), round(sum(NUMBERS[hour - m.hour : hour + 1]), 2)) for hour, (m, _) in enumerate(SERIES)]
    return lines(("time", "energy_today"), *rows)


def rising() -> str:
    return lines(("time", "people"), *[(moment.isoformat(), 500 + 3 * hour) for hour, (moment, _) in enumerate(SERIES)])


def changes_of_state() -> str:
    generator = np.random.default_rng(3)
    minutes = np.cumsum(generator.exponential(40, size=300))
    rows = [((BEGIN + timedelta(minutes=float(m))).isoformat(), int(generator.integers(5))) for m in minutes]
    return lines(("last_changed", "state"), *rows)


TWO_WAYS = lines(
    ("time", "value"),
    *[(moment.isoformat(), f"1.{200 + hour * 37 % 701}") for hour, (moment, _) in enumerate(SERIES)],
)
QUESTIONS: dict[str, tuple[Callable[[], str], str]] = {
    "several columns": (several_columns, r"north, south.*--value"),
    "several series": (several_series, r"sensor=A, sensor=B.*--where"),
    "sensors that take turns": (sensors_that_take_turns, r"sensor=A, sensor=B.*--where"),
    "local ends of hours": (
        lambda: table("%Y-%m-%d %H:%M", header=("hour_ending", "load"), zone="Europe/Berlin"),
        r"Europe/Berlin.*--timezone",
    ),
    "a sum since midnight": (sum_since_midnight, r"start again at zero.*--aggregate"),
    "one of two keys answered": (two_keys, r"--where"),
    "entities": (entities_at_times_of_their_own, r"entity_id=sensor\.a.*--where"),
    "day or month first": (days_below_13, r"day or the month first.*--date-format"),
    "decimal or thousands": (lambda: TWO_WAYS, r"'1\.200' can be 1\.2 or 1200.*--decimal"),
    "first label 01:00": (ends_of_hours, r"01:00 stand for.*--stamps"),
    "amounts": (amounts, r"sum of its points.*--aggregate"),
    "American local times": (lambda: table_in_march("America/Denver"), r"America/New_York.*--timezone"),
    "local times, as a name says": (lambda: table("%Y-%m-%d %H:%M", header=("local time", "load")), r"--timezone"),
    "corrections": (lambda: table("%Y-%m-%dT%H:%M:%SZ") + "2024-03-26T05:00:00Z,17\n", r"correction.*--revisions"),
    "only rising": (rising, r"readings of a counter.*--aggregate"),
    "changes of state": (changes_of_state, r"time_weighted.*--aggregate"),
    "two lists": (lambda: json.dumps({"a": json.loads(json_list()), "b": json.loads(json_list())}), r"--records"),
}


@pytest.mark.parametrize("kind", QUESTIONS)
def test_what_only_a_person_knows_is_a_question_and_nothing_is_written(kind: str, add: Add) -> None:
    make, pattern = QUESTIONS[kind]
    added = add(make(), "--yes")
    assert added.code == 1
    assert re.search(pattern, added.err, re.DOTALL), added.err
    assert added.config == CONFIG


def at_dates(*dates: str) -> str:
    return lines(("day", "births"), *[(date, 7 + i % 5) for i, date in enumerate(dates)])


DAYS = [f"{BEGIN + timedelta(days=day):%Y-%m-%d}" for day in range(90)]
MONTHS = [f"{2000 + month // 12}-{month % 12 + 1:02}-01" for month in range(90)]
THREE_HOURS = [(BEGIN + timedelta(hours=3 * number)).isoformat() for number in range(90)]
HOURS_SIDE_BY_SIDE = lines(
    ("day", *[f"H{hour:02}" for hour in range(24)]),
    *[(day, *NUMBERS[:24]) for day in DAYS],
)
REFUSALS: dict[str, tuple[str | bytes, str]] = {
    "every five days": (at_dates(*DAYS[::5]), "one value every 120 hours"),
    "a row a day": (HOURS_SIDE_BY_SIDE, "one line per hour"),
    "no header": (table("%Y-%m-%dT%H:%M:%SZ").partition("\n")[2], "header line"),
    "prose": ("This is no table.\nIt has lines, though.\n", "header line"),
    "a web page": ("<html><body>Sign in</body></html>", "HTML"),
    "a spreadsheet": (b"PK\x03\x04 and so on", "spreadsheet"),
    "Parquet": (b"PAR1\x15\x04 and so on", "Parquet"),
    "empty": ("", "empty"),
    "no numbers": (
        lines(("time", "state"), *[(moment.isoformat(), "on") for moment, _ in SERIES]),
        "a time and a number",
    ),
    "broken JSON": ('[{"time": "2024-03', "truncated or broken"),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_what_cannot_be_added_is_refused_with_the_reason_and_nothing_is_written(kind: str, add: Add) -> None:
    content, reason = REFUSALS[kind]
    added = add(content, "--yes")
    assert added.code == 1
    assert reason in added.err
    assert added.config == CONFIG


# Answers, and what is written --------------------------------------------------------------------


@pytest.mark.parametrize(("sign", "factor"), [(".", 1), (",", 1000)])
def test_the_answer_to_which_sign_is_the_decimal_one_decides(sign: str, factor: int, add: Add, tmp_path: Path) -> None:
    added = add(TWO_WAYS, "--yes", "--decimal", sign)
    assert added.code == 0, added.err
    assert added.hours("new", tmp_path)[1][1] == pytest.approx(1.237 * factor)


def test_a_person_answers_at_a_terminal_by_number_or_by_name(
    add: Add, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(["nonsense", "2", "", "y"])
    prompts: list[str] = []

    def answer(prompt: str) -> str:
        prompts.append(prompt)
        return next(answers)

    monkeypatch.setattr("builtins.input", answer)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    rows = [(f"{m:%Y-%m-%d %H:%M}", 2 * number, number) for m, number in SERIES]
    added = add(lines(("time", "north", "south"), *rows))
    assert added.code == 0, added.err
    assert prompts == ["value: ", "value: ", "timezone [UTC]: ", "Write it? [y/N] "]
    assert [number for _, number in added.hours("new", tmp_path)] == NUMBERS


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (["--timezone", "Europe/Nowhere"], "time zone"),
        (["--date-format", "%H:%M"], "leaves out year, month or day"),
        (["--thousands", "x"], "Input should be"),
        (["--value", "nothing"], "there is no column 'nothing'; there are: time, load"),
        (["--timestamp", "nothing"], "there is no column 'nothing'; there are: time, load"),
        (["--where", "nothing=1"], "there is no column 'nothing'; there are: time, load"),
        (["--name", "with blanks"], "expected letters, digits"),
    ],
)
def test_an_answer_that_cannot_be_used_is_said_with_what_can(flags: list[str], reason: str, add: Add) -> None:
    added = add(table("%d.%m.%Y %H:%M"), "--yes", *flags)
    assert added.code in (1, 2)
    assert reason in added.err
    assert added.config == CONFIG


def test_an_input_that_ends_at_the_terminal_writes_nothing(add: Add, monkeypatch: pytest.MonkeyPatch) -> None:
    def end(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", end)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    added = add(json_list())
    assert added.code == 1
    assert "no answer came" in added.err
    assert added.config == CONFIG


def test_a_no_at_the_terminal_writes_nothing(add: Add, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda _: "")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    added = add(json_list())
    assert added.code == 0
    assert "nothing was written" in added.out
    assert added.config == CONFIG


def test_without_a_terminal_and_without_yes_nothing_is_written(add: Add) -> None:
    added = add(json_list())
    assert added.code == 1
    assert "--yes" in added.err
    assert added.config == CONFIG


def test_a_dry_run_shows_what_was_detected_the_picture_the_hours_and_the_table(add: Add, tmp_path: Path) -> None:
    png = tmp_path / "picture.png"
    added = add(table("%Y-%m-%d %H:%M", zone="Europe/Madrid"), "--dry-run", "--png", str(png))
    assert added.code == 0, added.err
    assert "clock changes" in added.out
    assert re.search(r"[\u2801-\u28ff]", added.out)
    assert f"2024-03-25 01:00 Europe/Berlin = 2024-03-25T00:00:00Z  {NUMBERS[0]:,.0f}" in added.out
    assert "[series.new.source]" in added.out
    assert added.config == CONFIG
    assert not (tmp_path / "actioncast.db").exists()
    assert png.read_bytes().startswith(b"\x89PNG")


def test_an_assumed_time_zone_is_said(add: Add) -> None:
    assert "assumed: timezone = UTC (--timezone says otherwise)" in add(table("%Y-%m-%d %H:%M"), "--yes").out


def test_the_table_is_put_at_the_end_of_config_toml_and_the_rest_stays(add: Add) -> None:
    added = add(json_list(), "--yes", "--title", 'Load "north"', "--unit", "kW")
    assert added.config.startswith(CONFIG + "\n[series.new]\n")
    assert added.config.endswith("\n")
    assert 'title = "Load \\"north\\""' in added.config


def test_line_ends_of_windows_stay_those_of_windows(add: Add, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_bytes(CONFIG.rstrip("\n").replace("\n", "\r\n").encode())
    assert add(json_list(), "--yes").code == 0
    assert b"\n" not in config.read_bytes().replace(b"\r\n", b"")


def test_the_load_and_the_next_command_act_as_at_the_end_of_a_finished_recording(add: Add) -> None:
    added = add(json_list(), "--yes")
    assert "240 periods loaded, the last 2024-04-03T23:00:00Z" in added.out
    assert "python train.py --series new --now 2024-04-04T00:00:00Z" in added.out


def test_a_name_that_exists_is_refused(add: Add) -> None:
    assert add(json_list(), "--yes").code == 0
    second = add(json_list(), "--yes")
    assert second.code == 2
    assert "there is a series 'new'" in second.err
    assert second.config.count("[series.new]") == 1


def test_hours_that_are_stored_under_the_name_are_not_mixed_with_others(add: Add, tmp_path: Path) -> None:
    assert add(json_list(), "--yes").code == 0
    (tmp_path / "config.toml").write_text(CONFIG, encoding="utf-8")
    second = add(json_list(), "--yes")
    assert second.code == 1
    assert "stored already" in second.err
    assert second.config == CONFIG


def test_a_file_elsewhere_is_copied_only_when_asked_for(add: Add, tmp_path: Path) -> None:
    other = tmp_path.parent / f"{tmp_path.name}_elsewhere.json"
    other.write_text(json_list(), encoding="utf-8")
    shown = add.at(str(other), "--dry-run")  # type: ignore[attr-defined]
    assert f'path = "{other}"' in shown.out
    assert "--copy puts it into data/" in shown.out
    copied = add.at(str(other), "--yes", "--copy")  # type: ignore[attr-defined]
    assert copied.code == 0, copied.err
    assert f'path = "data/{other.name}"' in copied.config
    assert (tmp_path / "data" / other.name).read_text(encoding="utf-8") == json_list()


def test_a_url_becomes_a_source_of_its_kind(add: Add, tmp_path: Path, stub: Stub) -> None:
    stub.answer(json_nested().encode())
    now = "2024-04-04T00:30:00Z"
    added = add.at(f"{stub.url}/load?from={{start:%Y-%m-%d}}", "--yes", "--now", now)  # type: ignore[attr-defined]
    assert added.code == 0, added.err
    assert 'kind = "json"' in added.config
    assert 'records = "data.0.points"' in added.config
    assert "from=2024-03-05" in stub.requests[0].path
    assert [number for _, number in added.hours("new", tmp_path)] == NUMBERS


def test_one_object_on_stdout_for_programs(add: Add) -> None:
    document = json.loads(add(json_list(), "--yes", "--json").out)
    assert document["outcome"] == "written to config.toml"
    assert document["load"]["periods_loaded"] == COUNT
