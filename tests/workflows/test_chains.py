"""The shipped workflows, run: from new data to a deployment, and all that can go wrong on the way."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from actioncast.config import load_settings
from actioncast.database.database import open_database
from actioncast.github.alerts.issues import key_of
from actioncast.rehearsal.world.replay import ReplayServer
from tests.support.checkout import SERIES
from tests.support.json_server import JsonServer
from tests.support.receivers import Receiver
from tests.support.source import Stub
from tests.support.state import state_database
from tests.support.temp_postgres import TempPostgres

from . import project
from .act_records import Run
from .canaries import Canaries
from .clock import Clock
from .github_stand_in import GitHub
from .project import Trained

CARD = f"model/{SERIES}/card.json"
DEPLOY = yaml.safe_dump(
    {
        "name": "deploy",
        "on": {"workflow_dispatch": None},
        "permissions": {"contents": "read"},
        "concurrency": "deploy",
        "jobs": {
            "deploy": {
                "runs-on": "ubuntu-24.04",
                "timeout-minutes": 1,
                "steps": [
                    {"uses": "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"},
                    {"run": f"grep '\"version\"' {CARD}"},
                ],
            }
        },
    }
)


@pytest.fixture(autouse=True)
def _fast(clock: Clock) -> None:
    clock.environment = project.environment()


def stored(github: GitHub, query: str, tmp_path: Path) -> list[Any]:
    """Ask the database of the state branch."""
    path = tmp_path / "asked.db"
    path.write_bytes(state_database(github.repository))
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def open_issues(github: GitHub) -> list[str]:
    return [key_of(issue["title"]) for issue in github.issues.values() if issue["state"] == "open"]


def version(github: GitHub, ref: str = "main") -> str:
    return str(json.loads(github.repository.read(CARD, ref))["version"])


# --- the chain --------------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def no_secret_is_told(clock: Clock, github: GitHub) -> Iterator[None]:
    """Every chain runs with secrets, and none of them may show anywhere afterwards."""
    planted = Canaries()
    for name in ("API_KEY", "SOURCE_TOKEN", "MLFLOW_TRACKING_TOKEN"):
        planted.plant(name)
    clock.secrets = planted.secrets
    yield
    planted.assert_unseen(github, *clock.runs)


def test_data_drift_retrain_commit_and_deployment(
    clock: Clock, github: GitHub, canaries: Canaries, source: ReplayServer, trained: Trained, tmp_path: Path
) -> None:
    project.set_up(github, source.url, trained.naive, trained.naive_drifted)
    github.repository.commit({".github/workflows/deploy.yml": DEPLOY}, "Deployment")
    for name in ("SOURCE_TOKEN", "API_KEY", "MLFLOW_TRACKING_TOKEN"):
        canaries.plant(name)
    clock.secrets, clock.variables = canaries.secrets, {"DEPLOY_WORKFLOW": "deploy.yml"}
    before = github.repository.sha()
    load = clock.tick("update_real_data.yml").check()
    assert f"{SERIES}: retrain" in load.log
    chain = clock.settle(load)
    assert [(run.file, run.event, run.conclusion) for run in chain] == [
        ("retrain.yml", "repository_dispatch", "success"),
        ("deploy.yml", "workflow_dispatch", "success"),
    ], clock.runs[1].log
    commit = github.repository.log()[0]
    assert commit.subject.startswith("Promote ridge")
    assert " → " in commit.subject
    assert commit.author == "github-actions[bot]"
    assert "version: " in commit.body
    assert github.repository.changed_files(before, commit.sha) == [
        CARD,
        f"model/{SERIES}/explanation.svg",
        f"model/{SERIES}/forecaster.npz",
    ]
    assert version(github) in chain[1].log, "the deployment has the new champion"
    assert "```mermaid" in chain[0].summary
    rows = stored(github, "select model_version from predictions order by issued_at desc limit 1", tmp_path)
    assert rows == [(version(github),)], "the new champion has forecast"
    assert stored(github, "select count(*) from checks where dispatched", tmp_path) == [(1,)]
    assert open_issues(github) == []
    canaries.assert_unseen(github, *clock.runs)


def test_no_drift_no_retrain(clock: Clock, github: GitHub, source: ReplayServer, trained: Trained) -> None:
    project.set_up(github, source.url, trained.ridge, trained.ridge_good)
    check = clock.press("check_retrain.yml").check()
    assert f"{SERIES}: good" in check.log
    assert clock.settle(check) == []


def test_champion_that_stays_is_not_committed(
    clock: Clock, github: GitHub, source: ReplayServer, trained: Trained, tmp_path: Path
) -> None:
    project.set_up(github, source.url, trained.ridge, trained.ridge_good)
    before = github.repository.sha()
    run = clock.press("retrain.yml", {"series": SERIES}).check()
    assert "to deliver: none" in run.log
    assert run.job("deliver").step("Set up Python").conclusion == "skipped"
    assert github.repository.sha() == before
    assert stored(github, "select count(*) from training_runs where verdict = 'kept'", tmp_path) == [(1,)]
    assert clock.settle(run) == []


def test_push_race_is_won_on_top_of_the_other_push(
    clock: Clock, github: GitHub, source: ReplayServer, trained: Trained
) -> None:
    project.set_up(github, source.url, trained.naive, trained.naive_drifted)

    def somebody_else() -> None:
        github.before_push(lambda: github.repository.commit({"other.txt": "x"}, "Somebody else"), stage="receive")

    github.before_push(somebody_else, stage="receive")  # the first push is that of the state
    run = clock.press("retrain.yml").check()
    assert "somebody pushed to main meanwhile: rebased" in run.log
    assert [commit.subject[:14] for commit in github.repository.log()[:2]] == ["Promote ridge_", "Somebody else"]
    assert "No deployment started" in [note.title for note in run.annotations]


def test_protected_branch_gets_a_pull_request(
    clock: Clock, github: GitHub, source: ReplayServer, trained: Trained
) -> None:
    project.set_up(github, source.url, trained.naive, trained.naive_drifted)
    github.repository.protect("main")
    before = github.repository.sha()
    run = clock.press("retrain.yml", variables={"MODEL_DELIVERY": "pr"}).check()
    assert github.repository.sha() == before
    pull = github.issues[1]
    assert pull["title"].startswith("Promote ridge")
    assert "version: " in pull["body"]
    assert clock.settle(run) == []


def test_unknown_series_in_a_payload_trains_nothing(
    clock: Clock, github: GitHub, source: ReplayServer, trained: Trained, tmp_path: Path
) -> None:
    project.set_up(github, source.url, trained.naive, trained.naive_drifted)
    payload = {"action": "execute-retrain", "client_payload": {"series": f'"; touch {tmp_path}/seen; $(touch seen) #'}}
    run = clock.run("retrain.yml", "repository_dispatch", payload).check("failure")
    assert "there is no series" in run.log
    assert "to deliver: none" in run.log
    assert not (tmp_path / "seen").exists()


def test_check_whose_token_may_not_dispatch_is_red_and_says_so(
    clock: Clock, github: GitHub, source: ReplayServer, trained: Trained
) -> None:
    project.set_up(github, source.url, trained.naive, trained.naive_drifted)
    path = ".github/workflows/check_retrain.yml"
    text = github.repository.read(path).decode().replace("contents: write", "contents: read")
    github.repository.commit({path: text}, "Fewer permissions")
    run = clock.press("check_retrain.yml").check("failure")
    assert "`permissions: contents: write`" in run.log
    assert open_issues(github) == ["check_retrain is failing"]
    assert "permissions: contents: write" in github.issues[1]["body"]


# --- incidents --------------------------------------------------------------------------------------------------------


def test_dead_source_is_one_issue_that_recovery_closes(
    clock: Clock, github: GitHub, canaries: Canaries, source: ReplayServer, stub: Stub, tmp_path: Path
) -> None:
    project.seed(github, stub.url)
    canaries.plant("SOURCE_TOKEN")
    stub.answer(b'{"status": "ok", "values": []}')
    with Receiver("slack") as slack, Receiver("heartbeat") as switch:
        slack.path = f"/{canaries.plant('SLACK')}"
        canaries.plant("HEARTBEAT_URL", f"{switch.url}/{{canary}}")
        clock.secrets = canaries.secrets | {"WEBHOOK_URL": slack.address}
        clock.variables = {"WEBHOOK_KIND": "slack", "NOTIFY": "@ann @acme/on-call", "PUBLISH_PAGES": "true"}
        clock.tick("update_real_data.yml").check("failure")
        second = clock.tick("update_real_data.yml").check("failure")
        assert [key_of(issue["title"]) for issue in github.issues.values()] == ["update_real_data is failing"]
        body = github.issues[1]["body"]
        assert "answered without a single point" in body.splitlines()[0], "the error comes first"
        assert f"/actions/runs/{second.id}" in body, "the newest run is linked"
        assert f"Series: {SERIES}." in body
        assert "https://acme.github.io/forecasts/" in body, "the page"
        assert "catches up" in body, "the remedy"
        assert "@ann @acme/on-call" in body
        assert stored(github, "select outcome from etl_runs", tmp_path) == [("failed",), ("failed",)]
        github.repository.commit({"config.toml": project.config(source.url)}, "Another source")
        clock.tick("update_real_data.yml").check()
    assert github.issues[1]["state"] == "closed"
    assert len(slack.taken) == 2, "opened and recovered"
    assert [path.endswith("/fail") for path in switch.paths] == [True, True, False]
    canaries.assert_unseen(github, *clock.runs)


def test_job_that_cannot_even_install_still_reports(clock: Clock, github: GitHub, source: ReplayServer) -> None:
    project.seed(github, source.url)
    github.repository.commit({"requirements/etl.txt": "no-such-package==1 --hash=sha256:00\n"}, "Break the lock file")
    clock.tick("update_real_data.yml").check("failure")
    assert open_issues(github) == ["update_real_data is failing"]


def test_with_a_database_there_is_no_state_branch(
    clock: Clock, github: GitHub, source: ReplayServer, postgres: TempPostgres
) -> None:
    project.seed(github, source.url)
    url = postgres.new_database()
    clock.secrets = {"DATABASE_URL": url}
    run = clock.tick("update_real_data.yml").check()
    assert run.job("update").step("Restore the data from the state branch").conclusion == "skipped"
    assert "refs/heads/state" not in github.repository.refs()
    with open_database(load_settings(variables={"DATABASE_URL": url})) as database:
        assert database.last_period(SERIES) is not None


def test_database_out_of_reach_tells_no_password(clock: Clock, github: GitHub, canaries: Canaries) -> None:
    project.seed(github, "http://127.0.0.1:9/charts")
    canaries.plant("DATABASE_URL", "postgresql://app:{canary}@127.0.0.1:9/forecasts")
    clock.secrets = canaries.secrets
    run = clock.press("check_retrain.yml").check("failure")
    assert run.job("check").step("Save the data to the state branch").conclusion == "skipped"
    assert "refs/heads/state" not in github.repository.refs()
    canaries.assert_unseen(github, run)


# --- the state branch -------------------------------------------------------------------------------------------------


def test_state_branch_is_one_commit_and_loses_no_race(
    clock: Clock, github: GitHub, source: ReplayServer, tmp_path: Path
) -> None:
    project.seed(github, source.url)
    clock.tick("update_real_data.yml").check()
    first = github.repository.sha("state")

    def somebody_else() -> None:
        path = tmp_path / "theirs.db"
        path.write_bytes(state_database(github.repository))
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(
                "insert into reality values ('theirs', '2022-01-01T00:00:00Z', 1, 4, '2022-01-01T01:00:00Z')"
            )
        github.repository.git("update-ref", "-d", "refs/heads/state")
        github.repository.commit({"actioncast.db": path}, "Theirs", branch="state")

    github.before_push(somebody_else, stage="receive")
    run = clock.tick("update_real_data.yml").check()
    assert "added to the newer state" in run.log
    assert github.repository.sha("state") != first
    assert len(github.repository.log("state")) == 1, "an orphan, replaced"
    assert "actioncast.db" not in github.repository.files("state"), "rows lie in text files"
    assert stored(github, "select count(*) from etl_runs", tmp_path) == [(2,)], "this run's row is there"
    assert stored(github, "select value from reality where series_id = 'theirs'", tmp_path) == [(1.0,)], "and theirs"


# --- a fresh copy -----------------------------------------------------------------------------------------------------


def test_fresh_copy_brings_itself_to_its_first_forecast(
    clock: Clock, github: GitHub, source: ReplayServer, tmp_path: Path
) -> None:
    project.seed(github, source.url)
    forecast = clock.tick("make_predictions.yml").check()
    assert [note.title for note in forecast.annotations if note.level == "notice"] == ["No champion yet"]
    clock.tick("pages.yml", may_skip_all=True).check("skipped")
    chain = clock.settle(clock.tick("update_real_data.yml").check())
    assert [(run.file, run.conclusion) for run in chain] == [("retrain.yml", "success")]
    assert github.repository.log()[0].subject.startswith("Promote ")
    assert stored(github, "select count(*) from predictions", tmp_path) == [(48,)]
    clock.tick("pages.yml", variables={"PUBLISH_PAGES": "true"}).check()
    assert version(github).encode() in github.pages["index.html"], "the page shows the champion"
    assert any(name.startswith("assets/") for name in github.pages)


def test_forecast_by_the_deployed_api(
    clock: Clock, github: GitHub, canaries: Canaries, source: ReplayServer, api: JsonServer
) -> None:
    project.seed(github, source.url)
    canaries.plant("API_KEY")
    run = clock.tick("make_predictions.yml", variables={"API_URL": api.url}, secrets=canaries.secrets).check()
    assert api.requests[0].path == f"/forecast?series={SERIES}"
    assert api.requests[0].headers["X-API-Key"] == canaries.secrets["API_KEY"]
    assert "1 hours forecast and stored by" in run.log
    assert "refs/heads/state" not in github.repository.refs()
    canaries.assert_unseen(github, run)


# --- roll-back, freshness, pull requests ------------------------------------------------------------------------------


def test_roll_back_in_one_click_and_forth_again(
    clock: Clock, github: GitHub, source: ReplayServer, trained: Trained
) -> None:
    project.set_up(github, source.url, trained.naive, trained.naive_drifted)
    first = version(github)
    github.repository.commit({".github/workflows/deploy.yml": DEPLOY, **trained.ridge}, "Promote")
    second = version(github)
    assert first != second
    run = clock.press("rollback.yml", variables={"DEPLOY_WORKFLOW": "deploy.yml"}).check()
    assert version(github) == first
    assert github.repository.read(f"model/{SERIES}/forecaster.npz") == trained.naive[f"model/{SERIES}/forecaster.npz"]
    assert [deployed.file for deployed in clock.settle(run)] == ["deploy.yml"]
    clock.press("rollback.yml", {"version": second}).check()
    assert version(github) == second
    unknown = clock.press("rollback.yml", {"version": "20000101T00-00000000"}).check("failure")
    assert first in unknown.log, "it says which versions there are"


def test_freshness_opens_and_closes_one_issue_per_finding(
    clock: Clock, github: GitHub, source: ReplayServer, trained: Trained, tmp_path: Path
) -> None:
    project.set_up(github, source.url, trained.ridge, trained.ridge_good)
    github.repository.commit({"actioncast.db": aged(trained.ridge_good, tmp_path)}, "Old", branch="state")
    github.workflow_states["make_predictions.yml"] = "disabled_inactivity"
    run = clock.tick("check_freshness.yml").check("failure")
    assert sorted(open_issues(github)) == ["The data are stale", "The forecasts are stale"]
    assert github.workflow_states["make_predictions.yml"] == "active"
    assert "make_predictions.yml was disabled_inactivity: enabled again" in run.log
    github.repository.commit({"actioncast.db": trained.ridge_good}, "New", branch="state")
    clock.tick("update_real_data.yml").check()
    clock.tick("make_predictions.yml").check()
    clock.tick("check_freshness.yml").check()
    assert open_issues(github) == []


def aged(database: bytes, tmp_path: Path) -> bytes:
    """The same database, three days later."""
    path = tmp_path / "aged.db"
    path.write_bytes(database)
    with closing(sqlite3.connect(path)) as connection, connection:
        for table, column in (("reality", "loaded_at"), ("reality", "reality_date"), ("predictions", "issued_at")):
            for shift in ("-30000 hours", "+29928 hours"):  # by way of a time where no row stands in the way
                connection.execute(f"update {table} set {column} = strftime('%Y-%m-%dT%H:%M:%SZ', {column}, '{shift}')")
    return path.read_bytes()


def test_pull_request_that_changes_training_is_compared(clock: Clock, github: GitHub, source: ReplayServer) -> None:
    github.is_template = True
    project.seed(github, source.url, candidates='["seasonal_naive"]')
    # The tests do not run themselves.
    stand_in = {"Makefile": "check quick:\n\t@echo $@: done\n", ".ci/run": "echo everything: done\n"}
    base = github.repository.commit(stand_in, "Targets")
    github.repository.git("update-ref", "refs/heads/better", base)
    better = project.config(source.url)
    github.repository.commit({"config.toml": better}, "Let ridge compete", branch="better")
    number = github.open_pull("better")
    run = clock.pull_request("ci.yml", number).check()
    assert "check: done" in run.job("check").log
    assert run.job("copy").conclusion == "skipped"
    for python, tests in (("3.11", "quick"), ("3.12", "everything"), ("3.13", "quick"), ("3.14", "quick")):
        assert f"{tests}: done" in run.job("test", python=python).log
    comment = next(iter(github.comments.values()))["body"]
    for text in (comment, run.summary):
        assert "(seasonal_naive_168) → **" in text
        assert "```mermaid" in text


def test_pull_request_from_a_fork_or_without_training_code_gets_no_comment(
    clock: Clock, github: GitHub, source: ReplayServer
) -> None:
    github.is_template = True
    project.seed(github, source.url)
    base = github.repository.commit({"Makefile": "check quick:\n\t@echo done\n", ".ci/run": "echo done\n"}, "Targets")
    github.repository.git("update-ref", "refs/heads/words", base)
    github.repository.commit({"CHANGELOG.md": "more"}, "Words", branch="words")
    run: Run = clock.pull_request("ci.yml", github.open_pull("words"), from_fork=True).check()
    assert run.job("report").step("Set up Python").conclusion == "skipped"
    assert github.comments == {}


def test_policies_are_rehearsed_on_the_stored_history_and_nothing_is_changed(
    clock: Clock, github: GitHub, source: ReplayServer, trained: Trained
) -> None:
    project.set_up(github, source.url, trained.ridge, trained.ridge_good)
    before = github.repository.sha(), github.repository.sha("state")
    inputs = {"days": "2", "policies": "config.toml never", "scenario": "shift", "candidates": "seasonal_naive"}
    run = clock.press("rehearse.yml", inputs).check()
    for told in ("| config.toml |", "| never", "maximum_ratio_to_backtest"):
        assert told in run.summary
    assert run.artifacts is not None
    assert [path.name for path in run.artifacts.rglob("*.html")] == ["report.html"]
    assert (github.repository.sha(), github.repository.sha("state")) == before


# --- many series ------------------------------------------------------------------------------------------------------


def test_a_list_is_spread_over_shards_and_delivered_in_one_commit_with_one_deployment(
    clock: Clock, github: GitHub, source: ReplayServer, trained: Trained, tmp_path: Path
) -> None:
    """Three series on two machines, a fourth without data, and a fifth that somebody took out of config.toml."""
    project.set_up(github, source.url, {}, trained.naive_drifted)
    add_series(github, ("b", "c", "d"), tmp_path)
    github.repository.commit({".github/workflows/deploy.yml": DEPLOY}, "Deployment")
    clock.variables = {"TRAIN_SHARDS": '["1/2", "2/2"]', "DEPLOY_WORKFLOW": "deploy.yml"}
    before = github.repository.sha()
    payload = {"action": "execute-retrain", "client_payload": {"series": f"{SERIES},b,c,d,gone"}}
    run = clock.run("retrain.yml", "repository_dispatch", payload).check("failure")
    trainings = [run.job("train", shard=shard).step("Train").outcome for shard in ("1/2", "2/2")]
    assert trainings == ["failure", "failure"], "gone has no settings, d has no data"
    commit = github.repository.log()[0]
    assert commit.subject == "Promote new champions of 3 series"
    assert list(commit.parents) == [before], "one commit"
    assert [deployed.file for deployed in clock.settle(run)] == ["deploy.yml"]
    forecast = stored(github, "select distinct series_id from predictions where issued_at > '2026'", tmp_path)
    assert {name for (name,) in forecast} == {SERIES, "b", "c"}
    trained_series = stored(github, "select distinct series_id from training_runs where series_id <> 'd'", tmp_path)
    assert {name for (name,) in trained_series} == {SERIES, "b", "c"}
    assert open_issues(github) == ["retrain is failing"], "one, whatever the number of shards"
    clock.press("retrain.yml", {"series": "b, c"}).check()
    assert open_issues(github) == []


def add_series(github: GitHub, names: Iterable[str], tmp_path: Path) -> None:
    """Rows of the table `series` with the hours of SERIES; `d` gets none."""
    database = tmp_path / "series.db"
    database.write_bytes(state_database(github.repository))
    table = {"source": {"kind": "file", "path": "none.csv"}, "unit": "x", "horizon": 24}
    with closing(sqlite3.connect(database)) as connection:
        for name in names:
            connection.execute("insert into series values (?, ?)", (name, json.dumps(table)))
            copied = "series_id, reality_date, value, samples, loaded_at"
            query = f"insert into reality ({copied}) select ?, reality_date, value, samples, loaded_at from reality"
            connection.execute(f"{query} where series_id = ?", (name, SERIES))
        connection.execute("delete from reality where series_id = 'd'")
        connection.commit()
    github.repository.commit({"actioncast.db": database.read_bytes()}, "Series", branch="state")
