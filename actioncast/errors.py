"""The one base of all failures that have a message for a person. Standard library only."""

from __future__ import annotations


class ActioncastError(Exception):
    """A failure with a message made for the person who has to mend it."""


class InputError(ActioncastError):
    """What a caller asks for cannot be done with these values."""
