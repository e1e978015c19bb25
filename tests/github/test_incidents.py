"""Incidents against the local GitHub: one issue per title, people who hear of it, nothing secret in it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest

from actioncast.github import incidents
from actioncast.github.api import Api, ApiError
from actioncast.github.incidents import NOTHING, Incidents
from tests.support.receivers import SECRET_PATH, Receiver
from tests.workflows.github_stand_in import GitHub

MAY = {"issues": "write", "actions": "read"}
TITLE = "etl is failing"
BODY = "`error: the source is dead`\n\nMore."
START = datetime(2026, 11, 25, 12, 17, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    for name in ("WEBHOOK_URL", "HEARTBEAT_URL", "NOTIFY", "GITHUB_EVENT_PATH", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    with GitHub(tmp_path / "github") as stand_in:
        monkeypatch.setenv("GITHUB_REPOSITORY", stand_in.full_name)
        monkeypatch.setenv("GITHUB_REPOSITORY_OWNER", "acme")
        monkeypatch.setenv("GITHUB_API_URL", stand_in.api_url)
        monkeypatch.setenv("GITHUB_TOKEN", stand_in.issue_token(MAY).value)
        monkeypatch.setenv("GITHUB_RUN_ID", "77")
        monkeypatch.setenv("GITHUB_WORKFLOW_REF", "acme/forecasts/.github/workflows/etl.yml@refs/heads/main")
        yield stand_in


@pytest.fixture
def slack(github: GitHub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with Receiver("slack") as receiver:
        for name, value in receiver.variables().items():
            monkeypatch.setenv(name, value)
        yield receiver


def job(now: datetime) -> Incidents:
    """The incidents of a job that runs now."""
    return Incidents(Api.of(os.environ, pauses=()), now=now, variables=os.environ, pauses=())


def titles(github: GitHub, state: str) -> list[str]:
    return [issue["title"] for issue in github.issues.values() if issue["state"] == state]


def comments(github: GitHub) -> list[str]:
    return [comment["body"] for comment in github.comments.values()]


def log_of(folder: Path, *lines: str) -> list[str]:
    path = folder / "job.log"
    path.write_text("\n".join(lines), encoding="utf-8")
    return ["--log", str(path)]


# --- one issue --------------------------------------------------------------------------------------------------------


def test_one_issue_however_often_it_fails_and_recovery_closes_it(github: GitHub, tmp_path: Path) -> None:
    for line in ("first", "second"):
        assert incidents.main(["etl", "failure", *log_of(tmp_path, line)]) == 0
    assert titles(github, "open") == [TITLE]
    assert "second" in github.issues[1]["body"]
    assert "/actions/runs/77" in github.issues[1]["body"]
    assert incidents.main(["etl", "cancelled"]) == 0
    assert incidents.main(["other", "success"]) == 0
    assert titles(github, "open") == [TITLE]
    assert incidents.main(["etl", "success"]) == 0
    assert titles(github, "closed") == [TITLE]
    assert incidents.main(["etl", "failure"]) == 0
    assert titles(github, "open") == [TITLE], "a new failure is a new issue"


def test_recovery_closes_all_that_runs_of_the_same_moment_have_opened(github: GitHub) -> None:
    for _ in range(2):
        Api.of(os.environ).call("POST", "/issues", {"title": TITLE})
    assert incidents.main(["etl", "success"]) == 0
    assert titles(github, "open") == []


@pytest.mark.parametrize("unknown_label", ["create", "drop", "refuse", "ignore"])
@pytest.mark.parametrize("labels_are_forbidden", [False, True])
def test_whatever_github_does_with_the_label_there_is_one_issue(
    github: GitHub, unknown_label: Literal["create", "drop", "refuse", "ignore"], labels_are_forbidden: bool
) -> None:
    github.unknown_label = unknown_label
    if labels_are_forbidden:
        github.fail_next("POST .*/labels$", status=403, count=9)
    for hour in range(3):
        job(START + hour * HOUR).sync(TITLE, BODY)
    assert titles(github, "open") == [TITLE]
    names = [label["name"] for label in github.issues[1]["labels"]]
    assert names == [] if labels_are_forbidden and unknown_label != "create" else ["incident"]
    job(START + 3 * HOUR).sync(TITLE, None)
    assert titles(github, "open") == []


def test_a_hundred_other_issues_hide_none_and_a_job_lists_them_once(github: GitHub) -> None:
    api = Api.of(os.environ)
    for number in range(120):
        api.call("POST", "/issues", {"title": f"other {number}"})
    api.call("POST", "/issues", {"title": TITLE})
    github.requests.clear()
    of_this_job = job(START)
    assert of_this_job.sync(TITLE, BODY) == f"updated issue #121: {TITLE}"
    for number in range(120, 400):
        assert of_this_job.sync(f"quiet {number}", None) == NOTHING
    assert [request.method for request in github.requests] == ["GET", "GET", "PATCH"]


@pytest.mark.parametrize(("author", "is_ours"), [("stranger", False), ("acme", True), ("our-app[bot]", True)])
def test_an_issue_of_a_stranger_under_our_title_is_left_alone(github: GitHub, author: str, is_ours: bool) -> None:
    token = github.issue_token(MAY, user=author).value
    Api.of({**os.environ, "GITHUB_TOKEN": token}).call("POST", "/issues", {"title": TITLE})
    job(START).sync(TITLE, None)
    assert titles(github, "closed") == ([TITLE] if is_ours else [])


def test_without_permission_it_says_so_and_fails(
    github: GitHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", github.issue_token({"contents": "write"}).value)
    assert incidents.main(["etl", "failure"]) == 1
    assert "permissions" in capsys.readouterr().out


# --- people -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("notify", "assignees", "mentions"),
    [
        ("", ["acme"], "@acme"),
        ("@ann @acme/on-call", ["ann"], "@ann @acme/on-call"),
        ("ann,bob", ["ann"], "@ann @bob"),
        ("-", [], ""),
    ],
)
@pytest.mark.parametrize("refuses", [True, False])
def test_people_are_mentioned_and_those_of_the_repository_assigned(
    github: GitHub,
    monkeypatch: pytest.MonkeyPatch,
    notify: str,
    assignees: list[str],
    mentions: str,
    refuses: bool,
) -> None:
    github.assignable = {"acme", "ann"}
    github.refuses_assignees = refuses
    monkeypatch.setenv("NOTIFY", notify)
    job(START).sync(TITLE, BODY)
    job(START + HOUR).sync(TITLE, BODY)
    issue = github.issues[1]
    assert [person["login"] for person in issue["assignees"]] == assignees
    assert mentioned_in(issue["body"]) == mentions


def mentioned_in(body: str) -> str:
    return " ".join(word for word in body.split() if word.startswith("@"))


def test_an_owner_that_is_an_organisation_is_neither_assigned_nor_mentioned(github: GitHub) -> None:
    job(START).sync(TITLE, BODY)
    assert github.issues[1]["assignees"] == []
    assert "@" not in github.issues[1]["body"]


def test_somebody_who_has_left_between_two_requests_stops_no_issue(github: GitHub) -> None:
    github.assignable = {"acme"}
    github.fail_next("POST .*/issues$", status=422)
    job(START).sync(TITLE, BODY)
    assert titles(github, "open") == [TITLE]


def test_two_days_and_an_hour_of_failing_are_one_issue_two_comments_and_one_of_recovery(
    github: GitHub, slack: Receiver
) -> None:
    github.assignable = {"acme"}
    for hour in range(50):
        job(START + hour * HOUR).sync(TITLE, f"`error: attempt {hour}`\n\nMore.")
    job(START + 50 * HOUR).sync(TITLE, None)
    first, second, recovered = comments(github)
    assert "Still failing since 2026-11-25T12:17:00Z: 25 failures." in first
    assert "`error: attempt 24`" in first
    assert "@acme" in first
    assert "attempt 48" in second
    assert "after 2 days and 50 failures" in recovered
    assert len(github.issues) == 1
    assert len(slack.taken) == 4, "opened, twice a day, recovered"
    assert "acme/forecasts: etl is failing" in slack.texts()[0]
    assert "error: attempt 0" in slack.texts()[0]
    assert "/actions/runs/77" in slack.texts()[0]
    assert "Recovered" in slack.texts()[3]


# --- webhooks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["slack", "teams", "discord", "ntfy", "json"])
@pytest.mark.parametrize("text", ["short", "x" * 70_000, "ä\N{GRINNING FACE}" * 9_000])
def test_every_kind_of_receiver_takes_every_message(
    github: GitHub, monkeypatch: pytest.MonkeyPatch, kind: str, text: str
) -> None:
    with Receiver(kind) as receiver:
        for name, value in receiver.variables().items():
            monkeypatch.setenv(name, value)
        job(START).sync(TITLE, f"{text} @everyone <!channel>\n\nMore.")
        job(START + 24 * HOUR).sync(TITLE, text)
        job(START + 25 * HOUR).sync(TITLE, None)
    assert len(receiver.taken) == 3
    assert TITLE in receiver.texts()[0]


@pytest.mark.parametrize("status", [400, 404, 429, 500])
def test_a_webhook_that_fails_is_a_warning_without_its_address(
    github: GitHub, slack: Receiver, capsys: pytest.CaptureFixture[str], status: int
) -> None:
    slack.answers = [status]
    assert job(START).sync(TITLE, BODY) == f"opened issue #1: {TITLE}"
    printed = capsys.readouterr().out
    assert printed.startswith(f"::warning title=Webhook not sent::{TITLE}: the receiver answered {status}")
    assert_hidden(printed, slack)


def assert_hidden(text: str, receiver: Receiver) -> None:
    for part in (SECRET_PATH, "canary", receiver.url):
        assert part not in text


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/canary", "canary", "ftp://canary/x"])
def test_a_webhook_that_is_not_there_is_a_warning_too(
    github: GitHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], address: str
) -> None:
    monkeypatch.setenv("WEBHOOK_URL", address)
    job(START).sync(TITLE, BODY)
    assert titles(github, "open") == [TITLE]
    printed = capsys.readouterr().out
    assert f"::warning title=Webhook not sent::{TITLE}: " in printed
    assert "no answer: ConnectionRefusedError" in printed or "not an http(s) URL" in printed
    assert "canary" not in printed
    assert "127.0.0.1" not in printed


def test_an_unknown_kind_is_a_warning_that_names_those_there_are(
    github: GitHub, slack: Receiver, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WEBHOOK_KIND", "pigeon")
    job(START).sync(TITLE, BODY)
    assert "WEBHOOK_KIND is 'pigeon'; there are slack, teams, discord, ntfy, json" in capsys.readouterr().out
    assert slack.taken == []


# --- Issues switched off ----------------------------------------------------------------------------------------------


def test_where_issues_are_off_the_job_stays_green_and_says_so(
    github: GitHub,
    slack: Receiver,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    github.issues_are_on = False
    assert incidents.main(["etl", "success"]) == 0
    assert slack.taken == []
    assert incidents.main(["etl", "failure"]) == 0
    assert f"::notice title=Issues are switched off::no issue says so: {TITLE}." in capsys.readouterr().out
    assert "Issues are switched off" in (tmp_path / "summary.md").read_text()
    assert len(slack.taken) == 1


def test_where_issues_are_off_the_webhook_still_hears_once_a_day(github: GitHub, slack: Receiver) -> None:
    github.issues_are_on = False
    github.repository.commit({".github/workflows/etl.yml": "on: push\njobs: {}\n"})
    outcomes = ["success", *["failure"] * 48, "success", "success"]
    for hour, outcome in enumerate(outcomes):
        now = START + hour * HOUR
        job(now).sync(TITLE, BODY if outcome == "failure" else None)
        github.add_run("etl.yml", outcome, now)
        github.add_run("etl.yml", "cancelled", now + HOUR / 2)
    texts = slack.texts()
    assert len(texts) == 4, "opened, the first run of either new day, recovered"
    assert "Recovered" in texts[-1]


def test_where_nobody_may_read_the_runs_each_failure_is_a_message(
    github: GitHub, slack: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    github.issues_are_on = False
    monkeypatch.setenv("GITHUB_TOKEN", github.issue_token({"issues": "write"}).value)
    for hour in range(2):
        job(START + hour * HOUR).sync(TITLE, BODY)
    assert len(slack.taken) == 2


def test_where_github_refuses_the_issue_the_webhook_still_goes_out(github: GitHub, slack: Receiver) -> None:
    github.fail_next("POST .*/issues$", status=403)
    with pytest.raises(ApiError):
        job(START).sync(TITLE, BODY)
    assert len(slack.taken) == 1


def test_where_issues_are_off_there_are_no_titles(github: GitHub) -> None:
    github.issues_are_on = False
    assert job(START).titles() == []


# --- the dead man's switch --------------------------------------------------------------------------------------------


@pytest.fixture
def switch(github: GitHub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with Receiver("heartbeat") as receiver:
        monkeypatch.setenv("HEARTBEAT_URL", receiver.address)
        yield receiver


@pytest.mark.parametrize(
    ("outcome", "paths"),
    [("success", [SECRET_PATH]), ("failure", [f"{SECRET_PATH}/fail"]), ("cancelled", [])],
)
def test_the_switch_hears_of_success_and_of_failure(switch: Receiver, outcome: str, paths: Sequence[str]) -> None:
    assert incidents.main(["etl", outcome]) == 0
    assert switch.paths == paths


def test_a_switch_that_fails_is_a_warning_without_its_address(
    switch: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    switch.answers = [404]
    assert incidents.main(["etl", "success"]) == 0
    printed = capsys.readouterr().out
    assert "::warning title=Heartbeat not sent::the receiver answered 404" in printed
    assert_hidden(printed, switch)


# --- time limits ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("minutes", "opened"), [(10, [TITLE]), (3, [])])
def test_a_job_cancelled_at_its_time_limit_has_failed(
    github: GitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, minutes: int, opened: list[str]
) -> None:
    event = tmp_path / "event.json"
    event.write_text("{}")
    started = datetime.now(UTC).timestamp() - 60 * minutes
    os.utime(event, (started, started))
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(event))
    log = log_of(tmp_path, "error: an older one")
    assert incidents.main(["etl", "cancelled", "--limit-minutes", "10", *log]) == 0
    assert titles(github, "open") == opened
    for issue in github.issues.values():
        assert issue["body"].startswith("`error: the job was stopped at its time limit of 10 minutes`")


# --- secrets ----------------------------------------------------------------------------------------------------------


def test_no_secret_of_the_job_is_in_an_issue_a_comment_a_webhook_or_the_summary(
    github: GitHub, slack: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = github.issue_token(MAY).value
    secrets = {
        "SOURCE_TOKEN": "canary-source",
        "DATABASE_URL": "postgresql://app:canary-database@db/x",
        "API_KEY": "canary-key",
        "HEARTBEAT_URL": "ftp://x/canary-heartbeat",
    }
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    lines = [f"error: {value} {token}" for value in [*secrets.values(), "canary-database"]]
    incidents.main(["etl", "failure", *log_of(tmp_path, *lines)])
    job(START + 10_000 * HOUR).sync(TITLE, "\n".join(lines))
    outlets = [str(github.issues), str(github.comments), *slack.texts(), (tmp_path / "summary.md").read_text()]
    assert len(slack.taken) == 2
    for outlet in outlets:
        assert "canary" not in outlet
        assert token[10:30] not in outlet
        assert token[-20:] not in outlet


def test_the_body_of_a_run_says_where_the_page_is(github: GitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLISH_PAGES", "true")
    incidents.main(["etl", "failure"])
    assert "The page: https://acme.github.io/forecasts/" in github.issues[1]["body"]


def test_the_title_names_the_series_and_the_body_leads_to_their_pages(
    github: GitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "job.log"
    monkeypatch.setenv("PUBLISH_PAGES", "true")
    for failed in (("load", "sales", "wind", "solar"), ("sales",)):
        log.write_text("\n".join(f"::error title=update_real_data {name}::the source is dead" for name in failed))
        assert incidents.main(["update_real_data", "failure", "--log", str(log)]) == 0
        if len(failed) > 1:
            assert titles(github, "open") == ["update_real_data is failing · load, sales, wind and 1 more"]
    (issue,) = github.issues.values()
    assert issue["title"] == "update_real_data is failing · sales", "one issue, which follows what fails"
    assert "The page of [sales](https://" in issue["body"]
    assert "/sales.html)" in issue["body"]
    assert incidents.main(["update_real_data", "success"]) == 0
    assert titles(github, "open") == []
