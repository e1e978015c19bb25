"""Forms of time, as strptime writes them: reading with one, and finding those that fit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import product

MOST_TEXTS = 200  # that a form is tried on
FIRST_TEXTS = 5  # of which one must be a time, for a form to be found
DATES = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d.%m.%y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d-%m-%y",
    "%m-%d-%y",
    "%y/%m/%d",
    "%y-%m-%d",
    "%y.%m.%d",
    "%d %b %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%d/%b/%Y",
    "%b %d %Y",
    "%b %d, %Y",
    "%d %B %Y",
    "%B %d, %Y",
    "%a, %d %b %Y",
    "%Y%m%d",
)
JOINTS = (" ", "T", ", ", "-", "_", ":")
TIMES = (
    "%H:%M",
    "%H:%M:%S",
    "%H:%M:%S.%f",
    "%I:%M %p",
    "%I:%M:%S %p",
    "%I:%M%p",
    "%I:%M:%S%p",
    "%I %p",
    "%I%p",
    "%H",
    "%H.%M",
    "%H.%M.%S",
    "%H%M",
    "H%H",
    "%H%M%S",
    "%H:%M %z",
    "%H:%M:%S %z",
)
STAMPS = ("%Y%m%d%H", "%Y%m%d%H%M", "%Y%m%d%H%M%S", "%Y-%j %H:%M")
DATES_WITH_TIMES = [f"{date}{joint}{time}" for date, joint, time in product(DATES, JOINTS, TIMES)]
FORMS = (*DATES_WITH_TIMES, *DATES, *STAMPS)
EXAMPLE = datetime(2024, 2, 29, 13, 45, tzinfo=UTC)
# Day numbers of spreadsheets, 1987 to 2119; smaller numbers may be days since 1970.
DAY_NUMBERS_OF_TODAY = range(32_000, 80_000)
STAMPS_BY_DIGITS = {
    8: ("%Y%m%d",),
    10: ("%Y%m%d%H", "%y%m%d%H%M"),
    12: ("%Y%m%d%H%M",),
    14: ("%Y%m%d%H%M%S",),
}
YEARS = range(1900, 2100)
EARLIEST_STAMP = "19"  # as unix time with ten digits, 2030


def moment_of(text: str, form: str) -> datetime | None:
    """The time that a text of this form names, None where it has another form.

    24:00 is the end of its day, and a date alone is its midnight, also where the form has a time.
    """
    moment = _read(text, form)
    if moment is None:
        moment = _end_of_day(text, form)
    if moment is None and "%H" in form:
        date_form = form.partition("%H")[0].rstrip(" T,-_:")
        moment = _read(text, date_form)
    return moment


def _read(text: str, form: str) -> datetime | None:
    try:
        # The zone is that of the source's clocks.
        return datetime.strptime(text, form)  # noqa: DTZ007
    except ValueError:
        return None


def ends_day(text: str, form: str) -> bool:
    """Whether the hour is 24."""
    return _read(text, form) is None and _end_of_day(text, form) is not None


def _end_of_day(text: str, form: str) -> datetime | None:
    """The next midnight where the hour is 24: with 23 in its stead the text can be read."""
    for match in re.finditer("24", text):
        begin = text[: match.start()]
        end = text[match.end() :]
        moment = _read(f"{begin}23{end}", form)
        if moment is None:
            continue
        is_full_hour = moment.minute == 0 and moment.second == 0
        if moment.hour == 23 and is_full_hour:
            return moment + timedelta(hours=1)
    return None


def of_number(digits: str) -> str | None:
    """The `date_format` of a number that is a date and no unix time, None for another number."""
    whole, _, _fraction = digits.partition(".")
    if len(whole) == len("45352") and int(whole) in DAY_NUMBERS_OF_TODAY:
        return "excel"
    if digits < EARLIEST_STAMP:
        return None
    for form in STAMPS_BY_DIGITS.get(len(digits), ()):
        if _fits(digits, form):
            return form
    return None


def fitting(texts: Sequence[str]) -> list[str]:
    """The forms that read most of the texts; none where the first of them have no form of time.

    Two are returned where the order of day and month cannot be told.
    """
    shapes = {_shape(text) for text in texts[:FIRST_TEXTS]}
    candidates = [form for form in FORMS if _shape_of_form(form) in shapes]
    step = max(1, len(texts) // MOST_TEXTS)
    sample = texts[::step]
    counts = {form: _fit_count(sample, form) for form in candidates}
    most = max(counts.values(), default=0)
    if most == 0:
        return []
    return [form for form, count in counts.items() if count == most]


def _fit_count(texts: Sequence[str], form: str) -> int:
    """How many of the texts have this form."""
    return sum(_fits(text, form) for text in texts)


def _fits(text: str, form: str) -> bool:
    """Whether a text names a time of these centuries in this form.

    strptime alone would also read years of few digits.
    """
    moment = moment_of(text, form)
    return moment is not None and moment.year in YEARS


@cache
def _shape_of_form(form: str) -> str:
    """The shape of a text of this form. To compare it is quicker than to read."""
    return _shape(EXAMPLE.strftime(form))


def _shape(text: str) -> str:
    """The text with one sign for each run of digits or letters, without an offset at its end."""
    without_offset = re.sub(r"(:.*\d) ?(Z|[+-]\d\d:?\d\d)$", r"\1", text.strip())
    with_single_blanks = " ".join(without_offset.split())
    with_nines = re.sub(r"\d+", "9", with_single_blanks)
    return re.sub(r"[^\W\d_]+", "A", with_nines)
