"""The clock in one place: do the cron lines of the workflows say what config.toml says, and what
does a month cost?

    python -m actioncast.cli.schedule            # looks, and prints the bill
    python -m actioncast.cli.schedule --write    # puts the clock of config.toml into the workflows

Reads config.toml ([schedule], freshness.look_hours) and .github/workflows; writes there only with
--write. The minute of each workflow stays as it is.
Exit codes: 0 they agree, or were written; 1 they differ; 2 wrong flags or config.toml.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from actioncast.cli import bill, crons
from actioncast.config import load_settings
from actioncast.paths import ROOT
from actioncast.settings import Settings, SettingsError
from actioncast.times import ONE_HOUR

COMMAND = "python -m actioncast.cli.schedule --write"


def differences(settings: Settings) -> list[str]:
    """One sentence for each workflow of this checkout whose schedule is not that of config.toml.

    Raises SettingsError.
    """
    return [_difference(cron) for cron in crons.read(settings, ROOT) if not cron.agrees]


def _difference(cron: crons.Cron) -> str:
    return f"{cron.file}: the schedule is {cron.present!r}, and config.toml says {cron.configured!r}"


def false_alarms(settings: Settings) -> list[str]:
    """Limits of [freshness] that a clock so slow would break while all is well. Raises SettingsError."""
    sentences = []
    for series_id in settings.series:
        policy = settings.freshness_of(series_id)
        sentences += _too_tight("actual", policy.actual / ONE_HOUR, settings.schedule.load_hours)
        sentences += _too_tight("forecast", policy.forecast / ONE_HOUR, settings.schedule.forecast_hours)
    sentences = list(dict.fromkeys(sentences))
    for file, allowed_hours in settings.freshness.workflow_hours.items():
        if file in crons.FILES and file != "pages.yml":
            every = crons.hours_between(settings, file)
            sentences += _too_tight(f"workflow_hours, {file},", allowed_hours, every)
    return sentences


def _too_tight(key: str, allowed_hours: float, every: int) -> list[str]:
    """One dropped run must not be an alarm."""
    if allowed_hours >= 2 * every:
        return []
    return [f"freshness.{key} is {allowed_hours:g} h and the clock comes every {every} h; allow {2 * every} h at least"]


def _write(settings: Settings) -> None:
    """Put the clock of config.toml into the workflow files, and say what was changed."""
    for cron in crons.read(settings, ROOT):
        if not cron.agrees:
            crons.write(cron, ROOT)
            print(f"written: {cron.file} {cron.configured}")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the cron lines of the workflow files")
    arguments = parser.parse_args(argv)
    try:
        settings = load_settings()
        if arguments.write:
            _write(settings)
        different = differences(settings)
        warnings = false_alarms(settings)
        text = bill.as_text(bill.month(settings))
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for warning in warnings:
        print(f"warning: {warning}")
    print(text)
    if different:
        print("\n".join(["", *different, f"error: the clock differs; run: {COMMAND}"]), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
