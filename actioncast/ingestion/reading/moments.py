"""Times as people write them -> unix seconds.

Without `date_format` a time is ISO 8601 or unix time; any other form is refused, and the error names
the form that would read it. A day written before its month cannot be told from the reverse, so the
order is never guessed.
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
PARTS_OF_A_SECOND = {13: 10**3, 16: 10**6, 19: 10**9}  # by the digits of unix time
MIDNIGHT = re.compile(r"(.*[0-9][T ])24((:00(:00(\.0+)?)?)?)( ?Z|[+-][0-9:]+)?")  # the end of a day
HOUR_24 = re.compile(r"[T ]24(?![0-9])")
BARE_HOUR = re.compile(r"([0-9-]{8,10}) ([0-9]{1,3})(\.0)?")  # a date and an hour, of two columns
ABBREVIATION = re.compile(r"(.*([0-9]|[AP]M))\s*\(?\b([A-Z]{1,5})\)?", re.IGNORECASE)
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
            f"the time {shown(reader.end_of_day)} is the end of a day, so that times name the end of their "
            'period: set stamps = "end"'
        )
    if not fields.date_format:
        _refuse_numbers(cells)
    unread = [
        cell
        for cell, reading in zip(cells, readings, strict=True)
        if reading is cell and isinstance(cell, str) and cell.strip()
    ]
    if unread:
        recognised = len(cells) - len(unread)
        _refuse_form(unread, recognised, fields.date_format)
    return readings


class _Reader:
    """Reads the times of one answer in their order."""

    def __init__(self, fields: TabularFields) -> None:
        self.form = fields.date_format.replace("%Z", "").strip()
        self.decimal = fields.decimal or "."
        self.clocks = Clocks(ZoneInfo(fields.timezone), ends=fields.stamps == "end")
        self.end_of_day = ""  # the first time that says 24:00

    def look_ahead(self, cells: Sequence[object]) -> None:
        """Tell the clocks which ends come more than once, as they do in autumn."""
        if not self.clocks.ends or self.form in DAY_NUMBERS:
            return
        counts = Counter(cell for cell in cells if isinstance(cell, str))
        moments = [self._moment(cell.strip()) for cell, count in counts.items() if count > 1]
        self.clocks.repeated = {moment for moment in moments if moment is not None}

    def seconds(self, cell: object) -> object:
        """Unix seconds, a sentence about a time that does not exist, or the cell itself."""
        if isinstance(cell, datetime):
            return self.clocks.seconds(cell, cell.isoformat())
        if self.form in DAY_NUMBERS:
            return self._of_day_number(cell)
        if isinstance(cell, str):
            return self._of_text(cell)
        if self.form and isinstance(cell, int):
            seconds = self._of_text(str(cell))
            return cell if seconds == str(cell) else seconds
        return _of_unix_number(cell)

    def _of_text(self, cell: str) -> object:
        text = cell.strip()
        if not self.form and (number := NUMBER.fullmatch(text)):
            digits = len(number[1])
            if digits >= FEWEST_DIGITS:
                return _of_unix_digits(text, digits, cell)
        moment = self._moment(text)
        if moment is not None:
            return self.clocks.seconds(moment, text)
        base, abbreviation = _without_zone(text)
        moment = self._moment(base)
        if moment is None:
            begin, _, end = base.partition(INTERVAL)
            moment = self._moment(end if self.clocks.ends else begin)
        if moment is None:
            return cell
        return self.clocks.seconds(moment, text, abbreviation)

    def _moment(self, text: str) -> datetime | None:
        moment = self._any_moment(text)
        if moment is not None and moment.hour == 0 and not self.end_of_day:
            ends_day = forms.ends_day(text, self.form) if self.form else HOUR_24.search(text)
            self.end_of_day = text if ends_day else ""
        return moment

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
        step = STEPS.get(len((number[2] or ".")[1:]), 1)
        seconds = round(float(text) * DAY / step) * step
        try:
            return self.clocks.seconds(SPREADSHEET_ZERO + timedelta(seconds=seconds), text)
        except OverflowError:
            return cell


def _other_iso(text: str) -> datetime | None:
    """24:00 as the next midnight, and a date with a bare hour."""
    if hour := BARE_HOUR.fullmatch(text):
        text = f"{hour[1]} {int(hour[2]):02}:00"
        if int(hour[2]) > 24:
            raise UnclearError(
                f"{shown(hour[2])} in {shown(hour[0])} is no hour of a day, which are 0 to 24; periods that "
                f'are counted through the day are read by a function of your own (kind = "python")'
            )
        if int(hour[2]) < 24:
            return _iso(text)
    midnight = MIDNIGHT.fullmatch(text)
    if midnight is None:
        return None
    begin = _iso(f"{midnight[1]}00{midnight[2]}{midnight[6] or ''}")
    return begin and begin + timedelta(days=1)


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def forms_of(texts: Sequence[str]) -> list[str]:
    """The forms that read most of the texts; of a period its begin counts."""
    bases = [_without_zone(text.strip())[0].partition(INTERVAL)[0] for text in texts]
    return forms.fitting(bases)


def _without_zone(text: str) -> tuple[str, str]:
    """The text without the name of a zone at its end, and that name."""
    match = ABBREVIATION.fullmatch(text)
    if match is None or match[3].upper() in HALVES:
        return text, ""
    return match[1], match[3].upper()


def _of_unix_number(cell: object) -> object:
    """A number of JSON; milliseconds and smaller parts are told by their digits."""
    if isinstance(cell, bool) or not isinstance(cell, int | float) or not abs(cell) < 10**20:
        return cell
    parts = PARTS_OF_A_SECOND.get(len(str(int(abs(cell)))), 1)
    return cell / parts if parts > 1 else cell


def _of_unix_digits(text: str, digits: int, cell: str) -> object:
    """Unix time in a text, the cell itself where it has too many digits or too few."""
    if digits in PARTS_OF_A_SECOND:
        return float(text) / PARTS_OF_A_SECOND[digits]
    return float(text) if digits <= 10 else cell


# What is refused ----------------------------------------------------------------------------------


def _refuse_numbers(cells: Sequence[object]) -> None:
    """Raise UnclearError where all numbers are dates written without signs, or a spreadsheet's days."""
    form = None
    first = ""
    for cell in cells:
        if cell is None or cell == "":
            continue
        number = str(cell).strip()
        first = first or number
        if isinstance(cell, str) and number.isdigit() and len(number) == 8:
            return  # ISO 8601 too
        form = forms.of_number(number) if NUMBER.fullmatch(number) else None
        if form is None:
            return
    if form is not None:
        raise UnclearError(
            f'the time {first} is not read as unix time: set date_format = "{form}", '
            'or "unix" if it is one all the same'
        )


def _refuse_form(unread: Sequence[str], recognised: int, form: str) -> None:
    """Raise UnclearError where times that were not read have a form, or where none was read."""
    fitting = [f'"{fit}"' for fit in forms_of(unread)]
    expected = f'date_format = "{form}"' if form else "ISO 8601 or unix time"
    fault = f"{len(unread)} times are not written as {expected}, such as {examples(unread)}"
    if len(fitting) > 1:
        raise UnclearError(f"{fault}; set date_format to the one that is meant: {' or '.join(fitting)}")
    if fitting:
        raise UnclearError(f"{fault}; set date_format = {fitting[0]}")
    if not recognised:
        raise UnclearError(f'{fault}; set date_format, in the way of strptime: "%d.%m.%Y %H:%M"')
