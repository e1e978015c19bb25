"""What people write for frequencies, opening times and lengths."""

from __future__ import annotations

from datetime import timedelta

import pytest

from actioncast.paths import ROOT
from actioncast.periods import lengths
from actioncast.periods.frequency import parse_frequency
from actioncast.periods.lengths import defaults_of, parse_length
from actioncast.periods.opening import parse_opening


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("H", "1h"),
        ("15T", "15min"),
        ("60min", "1h"),
        ("24h", "1D"),
        ("d", "1D"),
        ("W", "1W-SUN"),
        ("W-MON", "1W-MON"),
        ("M", "1MS"),
        ("ME", "1MS"),
        ("3MS", "1QS"),
        ("Q", "1QS"),
        ("QS-FEB", "1QS-FEB"),
        ("12M", "1YS"),
        ("YS-APR", "1YS-APR"),
        ("A", "1YS"),
    ],
)
def test_older_spellings_have_one_normal_form(text: str, normal: str) -> None:
    assert str(parse_frequency(text)) == normal
    assert parse_frequency(normal) == parse_frequency(text)


@pytest.mark.parametrize("text", ["7min", "5h", "2D", "2W", "1W-XYZ", "hourly", "", "1h-MON"])
def test_other_frequencies_are_refused_with_those_allowed(text: str) -> None:
    with pytest.raises(ValueError, match="allowed are 1min, 5min"):
        parse_frequency(text)


@pytest.mark.parametrize("text", ["Mon-Fri 21:00-07:00", "weekdays", "Mon 25:00-26:00", "Mon 7"])
def test_opening_times_that_cannot_be_read_are_named(text: str) -> None:
    with pytest.raises(ValueError, match="is no opening time"):
        parse_opening(text)


@pytest.mark.parametrize(
    ("value", "frequency", "periods", "days"),
    [
        (48, "1h", 48, 2),
        ("2D", "1h", 48, 2),
        ("36h", "15min", 144, 1.5),
        ("1Y", "1MS", 12, 365.2425),
        ("1M", "1D", 30, 30.436875),
        ("30min", "1D", 1, 30 / 1440),
    ],
)
def test_a_length_is_periods_or_a_duration(value: int | str, frequency: str, periods: int, days: float) -> None:
    length = parse_length(value)
    assert length.periods(parse_frequency(frequency)) == periods
    assert length.duration(parse_frequency(frequency)) / timedelta(days=1) == pytest.approx(days)


@pytest.mark.parametrize("value", ["30m", "7", 0, "0D", True, "soon", -3])
def test_what_is_no_length_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="is no length"):
        parse_length(value)


def test_the_docs_show_the_table_of_defaults() -> None:
    assert lengths.TABLE.strip("\n") in (ROOT / "docs" / "frequencies.md").read_text(encoding="utf-8")


def test_a_frequency_between_two_columns_takes_the_left_one() -> None:
    assert defaults_of(parse_frequency("30min")) == defaults_of(parse_frequency("15min"))
    assert defaults_of(parse_frequency("12h")) == defaults_of(parse_frequency("2h"))
    assert str(defaults_of(parse_frequency("1h")).horizon) == "7D"
