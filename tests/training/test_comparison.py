"""What a person reads about two trainings on the same hours."""

from __future__ import annotations

from typing import Any

from actioncast.training.comparison import TrainingComparison


def training(**errors: float | None) -> dict[str, Any]:
    board = [{"candidate": name, "mae": mae, "mase": 1.0} for name, mae in errors.items()]
    return {"leaderboard": board, "verdict": "kept", "reason": "not better by the margin"}


def text_of(branch: dict[str, Any], base: dict[str, Any] | None) -> str:
    return TrainingComparison("demo", "x", branch, base).as_text()


def test_the_report_names_the_best_of_both_sides() -> None:
    text = text_of(training(new=90.0, old=101.0), training(old=100.0))
    assert "Best error **100** (old) → **90** (new): **-10.0%**" in text
    assert "| +1.0%" in text
    assert "\n1 base: best · 2 new · 3 old" in text


def test_a_base_that_does_not_train_is_said() -> None:
    assert "The base does not train" in text_of(training(new=90.0), None)


def test_a_candidate_that_was_skipped_has_no_row() -> None:
    text = text_of(training(new=90.0, slow=None), training(old=100.0, slow=None))
    assert "slow" not in text
    assert "**-10.0%**" in text
