"""Copy what the patterns select into the artifact's folder, laid out from their least common ancestor."""

import glob
import os
import shutil
import sys
import zlib
from pathlib import Path


def main() -> int:
    name = os.environ["NAME"]
    target = Path(os.environ["STAND_IN_ARTIFACTS"]) / name
    patterns = [line.strip() for line in os.environ["PATTERNS"].splitlines() if line.strip()]
    files = selected(patterns)
    if not files:
        return when_empty(os.environ["WHEN_EMPTY"], patterns)
    if target.exists() and os.environ["OVERWRITE"] != "true":
        print(f"::error::Failed to CreateArtifact: an artifact with the name {name} already exists on the workflow run")
        return 1
    shutil.rmtree(target, ignore_errors=True)
    root = Path(os.path.commonpath([search_root(pattern) for pattern in patterns if not pattern.startswith("!")]))
    for file in files:
        copy = target / file.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, copy)
    with Path(os.environ["GITHUB_OUTPUT"]).open("a") as output:
        output.write(f"artifact-id={zlib.crc32(name.encode())}\n")
    print(f"Artifact {name}: {len(files)} files")
    return 0


def when_empty(behaviour: str, patterns: list[str]) -> int:
    level = "error" if behaviour == "error" else "warning"
    if behaviour != "ignore":
        print(f"::{level}::No files were found with the provided path: {patterns}")
    return 1 if behaviour == "error" else 0


def selected(patterns: list[str]) -> list[Path]:
    chosen: set[Path] = set()
    for pattern in patterns:
        found = matching(pattern.removeprefix("!"))
        chosen = chosen - found if pattern.startswith("!") else chosen | found
    return sorted(chosen)


def matching(pattern: str) -> set[Path]:
    """Files of one pattern; a folder stands for everything below it, hidden files only when asked for."""
    hidden = os.environ["HIDDEN"] == "true"
    root = search_root(pattern)
    files: set[Path] = set()
    for found in glob.glob(pattern, recursive=True, include_hidden=hidden):  # noqa: PTH207 (absolute patterns)
        path = Path(found).absolute()
        files |= {below for below in path.rglob("*") if below.is_file()} if path.is_dir() else {path}
    return {file for file in files if hidden or not any(part.startswith(".") for part in file.relative_to(root).parts)}


def search_root(pattern: str) -> Path:
    """The folder a pattern starts from: itself, or what comes before its first wildcard, or a file's folder."""
    path = Path(pattern).absolute()
    wild = next((index for index, part in enumerate(path.parts) if glob.has_magic(part)), None)
    if wild is not None:
        return Path(*path.parts[:wild])
    return path if path.is_dir() else path.parent


if __name__ == "__main__":
    sys.exit(main())
