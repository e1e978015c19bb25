"""The real image, built from what git tracks, started as a cloud starts it. Needs docker; says so when it is absent."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.clock import wait_until
from tests.support.images import base, docker

LARGEST = 650e6  # bytes, unpacked
SECONDS_OF_CPU = 3.0  # until the first forecast is there
STRICT: tuple[str, ...] = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--user", "10001", "--memory", "512m")
STRICT += ("--security-opt", "no-new-privileges", "--network", "none")


@pytest.fixture
def container(image: str) -> Iterator[str]:
    """The image with no environment but the port, and with no right."""
    name = f"actioncast-{uuid.uuid4().hex[:8]}"
    docker("run", "--detach", "--name", name, *STRICT, "--env", "PORT=9000", "--health-interval", "1s", image)
    yield name
    docker("rm", "--force", name)


def test_image_without_any_right_forecasts_and_stops_when_asked(container: str) -> None:
    smoke = docker("exec", container, "python", "-m", "deploy.smoke", "--forecast")
    assert "24 hours from 2022-03-04T03:00:00" in smoke.stdout
    ticks = docker("exec", container, "cat", "/proc/1/stat").stdout.rpartition(") ")[2].split()
    seconds = (int(ticks[11]) + int(ticks[12])) / 100
    print(f"{smoke.stdout.strip()}; {seconds:.1f} s of CPU")
    assert seconds < SECONDS_OF_CPU
    assert "uid=10001" in docker("exec", container, "id").stdout
    assert (
        "No such"
        in docker("exec", container, "ls", "/app/.env", "/app/tests", "/app/data", "/app/.git", check=False).stderr
    )
    assert not docker("exec", container, "sh", "-c", "grep -rl canary /app || true").stdout
    wait_until(lambda: docker("inspect", "--format", "{{.State.Health.Status}}", container).stdout == "healthy\n", 60)
    begun = time.monotonic()
    docker("stop", "--time", "10", container)
    assert time.monotonic() - begun < 10
    assert docker("inspect", "--format", "{{.State.ExitCode}}", container).stdout.strip() == "0"


def test_image_is_small_and_says_what_it_is(image: str) -> None:
    (about,) = json.loads(docker("image", "inspect", image).stdout)
    print(f"{about['Size'] / 1e6:.0f} MB")
    assert about["Size"] < LARGEST
    assert about["Config"]["User"] == "10001:10001"
    assert about["Config"]["Labels"]["org.opencontainers.image.revision"] == "abc1234"


def test_image_carries_the_champion_and_its_version(champion: Path, clone: Path) -> None:
    version = json.loads((champion / "card.json").read_text())["version"]
    subprocess.run(["deploy/image.sh", "build", "actioncast:champion"], cwd=clone, check=True, timeout=600)
    tried = subprocess.run(
        ["deploy/image.sh", "try", "actioncast:champion"], cwd=clone, capture_output=True, text=True, timeout=120
    )
    assert tried.returncode == 0, tried.stdout + tried.stderr
    assert f"version {version}" in tried.stdout
    assert "smoke test passed" in tried.stdout
    (about,) = json.loads(docker("image", "inspect", "actioncast:champion").stdout)
    assert about["Config"]["Labels"]["actioncast.model.version"] == version


@contextmanager
def mounted(image: str, model: Path) -> Iterator[str]:
    """A container whose champions are those in this folder."""
    name = f"actioncast-{uuid.uuid4().hex[:8]}"
    docker("run", "--detach", "--name", name, *STRICT, "--volume", f"{model}:/app/model:ro", image)
    yield name
    docker("rm", "--force", name)


def test_broken_champion_is_refused(champion: Path, image: str, tmp_path: Path) -> None:
    shutil.copytree(champion, tmp_path / "model" / champion.name)
    numbers = tmp_path / "model" / champion.name / "forecaster.npz"
    numbers.write_bytes(numbers.read_bytes()[:-100] + b"\0" * 100)
    with mounted(image, tmp_path / "model") as container:
        checked = docker("exec", container, "python", "-m", "deploy.champions", check=False)
    assert checked.returncode == 1
    assert "expected sha256" in checked.stderr


def test_libraries_follow_the_champion_and_a_slim_image_says_what_it_lacks(
    champion: Path, clone: Path, image: str, tmp_path: Path
) -> None:
    linear = (champion / "card.json").read_text()
    boosted = linear.replace('"estimator": "ridge"', '"estimator": "lightgbm"')
    assert boosted != linear
    shutil.copytree(champion, tmp_path / "model" / champion.name)
    (tmp_path / "model" / champion.name / "card.json").write_text(boosted)
    with mounted(image, tmp_path / "model") as container:
        refused = docker("exec", container, "python", "-m", "deploy.champions", check=False)
    assert refused.returncode == 1
    assert "here it is not installed" in refused.stderr

    (champion / "card.json").write_text(boosted)
    try:
        docker("build", "--target", "champions", "--tag", "actioncast:libraries", *base(), str(clone))
    finally:
        (champion / "card.json").write_text(linear)
    wanted = docker("run", "--rm", "--network", "none", "actioncast:libraries", "cat", "/requirements-set").stdout
    assert wanted.strip() == "api-lightgbm"
