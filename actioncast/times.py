"""Moments in time: aware UTC datetimes, unix seconds and their text."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta

HOUR = 3600  # seconds
HOURS_PER_DAY = 24
HOURS_PER_WEEK = 168
ONE_HOUR = timedelta(hours=1)
ONE_WEEK = timedelta(weeks=1)


def parse_time(text: str) -> datetime:
    """ISO 8601 -> aware UTC; a stamp without an offset is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not an ISO 8601 time such as 2022-03-04T03:00") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def to_seconds(moment: datetime) -> int:
    """Aware datetime -> unix seconds. A naive one is refused: its zone would be a guess."""
    if moment.tzinfo is None:
        raise ValueError(f"expected an aware datetime, got {moment.isoformat()} without a time zone")
    return int(moment.timestamp())


def from_seconds(seconds: int) -> datetime:
    """Unix seconds -> aware UTC datetime."""
    return datetime.fromtimestamp(int(seconds), UTC)


def isoformat(moment: datetime) -> str:
    """2022-03-04T03:00:00Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def floor_hour(moment: datetime) -> datetime:
    """The start of the hour that holds this moment."""
    return from_seconds(to_seconds(moment) // HOUR * HOUR)
