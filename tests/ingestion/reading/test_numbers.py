from __future__ import annotations

from typing import Any

import pytest

from actioncast.ingestion.reading import numbers
from actioncast.ingestion.reading.unclear import UnclearError
from actioncast.source_fields import TabularFields


def read(*cells: object, **keys: Any) -> list[object]:
    return numbers.read(cells, TabularFields(**keys))


def refusal(*cells: object, **keys: Any) -> str:
    with pytest.raises(UnclearError) as caught:
        read(*cells, **keys)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12.5", 12.5),
        (" 7 ", 7),
        ("+5", 5),
        ("-5.", -5),
        ("\u22123.5", -3.5),  # the minus of typesetters
        (".5", 0.5),
        ("1.5e3", 1500),
        ("1E-2", 0.01),
        ("007", 7),
    ],
)
def test_plain_numbers_are_read(text: str, expected: float) -> None:
    assert read(text) == [expected]


def test_numbers_that_are_no_text_stay_as_they_are() -> None:
    assert read(3, 2.5) == [3, 2.5]


@pytest.mark.parametrize("text", ["", " ", "-", "--", "\u2014", ".", "null", "None", "NaN", "NA", "n/a", "N/A"])
def test_what_means_no_value_is_none(text: str) -> None:
    assert read("1", text, "2") == [1, None, 2]


def test_null_and_nan_of_json_are_no_value() -> None:
    assert read(1, None, float("nan")) == [1, None, None]


def test_a_source_has_words_and_numbers_of_its_own_for_no_value() -> None:
    cells = ("5", "unavailable", "-999", "-999.0", -999, -99)
    assert read(*cells, missing=["Unavailable", -999]) == [5, None, None, None, None, -99]
    assert read("5", "-999.00", missing=["-999"]) == [5, None]


def test_a_text_that_is_no_number_stays_as_evidence() -> None:
    assert read("1", "offline", "2024-03-01", "inf") == [1, "offline", "2024-03-01", "inf"]


def test_a_switch_is_no_number() -> None:
    assert read(True, False) == ["true", "false"]


@pytest.mark.parametrize(
    ("text", "keys", "expected"),
    [
        ("12,5", {"decimal": ","}, 12.5),
        ("1.012,55", {"decimal": ",", "thousands": "."}, 1012.55),
        ("1.024", {"thousands": "."}, 1024),
        ("1,012.55", {"thousands": ","}, 1012.55),
        ("12,34,567", {"thousands": ","}, 1_234_567),  # as India groups digits
        ("1 024,5", {"decimal": ",", "thousands": " "}, 1024.5),
        ("1\u202f024,5", {"decimal": ",", "thousands": " "}, 1024.5),
        ("1 024", {"thousands": "\u00a0"}, 1024),
        ("1'024.5", {"thousands": "'"}, 1024.5),
        ("1\u2019024.5", {"thousands": "'"}, 1024.5),
        ("-1.024.500", {"thousands": "."}, -1_024_500),
    ],
)
def test_signs_that_are_set_are_read(text: str, keys: dict[str, str], expected: float) -> None:
    assert read(text, "998", **keys) == [expected, 998]


@pytest.mark.parametrize(
    ("cells", "remedy"),
    [
        (("995.95", "1,012.55"), 'set decimal = "." and thousands = ","'),
        (("995,95", "1.012,55"), 'set decimal = "," and thousands = "."'),
        (("998", "1.024.500"), 'set decimal = "," and thousands = "."'),
        (("998", "1,024,500"), 'set decimal = "." and thousands = ","'),
        (("12,5", "13"), 'set decimal = ","'),
        (("0,512", "1,024"), 'set decimal = ","'),
        (("7,1250E+02",), 'set decimal = ","'),
        (("998", "1,024"), 'set thousands = "," if it means 1024, or decimal = "," if it means 1.024'),
        (("998", "1 024"), 'set decimal = "." and thousands = " "'),
        (("998,5", "1'024,5"), 'set decimal = "," and thousands = "\'"'),
        (("12,5", "12.5"), "the values are not all written in one way"),
    ],
)
def test_signs_that_are_not_set_are_refused_with_the_keys_that_read_them(
    cells: tuple[str, ...],
    remedy: str,
) -> None:
    assert remedy in refusal(*cells)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("1,02", {"thousands": ","}),
        ("12.5", {"decimal": ","}),
        ("1.02", {"thousands": "."}),
        ("1_000", {}),
        ("'5.5", {}),
    ],
)
def test_a_number_that_does_not_fit_the_signs_is_refused(text: str, keys: dict[str, str]) -> None:
    assert f"the value {text!r} does not fit decimal = " in refusal("1", text, **keys)


def test_a_dot_before_three_digits_beside_whole_numbers_may_part_thousands() -> None:
    message = refusal("998", "1.024", "2.155")
    assert "three digits follow the dot in each value that has one ('1.024', '2.155' beside '998')" in message
    assert 'set thousands = "." if \'1.024\' means 1024, or decimal = "." if it does not' in message


@pytest.mark.parametrize("other", ["0.998", "1.02", "1024.512", "1.0245"])
def test_one_text_that_only_a_decimal_dot_explains_settles_it(other: str) -> None:
    assert read("998", "1.024", other) == [998, 1.024, float(other)]


def test_a_dot_that_is_set_settles_it() -> None:
    assert read("998", "1.024", decimal=".") == [998, 1.024]


def test_three_digits_after_each_of_many_dots_are_refused_and_after_a_few_are_chance() -> None:
    many = [f"{45 + i}.{i + 100}" for i in range(numbers.FEWEST_TEXTS)]
    assert "three digits follow the dot" in refusal(*many)
    assert read(*many[:48])[0] == 45.1


@pytest.mark.parametrize("text", ["1.01k", "12 %", "5 MWh", "€ 12.50", "(12.5)", "12.5*", "<0.5", "12.5-"])
def test_something_around_a_number_is_refused(text: str) -> None:
    message = refusal("1", "2", text)
    assert f"the value {text!r} has something around its number" in message
    assert 'or read it by a function of your own (kind = "python")' in message


def test_a_unit_at_every_value_is_taken_off_when_it_is_named() -> None:
    assert 'set strip = "MWh"' in refusal("5 MWh", "6 MWh")
    assert read("5 MWh", "6MWh", "-", strip="MWh") == [5, 6, None]
    assert read("12,5 %", strip="%", decimal=",") == [12.5]


def test_a_unit_at_some_values_is_not_taken_off() -> None:
    assert "strip" not in refusal("1.01k", "1.02k", "998")


def test_a_value_without_the_unit_that_all_shall_have_is_refused() -> None:
    message = refusal("1.01k", "998", strip="k")
    assert "the value '998' does not fit strip = 'k', which must stand at every value" in message
