from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from actioncast.ingestion.reading import moments
from actioncast.ingestion.reading.unclear import UnclearError
from actioncast.source_fields import TabularFields


def read(*cells: object, **keys: Any) -> list[object]:
    return moments.read(cells, TabularFields(**keys))


def refusal(*cells: object, **keys: Any) -> str:
    with pytest.raises(UnclearError) as caught:
        read(*cells, **keys)
    return str(caught.value)


def utc(text: str) -> float:
    return datetime.fromisoformat(f"{text}+00:00").timestamp()


@pytest.mark.parametrize(
    "text",
    [
        "2024-03-01T05:00:00Z",
        "2024-03-01 06:00+01:00",
        "2024-03-01 05:00",
        "20240301T0500",
        "2024-03-01 05:00:00 UTC",
        "2024-03-01 05:00 GMT",
        "2024-03-01 05:00 - 2024-03-01 06:00",
        "1709269200",
        "1709269200.0",
        "1709269200000",
        "1709269200000000000",
        1709269200,
        1709269200000,
    ],
)
def test_iso_and_unix_time_need_no_key(text: object) -> None:
    assert read(text) == [utc("2024-03-01T05:00")]


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("01.03.2024 05:00", "%d.%m.%Y %H:%M"),
        ("03/01/2024 5:00:00 AM", "%m/%d/%Y %I:%M:%S %p"),
        ("1 Mar 2024 05:00 UTC", "%d %b %Y %H:%M"),
        ("2024030105", "%Y%m%d%H"),
        (2024030105, "%Y%m%d%H"),
        ("01.03.2024 05:00 - 01.03.2024 06:00", "%d.%m.%Y %H:%M"),
        ("01/Mar/2024:06:00:00 +0100", "%d/%b/%Y:%H:%M:%S %z"),
        ("45352.20833", "excel"),
        ("45352.2083", "excel"),
        (45352.208333333336, "excel"),
        ("1709269200", "unix"),
        ("1709269200000", "unix_ms"),
    ],
)
def test_other_forms_are_read_by_date_format(text: object, form: str) -> None:
    assert read(text, date_format=form) == [utc("2024-03-01T05:00")]


def test_a_day_number_may_have_the_decimal_sign_of_the_values() -> None:
    assert read("45352,5", date_format="excel", decimal=",") == [utc("2024-03-01T12:00")]


def test_a_day_number_is_on_the_clocks_of_the_source() -> None:
    assert read("45352.25", date_format="excel", timezone="Europe/Madrid") == [utc("2024-03-01T05:00")]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("2024-02-29 24:00", {}),
        ("2024-02-29T24:00:00Z", {}),
        ("2024-02-29 24", {}),
        ("29/02/2024 24:00", {"date_format": "%d/%m/%Y %H:%M"}),
        ("2024022924", {"date_format": "%Y%m%d%H"}),
        ("01/03/2024", {"date_format": "%d/%m/%Y %H:%M"}),
        ("2024-03-01 0", {}),
    ],
)
def test_midnight_has_many_names(text: str, keys: dict[str, str]) -> None:
    assert read(text, stamps="end", **keys) == [utc("2024-03-01T00:00")]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("2024-02-29 24:00", {}),
        ("2024-02-29T24:00:00Z", {}),
        ("2024-02-29 24", {}),
        ("29/02/2024 24:00", {"date_format": "%d/%m/%Y %H:%M"}),
        ("2024022924", {"date_format": "%Y%m%d%H"}),
    ],
)
def test_no_period_begins_at_the_end_of_a_day(text: str, keys: dict[str, str]) -> None:
    assert f"the time {text!r} is the end of a day" in refusal(text, **keys)
    assert 'set stamps = "end"' in refusal(text, **keys)


@pytest.mark.parametrize("text", ["2024-02-24 00:24", "2024-02-24T00:00:24", "2024-02-24", "2024-02-24 00:00"])
def test_another_24_is_no_end_of_a_day(text: str) -> None:
    assert read(text) == [utc(datetime.fromisoformat(text).isoformat())]


def test_a_minute_after_the_end_of_a_day_is_no_time() -> None:
    assert read("2024-02-29 23:00", "2024-02-29 24:01")[1] == "2024-02-29 24:01"


@pytest.mark.parametrize(
    ("texts", "forms"),
    [
        (["13.03.2024 05:00"], '"%d.%m.%Y %H:%M"'),
        (["03/13/2024 1:00 PM"], '"%m/%d/%Y %I:%M %p"'),
        (["2024/03/01 05:00:00"], '"%Y/%m/%d %H:%M:%S"'),
        (["202403010500", "202403010600"], '"%Y%m%d%H%M"'),
        (["45352.20833", "45352.25"], '"excel"'),
        (["45352"], '"excel"'),
        ([45352.20833], '"excel"'),
        (["2024030105", "2024030106"], '"%Y%m%d%H"'),
        ([2024030105], '"%Y%m%d%H"'),
        ([20240301], '"%Y%m%d"'),
        (["2403010500"], '"%y%m%d%H%M"'),
        (["2024-03-01 H05"], '"%Y-%m-%d H%H"'),
        (["13/03/2024"], '"%d/%m/%Y"'),
        (["13/03/2024", "13/03/2024 01:00", "13/03/2024 02:00"], '"%d/%m/%Y %H:%M"'),
        (["Total", "13/03/2024 05:00"], '"%d/%m/%Y %H:%M"'),
    ],
)
def test_the_refusal_names_the_form(texts: list[object], forms: str) -> None:
    message = refusal(*texts)
    assert f"set date_format = {forms}" in message
    assert str(texts[0]) in message


def test_a_day_that_may_be_a_month_is_not_guessed() -> None:
    message = refusal("03/04/2026 05:00", "04/04/2026 05:00")
    assert 'date_format to the one that is meant: "%d/%m/%Y %H:%M" or "%m/%d/%Y %H:%M"' in message
    assert "'03/04/2026 05:00'" in message


def test_a_later_text_tells_day_and_month_apart() -> None:
    assert 'set date_format = "%m/%d/%Y %H:%M"' in refusal("03/04/2026 05:00", "03/13/2026 05:00")


def test_a_form_that_does_not_fit_is_refused_with_the_one_that_does() -> None:
    message = refusal("13/03/2024 05:00", date_format="%m/%d/%Y %H:%M")
    assert 'not written as date_format = "%m/%d/%Y %H:%M"' in message
    assert 'set date_format = "%d/%m/%Y %H:%M"' in message


def test_no_time_at_all_is_refused_with_a_form_to_follow() -> None:
    assert 'in the way of strptime: "%d.%m.%Y %H:%M"' in refusal("yesterday", "today")


def test_a_text_that_is_no_time_stays_as_evidence() -> None:
    assert read("2024-03-01", "Total") == [utc("2024-03-01"), "Total"]


def test_clocks_that_go_back_and_the_form_of_the_source() -> None:
    texts = ["27.10.2024 02:00", "27.10.2024 02:00", "27.10.2024 03:00"]
    readings = read(*texts, date_format="%d.%m.%Y %H:%M", timezone="Europe/Madrid")
    assert readings == [utc("2024-10-27T00:00"), utc("2024-10-27T01:00"), utc("2024-10-27T02:00")]


def test_clocks_that_go_forward_leave_a_time_out() -> None:
    readings = read("31.03.2024 02:00", date_format="%d.%m.%Y %H:%M", timezone="Europe/Madrid")
    assert readings == ["31.03.2024 02:00 does not exist in Europe/Madrid"]


def test_the_end_of_a_day_is_a_time_on_its_clocks() -> None:
    assert read("2024-07-01 24:00", timezone="Europe/Madrid", stamps="end") == [utc("2024-07-01T22:00")]


def test_the_name_of_a_zone_tells_the_two_hours_apart() -> None:
    texts = ["11/03/2024 01:00:00 EST", "11/03/2024 01:00:00 EDT"]
    readings = read(*texts, date_format="%m/%d/%Y %H:%M:%S", timezone="America/New_York")
    assert readings == [utc("2024-11-03T06:00"), utc("2024-11-03T05:00")]


def test_the_name_of_a_zone_needs_a_zone() -> None:
    message = refusal("2024-03-01 05:00 EST")
    assert "'2024-03-01 05:00 EST' names its zone as EST" in message
    assert 'set timezone, such as "America/New_York"' in message


def test_the_name_of_another_zone_is_no_time() -> None:
    readings = read("2024-07-01 05:00 CET", timezone="Europe/Madrid")
    assert readings == ["2024-07-01 05:00 CET does not exist in Europe/Madrid"]


def test_a_date_and_a_time_of_two_columns_are_one_text() -> None:
    assert moments.joined([["2024-03-01"], ["05:00"]]) == ["2024-03-01 05:00"]
    assert moments.joined([["2024-03-01"], [5]]) == ["2024-03-01 5"]
    assert read("2024-03-01 5", "2024-03-01 24", stamps="end") == [utc("2024-03-01T05:00"), utc("2024-03-02T00:00")]


def test_the_29th_half_hour_is_no_hour() -> None:
    assert "'29' in '2024-03-01 29' is no hour of a day" in refusal("2024-03-01 29")


MADRID = {"timezone": "Europe/Madrid", "stamps": "end"}


def test_an_hour_ends_at_a_time_that_spring_leaves_out() -> None:
    readings = read("2024-03-31 01:00", "2024-03-31 02:00", "2024-03-31 04:00", **MADRID)
    assert readings == [utc("2024-03-31T00:00"), utc("2024-03-31T01:00"), utc("2024-03-31T02:00")]


def test_two_hours_of_autumn_end_at_a_time_that_clocks_show_once() -> None:
    readings = read("2024-10-27 02:00", "2024-10-27 03:00", "2024-10-27 03:00", "2024-10-27 04:00", **MADRID)
    assert readings == [utc(f"2024-10-27T0{hour}:00") for hour in (0, 1, 2, 3)]


def test_ends_as_a_clock_on_the_wall_shows_them() -> None:
    readings = read("2024-10-27 02:00", "2024-10-27 02:00", "2024-10-27 03:00", "2024-03-31 03:00", **MADRID)
    assert readings == [utc(f"2024-10-27T0{hour}:00") for hour in (0, 1, 2)] + [utc("2024-03-31T01:00")]


def test_an_interval_has_a_begin_and_an_end() -> None:
    text = "2024-03-01 05:00 - 2024-03-01 06:00"
    assert read(text) == [utc("2024-03-01T05:00")]
    assert read(text, stamps="end") == [utc("2024-03-01T06:00")]
