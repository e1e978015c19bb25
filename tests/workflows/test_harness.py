"""The harness itself, on workflow files of a few lines: it must let pass what GitHub lets pass, and nothing else."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from . import workflow_file
from .canaries import Canaries
from .clock import Clock
from .concurrency import MOST_PENDING, Groups
from .github_rest import loaded
from .github_stand_in import GitHub
from .runner import NoJobRanError, WorkflowRefusedError
from .workflow_file import Concurrency, Json

LONG = "45.25"  # seconds; no other step sleeps so long
ELEVEN = dict.fromkeys("abcdefghijk", "")
QUEUE_AND_CANCEL = {"group": "g", "queue": "max", "cancel-in-progress": True}
SLIM = {"runs-on": workflow_file.SLIM}
CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"
COMMIT_AND_PUSH = """
git config user.name bot && git config user.email bot@example.invalid
echo new > model.txt && git add model.txt && git commit --quiet --message "Promote" && git push --quiet
"""


def job(*steps: str | Json, **settings: Any) -> Json:
    """A job of these steps; a string is a `run:`."""
    listed = [{"run": step} if isinstance(step, str) else step for step in steps]
    return {"runs-on": "ubuntu-24.04", "timeout-minutes": 1, "steps": listed} | settings


def workflow(on: Any, jobs: dict[str, Json], **settings: Any) -> str:
    """The text of a workflow file that the harness accepts."""
    whole = {"name": "Test", "on": on, "permissions": {}, "concurrency": "test-${{ github.ref }}", "jobs": jobs}
    return yaml.safe_dump(whole | settings, sort_keys=False)


def install(github: GitHub, **files: str) -> None:
    """Commit workflow files: name -> text."""
    github.repository.commit({f".github/workflows/{name}.yml": text for name, text in files.items()})


def call(github: GitHub, method: str, path: str, permissions: dict[str, str], body: Any = None) -> tuple[int, Any]:
    """One REST call with a token of these permissions: status and parsed answer."""
    request = urllib.request.Request(
        f"{github.api_url}/repos/{github.full_name}{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {github.issue_token(permissions).value}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            status, content = response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            status, content = error.code, error.read()
    return status, json.loads(content) if content.startswith((b"{", b"[")) else content


def post(path: str, body: Json) -> str:
    """A shell command that makes the call as a workflow would."""
    address = f'"$GITHUB_API_URL/repos/$GITHUB_REPOSITORY{path}"'
    headers = '-H "Authorization: Bearer ${{ github.token }}"'
    return f"curl --silent --fail-with-body -X POST {headers} {address} -d '{json.dumps(body)}'"


# --- git --------------------------------------------------------------------------------------------------------------


def push_workflow(permissions: Json, **checkout: str) -> str:
    return workflow(
        "workflow_dispatch",
        {"push": job({"uses": CHECKOUT, "with": checkout}, COMMIT_AND_PUSH)},
        permissions=permissions,
    )


def test_push_with_contents_write_lands_and_starts_nothing(clock: Clock, github: GitHub) -> None:
    install(github, a=push_workflow({"contents": "write"}), on_push=workflow("push", {"j": job("true")}))
    run = clock.press("a.yml").check()
    assert github.repository.read("model.txt") == b"new\n"
    assert [(push.ref, push.run_id) for push in github.pushes] == [("refs/heads/main", run.id)]
    assert clock.deliver(run) == []


def test_push_without_contents_write_is_denied(clock: Clock, github: GitHub) -> None:
    install(github, a=push_workflow({"contents": "read"}))
    run = clock.press("a.yml").check("failure")
    assert "Permission to acme/forecasts.git denied to github-actions[bot]" in run.log
    assert github.pushes == []


def test_checkout_without_contents_read_finds_no_private_repository(clock: Clock, github: GitHub) -> None:
    install(github, a=push_workflow({}))
    clock.press("a.yml").check("failure")
    github.private = False
    run = clock.press("a.yml").check("failure")
    assert run.job("push").step("actions/checkout").conclusion == "success"


def test_push_without_persisted_credentials_fails(clock: Clock, github: GitHub) -> None:
    install(github, a=push_workflow({"contents": "write"}, **{"persist-credentials": "false"}))
    run = clock.press("a.yml").check("failure")
    assert "could not read Username" in run.log


@pytest.mark.parametrize("stage", ["advertise", "receive"])
def test_push_race_is_lost(clock: Clock, github: GitHub, stage: Any) -> None:
    install(github, a=push_workflow({"contents": "write"}))
    github.before_push(lambda: github.repository.commit({"other.txt": "x"}, "Somebody else"), stage=stage)
    clock.press("a.yml").check("failure")
    assert github.repository.log()[0].subject == "Somebody else"


def test_push_race_is_won_after_a_rebase(clock: Clock, github: GitHub) -> None:
    again = COMMIT_AND_PUSH.rstrip() + " || { git pull --quiet --rebase && git push --quiet; }"
    install(
        github,
        a=workflow("workflow_dispatch", {"j": job({"uses": CHECKOUT}, again)}, permissions={"contents": "write"}),
    )
    github.before_push(lambda: github.repository.commit({"other.txt": "x"}, "Somebody else"))
    clock.press("a.yml").check()
    assert [commit.subject for commit in github.repository.log()][:2] == ["Promote", "Somebody else"]


def test_protected_branch_and_workflow_files_refuse_the_bot(clock: Clock, github: GitHub) -> None:
    forbidden = COMMIT_AND_PUSH.replace("model.txt", ".github/workflows/b.yml")
    files = {"a": push_workflow({"contents": "write"}), "b": workflow("push", {"j": job("true")})}
    files["c"] = workflow(
        "workflow_dispatch", {"j": job({"uses": CHECKOUT}, forbidden)}, permissions={"contents": "write"}
    )
    install(github, **files)
    assert "without `workflows` permission" in clock.press("c.yml").check("failure").log
    github.repository.protect("main")
    assert "Protected branch update failed" in clock.press("a.yml").check("failure").log


@pytest.mark.parametrize(("depth", "commits"), [("1", 1), ("0", 3)])
def test_checkout_depth_and_ref(clock: Clock, github: GitHub, depth: str, commits: int) -> None:
    github.repository.commit({"x": "1"}, "one")
    github.repository.commit({"x": "2"}, "two")
    steps: list[str | Json] = [
        {"uses": CHECKOUT, "with": {"fetch-depth": depth}},
        'echo "count=$(git rev-list --count HEAD)" >> "$GITHUB_OUTPUT"',
    ]
    install(github, a=workflow("workflow_dispatch", {"j": job(*steps)}, permissions={"contents": "read"}))
    run = clock.press("a.yml").check()
    assert run.job("j").step("1").outputs == {"count": str(commits)}


def test_checkout_of_a_missing_branch_fails(clock: Clock, github: GitHub) -> None:
    install(github, a=push_workflow({"contents": "write"}, ref="state"))
    clock.press("a.yml").check("failure")


# --- permissions ------------------------------------------------------------------------------------------------------


def test_each_job_has_its_own_permissions(clock: Clock, github: GitHub) -> None:
    report = post("/issues", {"title": "Red"})
    jobs = {"may": job(report, permissions={"issues": "write"}), "may_not": job(report, permissions={"issues": "read"})}
    install(github, a=workflow("workflow_dispatch", jobs))
    run = clock.press("a.yml").check("failure")
    assert (run.job("may").conclusion, run.job("may_not").conclusion) == ("success", "failure")
    assert "Resource not accessible by integration" in run.job("may_not").log
    assert [issue["title"] for issue in github.issues.values()] == ["Red"]


def test_called_workflow_cannot_have_more_than_its_caller(clock: Clock, github: GitHub) -> None:
    called = workflow("workflow_call", {"inner": job(post("/issues", {"title": "x"}), permissions={"issues": "write"})})
    caller = {"call": {"name": "Call it", "uses": "./.github/workflows/called.yml", "permissions": {"issues": "read"}}}
    install(github, a=workflow("workflow_dispatch", caller), called=called)
    run = clock.press("a.yml").check("failure")
    assert run.job("call/inner").conclusion == "failure"
    assert "Resource not accessible by integration" in run.log


def test_fork_reads_only_and_gets_no_secrets(clock: Clock, github: GitHub) -> None:
    steps = ('echo "secret=[${{ secrets.KEY }}]"', post("/issues/1/comments", {"body": "report"}))
    install(github, a=workflow("pull_request", {"j": job(*steps)}, permissions={"pull-requests": "write"}))
    github.repository.git("branch", "feature", "main")
    github.repository.commit({"y": "1"}, branch="feature")
    clock.secrets = {"KEY": "k-value"}
    number = github.open_pull("feature")
    assert "secret=[]" in clock.pull_request("a.yml", number, from_fork=True).check("failure").log
    clock.pull_request("a.yml", number).check()
    assert [comment["body"] for comment in github.comments.values()] == ["report"]


def test_gh_needs_permission_to_comment_and_keeps_one_comment_up_to_date(clock: Clock, github: GitHub) -> None:
    variables = {"GH_TOKEN": "${{ github.token }}", "GH_REPO": "${{ github.repository }}"}
    command = "gh pr comment 1 --edit-last --create-if-none --body-file report.md"
    comment = {"env": variables, "run": f'echo "run $GITHUB_RUN_NUMBER" > report.md\n{command}'}
    for name, level in (("reads", "read"), ("writes", "write")):
        triggered = workflow("pull_request", {"j": job(comment)}, permissions={"pull-requests": level})
        install(github, **{name: triggered})
    github.repository.git("branch", "feature", "main")
    github.repository.commit({"y": "1"}, branch="feature")
    number = github.open_pull("feature")
    refused = clock.pull_request("reads.yml", number).check("failure")
    assert "Resource not accessible by integration (HTTP 403)" in refused.log
    for _ in range(2):
        clock.pull_request("writes.yml", number).check()
    assert [comment["body"] for comment in github.comments.values()] == ["run 2\n"]


def test_token_is_worthless_after_the_run(clock: Clock, github: GitHub) -> None:
    install(github, a=workflow("workflow_dispatch", {"j": job("true")}))
    run = clock.press("a.yml")
    assert github.tokens[run.token].revoked


@pytest.mark.parametrize(
    ("method", "path", "needed", "body", "status"),
    [
        ("POST", "/dispatches", {"contents": "write"}, {"event_type": "go"}, 204),
        ("POST", "/actions/workflows/a.yml/dispatches", {"actions": "write"}, {"ref": "main"}, 204),
        ("GET", "/actions/workflows", {"actions": "read"}, None, 200),
        ("GET", "/actions/workflows/a.yml/runs", {"actions": "read"}, None, 200),
        ("PUT", "/actions/workflows/a.yml/enable", {"actions": "write"}, None, 204),
        ("POST", "/issues", {"issues": "write"}, {"title": "t"}, 201),
        ("GET", "/issues", {"issues": "read"}, None, 200),
        ("GET", "/pulls", {"pull-requests": "read"}, None, 200),
        ("GET", "/contents/.github", {"contents": "read"}, None, 200),
        ("GET", "", {}, None, 200),
        ("GET", "/unheard-of", {}, None, 501),
        ("GET", "/issues?since=2026", {"issues": "read"}, None, 501),
        ("POST", "/dispatches", {"contents": "write"}, {"event_type": "x" * 101}, 422),
        ("POST", "/dispatches", {"contents": "write"}, {"event_type": "x", "client_payload": ELEVEN}, 422),
        ("POST", "/dispatches", {"contents": "write"}, {"event_type": "x", "client_payload": {"a": "x" * 65_535}}, 422),
        ("POST", "/actions/workflows/a.yml/dispatches", {"actions": "write"}, {"ref": "main", "inputs": {"x": 1}}, 422),
        ("POST", "/actions/workflows/a.yml/dispatches", {"actions": "write"}, {"ref": "gone"}, 422),
        ("POST", "/actions/workflows/none.yml/dispatches", {"actions": "write"}, {"ref": "main"}, 404),
        ("POST", "/issues", {"issues": "write"}, {"title": " "}, 422),
        ("POST", "/pulls", {"pull-requests": "write"}, {"title": "t", "head": "main", "base": "main"}, 422),
    ],
)  # fmt: skip
def test_rest_calls(github: GitHub, method: str, path: str, needed: dict[str, str], body: Any, status: int) -> None:
    install(github, a=workflow("workflow_dispatch", {"j": job("true")}))
    assert call(github, method, path, needed, body)[0] == status
    if needed and status < 300:
        assert call(github, method, path, {}, body) == (403, {"message": "Resource not accessible by integration"})


def test_unknown_token_is_401(github: GitHub) -> None:
    request = urllib.request.Request(
        f"{github.api_url}/repos/{github.full_name}", headers={"Authorization": "Bearer no"}
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)
    with refused.value as error:
        assert error.code == 401


def test_issue_lifecycle_and_paging(github: GitHub) -> None:
    may = {"issues": "write"}
    github.labels.add("incident")
    for number in range(1, 4):
        assert (
            call(github, "POST", "/issues", may, {"title": f"t{number}", "labels": ["incident"]})[1]["number"] == number
        )
    call(github, "POST", "/issues/1/comments", may, {"body": "again"})
    call(github, "PATCH", "/issues/1", may, {"state": "closed"})
    listed = call(github, "GET", "/issues?labels=incident&per_page=1&page=2", may)[1]
    assert [issue["title"] for issue in listed] == ["t2"]
    assert [issue["number"] for issue in call(github, "GET", "/issues?state=closed", may)[1]] == [1]
    assert call(github, "GET", "/issues/1/comments", may)[1][0]["body"] == "again"


@pytest.mark.parametrize(
    ("unknown_label", "status", "labels"),
    [("create", 201, ["incident"]), ("drop", 201, []), ("refuse", 422, None), ("ignore", 201, [])],
)
def test_unknown_label_meets_what_github_has_done(
    github: GitHub, unknown_label: Any, status: int, labels: list[str] | None
) -> None:
    github.unknown_label = unknown_label
    answer = call(github, "POST", "/issues", {"issues": "write"}, {"title": "t", "labels": ["incident"]})
    assert answer[0] == status
    if labels is not None:
        assert [label["name"] for label in answer[1]["labels"]] == labels


def test_repository_without_issues_says_gone(github: GitHub) -> None:
    github.issues_are_on = False
    for method, path in [("GET", "/issues"), ("POST", "/issues")]:
        answer = call(github, method, path, {"issues": "write"}, {"title": "t"} if method == "POST" else None)
        assert answer == (410, {"message": "Issues are disabled for this repo"})


def test_only_people_of_the_repository_are_assigned(github: GitHub) -> None:
    may = {"issues": "write"}
    github.assignable = {"ann"}
    asked = {"title": "t", "assignees": ["ann", "acme"]}
    assert call(github, "POST", "/issues", may, asked)[0] == 422
    github.refuses_assignees = False
    issue = call(github, "POST", "/issues", may, asked)[1]
    assert issue["assignees"] == [{"login": "ann"}]
    assert call(github, "GET", "/assignees/ann", may)[0] == 204
    assert call(github, "GET", "/assignees/acme", may)[0] == 404


def test_actions_may_be_forbidden_to_open_pulls(github: GitHub) -> None:
    github.repository.commit({"x": "1"})
    github.actions_may_open_pulls = False
    status, answer = call(
        github, "POST", "/pulls", {"pull-requests": "write"}, {"title": "t", "head": "a", "base": "main"}
    )
    assert (status, answer["message"]) == (403, "GitHub Actions is not permitted to create or approve pull requests.")


def test_planted_faults_pass(github: GitHub) -> None:
    github.repository.commit({"x": "1"})
    github.fail_next("GET /api/v3/repos/acme/forecasts$", count=2)
    assert [call(github, "GET", "", {})[0] for _ in range(3)] == [502, 502, 200]
    github.delay_next("GET", seconds=0.2)
    started = time.monotonic()
    call(github, "GET", "", {})
    assert time.monotonic() - started >= 0.2


def test_call_that_is_not_emulated_fails_the_test_even_when_the_step_forgives_it(clock: Clock, github: GitHub) -> None:
    install(github, a=workflow("workflow_dispatch", {"j": job(post("/unheard-of", {}) + " || true")}))
    with pytest.raises(WorkflowRefusedError, match="unheard-of"):
        clock.press("a.yml")


# --- chains -----------------------------------------------------------------------------------------------------------


def test_dispatch_chain_from_drift_to_deploy(clock: Clock, github: GitHub) -> None:
    drift = post("/dispatches", {"event_type": "execute-retrain", "client_payload": {"why": "drift"}})
    deploy = post("/actions/workflows/deploy.yml/dispatches", {"ref": "main", "inputs": {"model": "v2"}})
    retrain_on = {"repository_dispatch": {"types": ["execute-retrain"]}}
    deploy_on = {"workflow_dispatch": {"inputs": {"model": {"required": True, "type": "string"}}}}
    retrain = job({"uses": CHECKOUT}, COMMIT_AND_PUSH, deploy)
    install(
        github,
        check=workflow({"schedule": [{"cron": "17 */2 * * *"}]}, {"j": job(drift)}, permissions={"contents": "write"}),
        retrain=workflow(
            retrain_on, {"j": retrain}, permissions={"contents": "write", "actions": "write"}, concurrency="model"
        ),
        deploy=workflow(deploy_on, {"j": job('echo "deploying ${{ inputs.model }}"')}, concurrency="deploy"),
        other=workflow({"repository_dispatch": {"types": ["else"]}}, {"j": job("true")}),
    )
    first = clock.tick("check.yml").check()
    chain = [run.check() for run in clock.settle(first)]
    assert [run.file for run in chain] == ["retrain.yml", "deploy.yml"]
    assert chain[0].payload["client_payload"] == {"why": "drift"}
    assert "deploying v2" in chain[1].log
    assert github.repository.log()[0].subject == "Promote"


def test_endless_chain_is_a_failure(clock: Clock, github: GitHub) -> None:
    again = post("/dispatches", {"event_type": "go"})
    install(github, a=workflow({"repository_dispatch": None}, {"j": job(again)}, permissions={"contents": "write"}))
    first = clock.run("a.yml", "repository_dispatch", {"action": "go"})
    with pytest.raises(AssertionError, match="the chain does not end"):
        clock.settle(first)


def test_runs_are_listed_and_disabled_workflows_do_not_tick(clock: Clock, github: GitHub) -> None:
    install(github, a=workflow({"schedule": [{"cron": "1 * * * *"}]}, {"j": job("false")}))
    clock.tick("a.yml").check("failure")
    listed = call(github, "GET", "/actions/workflows/a.yml/runs?status=failure", {"actions": "read"})[1]
    assert [(run["status"], run["conclusion"]) for run in listed["workflow_runs"]] == [("completed", "failure")]
    github.workflow_states["a.yml"] = "disabled_inactivity"
    assert clock.tick("a.yml").check("not_started").reason == "a.yml is disabled_inactivity"
    call(github, "PUT", "/actions/workflows/a.yml/enable", {"actions": "write"})
    clock.tick("a.yml").check("failure")


# --- what a run shows -------------------------------------------------------------------------------------------------


def test_steps_outputs_summary_and_annotations(clock: Clock, github: GitHub) -> None:
    show = """
    echo "# Score" >> "$GITHUB_STEP_SUMMARY"
    echo "mae=0.7" >> "$GITHUB_OUTPUT"
    echo "::warning title=Old::two%0Alines"
    """
    steps: list[str | Json] = [
        {"id": "show", "name": "Show it", "run": show},
        {"run": "exit 3", "continue-on-error": True},
        {"run": "echo never", "if": "${{ failure() }}"},
    ]
    jobs = {"first": job(*steps), "second": job("true", **{"if": "${{ false }}"})}
    install(github, a=workflow("workflow_dispatch", jobs))
    run = clock.press("a.yml").check()
    assert run.summary == "# Score\n"
    assert run.job("first").step("Show it").outputs == {"mae": "0.7"}
    assert [(step.outcome, step.conclusion) for step in run.job("first").steps] == [
        ("success", "success"), ("failure", "success"), ("skipped", "skipped"),
    ]  # fmt: skip
    assert [(note.level, note.title, note.message) for note in run.annotations] == [("warning", "Old", "two\nlines")]
    assert run.job("second").conclusion == "skipped"


def test_last_lines_of_failing_steps_are_kept_and_no_step_sees_a_terminal(clock: Clock, github: GitHub) -> None:
    write = "test -t 1 && echo a terminal; echo last; printf unterminated; exit 1"
    steps: list[str | Json] = [{"run": write, "continue-on-error": True} for _ in range(10)]
    install(github, a=workflow("workflow_dispatch", {"j": job(*steps)}))
    lines = [
        line.split("] ")[1] for line in clock.press("a.yml").check().log.splitlines() if line.startswith("[Test/j] ")
    ]
    assert lines.count("last") == 10
    assert lines.count("unterminated") == 10
    assert "a terminal" not in lines


def test_step_may_leave_a_server_running(clock: Clock, github: GitHub) -> None:
    install(github, a=workflow("workflow_dispatch", {"j": job("sleep 20 & echo started")}))
    assert clock.press("a.yml").check().seconds < 10


def test_run_in_which_no_job_ran_is_a_failure(clock: Clock, github: GitHub) -> None:
    install(github, a=workflow("workflow_dispatch", {"j": job("true", **{"if": "vars.API_URL != ''"})}))
    with pytest.raises(NoJobRanError):
        clock.press("a.yml")
    clock.press("a.yml", may_skip_all=True).check("skipped")
    clock.press("a.yml", variables={"API_URL": "set"}).check()


def test_environment_is_empty_but_for_what_the_test_gives(
    clock: Clock, github: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "of-the-developer")
    install(github, a=workflow("workflow_dispatch", {"j": job('echo "[$DATABASE_URL] [$SOURCE] [$GIT_AUTHOR_NAME]"')}))
    assert "[] [fake] []" in clock.press("a.yml", environment={"SOURCE": "fake"}).check().log


def test_artifacts_caches_and_pages(clock: Clock, github: GitHub) -> None:
    build = job(
        {"uses": "actions/cache@27d5ce7f107fe9357f9df03efb73ab90386fccae", "with": {"path": "x", "key": "k"}},
        "mkdir -p out/deep && echo one > out/deep/a.json && echo two > out/b.txt",
        {"uses": "actions/upload-artifact@v7", "with": {"name": "files", "path": "out\n!out/b.txt"}},
        {"uses": "actions/configure-pages@v6"},
        {"uses": "actions/upload-pages-artifact@v5", "with": {"path": "out"}},
    )
    publish = job(
        {"uses": "actions/download-artifact@v8", "with": {"name": "files", "path": "got"}},
        "cat got/deep/a.json && test ! -e got/b.txt",
        {"id": "site", "uses": "actions/deploy-pages@v5"},
        needs="build",
        permissions={"pages": "write", "id-token": "write"},
    )
    install(github, a=workflow("workflow_dispatch", {"build": build, "publish": publish}))
    run = clock.press("a.yml").check()
    assert github.pages == {"deep/a.json": b"one\n", "b.txt": b"two\n"}
    assert run.job("publish").step("site").outputs["page_url"].endswith("/pages/")
    assert run.artifacts is not None
    assert (run.artifacts / "files/deep/a.json").read_text() == "one\n"


def test_python_and_uv(clock: Clock, github: GitHub) -> None:
    steps: list[str | Json] = [
        {"uses": "astral-sh/setup-uv@20cfd1bf945f4377ade1205e4dbc17946fc9a30d", "with": {"python-version": "3.13"}},
        "uv venv --quiet .venv && .venv/bin/python -c 'import sys; print(sys.prefix)'",
        {"uses": "actions/setup-python@v7", "with": {"python-version": "3.13"}},
        "python -c 'import sys; assert sys.prefix != sys.base_prefix' && pip --version",
    ]
    install(github, a=workflow("workflow_dispatch", {"j": job(*steps)}))
    clock.press("a.yml").check()


# --- what act passes over in silence ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (workflow("push", {"j": job({"uses": "somebody/else@v1"})}), "no stand-in for somebody/else@v1"),
        (workflow("push", {"j": job({"uses": CHECKOUT, "with": {"lfs": "true"}})}), "does not emulate its input lfs"),
        (workflow("push", {"j": job("true", **{"runs-on": "ubuntu-latest"})}), "runs-on 'ubuntu-latest'"),
        (workflow("push", {"j": job("true", services={"db": {"image": "postgres"}})}), "services"),
        (workflow("push", {"j": job("true", container="x")}), "container"),
        (workflow("push", {"j": {"runs-on": "ubuntu-24.04", "steps": [{"run": "true"}]}}), "no timeout-minutes"),
        (workflow("push", {"j": job("true")}, concurrency=QUEUE_AND_CANCEL), "queue"),
        (workflow("push", {"j": job("true")}).replace("concurrency: test-${{ github.ref }}\n", ""), "no concurrency"),
        (workflow("release", {"j": job("true")}), "the event release"),
        (workflow("push", {"j": job({"uses": "docker://alpine"})}), "docker://alpine"),
        (workflow("push", {"j": {"uses": "somebody/else/.github/workflows/x.yml@v1"}}), "only local workflows"),
        (workflow("push", {"j": job("docker build .", **SLIM)}), "needs docker"),
        (workflow("push", {"j": job("true", **(SLIM | {"timeout-minutes": 16}))}), "ends a job after 15"),
    ],
)  # fmt: skip
def test_what_a_run_could_not_answer_for_is_refused(clock: Clock, github: GitHub, text: str, reason: str) -> None:
    install(github, a=text)
    with pytest.raises(WorkflowRefusedError, match=reason.replace("(", r"\(")):
        clock.push("a.yml")


@pytest.mark.parametrize(
    ("settings", "branch", "file", "starts"),
    [
        ({}, "main", "a.py", True),
        ({"branches": ["main"]}, "main", "a.py", True),
        ({"branches": ["main"]}, "topic", "a.py", False),
        ({"branches": ["**", "!topic"]}, "topic", "a.py", False),
        ({"branches-ignore": ["state"]}, "state", "a.py", False),
        ({"tags": ["v*"]}, "main", "a.py", False),
        ({"paths": ["pipeline/**"]}, "main", "pipeline/deep/a.py", True),
        ({"paths": ["pipeline/*.py"]}, "main", "pipeline/deep/a.py", False),
        ({"paths": ["**.py", "!docs/**"]}, "main", "docs/a.py", False),
        ({"paths-ignore": ["model/**"]}, "main", "model/card.json", False),
        ({"paths-ignore": ["model/**"]}, "main", "train.py", True),
    ],
)
def test_push_filters(settings: Json, branch: str, file: str, starts: bool) -> None:
    text = workflow({"push": settings}, {"j": job("true")})
    reason = workflow_file.reason_not_started(
        workflow_file.load("a.yml", lambda _: text), "push", {"ref": f"refs/heads/{branch}"}, [file]
    )
    assert (reason is None) == starts, reason


def test_filtered_push_is_not_started(clock: Clock, github: GitHub) -> None:
    install(github, a=workflow({"push": {"paths": ["train.py"]}}, {"j": job("true")}))
    github.repository.commit({"readme.md": "x"})
    assert "select none" in clock.push("a.yml").check("not_started").reason
    github.repository.commit({"train.py": "x"})
    clock.push("a.yml").check()


def test_inputs_are_checked_and_filled_in(clock: Clock, github: GitHub) -> None:
    inputs = {"mode": {"type": "choice", "options": ["act", "suggest"]}, "force": {"type": "boolean", "default": False}}
    show = "echo 'mode=${{ inputs.mode }} force=${{ inputs.force && 1 || 0 }}'"
    install(github, a=workflow({"workflow_dispatch": {"inputs": inputs}}, {"j": job(show)}))
    assert "mode=act force=0" in clock.press("a.yml").check().log
    assert "mode=suggest force=1" in clock.press("a.yml", {"mode": "suggest", "force": True}).check().log
    with pytest.raises(ValueError, match="not in the list of allowed values"):
        clock.press("a.yml", {"mode": "other"})
    with pytest.raises(ValueError, match="Unexpected inputs"):
        clock.press("a.yml", {"unknown": "1"})


def test_runs_of_one_group_do_not_overlap_and_only_the_newest_waits(clock: Clock, github: GitHub) -> None:
    show = 'echo "$(date +%s%N)"; sleep 1; echo "$(date +%s%N)"'
    install(
        github, a=workflow("workflow_dispatch", {"j": job(show)}, concurrency={"group": "one-${{ github.workflow }}"})
    )
    threads = [threading.Thread(target=clock.press, args=("a.yml",)) for _ in range(3)]
    for number, thread in enumerate(threads):
        thread.start()
        wait_until(
            lambda number=number: len(github.runs) > number and (number == 0 or github.groups.waiting("one-test"))
        )
        time.sleep(0.3)
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(run.conclusion for run in clock.runs) == ["cancelled", "success", "success"]
    spans = sorted(
        [int(text) for line in run.log.split() if (text := line).isdigit() and len(line) > 15]
        for run in clock.runs
        if run.log
    )
    assert spans[0][1] <= spans[1][0]


def test_full_queue_drops_the_newest_and_keeps_those_that_wait() -> None:
    groups = Groups()
    queue = Concurrency("data", keep_all_pending=True)
    assert groups.enter(queue, 0)
    ran: list[int] = []
    dropped: list[int] = []

    def take_turn(run_id: int) -> None:
        if not groups.enter(queue, run_id):
            dropped.append(run_id)
            return
        ran.append(run_id)
        groups.leave(queue)

    newest = MOST_PENDING + 1
    threads = [threading.Thread(target=take_turn, args=(run_id,), daemon=True) for run_id in range(1, newest + 1)]
    for thread in threads[:-1]:
        thread.start()
    wait_until(lambda: groups.waiting("data") == MOST_PENDING)
    threads[-1].start()
    wait_until(lambda: dropped)
    assert dropped == [newest]
    groups.leave(queue)
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(ran) == list(range(1, MOST_PENDING + 1))


def test_checkout_takes_the_commit_of_the_event_unless_it_names_a_ref(clock: Clock, github: GitHub) -> None:
    show = 'echo "newest=$(git log -1 --format=%s)"'
    for name, ref in (("event", {}), ("tip", {"ref": "${{ github.ref_name }}"})):
        steps: list[str | Json] = [{"uses": CHECKOUT, "with": ref}, show]
        text = workflow("workflow_dispatch", {"j": job(*steps)}, permissions={"contents": "read"}, concurrency="data")
        install(github, **{name: text})
    before = github.repository.sha()
    group = Concurrency("data")
    for name, newest in (("event", "Change"), ("tip", "Promote")):
        github.repository.git("update-ref", "refs/heads/main", str(before))
        assert github.groups.enter(group, 0)
        waiting = threading.Thread(target=clock.press, args=(f"{name}.yml",))
        waiting.start()
        wait_until(lambda: github.groups.waiting("data"))
        github.repository.commit({"model.txt": "new"}, "Promote")
        github.groups.leave(group)
        waiting.join(timeout=60)
        assert f"newest={newest}" in clock.runs[-1].check().log


def wait_until(condition: Any, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_newer_run_cancels_the_older_where_the_file_says_so(clock: Clock, github: GitHub) -> None:
    group = {"group": "one", "cancel-in-progress": True}
    install(github, a=workflow("workflow_dispatch", {"j": job("sleep ${{ vars.SECONDS }}")}, concurrency=group))
    older = threading.Thread(target=clock.press, args=("a.yml",), kwargs={"variables": {"SECONDS": LONG}})
    older.start()
    wait_until(lambda: sleeping(LONG))
    clock.press("a.yml", variables={"SECONDS": "0"}).check()
    older.join(timeout=30)
    assert sorted(run.conclusion for run in clock.runs) == ["cancelled", "success"]
    assert not sleeping(LONG), "the cancelled step goes on"


def sleeping(seconds: str) -> bool:
    """Whether a step sleeps for this time, which no other does."""
    return any(process.info["cmdline"] == ["sleep", seconds] for process in psutil.process_iter(["cmdline"]))


def test_keys_that_act_may_not_know_do_not_stop_a_run(clock: Clock, github: GitHub) -> None:
    on = {"schedule": [{"cron": "17 * * * *", "timezone": "Europe/Madrid"}], "workflow_dispatch": None}
    jobs = {"j": job("true", environment={"name": "production", "url": "https://example.invalid"})}
    install(github, a=workflow(on, jobs, concurrency={"group": "g", "queue": "max"}))
    clock.tick("a.yml").check()
    clock.press("a.yml").check()


def test_expression_that_cannot_be_evaluated_is_refused() -> None:
    contexts = {"github": {"event_name": "push", "ref": "refs/heads/main", "event": {}}}
    assert workflow_file.evaluated("a-${{ github.event.number || github.ref }}", contexts) == "a-refs/heads/main"
    assert workflow_file.evaluated("${{ github.event_name == 'pull_request' }}", contexts) == "false"
    with pytest.raises(ValueError, match="cannot evaluate"):
        workflow_file.evaluated("${{ format('{0}', github.ref) }}", contexts)


def test_permissions_default_and_all() -> None:
    text = workflow("push", {"a": job("true"), "b": job("true", permissions="write-all")}).replace(
        "permissions: {}\n", ""
    )
    read = workflow_file.load("a.yml", lambda _: text)
    assert workflow_file.job_permissions(read, "a") == {"contents": "read", "packages": "read"}
    assert workflow_file.job_permissions(read, "b")["pages"] == "write"


# --- canaries ---------------------------------------------------------------------------------------------------------

LEAKS = {
    "an artifact": 'mkdir out && echo "$KEY" > out/x',
    "a step summary": 'echo "$KEY" >> "$GITHUB_STEP_SUMMARY"',
    "the log": 'echo "${KEY#*:}" | cut -c 1-20',
    "the log, encoded": 'echo "x$KEY" | base64 -w0',
    "the issues": post("/issues", {"title": "KEY"}).replace("KEY", "'\"$KEY\"'"),
    "the repository": "cd r && echo \"$KEY\" > model.txt" + COMMIT_AND_PUSH.replace("echo new > model.txt", "true"),
    "the request GET": 'curl --silent "$GITHUB_API_URL/x?key=$KEY"',
}  # fmt: skip


@pytest.mark.parametrize("where", LEAKS)
def test_canary_leak_is_detected(clock: Clock, github: GitHub, canaries: Canaries, where: str) -> None:
    canaries.plant("KEY", "user:{canary}")
    leak = {"run": LEAKS[where], "env": {"KEY": "${{ secrets.KEY }}"}}
    upload = {"uses": "actions/upload-artifact@v7", "with": {"path": "out", "if-no-files-found": "ignore"}}
    may = {"contents": "write", "issues": "write"}
    steps = ({"uses": CHECKOUT, "with": {"path": "r"}}, leak, upload)
    install(github, a=workflow("workflow_dispatch", {"j": job(*steps)}, permissions=may))
    run = clock.press("a.yml", secrets=canaries.secrets).check()
    assert any(
        f"KEY in {where.removesuffix(', encoded').removeprefix('an ')}" in place for place in canaries.seen(github, run)
    )
    with pytest.raises(AssertionError, match="secrets leaked: KEY"):
        canaries.assert_unseen(github, run)


def test_masked_canary_is_no_leak(clock: Clock, github: GitHub, canaries: Canaries) -> None:
    canaries.plant("KEY")
    step = {"run": 'echo "key: $KEY"', "env": {"KEY": "${{ secrets.KEY }}"}}
    install(
        github, a=workflow("workflow_dispatch", {"j": job({"uses": CHECKOUT}, step)}, permissions={"contents": "read"})
    )
    run = clock.press("a.yml", secrets=canaries.secrets).check()
    assert "key: ***" in run.log
    canaries.assert_unseen(github, run)


# --- the repository ---------------------------------------------------------------------------------------------------


def test_seed_takes_the_working_tree_and_leaves_out_what_is_ignored(github: GitHub, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    for name, text in {"a.py": "x", ".gitignore": ".env\n", ".env": "SECRET=1", "run.sh": "true"}.items():
        (project / name).write_text(text)
    (project / "run.sh").chmod(0o755)
    github.repository.git("init", "--quiet", str(project))
    github.repository.seed(project)
    assert github.repository.files() == [".gitignore", "a.py", "run.sh"]
    assert github.repository.git("ls-tree", "main", "run.sh").startswith(b"100755")


def test_dispatch_of_a_disabled_workflow_is_refused(github: GitHub) -> None:
    install(github, a=workflow("workflow_dispatch", {"j": job("true")}))
    assert loaded(github, "a.yml").name == "Test"
    call(github, "PUT", "/actions/workflows/a.yml/disable", {"actions": "write"})
    status, answer = call(github, "POST", "/actions/workflows/a.yml/dispatches", {"actions": "write"}, {"ref": "main"})
    assert (status, answer["message"]) == (422, "Cannot trigger a 'workflow_dispatch' on a disabled workflow")
