"""What to do where a series has no forecast yet. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from actioncast.arrays import np
from actioncast.dashboard.stored import Stored
from actioncast.periods.words import Words
from actioncast.policies import SHORTEST_HISTORY
from actioncast.settings import SeriesSettings

TRAIN_AND_FORECAST = ("python train.py", "python make_predictions.py")


@dataclass(frozen=True)
class Advice:
    """What is missing, what helps, and the commands, to which the page adds the series."""

    missing: str
    hint: str
    commands: tuple[str, ...]


def advice_on(stored: Stored, series: SeriesSettings) -> Advice | None:
    """The next step of a series without a forecast; None for one that has a forecast."""
    if stored.vintage:
        return None
    words = Words(series.timeline)
    if stored.history is None:
        return Advice(
            f"No {words.noun} is stored yet.", "Load what the source has:", ("python update_real_data.py --backfill",)
        )
    if stored.card:
        return Advice("No forecast is stored yet.", "Forecast:", ("python make_predictions.py",))
    known = int(np.count_nonzero(~np.isnan(stored.history.values)))
    if known < SHORTEST_HISTORY:
        return Advice(
            f"{words.count(known)} with a value, of the {SHORTEST_HISTORY} that a training needs at least.",
            "The next load brings more; if the source has older ones, load them:",
            ("python update_real_data.py --backfill",),
        )
    first_training = series.defaults.first_training.periods(series.frequency)
    if known < first_training:
        return Advice(
            f"No forecast is stored yet: {words.count(known)} are known.",
            f"The workflows train once there are {first_training:,}. A champion of fewer can be trained by hand:",
            ("python train.py", "python make_predictions.py"),
        )
    return Advice(
        "No forecast is stored yet.",
        "Train a champion, then forecast:",
        ("python train.py", "python make_predictions.py"),
    )
