"""A body of bytes -> the columns it holds, and the keys of a source that read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Cells = Sequence[Any]  # of one column, in the order of the rows


@dataclass(frozen=True)
class Sheet:
    """The columns of a document."""

    columns: dict[str, Cells]
    keys: dict[str, Any]  # of the source, such as delimiter or records
    surroundings: str  # text around the rows, where a time zone may be named
    lines: list[str]  # what was detected, for a person
