"""A copy of a release becomes one of the next: with real git, and without a common history."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import upgrade
from actioncast.config import load_settings
from actioncast.github.git import git
from actioncast.github.releases import VERSION_FILE, Origin, Version, origin_of
from actioncast.policies import FreshnessPolicy, RetrainPolicy
from actioncast.settings import SettingsError
from tests.support.checkout import ROOT
from tests.support.releases import (
    NEW,
    OLD,
    Files,
    commit,
    copy_of,
    files_of,
    repository,
    this_project,
    write,
)

FIRST_RELEASE = ROOT / "tests" / "fixtures" / "v0_1_0"
LINES = "".join(f"line {number}\n" for number in range(40))
CHANGELOG = "# Changelog\n\n## 0.2.0 - 2026-11-26\n\n- What is new.\n\n## 0.1.0 - 2026-01-01\n\n- The first.\n"
USERS: Files = {
    "config.toml": "[series.mine]\n",
    "utils.py": "# my features\n",
    "my_source.py": "def read(since, until): ...\n",
    "model/mine/card.json": "{}\n",
    "model/mine/forecaster.npz": b"\x00numbers",
    "data/own.csv": "timestamp,value\n",
}


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """Two releases of a small template. The second changes, adds, deletes and renames."""
    folder = repository(tmp_path / "template", "main")
    old: Files = {
        "config.toml": "[series.example]\n",
        "utils.py": "# features\n",
        "train.py": LINES,
        "unused.py": "old\n",
        "old_name.py": LINES.replace("line", "row"),
        "deploy.sh": "#!/bin/sh\n",
        "LICENSE": "MIT\n",
        "data/recording.gz": b"\x00\x01old",
    }
    commit(folder, old)
    git(folder, "tag", OLD)
    new: Files = {
        "config.toml": "[series.example]\nnew = 1\n",
        "utils.py": "# other features\n",
        "train.py": LINES.replace("line 3\n", "line 3, mended\n"),
        "unused.py": None,
        "old_name.py": None,
        "jobs/new_name.py": LINES.replace("line", "row"),
        "data/recording.gz": b"\x00\x01new",
        "extra.py": "new\n",
        "CHANGELOG.md": CHANGELOG,
        VERSION_FILE: "0.2.0\n",
    }
    (folder / "deploy.sh").chmod(0o755)
    commit(folder, new)
    git(folder, "tag", NEW)
    return folder


@pytest.fixture
def copy(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the older release with all that is the user's."""
    folder = copy_of(template, OLD, tmp_path / "copy")
    commit(folder, USERS)
    monkeypatch.chdir(folder)
    return folder


def branches(folder: Path) -> list[str]:
    return git(folder, "branch", "--format=%(refname:short)").splitlines()


def test_all_that_the_release_changed_comes_and_all_that_is_the_users_stays(
    template: Path, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(copy, {".git/info/exclude": ".env\n", ".env": "API_KEY=mine\n"})
    before = git(copy, "rev-parse", "trunk")
    assert upgrade.main(["--template", str(template)]) == 0
    assert git(copy, "branch", "--show-current") == "upgrade-v0.2.0"
    users = {path: content for path, content in files_of(copy, before).items() if path in USERS}
    assert files_of(copy, "HEAD") == files_of(template, NEW) | users
    assert git(copy, "status", "--porcelain") == ""
    assert git(copy, "rev-parse", "trunk") == git(copy, "rev-parse", "HEAD^") == before
    assert (copy / ".env").read_text() == "API_KEY=mine\n"
    printed = capsys.readouterr().out
    assert "## 0.2.0 - 2026-11-26\n\n- What is new." in printed
    assert "The first" not in printed
    assert "git switch trunk && git merge upgrade-v0.2.0" in printed


def test_edits_in_our_files_are_merged_with_the_releases_and_follow_a_renamed_file(template: Path, copy: Path) -> None:
    edits = {
        "train.py": LINES.replace("line 30\n", "line 30, mine\n"),
        "old_name.py": LINES.replace("line", "row").replace("row 7\n", "row 7, mine\n"),
    }
    commit(copy, edits)
    assert upgrade.main(["--template", str(template)]) == 0
    merged = (copy / "train.py").read_text()
    assert "line 3, mended" in merged
    assert "line 30, mine" in merged
    assert "row 7, mine" in (copy / "jobs" / "new_name.py").read_text()


def test_a_line_changed_on_both_sides_is_left_to_the_user_with_both(
    template: Path, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(copy, {"train.py": LINES.replace("line 3\n", "line 3, mine\n")})
    before = git(copy, "rev-parse", "trunk")
    assert upgrade.main(["--template", str(template)]) == 1
    text = (copy / "train.py").read_text()
    assert "line 3, mine\n=======\nline 3, mended\n" in text
    assert (copy / "extra.py").read_text() == "new\n", "the others are merged"
    assert "changed on both sides: train.py" in capsys.readouterr().out
    assert git(copy, "rev-parse", "trunk") == before
    write(copy, {"train.py": LINES.replace("line 3\n", "line 3, mine and mended\n")})
    git(copy, "add", "train.py")
    git(copy, "commit", "--no-edit")
    assert origin_of(copy) == origin_of(template)
    assert git(copy, "log", "-1", "--format=%s") == "Upgrade Actioncast from v0.1.0 to v0.2.0"


def test_the_way_back_from_a_conflict_leaves_nothing_behind(
    template: Path, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(copy, {"train.py": LINES.replace("line 3\n", "line 3, mine\n")})
    assert upgrade.main(["--template", str(template)]) == 1
    way_back = capsys.readouterr().out.strip().splitlines()[-1].removeprefix("Way back: ")
    subprocess.run(way_back, shell=True, check=True, cwd=copy, capture_output=True)  # noqa: S602 what it printed
    assert branches(copy) == ["trunk"]
    assert git(copy, "status", "--porcelain") == ""
    assert "line 3, mine" in (copy / "train.py").read_text()


def test_a_file_of_the_users_where_the_release_has_a_new_one_is_a_conflict(
    template: Path, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(copy, {"extra.py": "mine\n"})
    assert upgrade.main(["--template", str(template)]) == 1
    assert "added on both sides: extra.py" in capsys.readouterr().out
    text = (copy / "extra.py").read_text()
    assert "mine\n=======\nnew\n" in text


def test_our_file_that_the_release_deleted_and_the_user_changed_stays_with_a_conflict(
    template: Path, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(copy, {"unused.py": "old, and used by me\n"})
    assert upgrade.main(["--template", str(template)]) == 1
    assert "changed here, deleted in the release: unused.py" in capsys.readouterr().out
    assert (copy / "unused.py").read_text() == "old, and used by me\n"


def test_what_the_user_deleted_stays_deleted_and_is_listed(
    template: Path, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(copy, {"train.py": None, "old_name.py": None, "LICENSE": None})
    assert upgrade.main(["--template", str(template)]) == 0
    assert not {"train.py", "LICENSE"} & set(files_of(copy, "HEAD"))
    assert "Deleted by you, and left so:\n  train.py\n\n" in capsys.readouterr().out


def test_a_dry_run_says_the_same_and_changes_nothing(
    template: Path, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(copy, {"train.py": LINES.replace("line 3\n", "line 3, mine\n")})
    before = git(copy, "rev-parse", "HEAD")
    assert upgrade.main(["--template", str(template), "--dry-run"]) == 1
    printed = capsys.readouterr().out
    assert "changed on both sides: train.py" in printed
    assert "  A\textra.py\n" in printed
    assert (git(copy, "rev-parse", "HEAD"), branches(copy)) == (before, ["trunk"])
    assert git(copy, "status", "--porcelain") == ""
    assert len(git(copy, "worktree", "list").splitlines()) == 1


def test_uncommitted_changes_are_refused_before_anything_is_done(
    template: Path, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(copy, {"train.py": "half done\n"})
    assert upgrade.main(["--template", str(template)]) == 1
    message = capsys.readouterr().err
    assert "train.py" in message
    assert "git stash" in message
    assert (copy / "train.py").read_text() == "half done\n"
    assert branches(copy) == ["trunk"]


def test_a_file_outside_git_is_not_overwritten_even_when_git_ignores_it(
    template: Path, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(copy, {".gitignore": "extra.py\n"})
    write(copy, {"extra.py": "mine, and in no commit\n"})
    assert upgrade.main(["--template", str(template)]) == 1
    assert "the release brings extra.py" in capsys.readouterr().err
    assert (copy / "extra.py").read_text() == "mine, and in no commit\n"
    assert branches(copy) == ["trunk"]


def test_the_same_release_needs_nothing(template: Path, copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert upgrade.main(["--template", str(template)]) == 0
    assert upgrade.main(["--template", str(template)]) == 0
    assert "This copy is of v0.2.0: nothing to do" in capsys.readouterr().out


def test_the_next_upgrade_starts_from_the_last_one(template: Path, copy: Path) -> None:
    commit(copy, {"train.py": LINES.replace("line 3\n", "line 3, mine\n")})
    assert upgrade.main(["--template", str(template)]) == 1
    git(copy, "checkout", "--ours", "train.py")
    commit(copy, {}, "Keep mine")
    commit(template, {"extra.py": "newer\n", VERSION_FILE: "0.3.0\n"})
    git(template, "tag", "v0.3.0")
    assert upgrade.main(["--template", str(template)]) == 0
    assert (copy / "extra.py").read_text() == "newer\n"
    assert "line 3, mine" in (copy / "train.py").read_text()


def test_the_newest_release_is_the_highest_and_another_one_can_be_named(template: Path, copy: Path) -> None:
    for tag in ("v0.10.0", "v0.9.0", "nightly"):
        commit(template, {VERSION_FILE: tag.removeprefix("v")})
        git(template, "tag", tag)
    assert upgrade.main(["--template", str(template), "--to", NEW]) == 0
    assert (copy / VERSION_FILE).read_text() == "0.2.0\n"
    assert upgrade.main(["--template", str(template)]) == 0
    assert (copy / VERSION_FILE).read_text() == "0.10.0\n"


def test_a_branch_or_a_commit_that_is_no_release_can_be_named(template: Path, copy: Path) -> None:
    commit(template, {"train.py": LINES.replace("line 9\n", "line 9, not released\n")})
    start = git(template, "rev-parse", OLD)
    assert upgrade.main(["--template", str(template), "--from", start, "--to", "main"]) == 0
    assert "line 9, not released" in (copy / "train.py").read_text()
    assert git(copy, "branch", "--show-current") == "upgrade-main"
    assert origin_of(copy) == Origin(Version(0, 2, 0))


def test_a_branch_without_a_version_file_is_refused(
    template: Path, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    git(template, "branch", "ancient", OLD)
    assert upgrade.main(["--template", str(template), "--to", "ancient"]) == 2
    assert f"ancient of {template} has no .actioncast-version" in capsys.readouterr().err


def test_tags_of_the_template_do_not_become_tags_of_the_copy(template: Path, copy: Path) -> None:
    git(copy, "tag", NEW)
    mine = git(copy, "rev-parse", NEW)
    assert upgrade.main(["--template", str(template)]) == 0
    assert git(copy, "tag") == NEW
    assert git(copy, "rev-parse", f"{NEW}^{{commit}}") == mine


def test_the_address_of_the_template_is_remembered_without_its_password(template: Path, copy: Path) -> None:
    address = "https://me:secret@github.invalid/acme/actioncast"
    git(copy, "config", f"url.{template}.insteadOf", address)
    assert upgrade.main(["--template", address, "--to", NEW]) == 0
    assert (copy / VERSION_FILE).read_text() == "0.2.0\nhttps://github.invalid/acme/actioncast\n"


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        ([], 2, "expected --template"),
        (["--template", "{template}", "--to", "newest"], 1, "couldn't find remote ref newest"),
        (["--template", "{template}", "--to", "v7.0.0"], 1, "v7.0.0"),
        (["--template", "{template}/nowhere"], 1, "nowhere"),
    ],
)
def test_a_wrong_flag_is_an_error_that_says_what_is_expected(
    template: Path, copy: Path, capsys: pytest.CaptureFixture[str], flags: list[str], code: int, words: str
) -> None:
    assert upgrade.main([flag.format(template=template) for flag in flags]) == code
    assert words in capsys.readouterr().err
    assert branches(copy) == ["trunk"]


def test_a_branch_of_an_earlier_try_is_not_overwritten(
    template: Path, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    git(copy, "branch", "upgrade-v0.2.0")
    assert upgrade.main(["--template", str(template)]) == 1
    assert "upgrade-v0.2.0" in capsys.readouterr().err
    assert git(copy, "branch", "--show-current") == "trunk"


# --- the project itself -----------------------------------------------------------------------------------------------

OWN_CONFIG = """
[series.visits]
source = { kind = "file", path = "data/own.csv" }
unit = "visits/h"
points_per_period = 1
minimum_points_per_period = 1
horizon = 24
"""
OWN_DATA = "timestamp,value\n" + "".join(f"2026-11-26T{hour:02}:00:00Z,{hour}\n" for hour in range(12))


def test_a_copy_of_this_project_is_upgraded_and_goes_on(tmp_path: Path) -> None:
    template = repository(tmp_path / "template", "main")
    this_project(template)
    commit(template, {}, "The new release")
    git(template, "tag", NEW)
    older: Files = {
        VERSION_FILE: None,
        "Makefile": (template / "Makefile").read_text().replace("make help", "make aid"),
        "rollback.py": None,
        "docs/evidence.md": (template / "docs" / "policy.md").read_bytes(),
        "docs/policy.md": None,
        "actioncast/old.py": "OLD = True\n",
        "utils.py": (FIRST_RELEASE / "utils.txt").read_bytes(),
        "config.toml": (FIRST_RELEASE / "config.toml").read_bytes(),
    }
    (template / "deploy" / "image.sh").chmod(0o644)
    commit(template, older, "As the old release may have been")
    git(template, "tag", OLD)
    copy = copy_of(template, OLD, tmp_path / "copy")
    utils = (FIRST_RELEASE / "utils.txt").read_text() + "\n# and mine\n"
    users = {**USERS, "config.toml": OWN_CONFIG, "data/own.csv": OWN_DATA, "utils.py": utils}
    commit(copy, users, "Mine")
    write(copy, {".env": "API_KEY=mine-and-long-enough\n"})

    # As README.md has it for a copy that has no upgrade.py yet; -S: with nothing installed.
    git(copy, "fetch", str(template), NEW)
    git(copy, "worktree", "add", "--quiet", "--detach", str(tmp_path / "release"), "FETCH_HEAD")
    command = [sys.executable, "-S", str(tmp_path / "release" / "upgrade.py"), "--template", str(template)]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    mine = {path: content for path, content in files_of(copy, "trunk").items() if path in users}
    assert files_of(copy, "HEAD") == files_of(template, NEW) | mine
    assert (copy / ".env").read_text() == "API_KEY=mine-and-long-enough\n"
    imports = "import app, check_retrain, make_predictions, train"
    subprocess.run([sys.executable, "-c", imports], cwd=copy, check=True)
    script = [sys.executable, "update_real_data.py", "--now", "2026-11-26T12:30", "--json"]
    done = subprocess.run(script, cwd=copy, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert '"periods_loaded": 12' in done.stdout


def test_the_configuration_of_the_first_release_is_carried_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "config.toml"
    shutil.copy(FIRST_RELEASE / "config.toml", config)
    with pytest.raises(SettingsError, match=r"write history = .*python upgrade.py --config rewrites the file"):
        load_settings(config, {})
    monkeypatch.chdir(tmp_path)
    assert upgrade.main(["--config", "--dry-run"]) == 0
    assert "history_days = 730 -> history = " in capsys.readouterr().out
    assert upgrade.main(["--config"]) == 0
    settings = load_settings(config, {})
    assert settings.series["bitcoin_transactions"].points_per_period == 4
    assert settings.retrain_of("bitcoin_transactions") == RetrainPolicy()
    assert settings.freshness_of("bitcoin_transactions") == FreshnessPolicy()
    assert "# newest days to learn from" in config.read_text(encoding="utf-8"), "comments stay"
    capsys.readouterr()
    assert upgrade.main(["--config"]) == 0
    assert capsys.readouterr().out == "config.toml has no key with a new name\n"


@pytest.mark.template
def test_version_file_project_and_changelog_name_the_same_release() -> None:
    origin = origin_of(ROOT)
    assert origin
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    headings = [line for line in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines() if line[:3] == "## "]
    assert project == str(origin.version)
    assert headings[0].split()[1] == str(origin.version)
