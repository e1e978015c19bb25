from __future__ import annotations

import numpy as np

from actioncast.ingestion.health import picture


def test_a_series_is_a_line_of_bars_with_dots_where_it_is_missing() -> None:
    assert picture.line(np.array([0.0, 7.0, np.nan, 3.0])) == "▁█·▄"


def test_a_long_series_fits_a_terminal() -> None:
    assert len(picture.line(np.arange(10_000.0))) == 70


def test_a_constant_series_is_a_flat_line() -> None:
    assert picture.line(np.full(3, 5.0)) == "▁▁▁"
