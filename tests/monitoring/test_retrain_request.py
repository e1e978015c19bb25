"""The client_payload of a dispatch for many series, within GitHub's limits."""

from __future__ import annotations

import json

import pytest

from actioncast.monitoring.retrain_request import LONGEST_PAYLOAD, Check, parts, payload_of


def due(series: str, reason: str = "it is bad") -> Check:
    figures = {"scored_periods": 48, "mae": 1234.5678, "reference_mae": 1000.0, "naive_mae": None}
    return {"series": series, "reasons": [reason, "twice"], **figures}


def test_the_payload_has_names_reasons_and_figures_in_the_same_order() -> None:
    assert payload_of([due("a"), due("b", "worse")]) == {
        "series": "a,b",
        "reasons": ["it is bad; twice", "worse; twice"],
        "scored_periods": [48, 48],
        "mae": [1234.5678, 1234.5678],
        "reference_mae": [1000.0, 1000.0],
        "naive_mae": [None, None],
    }


@pytest.mark.parametrize(
    ("series", "reason_length", "keys"),
    [(10, 1000, 6), (300, 100, 6), (900, 0, 6), (2000, None, 1)],
)
def test_reasons_are_cut_and_figures_left_out_where_they_do_not_fit(
    series: int, reason_length: int | None, keys: int
) -> None:
    payload = payload_of([due(f"series_number_{number:05}", "x" * 2000) for number in range(series)])
    assert len(json.dumps(payload)) <= LONGEST_PAYLOAD
    assert len(payload) == keys
    assert payload["series"].count(",") == series - 1
    if reason_length is not None:
        assert {len(reason) for reason in payload["reasons"]} == {reason_length}


def test_one_dispatch_takes_all_names_that_fit() -> None:
    checks = [due(f"series_number_{number:05}") for number in range(4000)]
    together = parts(checks)
    assert [len(part) for part in together] == [3000, 1000]
    assert [check for part in together for check in part] == checks
    assert parts([]) == []
