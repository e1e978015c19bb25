from __future__ import annotations

import numpy as np

from actioncast.ingestion.health.medians import median, medians


def test_medians_are_those_of_numpy_without_what_is_missing() -> None:
    rows = np.random.default_rng(0).normal(size=(7, 40))
    rows[np.random.default_rng(1).random(rows.shape) < 0.5] = np.nan
    rows[0] = 1.0
    np.testing.assert_allclose(medians(rows), np.nanmedian(rows, axis=0))


def test_a_column_of_nothing_has_no_median() -> None:
    assert np.isnan(medians(np.full((3, 1), np.nan))).all()


def test_the_median_of_one_row_leaves_out_what_is_missing() -> None:
    assert median(np.array([3.0, np.nan, 1.0, 8.0])) == 3
    assert np.isnan(median(np.zeros(0)))
