"""The image and what it is built from, once for all tests that need it. They need docker; without it they say so."""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.checkout import shipped_files

IMAGE = "actioncast:test"


def docker(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    run = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=600)
    assert not check or run.returncode == 0, f"docker {arguments}: {run.stdout[-3000:]}{run.stderr[-3000:]}"
    return run


def base() -> list[str]:
    """The base that .ci/engine has prepared, where it had to."""
    return ["--build-arg", f"BASE={os.environ['BASE_IMAGE']}"] if os.environ.get("BASE_IMAGE") else []


@pytest.fixture(scope="session")
def engine() -> None:
    """A docker that works."""
    remedy = (
        "get Docker Engine (docs.docker.com/engine/install) and let this user use it, or as root eval $(.ci/engine)"
    )
    if not shutil.which("docker"):
        pytest.skip(f"docker is not installed; {remedy}")
    if docker("version", check=False).returncode:
        pytest.skip(f"docker has no engine to talk to; {remedy}")


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The working tree as a clean clone of the template would have it, and a secret that must not get into an image."""
    folder = tmp_path_factory.mktemp("clone")
    for name, path in shipped_files().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / name)
    (folder / ".env").write_text("DATABASE_URL=postgresql://app:canary@db.invalid/x\n")
    return folder


@pytest.fixture(scope="session")
def image(engine: None, clone: Path) -> str:
    shutil.rmtree(clone / "model", ignore_errors=True)
    docker("build", "--tag", IMAGE, "--build-arg", "REVISION=abc1234", *base(), str(clone))
    return IMAGE


@pytest.fixture(scope="session")
def champion(image: str, clone: Path) -> Path:
    """The example's champion, as the one of the repository."""
    name = f"actioncast-{uuid.uuid4().hex[:8]}"
    docker("create", "--name", name, image)
    docker("cp", f"{name}:/app/example/model", str(clone / "model"))
    docker("rm", name)
    (folder,) = (clone / "model").iterdir()
    return folder


@pytest.fixture
def containers() -> Iterator[list[str]]:
    """Names of containers that are removed at the end."""
    names: list[str] = []
    yield names
    for name in names:
        docker("rm", "--force", name)
