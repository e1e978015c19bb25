"""Delivery and roll-back in a clone of the local GitHub's repository, without act."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import rollback
from actioncast.config import load_settings
from actioncast.github import delivery
from actioncast.github.git import GitError, git
from tests.workflows.github_stand_in import GitHub

MAY = {"contents": "write", "actions": "write", "pull-requests": "write"}
Train = Callable[[str, float], None]
CONFIG = '[series.demo]\nsource = { kind = "file", path = "x.csv" }\nunit = "x"\n'
DEPLOY = """
on: workflow_dispatch
jobs: {deploy: {runs-on: ubuntu-24.04, steps: [{run: "true"}]}}
"""


@pytest.fixture
def github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    with GitHub(tmp_path / "github") as stand_in:
        stand_in.repository.commit({"config.toml": CONFIG, ".github/workflows/deploy.yml": DEPLOY})
        monkeypatch.setenv("GITHUB_REPOSITORY", stand_in.full_name)
        monkeypatch.setenv("GITHUB_API_URL", stand_in.api_url)
        monkeypatch.setenv("GITHUB_SERVER_URL", stand_in.url)
        monkeypatch.setenv("GITHUB_TOKEN", stand_in.issue_token(MAY).value)
        monkeypatch.setenv("GITHUB_REF_NAME", "main")
        for name in ("MODEL_DELIVERY", "DEPLOY_WORKFLOW", "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"):
            monkeypatch.delenv(name, raising=False)
        yield stand_in


@pytest.fixture
def folder(github: GitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "checkout"
    git(tmp_path, "clone", "--quiet", f"{github.url}/{github.full_name}", str(directory), network=True)
    monkeypatch.setattr(delivery, "ROOT", directory)
    return directory


@pytest.fixture
def train(folder: Path) -> Train:
    """Put a champion into model/demo."""

    def promote(version: str, mae: float) -> None:
        numbers = version.encode()
        card = {"version": version, "name": f"ridge_{version}", "mae": mae, "window_end": "2022-03-04T00:00:00Z"}
        directory = load_settings(folder / "config.toml", {}).model_directory("demo")
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "forecaster.npz").write_bytes(numbers)
        (directory / "card.json").write_text(json.dumps(card | {"sha256": hashlib.sha256(numbers).hexdigest()}))

    return promote


def test_nothing_promoted_nothing_committed(folder: Path, github: GitHub) -> None:
    (folder / "job.log").write_text("beside")
    before = github.repository.sha()
    assert delivery.deliver(folder) == "kept"
    assert github.repository.sha() == before


def test_the_message_is_made_of_what_changed(folder: Path, github: GitHub, train: Train) -> None:
    train("v1", 600.0)
    assert delivery.deliver(folder) == "pushed"
    assert github.repository.log()[0].subject == "Promote ridge_v1 for demo: error 600"
    train("v2", 512.5)
    (folder / "config.toml").write_text(CONFIG + "# changed by hand, and no part of a delivery\n")
    assert delivery.deliver(folder) == "pushed"
    commit = github.repository.log()[0]
    assert commit.subject == "Promote ridge_v2 for demo: error 600 → 512.5"
    assert "version: v1 → v2\ncandidate: ridge_v1 → ridge_v2" in commit.body
    assert github.repository.changed_files(commit.parents[0], commit.sha) == [
        "model/demo/card.json",
        "model/demo/forecaster.npz",
    ]


def test_a_change_of_the_card_alone_is_seen(folder: Path, train: Train) -> None:
    train("v1", 600.0)
    delivery.deliver(folder)
    card = folder / "model/demo/card.json"
    card.write_text(card.read_text().replace("600.0", "599.0"))
    assert [change.series for change in delivery.changes(folder)] == ["demo"]


def test_a_deployment_is_started_only_when_one_is_named(
    folder: Path, github: GitHub, train: Train, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    train("v1", 1.0)
    assert delivery.main([]) == 0
    assert "set the variable DEPLOY_WORKFLOW" in capsys.readouterr().out
    assert github.dispatches == []
    monkeypatch.setenv("DEPLOY_WORKFLOW", "deploy.yml")
    monkeypatch.setenv("GITHUB_OUTPUT", str(folder / "output"))
    train("v2", 1.0)
    assert delivery.main([]) == 0
    assert [dispatch.workflow for dispatch in github.dispatches] == ["deploy.yml"]
    assert (folder / "output").read_text() == "delivered=pushed\n"


@pytest.mark.parametrize("stage", ["advertise", "receive"])
def test_a_push_in_between_is_rebased_upon(folder: Path, github: GitHub, train: Train, stage: str) -> None:
    train("v1", 1.0)
    github.before_push(lambda: github.repository.commit({"other": "x"}, "Other"), stage=stage)  # type: ignore[arg-type]
    delivery.deliver(folder)
    assert [commit.subject[:11] for commit in github.repository.log()[:2]] == ["Promote rid", "Other"]


def test_a_champion_pushed_in_between_is_not_overwritten(folder: Path, github: GitHub, train: Train) -> None:
    train("v1", 1.0)
    delivery.deliver(folder)
    train("v2", 1.0)
    theirs = github.repository.read("model/demo/card.json").replace(b"v1", b"v9")
    github.before_push(lambda: github.repository.commit({"model/demo/card.json": theirs}, "Theirs"))
    with pytest.raises(delivery.DeliveryError, match="somebody changed model/"):
        delivery.deliver(folder)
    assert github.repository.log()[0].subject == "Theirs"


def test_pull_request_mode_and_what_stands_in_its_way(
    folder: Path, github: GitHub, train: Train, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MODEL_DELIVERY", "pr")
    train("v1", 1.0)
    github.actions_may_open_pulls = False
    with pytest.raises(delivery.DeliveryError, match="allow GitHub Actions to create pull requests"):
        delivery.deliver(folder)
    github.actions_may_open_pulls = True
    train("v2", 1.0)
    assert delivery.deliver(folder) == "pull request"
    assert "::notice title=Pull request #1::its checks wait until a person presses" in capsys.readouterr().out
    assert github.issues[1]["title"].startswith("Promote ridge_v2")
    git(folder, "reset", "--quiet", "--hard", "HEAD~2")
    train("v4", 1.0)
    assert delivery.deliver(folder) == "pull request"
    assert len(github.issues) == 1, "the open one is brought up to date"
    assert github.issues[1]["title"].startswith("Promote ridge_v4")
    assert "model/" not in " ".join(github.repository.files())
    monkeypatch.setenv("MODEL_DELIVERY", "mail")
    train("v3", 1.0)
    with pytest.raises(delivery.DeliveryError, match="expected push or pr"):
        delivery.deliver(folder)


def test_several_champions_get_a_branch_for_their_retrain(folder: Path, train: Train) -> None:
    train("v1", 1.0)
    shutil.copytree(folder / "model/demo", folder / "model/other")
    together = delivery.changes(folder)
    assert delivery._branch_of(together, {"GITHUB_RUN_NUMBER": "7"}) == "model/retrain-7"
    assert delivery._branch_of(together[:1], {"GITHUB_RUN_NUMBER": "7"}) == "model/demo"


def test_protected_branch_says_what_to_set(folder: Path, github: GitHub, train: Train) -> None:
    github.repository.protect("main")
    train("v1", 1.0)
    with pytest.raises(delivery.DeliveryError, match="MODEL_DELIVERY to pr"):
        delivery.deliver(folder)


def test_a_champion_that_does_not_match_its_card_is_not_delivered(folder: Path, train: Train) -> None:
    train("v1", 1.0)
    (folder / "model/demo/forecaster.npz").write_bytes(b"cut off")
    with pytest.raises(delivery.DeliveryError, match="expected sha256"):
        delivery.deliver(folder)
    (folder / "model/demo/card.json").write_text("{}")
    assert delivery.main([]) == 1


def test_no_permission_is_an_error_with_no_token_in_it(
    folder: Path, github: GitHub, train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = github.issue_token({"contents": "read"}).value
    monkeypatch.setenv("GITHUB_TOKEN", token)
    train("v1", 1.0)
    with pytest.raises(GitError, match="403") as error:
        delivery.deliver(folder)
    assert token not in str(error.value)


def test_roll_back_to_the_one_before_and_to_a_named_one(folder: Path, github: GitHub, train: Train) -> None:
    for version in ("v1", "v2", "v3"):
        train(version, 1.0)
        delivery.deliver(folder)
    settings = load_settings(folder / "config.toml", {})
    report = rollback.run(settings, series_id="demo", push=True)
    assert (report.before, report.after, report.outcome) == ("v3", "v2", "pushed")
    assert json.loads(github.repository.read("model/demo/card.json"))["version"] == "v2"
    assert github.repository.log()[0].subject == "Roll back demo to v2 (ridge_v2)"
    assert rollback.main(["--config", str(folder / "config.toml"), "--to", "v1", "--json"]) == 0
    assert (folder / "model/demo/forecaster.npz").read_bytes() == b"v1"
    assert github.repository.log()[0].subject.startswith("Roll back demo to v2"), "without --push it is committed here"
    with pytest.raises(rollback.NoSuchVersionError, match=r"expected v7 .* got v2, v3"):
        rollback.run(settings, series_id="demo", version="v7")


def test_roll_back_without_a_champion(folder: Path) -> None:
    with pytest.raises(rollback.NoSuchVersionError, match="no champion"):
        rollback.run(load_settings(folder / "config.toml", {}), series_id="demo")


# --- config.toml ------------------------------------------------------------------------------------------------------


def test_a_series_that_was_added_is_pushed_and_starts_no_deployment(
    github: GitHub, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEPLOY_WORKFLOW", "deploy.yml")
    (folder / "config.toml").write_text(CONFIG + CONFIG.replace("demo", "load"))
    (folder / "actioncast.db").write_bytes(b"stays here")
    assert delivery.main(["--config"]) == 0
    commit = github.repository.log()[0]
    assert commit.subject == "Add a series to config.toml"
    assert github.repository.changed_files(commit.parents[0], commit.sha) == ["config.toml"]
    assert github.dispatches == []


def test_a_config_as_committed_is_left_alone(github: GitHub, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = github.repository.sha()
    assert delivery.main(["--config"]) == 0
    assert github.repository.sha() == before
    assert "config.toml is as it was: nothing to commit" in capsys.readouterr().out


def test_a_series_comes_as_a_pull_request_where_models_do(
    github: GitHub, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_DELIVERY", "pr")
    before = github.repository.sha()
    (folder / "config.toml").write_text(CONFIG + CONFIG.replace("demo", "load"))
    assert delivery.main(["--config"]) == 0
    assert github.repository.sha() == before
    [pull] = github.issues.values()
    assert pull["title"] == "Add a series to config.toml"
