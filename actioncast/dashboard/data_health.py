"""What of the data was missing, refused, set aside or changed, in a few figures. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from actioncast.arrays import Flags, Numbers, Values, np
from actioncast.dashboard.stored import Stored
from actioncast.periods.words import Words
from actioncast.text import number

FEWEST_STUCK = 3  # periods of one value that are worth a word
SHOWN_MESSAGES = 3
SHOWN_CHARACTERS = 240  # of a message


@dataclass(frozen=True)
class Fact:
    """A name and what there is to say."""

    name: str
    text: str


def data_health(stored: Stored, words: Words) -> list[Fact]:
    """Loads, points, missing, set aside and restated periods, of what the page looks at; nothing without a load."""
    if not stored.etl_runs and stored.history is None:
        return []
    runs = stored.etl_runs
    failed = sum(run["outcome"] == "failed" for run in runs)
    rejected = sum(run["points_rejected"] for run in runs)
    read = sum(run["points_read"] for run in runs)
    facts = [Fact("Loads", f"{len(runs):,} in 30 days, {failed:,} failed")]
    facts.append(Fact("Points", f"{read:,} read, {rejected:,} rejected"))
    messages = dict.fromkeys(run["message"][:SHOWN_CHARACTERS] for run in runs if run["message"])
    facts += [Fact("", message) for message in list(messages)[:SHOWN_MESSAGES]]
    if stored.history is not None:
        facts.append(Fact("Missing", _missing(stored.history.values, words)))
        facts.append(Fact("Stuck", _stuck(stored.history.values, words)))
    facts.append(Fact("Set aside", words.count(len(stored.quarantined))))
    facts.append(Fact("Restated", f"{words.count(stored.restated)} by the source, or by late points"))
    return facts


def _missing(values: Values, words: Words) -> str:
    missing = np.isnan(values)
    _, lengths = _runs(missing)
    longest = int(lengths.max(initial=0))
    return f"{words.count(int(missing.sum()))} of {len(values):,}, at most {longest:,} in a row"


def _stuck(values: Values, words: Words) -> str:
    """The longest run of one value; the newest of several as long."""
    starts, lengths = _runs(np.diff(values) == 0)
    periods = lengths + 1
    if periods.max(initial=0) < FEWEST_STUCK:
        return "no value was there three times in a row"
    longest = int(periods.max())
    value = values[starts[periods == longest][-1]]
    return f"{number(float(value))} for {words.count(longest)} in a row"


def _runs(flags: Flags) -> tuple[Numbers, Numbers]:
    """Where each run of true ones begins, and its length."""
    padded = np.concatenate([[0], flags.astype(np.int8), [0]])
    edges = np.diff(padded)
    starts = np.flatnonzero(edges == 1)
    return starts, np.flatnonzero(edges == -1) - starts
