"""The loop without a scheduler: ingest, train where there is no champion or a check asks for it, forecast, check.

    python -m deploy.loop               # once
    python -m deploy.loop --every 3600  # and again, each time so many seconds after the last round began

Runs the scripts of the workflows, one after another, for each series of config.toml. A script that fails is said and
ends the round; with --every the next round tries again.
Exit codes: 0 the round is done; otherwise that of the script that failed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence

from pipeline.settings import Settings, load_settings


def script(name: str, series_id: str) -> dict[str, object]:
    """Run one script; its report. Raises CalledProcessError when it fails."""
    print(f"== {name} {series_id}", file=sys.stderr)
    run = subprocess.run(
        [sys.executable, f"{name}.py", "--series", series_id, "--json"], stdout=subprocess.PIPE, text=True, check=True
    )
    report: dict[str, object] = json.loads(run.stdout)
    return report


def round_of(settings: Settings, series_id: str) -> None:
    script("update_real_data", series_id)
    if not (settings.model_directory(series_id) / "card.json").exists():
        script("train", series_id)
    script("make_predictions", series_id)
    if script("check_retrain", series_id).get("verdict") == "retrain":
        script("train", series_id)
        script("make_predictions", series_id)


def once(settings: Settings) -> int:
    worst = 0
    for series_id in settings.series:
        try:
            round_of(settings, series_id)
        except subprocess.CalledProcessError as error:
            print(f"error: {error.cmd[1]} ended with {error.returncode}", file=sys.stderr)
            worst = max(worst, error.returncode)
    return worst


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=0, help="seconds between rounds (default: 0, one round)")
    arguments = parser.parse_args(argv)
    settings = load_settings()
    while True:
        begun = time.monotonic()
        code = once(settings)
        if not arguments.every:
            return code
        time.sleep(max(0.0, arguments.every - (time.monotonic() - begun)))


if __name__ == "__main__":
    sys.exit(main())
