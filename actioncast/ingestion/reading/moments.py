"""Times as people write them -> unix seconds.

Without `date_format` a time is ISO 8601 or unix time. Any other form is refused, and the error
names the form that would read it. A day written before its month cannot be told from the reverse,
so the order is never guessed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from actioncast.ingestion.reading import forms
from actioncast.ingestion.reading.clocks import Clocks
from actioncast.ingestion.reading.unclear import UnclearError, examples, shown
from actioncast.source_fields import DAY_NUMBERS, TabularFields

NUMBER = re.compile(r"([0-9]+)(\.[0-9]*)?")
FEWEST_DIGITS = 9  # of unix time in a text; eight are a date without dashes
MOST_DIGITS = 10  # of unix time in a text, in seconds
MOST_UNIX_TIME = 10**20  # in any part of a second
PARTS_OF_A_SECOND = {13: 10**3, 16: 10**6, 19: 10**9}  # by the digits of unix time
# The end of a day.
MIDNIGHT = re.compile(
    r"(?P<date>.*[0-9][T ])24"
    r"(?P<minutes>(:00(:00(\.0+)?)?)?)"
    r"(?P<offset> ?Z|[+-][0-9:]+)?"
)
HOUR_24 = re.compile(r"[T ]24(?![0-9])")
# A date and an hour, of two columns.
BARE_HOUR = re.compile(r"(?P<date>[0-9-]{8,10}) (?P<hour>[0-9]{1,3})(\.0)?")
ABBREVIATION = re.compile(
    r"(?P<base>.*([0-9]|[AP]M))\s*\(?\b(?P<abbreviation>[A-Z]{1,5})\)?",
    re.IGNORECASE,
)
INTERVAL = " - "  # between the begin and the end of a period
HALVES = ("AM", "PM", "A", "P", "M")  # of a day: no zones
SPREADSHEET_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - on the clocks of the source
DAY = 86_400  # seconds
# Decimals of a spreadsheet's day number -> what it can tell, in seconds; with more it is a second.
STEPS = {0: 86_400, 1: 3600, 2: 900, 3: 300, 4: 60}


def joined(columns: Sequence[Sequence[object]]) -> Sequence[object]:
    """The cells of one column as they are; of several, one text per row."""
    if len(columns) == 1:
        return columns[0]
    texts = []
    for cells in zip(*columns, strict=True):
        parts = [str(cell).strip() for cell in cells if cell is not None]
        texts.append(" ".join(parts))
    return texts


def read(cells: Sequence[object], fields: TabularFields) -> list[object]:
    """Cells in the order of time -> unix seconds; a text where that cannot be done.

    Raises UnclearError for a form of time that is not that of the source's keys.
    """
    reader = _Reader(fields)
    reader.look_ahead(cells)
    readings = [reader.seconds(cell) for cell in cells]
    if reader.end_of_day and fields.stamps == "start":
        raise UnclearError(
            f"the time {shown(reader.end_of_day)} is the end of a day, "
            'so that times name the end of their period: set stamps = "end"'
        )
    if not fields.date_format:
        _refuse_numbers(cells)
    others = _texts_of_other_form(cells, readings)
    if others:
        _refuse_form(
            others,
            is_any_read=len(others) < len(cells),
            form=fields.date_format,
        )
    return readings


def _texts_of_other_form(cells: Sequence[object], readings: Sequence[object]) -> list[str]:
    """The texts that stayed as they are, because they are no times."""
    texts = []
    for cell, reading in zip(cells, readings, strict=True):
        if reading is cell and isinstance(cell, str) and cell.strip():
            texts.append(cell)
    return texts


class _Reader:
    """Reads the times of one answer in their order."""

    def __init__(self, fields: TabularFields) -> None:
        self.form = fields.date_format.replace("%Z", "").strip()
        self.decimal = fields.decimal or "."
        zone = ZoneInfo(fields.timezone)
        self.clocks = Clocks(zone, ends=fields.stamps == "end")
        self.end_of_day = ""  # the first time that says 24:00

    def look_ahead(self, cells: Sequence[object]) -> None:
        """Tell the clocks which ends come more than once, as they do in autumn."""
        if not self.clocks.ends or self.form in DAY_NUMBERS:
            return
        counts = Counter(cell for cell in cells if isinstance(cell, str))
        repeated_texts = [text.strip() for text, count in counts.items() if count > 1]
        moments = [self._moment(text) for text in repeated_texts]
        self.clocks.repeated_times = {moment for moment in moments if moment is not None}

    def seconds(self, cell: object) -> object:
        """Unix seconds, a sentence about a time that does not exist, or the cell itself."""
        if isinstance(cell, datetime):
            return self.clocks.seconds(cell, cell.isoformat())
        if self.form in DAY_NUMBERS:
            return self._of_day_number(cell)
        if isinstance(cell, str):
            return self._of_text(cell)
        if self.form and isinstance(cell, int):
            return self._of_stamp(cell)
        return _of_unix_number(cell)

    def _of_stamp(self, cell: int) -> object:
        """A date that is written as a number, such as 20240229."""
        digits = str(cell)
        reading = self._of_text(digits)
        return cell if reading == digits else reading

    def _of_text(self, cell: str) -> object:
        text = cell.strip()
        if not self.form:
            number = NUMBER.fullmatch(text)
            if number is not None and len(number[1]) >= FEWEST_DIGITS:
                return _of_unix_digits(text, len(number[1]), cell)
        moment = self._moment(text)
        if moment is not None:
            return self.clocks.seconds(moment, text)
        return self._of_longer_text(cell, text)

    def _of_longer_text(self, cell: str, text: str) -> object:
        """A text with the name of a zone at its end, or with both ends of a period."""
        base, abbreviation = _without_zone(text)
        moment = self._moment(base)
        if moment is None:
            begin, _, end = base.partition(INTERVAL)
            moment = self._moment(end if self.clocks.ends else begin)
        if moment is None:
            return cell
        return self.clocks.seconds(moment, text, abbreviation)

    def _moment(self, text: str) -> datetime | None:
        """The time that a text names; the first one that is the end of a day is kept."""
        moment = self._any_moment(text)
        if moment is None or moment.hour != 0 or self.end_of_day:
            return moment
        if self._ends_day(text):
            self.end_of_day = text
        return moment

    def _ends_day(self, text: str) -> bool:
        """Whether a text says 24:00."""
        if self.form:
            return forms.ends_day(text, self.form)
        return HOUR_24.search(text) is not None

    def _any_moment(self, text: str) -> datetime | None:
        if self.form:
            return forms.moment_of(text, self.form)
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            return _other_iso(text)

    def _of_day_number(self, cell: object) -> object:
        """A number of `date_format`; a number in a text may have the decimal sign of the values."""
        text = str(cell).strip().replace(self.decimal, ".")
        number = NUMBER.fullmatch(text)
        if number is None:
            return cell
        if self.form == "unix":
            return float(text)
        if self.form == "unix_ms":
            return float(text) / 1000
        seconds = _spreadsheet_seconds(number)
        try:
            moment = SPREADSHEET_ZERO + timedelta(seconds=seconds)
            return self.clocks.seconds(moment, text)
        except OverflowError:
            return cell


def _spreadsheet_seconds(number: re.Match[str]) -> int:
    """Seconds since day 0 of spreadsheets, rounded to what the decimals of the number can tell."""
    decimals = (number[2] or "").removeprefix(".")
    step = STEPS.get(len(decimals), 1)
    return round(float(number[0]) * DAY / step) * step


def _other_iso(text: str) -> datetime | None:
    """24:00 as the next midnight, and a date with a bare hour."""
    bare = BARE_HOUR.fullmatch(text)
    if bare is None:
        return _end_of_iso_day(text)
    hour = int(bare["hour"])
    if hour > 24:
        raise UnclearError(
            f"{shown(bare['hour'])} in {shown(text)} is no hour of a day, which are 0 to 24; "
            "periods that are counted through the day are read by a function of your own "
            '(kind = "python")'
        )
    with_minutes = f"{bare['date']} {hour:02}:00"
    if hour == 24:
        return _end_of_iso_day(with_minutes)
    return _iso(with_minutes)


def _end_of_iso_day(text: str) -> datetime | None:
    """The next midnight where the hour is 24, None where it is another one."""
    midnight = MIDNIGHT.fullmatch(text)
    if midnight is None:
        return None
    offset = midnight["offset"] or ""
    begin = _iso(f"{midnight['date']}00{midnight['minutes']}{offset}")
    if begin is None:
        return None
    return begin + timedelta(days=1)


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def forms_of(texts: Sequence[str]) -> list[str]:
    """The forms that read most of the texts; of a period its begin counts."""
    begins = []
    for text in texts:
        base, _abbreviation = _without_zone(text.strip())
        begin, _, _end = base.partition(INTERVAL)
        begins.append(begin)
    return forms.fitting(begins)


def _without_zone(text: str) -> tuple[str, str]:
    """The text without the name of a zone at its end, and that name."""
    match = ABBREVIATION.fullmatch(text)
    if match is None:
        return text, ""
    abbreviation = match["abbreviation"].upper()
    if abbreviation in HALVES:
        return text, ""
    return match["base"], abbreviation


def _of_unix_number(cell: object) -> object:
    """A number of JSON; milliseconds and smaller parts are told by their digits."""
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return cell
    size = abs(cell)
    if not size < MOST_UNIX_TIME:  # also where it is NaN
        return cell
    digits = len(str(int(size)))
    if digits in PARTS_OF_A_SECOND:
        return cell / PARTS_OF_A_SECOND[digits]
    return cell


def _of_unix_digits(text: str, digits: int, cell: str) -> object:
    """Unix time in a text, the cell itself where no unix time has so many digits."""
    if digits in PARTS_OF_A_SECOND:
        return float(text) / PARTS_OF_A_SECOND[digits]
    return float(text) if digits <= MOST_DIGITS else cell


# What is refused ----------------------------------------------------------------------------------


def _refuse_numbers(cells: Sequence[object]) -> None:
    """Raise UnclearError where all times are dates without signs, or a spreadsheet's days."""
    form = None
    first = ""
    for cell in cells:
        if cell is None or cell == "":
            continue
        form = _form_of_number(cell)
        if form is None:
            return
        first = first or str(cell).strip()
    if form is not None:
        raise UnclearError(
            f'the time {first} is not read as unix time: set date_format = "{form}", '
            'or "unix" if it is one all the same'
        )


def _form_of_number(cell: object) -> str | None:
    """The `date_format` of a date without signs, None for any other time."""
    text = str(cell).strip()
    is_iso = isinstance(cell, str) and text.isdigit() and len(text) == len("20240229")
    if is_iso or not NUMBER.fullmatch(text):
        return None
    return forms.of_number(text)


def _refuse_form(texts: Sequence[str], *, is_any_read: bool, form: str) -> None:
    """Raise UnclearError where one of FORMS fits the texts, or where no time was read."""
    form_of_source = f'date_format = "{form}"' if form else "ISO 8601 or unix time"
    fault = f"{len(texts)} times are not written as {form_of_source}, such as {examples(texts)}"
    fitting_forms = [f'"{fitting_form}"' for fitting_form in forms_of(texts)]
    choices = " or ".join(fitting_forms)
    if len(fitting_forms) > 1:
        raise UnclearError(f"{fault}; set date_format to the one that is meant: {choices}")
    if fitting_forms:
        raise UnclearError(f"{fault}; set date_format = {choices}")
    if not is_any_read:
        raise UnclearError(
            f'{fault}; set date_format, in the way of strptime: "%d.%m.%Y %H:%M"',
        )
