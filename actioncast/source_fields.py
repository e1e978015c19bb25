"""How a source writes its rows: the keys that the tables of all such sources have."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from actioncast.periods.aggregates import Stamps


class Table(BaseModel):
    """A table of config.toml: no unknown keys, no change after reading."""

    # Only the table of all tables is ever validated by itself: the others are built as parts of it.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


def _zone_that_exists(name: str) -> str:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"expected the name of a time zone such as UTC or Europe/Madrid, got {name!r}") from None
    return name


TimeZone = Annotated[str, AfterValidator(_zone_that_exists)]


def _date_format_that_reads(form: str) -> str:
    """Refuse a form that cannot read back what it writes, and one that leaves the year out."""
    from datetime import UTC, datetime

    if form in DAY_NUMBERS or not form:
        return form
    moment = datetime(2024, 2, 29, tzinfo=UTC)
    fault = f"expected a form such as %d.%m.%Y %H:%M, or one of {', '.join(DAY_NUMBERS)}; got {form!r}"
    try:
        read = datetime.strptime(moment.strftime(form), form)  # noqa: DTZ007 - only the date counts
    except (ValueError, re.error) as error:
        raise ValueError(f"{fault} ({error})") from None
    if read.date() != moment.date():
        raise ValueError(f"{fault}, which leaves out year, month or day")
    if ("%I" in form) != ("%p" in form):
        raise ValueError(f"{fault}: %I, the hour up to 12, and %p, AM or PM, need each other")
    return form


DAY_NUMBERS = ("excel", "unix", "unix_ms")  # of date_format: times that are numbers
DateFormat = Annotated[str, AfterValidator(_date_format_that_reads)]
ColumnNames = Annotated[tuple[str, ...], Field(min_length=2)]


class TabularFields(Table):
    """Where a row keeps its time and its value, and how both are written."""

    timestamp: str | ColumnNames = "timestamp"  # several: a date and a time, read as one text
    value: str = "value"
    where: dict[str, str | int | float | bool] = {}  # only rows that have these values, e.g. { sensor = "A" }
    timezone: TimeZone = "UTC"  # of stamps without an offset
    stamps: Stamps = "start"  # which end of its period a time names; the series may say it instead
    newest_first: bool = False
    date_format: DateFormat = ""  # empty: ISO 8601, or unix time
    decimal: Literal[".", ","] | None = None  # None: a dot, where no text can be read in two ways
    thousands: Literal["", ".", ",", " ", "\u00a0", "\u202f", "'"] = ""
    strip: str = ""  # what stands at every value, e.g. "%"
    missing: tuple[str | int | float, ...] = ()  # beside what is always read as no value

    @model_validator(mode="after")
    def _signs_differ(self) -> TabularFields:
        if self.thousands and self.thousands == self.decimal:
            raise ValueError(f"decimal and thousands are both {self.decimal!r}")
        return self

    @property
    def timestamps(self) -> tuple[str, ...]:
        """The names of the columns that hold the time."""
        if isinstance(self.timestamp, str):
            return (self.timestamp,)
        return self.timestamp


class TextFields(TabularFields):
    """How a text with separated columns is written."""

    delimiter: str = Field(default="", pattern=r"^.?$")  # empty: that of the header
    encoding: str = ""  # empty: UTF-8, or UTF-16 where the text says so

    @field_validator("encoding")
    @classmethod
    def _encoding_that_exists(cls, name: str) -> str:
        import codecs

        try:
            codecs.lookup(name or "utf-8")
        except LookupError:
            raise ValueError(f"expected an encoding such as latin-1 or cp1252, got {name!r}") from None
        return name


class JsonFields(TabularFields):
    """Where a JSON document keeps its records.

    A path such as "load.actual", "0" or "types[name=Load].data" names a nested field.
    """

    records: str = ""  # path to the list, or to the object with a list of times and one of values
