from __future__ import annotations

from typing import Any

import pytest

from actioncast.ingestion.reading import records
from actioncast.ingestion.reading.unclear import UnclearError
from actioncast.source_fields import JsonFields


def columns(document: Any, **keys: Any) -> dict[str, list[Any]]:
    return records.columns_of(document, JsonFields(**{"timestamp": "t", "value": "v", **keys}))


def refusal(document: Any, **keys: Any) -> str:
    with pytest.raises(UnclearError) as caught:
        columns(document, **keys)
    return str(caught.value)


DOCUMENT = {"a": [{"b": 1}, {"b": 2}], "types": [{"name": "Load", "data": [7]}], "x.y": 5, "none": None}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.1.b", 2),
        ("x.y", 5),
        ("types[name=Load].data", [7]),
        ("types[name=Load].data.0", 7),
        ("none.b", None),
        ("a.2.b", records.ABSENT),
        ("types[name=Solar].data", records.ABSENT),
        ("a..b", records.ABSENT),
        ("a.b", records.ABSENT),
    ],
)
def test_a_path_names_a_part(path: str, expected: object) -> None:
    assert records.part_at(DOCUMENT, path) == expected


def test_fields_inside_a_record() -> None:
    document = {"data": [{"t": 1, "i": {"actual": 5}}, {"t": 2, "i": None}, {"t": 3, "i": {}}]}
    assert columns(document, records="data", value="i.actual") == {"t": [1, 2, 3], "i.actual": [5, None, None]}


def test_rows_that_are_lists() -> None:
    assert columns([[1, "x", 5], [2, "x"]], timestamp="0", value="2") == {"0": [1, 2], "2": [5, None]}


def test_lists_that_lie_side_by_side() -> None:
    document = {"unix": [1, 2], "types": [{"name": "Solar", "data": [0, 0]}, {"name": "Load", "data": [5, None]}]}
    value = "types[name=Load].data"
    assert columns(document, timestamp="unix", value=value) == {"unix": [1, 2], value: [5, None]}


def test_one_record_alone() -> None:
    assert columns({"t": 1, "v": 5}) == {"t": [1], "v": [5]}


def test_records_that_are_all_without_value_yet() -> None:
    assert columns([{"t": 1, "v": None}]) == {"t": [1], "v": [None]}


@pytest.mark.parametrize(
    ("document", "keys", "message"),
    [
        ({"t": [1, 2], "v": [1]}, {}, "must be equally long, got 't' 2, 'v' 1"),
        ({"t": [1], "w": [1]}, {}, "expected a list at 'v' beside that of the times; the names are: t, w"),
        ({"other": 1}, {}, "expected a list at records = '', got {'other': 1}"),
        ([{"t": 1, "v": {"actual": 5, "forecast": 6}}], {}, "an object with the keys actual, forecast; name one"),
        ([{"t": 1, "w": 5}], {}, "no record has the value 'v'; set `value` of the source"),
        ([{"t": 1, "v": 5}], {"where": {"sensor": "A"}}, "no record has the where 'sensor'"),
    ],
)
def test_a_document_that_does_not_fit(document: Any, keys: dict[str, Any], message: str) -> None:
    assert message in refusal(document, **keys)
