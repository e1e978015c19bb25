"""The flags of add_series.py that answer what its detection may ask."""

from __future__ import annotations

import argparse
from typing import Any, get_args

from actioncast.periods.aggregates import Aggregate, Stamps

ANSWERS = {  # flag -> what it answers; each is a key of the table that is written
    "timestamp": "column of the time; several with commas between",
    "value": "column of the value",
    "timezone": "of times without an offset, such as Europe/Madrid",
    "date_format": "how times are written, in the way of strptime",
    "decimal": "decimal sign",
    "thousands": "sign between thousands",
    "delimiter": "sign between columns",
    "encoding": "of the text, such as cp1252",
    "records": "dotted path to the records of a JSON document",
    "aggregate": "what a period makes of its points",
    "stamps": "which end of its period a time names",
    "revisions": "last: the later of two rows for one time wins",
    "unit": "unit of the values",
    "title": "name for people",
}

CHOICES = {
    "aggregate": get_args(Aggregate),
    "stamps": get_args(Stamps),
    "revisions": ("contradiction", "last"),
    "decimal": (".", ","),
}


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add a flag for each answer."""
    parser.add_argument(
        "--where",
        type=_pair,
        action="append",
        default=[],
        metavar="COLUMN=VALUE",
        help="only rows that have this value; may be repeated",
    )
    for flag, text in ANSWERS.items():
        parser.add_argument(f"--{flag.replace('_', '-')}", help=text, choices=CHOICES.get(flag))


def given(arguments: argparse.Namespace) -> dict[str, Any]:
    """The answers that were given as flags."""
    flags = vars(arguments)
    answers = {flag: flags[flag] for flag in ANSWERS if flags[flag] is not None}
    if arguments.where:
        answers["where"] = dict(arguments.where)
    return answers


def _pair(text: str) -> tuple[str, str]:
    """KEY=VALUE."""
    key, sign, value = text.partition("=")
    if not (key and sign):
        raise argparse.ArgumentTypeError(f"expected COLUMN=VALUE, got {text!r}")
    return key, value
