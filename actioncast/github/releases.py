"""Releases of the template: which one a copy is of, which is the newest, and what changed between.

A release is a tag vX.Y.Z of the template repository. A copy remembers its release in
`.actioncast-version`: the version, and on a second line the address of the template, once it is
clear.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from actioncast.errors import ActioncastError
from actioncast.redaction import without_secrets

VERSION_FILE = ".actioncast-version"
_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")
_HEADING = re.compile(r"(?m)^## (?=\S)")  # of a release in CHANGELOG.md: ## 0.2.0 - 2026-11-26


class ReleaseError(ActioncastError):
    """What should name a release does not."""


@dataclass(frozen=True, order=True)
class Version:
    """A release, ordered by age."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> Version:
        """0.2.0 or v0.2.0. Raises ReleaseError for anything else."""
        match = _VERSION.fullmatch(text.strip())
        if not match:
            raise ReleaseError(f"expected a release such as v0.2.0, got {text.strip()!r}")
        return cls(*(int(number) for number in match.groups()))

    @classmethod
    def of_name(cls, name: str) -> Version | None:
        """The release that a tag such as v0.2.0 names; None for the name of anything else."""
        return cls.parse(name) if _VERSION.fullmatch(name.strip()) else None

    @property
    def tag(self) -> str:
        return f"v{self}"

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


FIRST = Version(0, 1, 0)  # the one release that came without a version file


@dataclass(frozen=True)
class Origin:
    """What a copy knows of where it comes from."""

    version: Version
    template: str = ""  # address of the template repository; empty where nobody has given it yet

    def as_text(self) -> str:
        """The content of the version file."""
        lines = [str(self.version)]
        if self.template:
            lines.append(self.template)
        return "\n".join(lines) + "\n"


def origin_of(folder: Path) -> Origin | None:
    """What the version file of a copy says, None without one.

    Raises ReleaseError when its first line is no version.
    """
    path = folder / VERSION_FILE
    if not path.is_file():
        return None
    version, _, template = path.read_text(encoding="utf-8").partition("\n")
    try:
        return Origin(Version.parse(version), template.strip())
    except ReleaseError as error:
        raise ReleaseError(f"{path}: {error}") from None


def shareable(address: str) -> str:
    """The address as it may be committed: a URL without credentials, nothing for a local path."""
    if address.startswith("file:") or Path(address).exists():
        return ""
    return without_secrets(address)


def newest(tags: Iterable[str]) -> Version | None:
    """The newest release among the names of tags, None where no tag is a release."""
    versions = []
    for tag in tags:
        if tag.startswith("v") and _VERSION.fullmatch(tag):
            versions.append(Version.parse(tag))
    return max(versions, default=None)


def changes_between(changelog: str, before: Version, after: Version) -> str:
    """The sections of CHANGELOG.md for the releases after `before`, up to and with `after`."""
    sections = []
    for section in _HEADING.split(changelog)[1:]:
        match = _VERSION.match(section)
        if match and before < Version.parse(match.group()) <= after:
            sections.append(f"## {section.rstrip()}")
    return "\n\n".join(sections)
