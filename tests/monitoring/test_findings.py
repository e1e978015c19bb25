"""The issue of each kind of findings: what it says, and that it fits."""

from __future__ import annotations

from actioncast.monitoring import findings
from actioncast.monitoring.findings import Finding, by_kind, former_titles, issue_body, workflow_kind


def stale(subject: str, evidence: str = "newest stored hour: none", remedy: str = "Look at the source.") -> Finding:
    return Finding(findings.DATA, subject, evidence, remedy, stale=True)


def test_without_a_stale_finding_there_is_no_issue() -> None:
    assert issue_body([], "run 7") is None


def test_the_first_line_names_one_series_with_its_evidence() -> None:
    lines = (issue_body([stale("demo")], "Seen by run 7.") or "").splitlines()
    assert lines[0] == "error: no new period of demo is stored: newest stored hour: none"
    assert lines[2] == "Seen by run 7."


def test_the_first_line_counts_many_series_and_names_a_few() -> None:
    body = issue_body([stale(name) for name in "abcde"], "run 7") or ""
    assert body.startswith("error: no new period of 5 series is stored: a, b, c and 2 more\n")
    assert "| e " in body


def test_a_remedy_is_said_once() -> None:
    body = issue_body([stale("a"), stale("b"), stale("c", remedy="Press start.")], "run 7") or ""
    assert body.endswith("Look at the source.\n\nPress start.\n\nThis issue closes itself on recovery.")


def test_a_long_table_is_cut_to_what_an_issue_takes_and_says_so() -> None:
    body = issue_body([stale(f"series_{number}", "x" * 200) for number in range(1000)], "run 7") or ""
    assert 35_000 < len(body) < 45_000
    rows = body.count("\n| series_")
    assert f"and {1000 - rows} more" in body
    assert body.endswith("This issue closes itself on recovery.")


def test_a_credential_in_the_evidence_does_not_show() -> None:
    body = issue_body([stale("demo", "https://user:sesame@host/ answered 500")], "run 7") or ""
    assert "sesame" not in body


def test_findings_are_grouped_by_kind() -> None:
    other = Finding(workflow_kind("etl.yml"), "etl.yml", "", "", stale=False)
    groups = by_kind([stale("a"), other, stale("b")])
    assert [(kind.title, len(group)) for kind, group in groups] == [
        ("The data are stale", 2),
        ("The workflow etl.yml has not succeeded for too long", 1),
    ]


def test_issues_of_single_series_and_shards_give_way() -> None:
    titles = [
        "The data of load are stale",
        "The forecast of load is stale",
        "The champion of load is old",
        "The intervals of load are off",
        "retrain, shard 2/4, is failing",
        "The data are stale",
        "Something else",
    ]
    assert former_titles(titles) == list(
        zip(
            titles[:5],
            [
                "The data are stale",
                "The forecasts are stale",
                "Champions are old",
                "Intervals are off",
                "retrain is failing",
            ],
            strict=True,
        )
    )


def test_the_workflow_that_loads_and_checks_has_the_incidents_of_both_jobs() -> None:
    assert workflow_kind("update_real_data.yml").incidents == [
        "update_real_data is failing",
        "check_retrain is failing",
    ]
    assert workflow_kind("pages.yml").incidents == ["pages is failing"]
