"""The loop without a scheduler: ingest, train where there is no champion or a check asks for it, forecast, check.

    python -m deploy.loop               # once
    python -m deploy.loop --every 3600  # and again, each time so many seconds after the last round began
    python -m deploy.loop --due         # for GitLab CI and CircleCI: only the names of the series that want a training

Runs the scripts of the workflows, one after another, for each series of config.toml. A script that fails is said and
ends the round of its series; with --every the next round tries again. A training is due where there is no champion or
the check says so; --due prints one name a line.
Exit codes: 0 the round is done; otherwise that of the script that failed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from actioncast.config import load_settings
from actioncast.paths import CARD
from actioncast.settings import Settings


def script(name: str, series_id: str) -> dict[str, object]:
    """Run one script; its report. Raises CalledProcessError when it fails."""
    print(f"== {name} {series_id}", file=sys.stderr)
    run = subprocess.run(
        [sys.executable, f"{name}.py", "--series", series_id, "--json"], stdout=subprocess.PIPE, text=True, check=True
    )
    report: dict[str, object] = json.loads(run.stdout)
    return report


def has_champion(settings: Settings, series_id: str) -> bool:
    return (settings.model_directory(series_id) / CARD).exists()


def is_bad(series_id: str) -> bool:
    return script("check_retrain", series_id).get("verdict") == "retrain"


def round_of(settings: Settings, series_id: str) -> None:
    script("update_real_data", series_id)
    if not has_champion(settings, series_id):
        script("train", series_id)
    script("make_predictions", series_id)
    if is_bad(series_id):
        script("train", series_id)
        script("make_predictions", series_id)


def tell_whether_due(settings: Settings, series_id: str) -> None:
    if not has_champion(settings, series_id) or is_bad(series_id):
        print(series_id)


def once(settings: Settings, story: Callable[[Settings, str], None]) -> int:
    worst = 0
    for series_id in settings.series:
        try:
            story(settings, series_id)
        except subprocess.CalledProcessError as error:
            print(f"error: {error.cmd[1]} ended with {error.returncode}", file=sys.stderr)
            worst = max(worst, error.returncode)
    return worst


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=0, help="seconds between rounds (default: 0, one round)")
    parser.add_argument("--due", action="store_true", help="only print the series that want a training")
    arguments = parser.parse_args(argv)
    settings = load_settings()
    while True:
        begun = time.monotonic()
        code = once(settings, tell_whether_due if arguments.due else round_of)
        if not arguments.every:
            return code
        time.sleep(max(0.0, arguments.every - (time.monotonic() - begun)))


if __name__ == "__main__":
    sys.exit(main())
