"""Champions lie in one folder, and everything that cannot import its name from Python names the same one."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from actioncast.config import load_settings
from actioncast.github import delivery
from actioncast.github.git import git
from actioncast.paths import CARD, MODEL_FOLDER, NUMBERS

ROOT = Path(__file__).resolve().parents[2]
CONFIG = '[series.demo]\nsource = { kind = "file", path = "x.csv" }\nunit = "x"\n'
# File -> what it must say about the folder.
MENTIONS = {
    ".github/workflows/ci.yml": [f" requirements.txt {MODEL_FOLDER} "],
    ".github/workflows/make_predictions.yml": [f" {MODEL_FOLDER}/*/{CARD};"],
    ".github/workflows/retrain.yml": [f" {MODEL_FOLDER}/*/{CARD};"],
    ".github/workflows/deploy_aws.yml": [f'"{MODEL_FOLDER}/**"'],
    ".github/workflows/deploy_azure.yml": [f'"{MODEL_FOLDER}/**"'],
    ".github/workflows/deploy_cloud_run.yml": [f'"{MODEL_FOLDER}/**"'],
    ".dockerignore": [f"\n!{MODEL_FOLDER}\n"],
    "Dockerfile": [f"mkdir -p {MODEL_FOLDER} ", f" {MODEL_FOLDER}; then", f"/src/{MODEL_FOLDER} {MODEL_FOLDER}/\n"],
    "compose.yaml": [f'"./{MODEL_FOLDER}:/app/{MODEL_FOLDER}:ro"', f'"./{MODEL_FOLDER}:/app/{MODEL_FOLDER}"'],
    "deploy/commit_model.sh": [f"git add -- {MODEL_FOLDER}\n", f" -- {MODEL_FOLDER} | cut -d / -f 2 "],
    "deploy/image.sh": [f" {MODEL_FOLDER}/*/{CARD} "],
    "deploy/cloud_run.sh": [f"--champions {MODEL_FOLDER}\n"],
    "deploy/aws/ecs.sh": [f"--champions {MODEL_FOLDER};"],
    "deploy/azure/container_apps.sh": [f"--champions {MODEL_FOLDER}\n"],
    "deploy/circleci/config.yml": [f"mkdir -p loop {MODEL_FOLDER}\n", f"paths: [loop, {MODEL_FOLDER}]"],
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A clone of a repository with one series, in which a training has promoted a champion."""
    origin = tmp_path / "origin.git"
    folder = tmp_path / "checkout"
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch", "main", str(origin))
    git(tmp_path, "clone", "--quiet", str(origin), str(folder))
    git(folder, "checkout", "--quiet", "-B", "main")
    (folder / "config.toml").write_text(CONFIG)
    (folder / "deploy").mkdir()
    shutil.copy(ROOT / "deploy/commit_model.sh", folder / "deploy")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "Settings")
    git(folder, "push", "--quiet", "origin", "main")
    promote(load_settings(folder / "config.toml", {}).model_directory("demo"))
    return folder


def promote(directory: Path) -> None:
    numbers = b"numbers"
    card = {
        "version": "v1",
        "name": "ridge",
        "mae": 1.0,
        "window_end": "2022-03-04T00:00:00Z",
        "sha256": hashlib.sha256(numbers).hexdigest(),
    }
    directory.mkdir(parents=True)
    (directory / NUMBERS).write_bytes(numbers)
    (directory / CARD).write_text(json.dumps(card))


def committed(folder: Path) -> set[str]:
    """The files of the newest commit of the repository that was pushed to."""
    origin = folder.parent / "origin.git"
    return set(git(origin, "diff", "--name-only", "main~1", "main").splitlines())


@pytest.mark.parametrize("file", MENTIONS)
def test_files_that_are_no_python_name_the_folder_of_the_champions(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    assert [mention for mention in MENTIONS[file] if mention not in text] == []


def test_no_other_file_looks_for_cards_without_being_listed_here() -> None:
    globs = {}
    for name in git(ROOT, "ls-files", "*.sh", "*.yml", "*.yaml", "*Dockerfile", "Makefile").splitlines():
        text = (ROOT / name).read_text(encoding="utf-8")
        if re.search(rf"\*/{re.escape(CARD)}|--champions|\b{MODEL_FOLDER}/\*", text):
            globs[name] = name in MENTIONS
    assert [name for name, listed in globs.items() if not listed] == []
    assert len(globs) > 5


def test_git_does_not_ignore_the_folder() -> None:
    ignored = subprocess.run(["git", "check-ignore", "--quiet", f"{MODEL_FOLDER}/demo/{CARD}"], cwd=ROOT)
    assert ignored.returncode == 1


def test_delivery_commits_what_a_training_has_promoted(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("GITHUB_REF_NAME", "MODEL_DELIVERY", "DEPLOY_WORKFLOW", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(variable, raising=False)
    assert delivery.deliver(checkout) == "pushed"
    assert committed(checkout) == {f"{MODEL_FOLDER}/demo/{CARD}", f"{MODEL_FOLDER}/demo/{NUMBERS}"}


def test_the_script_for_other_services_commits_what_a_training_has_promoted(checkout: Path) -> None:
    marker = checkout / "loop" / "promoted"
    command = ["deploy/commit_model.sh", "main", str(marker)]
    run = subprocess.run(command, cwd=checkout, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "promoted: demo" in run.stdout
    assert marker.exists()
    assert committed(checkout) == {f"{MODEL_FOLDER}/demo/{CARD}", f"{MODEL_FOLDER}/demo/{NUMBERS}"}
