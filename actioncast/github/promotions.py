"""Promotions: new champions on their way from the jobs that train to the one that delivers.

Each shard of a retrain trains in a checkout of its own. It picks what it has promoted into a folder,
which becomes an artifact; one job puts the folders of all shards into its model/ and delivers them
together: one commit, one push, one deployment.

    python3 -m actioncast.github.promotions pick FOLDER    # after a training
    python3 -m actioncast.github.promotions put FOLDER     # before the delivery

`pick` sets the output `artifact`, the name for it, and `put` the output `series`, names separated
by commas; both are empty without a promotion. Reads SHARD, such as 1/4.
Exit codes: 0 done, or nothing to do; 1 a champion was changed by somebody else in the meantime (the
others are put), or git refused; 2 wrong flags.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from actioncast.errors import ActioncastError
from actioncast.github import summary
from actioncast.github.delivery import card_at, changes
from actioncast.paths import MODEL_FOLDER, ROOT

REPLACES = "replaces.txt"  # beside a champion that was picked: the version it was better than, or NOBODY
NOBODY = "none"


def pick(root: Path, folder: Path) -> list[str]:
    """Copy what the training in this checkout has promoted. Returns the series.

    Raises DeliveryError for a card that cannot be read.
    """
    series_ids = []
    for change in changes(root):
        copy = folder / change.series
        shutil.copytree(root / MODEL_FOLDER / change.series, copy)
        before = change.before["version"] if change.before else NOBODY
        (copy / REPLACES).write_text(before, encoding="utf-8")
        series_ids.append(change.series)
    return series_ids


def put(root: Path, folder: Path) -> tuple[list[str], list[str]]:
    """Put the champions that were picked into model/.

    Returns the series that were put, and those whose champion is no longer the one that was beaten.
    """
    series_ids = []
    overtaken = []
    for copy in sorted(folder.iterdir()) if folder.is_dir() else []:
        series_id = copy.name
        card = card_at(root, "HEAD", series_id)
        present = card["version"] if card else NOBODY
        if present != (copy / REPLACES).read_text(encoding="utf-8"):
            overtaken.append(series_id)
            continue
        target = root / MODEL_FOLDER / series_id
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(copy, target, ignore=shutil.ignore_patterns(REPLACES))
        series_ids.append(series_id)
    return series_ids, overtaken


def _pick(folder: Path) -> int:
    series_ids = pick(ROOT, folder)
    print(f"promoted: {', '.join(series_ids) or 'none'}")
    shard = os.environ.get("SHARD") or "1/1"
    artifact = f"champions-{shard.replace('/', '-of-')}" if series_ids else ""
    summary.output("artifact", artifact)
    return 0


def _put(folder: Path) -> int:
    series_ids, overtaken = put(ROOT, folder)
    print(f"to deliver: {', '.join(series_ids) or 'none'}")
    summary.output("series", ",".join(series_ids))
    if overtaken:
        names = ", ".join(overtaken)
        summary.failure("Not delivered", f"somebody changed the champion of {names} meanwhile: train again")
        return 1
    return 0


ACTIONS = {"pick": _pick, "put": _put}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", choices=list(ACTIONS))
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args(argv)
    try:
        return ACTIONS[arguments.action](arguments.folder)
    except ActioncastError as error:
        summary.failure("Not delivered", str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main())
