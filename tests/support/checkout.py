"""This checkout as the template ships it: tests never read what a user has made their own."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "tests" / "fixtures" / "config.toml"  # config.toml as it is shipped
SERIES = "bitcoin_transactions"  # its series


def scripts() -> dict[str, Path]:
    """The root scripts of the template by name: those in the tree of docs/design.md.

    A module that lies beside them is the user's.
    """
    design = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    return {name: ROOT / f"{name}.py" for name in re.findall(r"(?m)^(\w+)\.py +\S", design)}


def shipped_files() -> dict[str, Path]:
    """Path in the repository -> file to read: what git tracks here or would, without the user's champions
    and with the shipped config.toml instead of the user's."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=60,
    )
    names = [name for name in listed.stdout.decode().split("\0") if name and not name.startswith("model/")]
    files = {name: ROOT / name for name in names if (ROOT / name).is_file()}
    return files | {"config.toml": CONFIG}
