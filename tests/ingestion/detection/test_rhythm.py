"""The frequency that points have."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from actioncast.ingestion.detection import rhythm
from actioncast.ingestion.detection.questions import NotHourlyError


@pytest.mark.parametrize(
    ("points", "frequency"),
    [
        ("D", "1D"),
        ("W-WED", "1W-WED"),
        ("W-SUN", "1W-SUN"),
        ("MS", "1MS"),
        ("ME", "1MS"),
        ("QS", "1QS"),
        ("YS", "1YS"),
        ("2h", "2h"),
        ("6h", "6h"),
        ("h", "1h"),
        ("15min", "1h"),
    ],
)
def test_points_tell_the_frequency_of_their_series(points: str, frequency: str) -> None:
    times = pd.date_range("2015-01-01", periods=60, freq=points).to_numpy().astype("datetime64[s]").astype(np.int64)
    found = rhythm.find(times)
    assert str(found.frequency) == frequency
    assert found.points_per_period == (4 if points == "15min" else 1)


def test_points_every_five_hours_make_no_series() -> None:
    with pytest.raises(NotHourlyError, match="one value every 5 hours"):
        rhythm.find(np.arange(60) * 5 * 3600)
