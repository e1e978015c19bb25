"""The errors of these modules."""

from __future__ import annotations

from collections.abc import Sequence

from actioncast.errors import ActioncastError

SHOWN_CHARACTERS = 80  # of a text that cannot be read
SHOWN_NAMES = 12  # of columns or values
SHOWN_EXAMPLES = 3


class UnclearError(ActioncastError):
    """What a source gave can be read in two ways, or in none.

    The message names the keys that settle it.
    """


class NoRowError(UnclearError):
    """No row is one of those that `where` asks for.

    Another page of the same source may have some.
    """


def shown(thing: object) -> str:
    """The thing as an error shows it."""
    text = repr(thing)
    return text[:SHOWN_CHARACTERS]


def examples(things: Sequence[object]) -> str:
    """The first few of the things, for an error."""
    first_things = things[:SHOWN_EXAMPLES]
    return ", ".join(shown(thing) for thing in first_things)


def listed(names: Sequence[str]) -> str:
    """The first names, for an error, and how many there are beyond."""
    if not names:
        return "nothing"
    text = ", ".join(names[:SHOWN_NAMES])
    beyond = len(names) - SHOWN_NAMES
    if beyond > 0:
        return f"{text} and {beyond} more"
    return text
