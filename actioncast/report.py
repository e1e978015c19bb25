"""What a script hands back: one JSON object for programs, text for people, and whether it failed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any


class Report(ABC):
    """The base of all reports."""

    @property
    def failed(self) -> bool:
        """Whether the job ran to its end and what it found is a failure."""
        return False

    @abstractmethod
    def as_json(self) -> dict[str, Any]:
        """The documented interface, made of JSON's types."""

    @abstractmethod
    def as_text(self) -> str:
        """What a person reads."""
