"""The words of an incident."""

from __future__ import annotations

import pytest

from actioncast.github.alerts.text import Failure, failure_of, first_line, job_body, page_url

OUTLINE = [
    'INFO settings {"train":{"seed":123}}',
    "error: a: the source is dead",
    "::error title=update_real_data a::a: the source is dead",
    "b: 3 hours loaded",
    "error: c: refused",
    "::error title=update_real_data c::c: refused%0Afor ever",
    "saved",
]


def test_a_log_names_the_last_error_and_every_series_that_failed() -> None:
    assert failure_of(OUTLINE, "update_real_data") == Failure("c: refused for ever", ("a", "c"))


@pytest.mark.parametrize("job", ["retrain", "retrain, shard 2/4,"])
def test_the_script_of_retrain_is_called_train(job: str) -> None:
    assert failure_of(["::error title=train a::no"], job).series == ("a",)


def test_an_annotation_of_another_kind_names_no_series() -> None:
    assert failure_of(["::error title=Not delivered::GH013"], "retrain") == Failure("GH013", ())


def test_a_body_begins_with_the_error_and_ends_with_the_log_without_settings() -> None:
    body = job_body("update_real_data", OUTLINE, "`update_real_data` failed in run 7.")
    paragraphs = body.split("\n\n")
    assert paragraphs[0] == "`error: c: refused for ever`"
    assert paragraphs[1] == "`update_real_data` failed in run 7."
    assert paragraphs[2] == "Series: a, c."
    assert "catches up" in paragraphs[3]
    assert body.endswith("saved\n~~~~")
    assert "settings" not in body


def test_of_many_series_ten_are_named() -> None:
    lines = [f"::error title=train s{number}::no" for number in range(300)]
    body = job_body("retrain", lines, "run")
    assert "Series: s0, s1, s2, s3, s4, s5, s6, s7, s8, s9 and 290 more." in body


def test_a_job_without_a_log_says_so() -> None:
    body = job_body("etl", [], "run")
    assert body.startswith("`error: no error was printed: the run shows which step failed`")
    assert "(the job failed before its script)" in body


def test_the_words_of_a_source_call_nobody_and_make_no_markup() -> None:
    body = job_body("etl", ["error: `@everyone` <!-- x --> [a](b)"], "run")
    assert first_line(body) == "error: '@everyone' <!-- x --> [a](b)"
    assert body.partition("\n")[0].count("`") == 2


@pytest.mark.parametrize(
    "line",
    [
        "could not connect to postgresql://app:hunter2hunter2@db/x",
        "Authorization: Bearer hunter2hunter2",
        "API_KEY=hunter2hunter2",
        '{"password": "hunter2hunter2"}',
        "ghs_hunter2hunter2.hunter2hunter2-hunter2.hunter2",
        "error: token=hunter2hunter2",
    ],
)
def test_what_looks_like_a_credential_is_not_in_the_issue(line: str) -> None:
    body = job_body("etl", ["before", line, "after"], "run")
    assert "hunter2" not in body
    assert "before" in body
    assert "after" in body


def test_a_log_cannot_break_out_of_its_fence_or_grow_over_the_limit() -> None:
    body = job_body("etl", ["x" * 100_000, "~~~~", "# not a title"], "run")
    assert body.count("~~~~") == 2
    assert len(body) < 65_536


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({}, ""),
        ({"PUBLISH_PAGES": "true"}, "https://acme.github.io/forecasts/"),
        ({"PUBLISH_PAGES": "true", "GITHUB_REPOSITORY": "Acme/acme.github.io"}, "https://acme.github.io/"),
        ({"PUBLISH_PAGES": "false"}, ""),
        ({"PUBLISH_PAGES": "true", "API_URL": "https://api.example.com"}, "https://api.example.com/"),
    ],
)
def test_the_page_is_that_of_the_service_or_of_github(variables: dict[str, str], url: str) -> None:
    assert page_url({"GITHUB_REPOSITORY": "acme/forecasts", **variables}) == url
