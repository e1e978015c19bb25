"""One version of uv everywhere: on GitHub by way of pyproject.toml, in the image and in the other CI systems."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_place_that_installs_uv_takes_the_version_of_pyproject() -> None:
    required = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["uv"]["required-version"]
    version = required.removeprefix("==")
    assert re.fullmatch(r"\d+\.\d+\.\d+", version), "a range would take whatever is newest"
    for name in ("Dockerfile", "deploy/gitlab/.gitlab-ci.yml", "deploy/circleci/config.yml"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert re.findall(r"(?:uv==|ARG UV=)(\d[\d.]*)", text) == [version], name


def test_no_step_of_github_names_a_version_of_its_own() -> None:
    for path in (ROOT / ".github").rglob("*.yml"):
        text = path.read_text(encoding="utf-8")
        for _, inputs in re.findall(r"uses: astral-sh/(setup-uv)@.*\n(\s+with:\n(?:\s{8,}.*\n)*)", text):
            assert not re.search(r"(?m)^\s+version:", inputs), path.name
