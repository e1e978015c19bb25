from __future__ import annotations

import tomllib
from typing import Any

from actioncast.ingestion.detection import table


def test_the_text_of_a_table_reads_back_as_the_table() -> None:
    series: dict[str, Any] = {
        "unit": 'kW "net"',
        "points_per_period": 4,
        "source": {
            "kind": "file",
            "path": "data\\zähler.csv",
            "timestamp": ["Datum", "Uhrzeit"],
            "delimiter": "\t",
            "missing": [-999.9, "n/v"],
            "where": {"sensor id": "A", "plain": "1"},
            "newest_first": True,
        },
    }
    text = table.text_of("north", series)
    assert tomllib.loads(text) == {"series": {"north": series}}
