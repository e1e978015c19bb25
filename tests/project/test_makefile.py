"""`make` finds a Python that fits, or says what to install."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.checkout import ROOT

OLD = "#!/bin/sh\nexit 1\n"
NEW = """#!/bin/sh
if [ "$1" = -m ]; then
  mkdir -p .venv/bin
  printf '#!/bin/sh\\n' > .venv/bin/pip
  chmod +x .venv/bin/pip
fi
"""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder of programs: make and what its recipe calls, and a python3 that is too old."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("make", "sh", "mkdir", "chmod"):
        (programs / name).symlink_to(shutil.which(name) or name)
    write_program(programs / "python3", OLD)
    return programs


def write_program(path: Path, script: str) -> None:
    path.write_text(script)
    path.chmod(0o755)


def make(machine: Path, *variables: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "--file", str(ROOT / "Makefile"), ".venv/bin/python", *variables]
    environment = {"PATH": str(machine)}
    return subprocess.run(command, cwd=machine.parent, env=environment, capture_output=True, text=True)


def test_without_a_python_that_fits_it_says_what_to_install(machine: Path) -> None:
    run = make(machine)
    assert run.returncode != 0
    assert "Python 3.11, 3.12, 3.13 or 3.14 is needed" in run.stdout
    assert "sudo apt install python3 python3-venv" in run.stdout
    assert "uv python install 3.12" in run.stdout


def test_another_python_than_python3_is_found(machine: Path) -> None:
    write_program(machine / "python3.14", NEW)
    run = make(machine)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "creating .venv with python3.14" in run.stdout


def test_a_python_that_is_named_is_taken_or_none(machine: Path) -> None:
    write_program(machine / "python3.14", NEW)
    run = make(machine, "PYTHON=python3.9")
    assert run.returncode != 0
    assert "none of these is one: python3.9" in run.stdout
