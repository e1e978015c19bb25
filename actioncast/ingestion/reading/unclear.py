"""The errors of these modules."""

from __future__ import annotations

from collections.abc import Sequence

from actioncast.errors import ActioncastError

SHOWN_CHARACTERS = 80  # of a text that cannot be read
SHOWN_NAMES = 12  # of columns or values
SHOWN_EXAMPLES = 3


class UnclearError(ActioncastError):
    """What a source gave can be read in two ways, or in none; the message names the keys that settle it."""


class NoRowError(UnclearError):
    """No row is one of those that `where` asks for; another page of the same source may have some."""


def shown(thing: object) -> str:
    """The thing as an error shows it."""
    return repr(thing)[:SHOWN_CHARACTERS]


def examples(things: Sequence[object]) -> str:
    """The first few of the things, for an error."""
    return ", ".join(shown(thing) for thing in things[:SHOWN_EXAMPLES])


def listed(names: Sequence[str]) -> str:
    """The first names, for an error, and how many there are beyond."""
    text = ", ".join(names[:SHOWN_NAMES]) or "nothing"
    beyond = len(names) - SHOWN_NAMES
    return f"{text} and {beyond} more" if beyond > 0 else text
