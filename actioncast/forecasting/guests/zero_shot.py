"""Asks a zero-shot forecaster, which learns nothing here: it gets the newest values before each origin.

Its weights lie inside its package, whose version the card keeps; nothing is downloaded at run time.
A champion with a guest needs the package wherever it forecasts (requirements/guests.in).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any

from actioncast.arrays import Values, np
from actioncast.periods.frequency import Frequency

SAMPLES = 200  # paths of flaircast, of which the median is taken
SEED = 1
FLAIR_UNITS = {"min": "T", "h": "H", "D": "D", "W": "W", "MS": "M", "QS": "Q", "YS": "Y"}

Ask = Callable[[Values, int, Frequency], Values]


@dataclass(frozen=True)
class Guest:
    """A forecaster: the package that it comes in, and how it is asked for medians [origins, horizon]."""

    package: str
    ask: Ask


def is_installed(name: str) -> bool:
    """Whether the package of this guest is there."""
    return find_spec(GUESTS[name].package) is not None


def forecast(name: str, contexts: Values, horizon: int, frequency: Frequency) -> Values:
    """Medians [origins, horizon] of a guest after contexts [origins, periods], without gaps, the newest value last."""
    return GUESTS[name].ask(contexts, horizon, frequency)


def _ask_fracast(contexts: Values, horizon: int, frequency: Frequency) -> Values:  # noqa: ARG001 - it sees values alone
    model = _fracast()
    quantiles = model.forecast_batch(contexts.astype(np.float32), horizon=horizon)
    median = int(np.argmin(np.abs(np.array(model.quantiles) - 0.5)))
    return np.asarray(quantiles[:, :, median], dtype=np.float64)


@cache
def _fracast() -> Any:
    """The model with the weights of its package."""
    from fracast.inference import FracastModel

    return FracastModel.from_pretrained()


def _ask_flair(contexts: Values, horizon: int, frequency: Frequency) -> Values:
    import flaircast

    unit = FLAIR_UNITS[frequency.unit]
    count = str(frequency.count) if frequency.count > 1 else ""
    paths = [
        flaircast.forecast(context, horizon, f"{count}{unit}", n_samples=SAMPLES, seed=SEED) for context in contexts
    ]
    return np.array([np.median(samples, axis=0) for samples in paths])


GUESTS = {"fracast": Guest("fracast", _ask_fracast), "flair": Guest("flaircast", _ask_flair)}
