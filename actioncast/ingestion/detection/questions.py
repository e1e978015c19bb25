"""What detection cannot know, as a question to a person; and the answers that are there already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from actioncast.errors import ActioncastError

Answers = Mapping[str, Any]  # name of a flag, such as timezone or value -> its value
SHOWN_CHOICES = 12


class QuestionError(ActioncastError):
    """Only a person knows.

    `flag` is the name of the answer, and `choices` is what it may be (empty: anything).
    """

    def __init__(
        self,
        flag: str,
        text: str,
        choices: Sequence[str] = (),
        default: str = "",
    ) -> None:
        self.flag = flag
        self.text = text
        self.choices = list(choices)
        self.default = default  # the answer where nobody is asked; empty: there is none
        option = "--" + flag.replace("_", "-")
        question = text + self._shown_choices()
        super().__init__(f"{question}; say {option} …")

    def _shown_choices(self) -> str:
        shown = ", ".join(self.choices[:SHOWN_CHOICES])
        if not shown:
            return ""
        beyond = len(self.choices) - SHOWN_CHOICES
        if beyond > 0:
            shown += f" and {beyond} more"
        return f" One of: {shown}"


class NotHourlyError(ActioncastError):
    """The series has a frequency that cannot be forecast today."""
