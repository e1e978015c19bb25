"""Load every champion of config.toml and let it forecast a day, so that an image that cannot serve is not deployed.

    python -m deploy.champions

Prints one line per series. A series without a champion yet is named, and is no failure.
Exit codes: 0 every champion can serve; 1 one cannot (broken file, missing library); 2 wrong config.toml.
"""

from __future__ import annotations

import sys

from actioncast.config import load_settings
from actioncast.errors import ActioncastError
from actioncast.forecasting.card import read_card
from actioncast.serving.trial import try_champion
from actioncast.settings import Settings, SettingsError


def check(settings: Settings, series_id: str) -> str:
    """Name and version of the champion of this series. Raises ActioncastError when it cannot serve."""
    directory = settings.model_directory(series_id)
    if read_card(directory) is None:
        return "no champion yet: /ready will say so until one is trained"
    card = try_champion(directory)
    return f"{card.name}, version {card.version}"


def main() -> int:
    try:
        settings = load_settings(variables={})
        for series_id in settings.series:
            print(f"{series_id}: {check(settings, series_id)}")
    except ActioncastError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, SettingsError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
