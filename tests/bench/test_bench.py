"""The benchmarks run on tiny inputs, with the methods that need no library beside requirements.txt."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench import accuracy, m4, methods
from bench.methods import METHODS, Answer, Task, naive2, scores
from tests.support.series import START, seasonal

FREE = ["actioncast", "seasonal_naive_24", "tutorial_forest", "skforecast_lightgbm"]


@pytest.mark.parametrize("name", FREE)
def test_a_method_answers_with_a_forecast_per_hour(name: str) -> None:
    answer = METHODS[name](Task(seasonal(400), first_period=0, horizon=24, coverage=0.8))
    assert np.isfinite(answer.prediction).all()
    assert len(answer.prediction) == 24
    if answer.lower is not None and answer.upper is not None:
        assert (answer.lower <= answer.upper).all()


def test_scores_by_hand() -> None:
    answer = Answer(np.array([100.0, 100, 7]), np.array([90.0, 110, 0]), np.array([120.0, 120, 0]))
    row = scores(answer, np.array([110.0, 100, np.nan]), 5.0, 0.8)
    assert row["mae"] == 5
    assert row["mase"] == 1
    assert row["smape"] == pytest.approx(200 * (10 / 210) / 2)
    assert row["coverage"] == 0.5
    assert row["msis"] == pytest.approx((30 + 10 + 10 * 10) / 2 / 5)


def test_naive2_is_the_last_value_in_the_shape_of_the_day() -> None:
    shape = 1 + 0.5 * np.sin(2 * np.pi * np.arange(24) / 24)
    values = np.tile(shape, 20) * 100
    np.testing.assert_allclose(naive2(values, 48), np.tile(shape, 2) * 100, rtol=1e-9)
    noise = np.random.default_rng(0).normal(100, 1, 480)
    np.testing.assert_array_equal(naive2(noise, 3), noise[-1])


def test_m4_prints_the_documented_object(tmp_path: Path, capsys: Any) -> None:
    for name, slice_ in (("train.csv.gz", slice(0, 400)), ("test.csv.gz", slice(400, 448))):
        rows = [[f"H{i}", *seasonal(448, seed=i)[slice_]] for i in (1, 2)]
        lines = [",".join(map(str, row)) for row in [["id"], *rows]]
        (tmp_path / name).write_bytes(gzip.compress("\n".join(lines).encode()))
    ids = tmp_path / "ids.json"
    ids.write_text('["H2"]')
    flags = ["--data", str(tmp_path), "--ids", str(ids), "--only", "ours", "--only", "tutorial_forest", "--json"]
    assert m4.main(flags) == 0
    printed = json.loads(capsys.readouterr().out)
    assert list(printed) == ["actioncast", "tutorial_forest"]
    assert list(printed["actioncast"]) == ["smape", "mase", "owa", "msis", "wql", "coverage", "seconds_per_series"]
    assert printed["tutorial_forest"]["msis"] is None
    assert printed["actioncast"]["owa"] < printed["tutorial_forest"]["owa"]


def test_m4_without_data_says_so(capsys: Any) -> None:
    assert m4.main([]) == 0
    assert "nothing measured" in capsys.readouterr().err


def test_accuracy_reads_a_csv_of_yours(tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "mine.csv"
    hours = (f"2022-01-{1 + i // 24:02d}T{i % 24:02d}:00,{value}" for i, value in enumerate(seasonal(700)) if i != 300)
    path.write_text("\n".join(["timestamp,value", *hours]))
    flags = ["--csv", str(path), "--horizon", "24", "--origins", "2", "--only", "seasonal_naive_168", "--json"]
    assert accuracy.main(flags) == 0
    printed = json.loads(capsys.readouterr().out)
    assert set(printed) == {"seasonal_naive_168"}
    assert {"mae", "mase", "owa", "coverage", "seconds_per_origin"} <= set(printed["seasonal_naive_168"])


def test_the_bundled_series_are_read() -> None:
    assert len(accuracy.recording()) == 1130
    known = accuracy.bikes()
    assert len(known) == 17_544
    assert np.count_nonzero(np.isnan(known.values)) == 165


def test_peers_that_are_not_installed_are_left_out_and_named(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(methods, "find_spec", lambda _: None)
    assert methods.chosen(None) == ["actioncast", "seasonal_naive_24", "seasonal_naive_168", "tutorial_forest", FREE[3]]
    assert "not installed: statsforecast_mstl" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        methods.chosen(["ours", "mlforecast_lightgbm"])


HOUR_OF = np.arange(400)
ODD = {
    "constant": np.full(400, 5.0),
    "zeros": np.zeros(400),
    "negative": 20 * np.sin(2 * np.pi * HOUR_OF / 24) + np.random.default_rng(0).normal(0, 3, 400),
    "gaps": np.where(HOUR_OF % 19 == 0, np.nan, 100 + 20 * np.sin(2 * np.pi * HOUR_OF / 24)),
    "rare": np.where(np.random.default_rng(1).random(400) < 0.05, 7.0, 0.0),
}


def write(path: Path, values: Iterable[float], step: timedelta = timedelta(hours=1)) -> Path:
    rows = [f"{(START + i * step).isoformat()},{'' if value != value else value}" for i, value in enumerate(values)]
    path.write_text("\n".join(["timestamp,value", *rows]))
    return path


@pytest.mark.parametrize("name", ODD)
@pytest.mark.filterwarnings("error")
def test_accuracy_takes_an_odd_series(name: str, tmp_path: Path, capsys: Any) -> None:
    path = write(tmp_path / "odd.csv", ODD[name])
    flags = ["--csv", str(path), "--horizon", "24", "--origins", "2", "--json"]
    assert accuracy.main([*flags, "--only", "ours", "--only", "seasonal_naive_168"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert "NaN" not in json.dumps(result)
    assert result["actioncast"]["mae"] <= 1.02 * result["seasonal_naive_168"]["mae"] + 1e-9


@pytest.mark.parametrize(
    ("rows", "step", "message"),
    [
        (300, timedelta(days=1), "300 values in 300 of 7,177 hours; expected one value per hour"),
        (900, timedelta(minutes=15), "900 values in 225 of 225 hours; expected one value per hour"),
        (50, timedelta(hours=1), "50 values, 72 are the least to learn from"),
        (80, timedelta(hours=1), "80 hours are too few to learn from 72 and forecast 24"),
    ],
)
def test_accuracy_refuses_what_is_not_hourly(
    rows: int, step: timedelta, message: str, tmp_path: Path, capsys: Any
) -> None:
    path = write(tmp_path / "odd.csv", np.arange(rows, dtype=float), step)
    assert accuracy.main(["--csv", str(path), "--only", "ours"]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time,value\n2022-01-01T00:00,1\n", "no column 'timestamp'; expected timestamp and value"),
        ("timestamp,value\n2022-01-01T00:00,much\n", "could not convert string to float: 'much'"),
        ("timestamp,value\nyesterday,1\n", "Invalid isoformat string: 'yesterday'"),
    ],
)
def test_accuracy_names_what_it_cannot_read(text: str, message: str, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "odd.csv").write_text(text)
    assert accuracy.main(["--csv", str(tmp_path / "odd.csv"), "--only", "ours"]) == 2
    assert message in capsys.readouterr().err
