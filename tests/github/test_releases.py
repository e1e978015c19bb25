"""Versions, the version file and the changelog between two releases."""

from __future__ import annotations

from pathlib import Path

import pytest

from actioncast.github.releases import (
    VERSION_FILE,
    Origin,
    ReleaseError,
    Version,
    changes_between,
    newest,
    origin_of,
    shareable,
)

CHANGELOG = """# Changelog

## 0.10.0 - 2027-02-01

- c

## 0.9.0 - 2027-01-01

- b

### Upgrading

- d

## 0.8.0

- a
"""


def test_releases_are_ordered_by_number_and_other_tags_are_none() -> None:
    assert newest(["v0.9.0", "v0.10.0", "nightly", "v1.0.0-rc1", "2.0.0"]) == Version(0, 10, 0)
    assert newest(["nightly"]) is None


def test_the_changelog_between_two_releases_is_that_of_the_later_ones() -> None:
    assert changes_between(CHANGELOG, Version(0, 8, 0), Version(0, 9, 0)) == (
        "## 0.9.0 - 2027-01-01\n\n- b\n\n### Upgrading\n\n- d"
    )
    both = changes_between(CHANGELOG, Version(0, 8, 0), Version(0, 10, 0))
    assert both.startswith("## 0.10.0")
    assert "- a" not in both


def test_the_version_file_is_read_as_it_is_written(tmp_path: Path) -> None:
    assert origin_of(tmp_path) is None
    origin = Origin(Version(1, 2, 3), "https://github.invalid/acme/actioncast")
    (tmp_path / VERSION_FILE).write_text(origin.as_text())
    assert origin_of(tmp_path) == origin
    (tmp_path / VERSION_FILE).write_text("1.2.3")
    assert origin_of(tmp_path) == Origin(Version(1, 2, 3))


def test_a_version_file_without_a_version_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / VERSION_FILE).write_text("<<<<<<< HEAD\n")
    with pytest.raises(ReleaseError, match=rf"{VERSION_FILE}: expected a release such as v0.2.0, got '<<<<<<< HEAD'"):
        origin_of(tmp_path)


def test_an_address_is_shared_without_credentials_and_a_path_is_not(tmp_path: Path) -> None:
    assert shareable("https://me:secret@github.invalid/acme/x") == "https://github.invalid/acme/x"
    assert shareable("git@github.invalid:acme/x.git") == "git@github.invalid:acme/x.git"
    assert shareable(str(tmp_path)) == ""
    assert shareable(tmp_path.as_uri()) == ""
