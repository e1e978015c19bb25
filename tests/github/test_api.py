"""The client of GitHub's REST API, and its dispatch, against stand-ins that answer as GitHub does."""

from __future__ import annotations

import logging
import math
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from actioncast.github import api as api_module
from actioncast.github.api import Api, ApiError, dispatch_retrain
from tests.support.fake_github import READ_ONLY_TOKEN, REPOSITORY, TOKEN, FakeGitHub
from tests.workflows.github_stand_in import GitHub

PAYLOAD = {"series": "bitcoin", "reasons": ["live error is high"], "mae": 9.5, "naive_mae": None}


@pytest.fixture
def server() -> Iterator[FakeGitHub]:
    with FakeGitHub() as fake:
        yield fake


def dispatch(variables: Mapping[str, str], payload: dict[str, Any] | None = None) -> None:
    """Dispatch with these variables, without pauses between tries."""
    dispatch_retrain(Api.of(variables, pauses=(0, 0)), payload or PAYLOAD)


def answer_html(server: FakeGitHub) -> None:
    """Let the stand-in answer as a proxy on the way does."""
    server.encode = lambda _: "<html>"


def refusal(server: FakeGitHub, payload: dict[str, Any] | None = None, **variables: str) -> str:
    """The message of the error that this dispatch must end in."""
    with pytest.raises(ApiError) as caught:
        dispatch({**server.variables(), **variables}, payload)
    assert server.events == []
    return str(caught.value)


def test_the_event_and_its_payload_arrive(server: FakeGitHub) -> None:
    dispatch(server.variables())
    assert server.events == [{"event_type": "execute-retrain", "client_payload": PAYLOAD}]


def test_the_request_is_the_one_github_documents(server: FakeGitHub) -> None:
    dispatch(server.variables())
    request, headers = server.requests[0], server.requests[0].headers
    assert request.path == f"/repos/{REPOSITORY}/dispatches"
    assert headers["Accept"] == "application/vnd.github+json"
    assert headers["Content-Type"] == "application/json"
    assert headers["X-GitHub-Api-Version"] == "2022-11-28"


def test_a_url_ending_in_a_slash_and_a_token_ending_in_a_line_break_are_mended(server: FakeGitHub) -> None:
    variables = {**server.variables(f"{TOKEN}\n"), "GITHUB_API_URL": f"{server.url}/"}
    dispatch(variables)
    assert len(server.events) == 1


def test_401_says_that_the_token_is_not_valid(server: FakeGitHub) -> None:
    message = refusal(server, GITHUB_TOKEN="ghs_expired")
    assert "expected 204, got 401 Bad credentials: GITHUB_TOKEN is not valid" in message


def test_403_names_the_missing_permission(server: FakeGitHub) -> None:
    message = refusal(server, GITHUB_TOKEN=READ_ONLY_TOKEN)
    assert "403 Resource not accessible by integration" in message
    assert "`permissions: contents: write`" in message


def test_404_names_the_permission_and_the_repository(server: FakeGitHub) -> None:
    message = refusal(server, GITHUB_REPOSITORY="acme/elsewhere")
    assert "404 Not Found" in message
    assert "`permissions: contents: write`" in message
    assert "GITHUB_REPOSITORY must be OWNER/NAME" in message


def test_422_hands_on_what_github_says(server: FakeGitHub) -> None:
    message = refusal(server, {f"key{i}": i for i in range(11)})
    assert "422 Invalid request. No more than 10 properties are allowed" in message


def test_a_payload_at_the_limits_is_taken(server: FakeGitHub) -> None:
    payload = {f"key{i}": "" for i in range(10)}
    payload["key0"] = "x" * (65_535 - 120)
    dispatch(server.variables(), payload)
    assert len(server.events) == 1


def test_a_moved_repository_is_not_followed(server: FakeGitHub) -> None:
    server.answers = [301]
    assert "put the new OWNER/NAME into GITHUB_REPOSITORY" in refusal(server)
    assert len(server.requests) == 1


def test_an_answer_of_200_is_no_dispatch(server: FakeGitHub) -> None:
    server.answers = [200]
    assert "expected 204, got 200" in refusal(server)


def test_a_bad_gateway_is_tried_again(server: FakeGitHub) -> None:
    server.answers = [502]
    dispatch(server.variables())
    assert len(server.requests) == 2
    assert len(server.events) == 1


def test_three_bad_gateways_are_enough(server: FakeGitHub) -> None:
    server.answers = [502, 503, 502]
    assert "expected 204, got 502" in refusal(server)
    assert len(server.requests) == 3


def test_a_refusal_is_not_tried_again(server: FakeGitHub) -> None:
    refusal(server, GITHUB_TOKEN=READ_ONLY_TOKEN)
    assert len(server.requests) == 1


def test_silence_ends_and_is_not_tried_again(server: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_module, "TIMEOUT_SECONDS", 0.2)
    server.answers = [0]
    assert "TimeoutError; no retrain was dispatched" in refusal(server)
    assert len(server.requests) == 1


def test_nobody_listening_is_a_clear_error(server: FakeGitHub) -> None:
    message = refusal(server, GITHUB_API_URL="http://127.0.0.1:1")
    assert "http://127.0.0.1:1/repos/" in message
    assert "ConnectionRefusedError; no retrain was dispatched" in message


def test_a_refused_connection_is_tried_again(server: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("actioncast.github.api.time.sleep", pauses.append)
    with pytest.raises(ApiError, match="ConnectionRefusedError"):
        dispatch_retrain(Api("http://127.0.0.1:1", REPOSITORY, TOKEN, pauses=(1, 3)), PAYLOAD)
    assert pauses == [1, 3]


@pytest.mark.parametrize(("asked", "waited"), [("7", 7), ("86400", 20), ("tomorrow", 1)])
def test_github_may_ask_for_a_pause_up_to_a_limit(
    server: FakeGitHub, monkeypatch: pytest.MonkeyPatch, asked: str, waited: float
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("actioncast.github.api.time.sleep", pauses.append)
    server.answers = [429]
    server.headers = {"Retry-After": asked}
    dispatch_retrain(Api(server.url, REPOSITORY, TOKEN, pauses=(1, 3), longest_pause=20), PAYLOAD)
    assert pauses == [waited]
    assert len(server.events) == 1


def test_an_answer_that_is_no_json_is_named_by_its_status(server: FakeGitHub) -> None:
    answer_html(server)
    server.answers = [418]
    assert "expected 204, got 418 I'm a Teapot" in refusal(server)


def test_a_payload_with_nan_is_never_sent(server: FakeGitHub) -> None:
    assert "not JSON compliant" in refusal(server, {"mae": math.nan})
    assert server.requests == []


@pytest.mark.parametrize("missing", ["GITHUB_TOKEN", "GITHUB_REPOSITORY"])
def test_what_is_not_configured_is_named(server: FakeGitHub, missing: str) -> None:
    message = refusal(server, None, **{missing: ""})
    assert message.startswith(f"{missing} is not set")
    assert "${{ github.token }}" in message


def test_a_blank_token_is_no_token(server: FakeGitHub) -> None:
    assert refusal(server, GITHUB_TOKEN=" \n").startswith("GITHUB_TOKEN is not set")


@pytest.mark.parametrize("token", ["ghp_secret\u2026", "ghp_sec\nret", "ghp_secret"])
@pytest.mark.parametrize("status", [200, 403, 502])
def test_the_token_never_shows(
    server: FakeGitHub, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], token: str, status: int
) -> None:
    caplog.set_level(logging.DEBUG)
    server.answers = [status] * 3  # each answer repeats the header it was sent
    with pytest.raises(ApiError) as caught:
        dispatch(server.variables(token))
    shown = "".join([*traceback.format_exception(caught.value), repr(caught.value), caplog.text, *capfd.readouterr()])
    assert "ghp_sec" not in shown


# the other calls -----------------------------------------------------------------------------------------------------


def test_a_busy_github_is_asked_again_but_an_answered_write_is_not_repeated(tmp_path: Path) -> None:
    with GitHub(tmp_path / "github") as github:
        token = github.issue_token({"issues": "write"}).value
        api = Api(github.api_url, github.full_name, token, pauses=(0, 0))
        github.fail_next("GET", status=502, count=2)
        assert api.call("GET", "/issues") == []
        github.fail_next("POST", status=502)
        with pytest.raises(ApiError, match="502"):
            api.call("POST", "/issues", {"title": "x"})
        assert github.issues == {}


def test_variables_that_are_missing_are_all_named() -> None:
    with pytest.raises(ApiError, match="GITHUB_TOKEN is not set"):
        Api.of({"GITHUB_REPOSITORY": "a/b"})
    with pytest.raises(ApiError, match="GITHUB_REPOSITORY and GITHUB_TOKEN are not set"):
        Api.of({})


def test_without_an_answer_the_status_is_0() -> None:
    with pytest.raises(ApiError) as silent:
        Api("http://127.0.0.1:9", "a/b", "t", pauses=()).call("POST", "/issues", {})
    assert silent.value.status == 0


def test_an_answer_of_200_without_json_is_an_error(server: FakeGitHub) -> None:
    answer_html(server)
    server.answers = [200]
    with pytest.raises(ApiError, match="expected JSON, got b'<html>'"):
        Api(server.url, REPOSITORY, TOKEN).call("GET", "/issues")
