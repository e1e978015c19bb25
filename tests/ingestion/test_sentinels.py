from __future__ import annotations

import numpy as np
import pytest

from actioncast.ingestion import sentinels

WAVE = 500 + 400 * np.sin(np.arange(500) / 4)


@pytest.mark.parametrize("sign", [-99.0, -999.0, -9999.0, -999.9, -1.0, 99999.0])
def test_a_number_for_no_value_is_a_doubt(sign: float) -> None:
    values = np.append(WAVE, [sign] * 3)
    scale = 0.2 if sign == -99 else 1
    doubt = sentinels.find(np.append(WAVE * scale, [sign] * 3), None)
    assert doubt.startswith(f"the value {sign:g} comes 3 times and all others lie from")
    assert f"missing = [{sign:g}] of the source" in doubt
    assert sentinels.find(values[:-1], None) == "", "twice is not enough"


def test_a_series_that_says_which_low_values_are_right_is_believed() -> None:
    assert sentinels.find(np.append(WAVE, [-999.0] * 3), -999.0) == ""


@pytest.mark.parametrize(
    "values",
    [
        WAVE,
        WAVE - 600,
        np.append(WAVE, [-3.0] * 9),
        np.append(WAVE, [-1.0, -1.0, -1.0, -2.5]),
        np.append(WAVE * 2, [999.0] * 9),
        np.append(WAVE * 20, [9999.0] * 9),
        np.append(WAVE - 1000, [-999.0] * 9),
        np.zeros(9),
        np.zeros(0),
    ],
)
def test_values_among_others_are_none(values: np.ndarray) -> None:
    assert sentinels.find(values, None) == ""
