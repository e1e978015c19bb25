"""Champions on their way from the jobs that train to the one that delivers, in plain git repositories."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from actioncast.github import promotions
from actioncast.github.git import git


def crown(root: Path, series_id: str, version: str) -> None:
    """A champion in the work tree."""
    directory = root / "model" / series_id
    directory.mkdir(parents=True, exist_ok=True)
    card = {"version": version, "name": "ridge", "mae": 1.0, "window_end": "", "sha256": ""}
    (directory / "card.json").write_text(json.dumps(card))
    (directory / f"{version}.npz").write_text(version)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with a champion of `a`."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    git(folder, "init", "--quiet")
    crown(folder, "a", "v1")
    commit(folder)
    monkeypatch.setattr(promotions, "ROOT", folder)
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    return folder


def commit(root: Path) -> None:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Champions")


def test_what_two_shards_have_promoted_is_put_into_one_model_folder(root: Path, tmp_path: Path) -> None:
    picked = tmp_path / "picked"
    for series_id in ("a", "b"):
        crown(root, series_id, "v2")
        assert promotions.pick(root, picked) == [series_id]
        git(root, "checkout", "--quiet", "--", "model")
        git(root, "clean", "--quiet", "--force", "-d")
    (picked / "a/v1.npz").unlink()
    assert promotions.put(root, picked) == (["a", "b"], [])
    files = sorted(path.name for path in (root / "model/a").iterdir())
    assert files == ["card.json", "v2.npz"], "nothing of v1 is left"
    assert "v2" in (root / "model/b/card.json").read_text()


def test_a_champion_that_somebody_has_changed_meanwhile_is_left_and_the_others_are_put(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    crown(root, "a", "v2")
    crown(root, "b", "v2")
    promotions.pick(root, tmp_path / "picked")
    git(root, "clean", "--quiet", "--force", "-d")
    crown(root, "a", "v9")
    commit(root)
    assert promotions.main(["put", str(tmp_path / "picked")]) == 1
    assert "somebody changed the champion of a meanwhile" in capsys.readouterr().out
    assert "v9" in (root / "model/a/card.json").read_text()
    assert "v2" in (root / "model/b/card.json").read_text()
    assert (tmp_path / "output").read_text() == "series=b\n"


def test_the_artifact_is_named_after_the_shard_and_only_when_something_was_promoted(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHARD", "2/4")
    assert promotions.main(["pick", str(tmp_path / "picked")]) == 0
    crown(root, "a", "v2")
    assert promotions.main(["pick", str(tmp_path / "picked")]) == 0
    assert (tmp_path / "output").read_text() == "artifact=\nartifact=champions-2-of-4\n"


def test_without_an_artifact_there_is_nothing_to_put(root: Path, tmp_path: Path) -> None:
    assert promotions.main(["put", str(tmp_path / "none")]) == 0
    assert (tmp_path / "output").read_text() == "series=\n"


def test_a_card_that_cannot_be_read_is_an_error(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "model/a/card.json").write_text("{")
    assert promotions.main(["pick", str(tmp_path / "picked")]) == 1
    assert "the card of a cannot be read" in capsys.readouterr().out
