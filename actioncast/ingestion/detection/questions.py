"""What detection cannot know, as a question to a person; and the answers that are there already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from actioncast.errors import ActioncastError

Answers = Mapping[str, Any]  # name of a flag, such as timezone or value -> its value
SHOWN_CHOICES = 12


class QuestionError(ActioncastError):
    """Only a person knows: `flag` is the name of the answer, `choices` what it may be (empty: anything)."""

    def __init__(self, flag: str, text: str, choices: Sequence[str] = (), default: str = "") -> None:
        self.flag = flag
        self.text = text
        self.choices = list(choices)
        self.default = default  # what is taken where nobody is asked; empty: nothing is
        super().__init__(f"{text}{self._shown_choices()}; say --{flag.replace('_', '-')} …")

    def _shown_choices(self) -> str:
        shown = ", ".join(self.choices[:SHOWN_CHOICES])
        beyond = len(self.choices) - SHOWN_CHOICES
        if beyond > 0:
            shown += f" and {beyond} more"
        return f" One of: {shown}" if shown else ""


class NotHourlyError(ActioncastError):
    """The series has a frequency that cannot be forecast today."""
