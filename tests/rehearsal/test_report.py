"""The recommendation of a rehearsal, and its broken promises."""

from __future__ import annotations

from dataclasses import replace

from actioncast.rehearsal.progress import Progress
from actioncast.rehearsal.report import recommendation, recommended
from tests.support.rehearsals import outcome_of, report_of


def test_of_policies_as_good_the_one_that_trains_least_is_recommended() -> None:
    report = report_of(outcome_of("often", 600, 40), outcome_of("some", 605, 5), outcome_of("never", 900, 0))
    assert recommended(report).policy.name == "some"
    assert 'mode = "dispatch"' in recommendation(report)
    assert report.as_json()["recommended"] == "some"


def test_broken_promises_fail_the_rehearsal_and_name_their_policy() -> None:
    bad = replace(outcome_of("often", 600, 40), progress=Progress(violations=["an hour is lost"]))
    report = report_of(bad, outcome_of("never", 900, 0))
    assert report.failed
    assert report.violations == ["often: an hour is lost"]
