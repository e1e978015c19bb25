"""Rows of the view `performance` for tests."""

from __future__ import annotations

from typing import Any

from tests.support.clock import at


def row(hour: float, *, reality: float | None, prediction: float = 10.0, naive: float | None = 4.0) -> dict[str, Any]:
    """A row of `performance`: interval +-2 around the prediction."""
    return {
        "prediction_date": at(hour),
        "prediction": prediction,
        "lower": prediction - 2,
        "upper": prediction + 2,
        "reality": reality,
        "absolute_error": abs(prediction - reality) if reality is not None else None,
        "covered": abs(prediction - reality) <= 2 if reality is not None else None,
        "naive_error": naive if reality is not None else None,
        "lead": 1,
        "naive": prediction + 1,
    }
