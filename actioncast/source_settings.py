"""The tables `source` of config.toml: one class for each kind."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from actioncast.source_fields import JsonFields, Table, TabularFields, TextFields

Url = Annotated[str, StringConstraints(pattern=r"^https?://[^/\s]")]


class BlockchainSource(Table):
    """The charts API of blockchain.com: `values` of {x: unix seconds, y: number}."""

    kind: Literal["blockchain"]
    chart: str = "transactions-per-second"
    url: Url = "https://api.blockchain.info/charts"
    timeout_seconds: float = Field(default=30, gt=0)


class UrlSource(Table):
    """What sources at any URL have alike.

    In the URL {start} and {end} become ISO times, {start:%Y-%m-%d} the same in another form, and
    {days} the number of days between them. {offset} and {page} count rows and pages, from 0 and 1.
    {day} or {day:%Y%m%d} asks once for each day of `timezone`.
    """

    url: Url
    headers: dict[str, str] = Field(default={})  # a value "$NAME" is read from the environment
    timeout_seconds: float = Field(default=30, gt=0)
    days_per_request: float | None = Field(default=None, ge=1)  # a longer span is asked for in parts
    row_limit: int | None = Field(default=None, ge=1)  # rows of a full answer; None: a round number


class JsonSource(UrlSource, JsonFields):
    """Any JSON document with a list of records, or with parallel lists."""

    kind: Literal["json"]
    next: str = ""  # dotted path to the link of the next page, or to what stands for {cursor} in the URL


class CsvSource(UrlSource, TextFields):
    """Any CSV document with a header."""

    kind: Literal["csv"]


class FileSource(TextFields, JsonFields):
    """A file: CSV with a header, JSON, Parquet, or the charts API's JSON; gzip is unpacked."""

    kind: Literal["file"]
    path: Path  # beside config.toml; a pattern such as data/load_*.csv names several


def _name_of_a_variable(url: str) -> str:
    """Refuse the URL itself, without repeating it: it holds a password."""
    if not re.fullmatch(r"\$\w+", url):
        raise ValueError(
            'expected "$" and the name of an environment variable that holds the URL, such as "$WAREHOUSE_URL"'
        )
    return url


class SqlSource(TabularFields):
    """A query at a database, whose URL stands in the environment. :start and :end in it are aware times."""

    kind: Literal["sql"]
    url: Annotated[str, AfterValidator(_name_of_a_variable)]
    query: str = Field(min_length=1)
    timeout_seconds: float = Field(default=60, gt=0)  # PostgreSQL and SQLite end a query that takes longer


class PythonSource(Table):
    """A function of the user: (since, until) -> iterable of (time, value).

    Times are aware datetimes or unix seconds; `since` is None for all there is.
    """

    kind: Literal["python"]
    function: str = Field(pattern=r"^[\w.]+:\w+$")


class DemoSource(Table):
    """The bundled recording, replayed for ever: the source of a copy that has no other yet."""

    kind: Literal["demo"]


SourceSettings = Annotated[
    BlockchainSource | JsonSource | CsvSource | FileSource | SqlSource | PythonSource | DemoSource,
    Field(discriminator="kind"),
]
