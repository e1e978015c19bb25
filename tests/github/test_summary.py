"""What a job shows on GitHub."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from actioncast.github import summary
from tests.support.clock import at


def test_outputs_and_the_summary_are_appended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    for value in ("1", "2"):
        summary.output("looked", value)
        summary.write(value)
    assert (tmp_path / "GITHUB_OUTPUT").read_text() == "looked=1\nlooked=2\n"
    assert (tmp_path / "GITHUB_STEP_SUMMARY").read_text() == "1\n\n2\n\n"


def test_outside_github_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(variable, raising=False)
    summary.output("looked", "true")
    summary.write("text")


def test_a_failure_of_several_lines_stays_one_annotation_and_one_quotation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    summary.failure("No", "first\nsecond")
    assert capsys.readouterr().out == "::error title=No::first%0Asecond\n"
    assert (tmp_path / "summary").read_text() == "> [!CAUTION]\n> **No**: first\n> second\n\n"


def test_neither_summary_nor_annotation_shows_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    monkeypatch.setenv("SOURCE_TOKEN", "canary-5c1d")
    summary.write("asked with canary-5c1d")
    summary.failure("No", "refused canary-5c1d and ghs_1_aaaa.bbbb-cc.dddd")
    written = (tmp_path / "summary").read_text() + capsys.readouterr().out
    assert "asked with ***" in written
    assert "refused *** and ***" in written
    assert "canary" not in written


def test_charts_are_mermaid_and_gaps_do_not_break_them() -> None:
    text = summary.line_chart('a "title"', "x", "y", [("one", [None, 1, None, 3]), ("none", [None, None])])
    chart, _, legend = text.partition("\n\n")
    lines = chart.splitlines()
    assert lines[0] == "```mermaid"
    assert lines[2:] == [
        "xychart-beta",
        "    title \"a 'title'\"",
        '    x-axis "x" 1 --> 4',
        '    y-axis "y" 0 --> 3.15',
        "    line [1, 1, 1, 3]",
        "```",
    ]
    assert legend == "🟦 one"
    assert summary.line_chart("t", "x", "y", [("one", [1])]) == ""
    assert summary.bar_chart("t", {}, "y") == ""


def test_a_chart_has_a_colour_for_each_name_and_begins_at_zero_or_below() -> None:
    text = summary.line_chart("t", "x", "y", [("a", [1, 2]), ("b", [-4, 1]), ("b", [3, 4])])
    theme = json.loads(text.splitlines()[1].removeprefix("%%{init: ").removesuffix("}%%"))["themeVariables"]["xyChart"]
    assert theme["plotColorPalette"] == "#3b82f6, #d97706, #d97706"
    assert theme["backgroundColor"] == "transparent"
    assert '"y" -4.2 --> 4.2' in text
    assert text.endswith("🟦 a · 🟧 b")


def test_bars_are_numbered_and_named_below() -> None:
    text = summary.bar_chart("t", {"seasonal_naive_168": 2.0, "a_long_name_of_a_blend": 1.0}, "y")
    assert 'x-axis ["1", "2"]' in text
    assert '"y" 0 --> 2.1' in text
    assert text.endswith("1 seasonal_naive_168 · 2 a_long_name_of_a_blend")


def test_the_days_of_a_check_are_means_of_their_hours() -> None:
    rows = [
        {"prediction_date": at(hour), "absolute_error": error, "naive_error": naive}
        for hour, error, naive in [(0, 1.0, 2.0), (1, 3.0, None), (24, 5.0, 6.0), (25, None, None), (48, 7.0, None)]
    ]
    report = {"series": "demo", "reasons": ["because"], "verdict": "good", "scored_periods": 4, "newest_period": None}
    report |= {"mae": 4.0, "reference_mae": None, "naive_mae": 1.0, "dispatched": False}
    text = summary.check(report, "x", rows)
    assert text.startswith("### demo: the verdict on the live error is good\n")
    assert "line [2, 5, 7]" in text
    assert "line [2, 6, 6]" in text
    assert "- because" in text


def test_what_a_load_left_out_is_listed_with_its_reason() -> None:
    rejected = {"reason": "no number", "count": 2, "examples": ["00:00 = '<b>'", "01:00 = 'x'"]}
    report = dict.fromkeys(summary.ETL_KEYS) | {"series": "demo", "points_rejected": 2, "outcome": "nothing new"}
    report |= {"rejected_by_reason": [rejected]}
    report |= {"notes": ["odd"], "warnings": []}
    listed = "\nLeft out, and to be looked at:\n\n    2 points: no number, e.g. 00:00 = '<b>'; 01:00 = 'x'\n    odd"
    assert listed in summary.etl(report, "x", [])
    assert "Left out" not in summary.etl(report | {"rejected_by_reason": [], "notes": []}, "x", [])


def test_warnings_of_a_load_are_in_its_section() -> None:
    report = dict.fromkeys(summary.ETL_KEYS) | {"series": "demo", "rejected_by_reason": [], "notes": []}
    report |= {"warnings": ["zeros: 4 hours are exactly 0"]}
    assert "\n- warning: zeros: 4 hours are exactly 0\n" in summary.etl(report, "x", [1, 2])
    assert "warning" not in summary.etl(report | {"warnings": []}, "x", [1, 2])
