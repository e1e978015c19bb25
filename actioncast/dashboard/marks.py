"""What happened at a moment, as marks on the charts: retrains, failed loads, holidays, notes and others. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from itertools import groupby
from zoneinfo import ZoneInfo

from actioncast.forecasting.card import Card
from actioncast.monitoring.live_error import Row
from actioncast.periods.timeline import Timeline
from actioncast.periods.words import Words
from actioncast.times import to_seconds

SIGNS = {
    "promoted": "▲",
    "kept": "△",
    "retrain": "◆",
    "failed": "✕",
    "level": "↕",
    "aside": "■",
    "holiday": "●",
    "note": "✎",
}
MOST_MARKS = 200  # the newest
SHOWN_CHARACTERS = 160  # of a reason


@dataclass(frozen=True)
class Mark:
    """One thing that happened. `kind` is a key of SIGNS."""

    moment: datetime
    kind: str
    text: str

    @property
    def sign(self) -> str:
        return SIGNS[self.kind]

    def as_json(self) -> list[int | str]:
        return [to_seconds(self.moment), self.kind, self.text]


def marks_of(
    *,
    since: datetime,
    until: datetime,
    timeline: Timeline,
    card: Card | None,
    trainings: Sequence[Row],
    checks: Sequence[Row],
    etl_runs: Sequence[Row],
    quarantined: Mapping[datetime, str],
    annotations: Sequence[Row],
) -> list[Mark]:
    """The marks in [since, until], ascending. `trainings`, `checks` and `etl_runs` are newest first."""
    words = Words(timeline)
    marks = [
        *_trainings(trainings),
        *_retrains(checks),
        *_failed_loads(list(reversed(etl_runs))),
        *_levels(card, words),
        *_set_aside(quarantined, timeline),
        *_holidays(card),
        *(Mark(row["noted_for"], "note", row["note"]) for row in annotations),
    ]
    shown = [mark for mark in marks if since <= mark.moment <= until]
    shown.sort(key=lambda mark: mark.moment)
    return shown[-MOST_MARKS:]


def _trainings(trainings: Sequence[Row]) -> Iterator[Mark]:
    for run in trainings:
        challenger = (run["challenger"] or {}).get("name", "")
        what = f"{challenger} promoted" if run["verdict"] == "promoted" else f"champion kept before {challenger}"
        yield Mark(run["started_at"], run["verdict"], _shortened(f"{what}: {run['reason']}"))


def _retrains(checks: Sequence[Row]) -> Iterator[Mark]:
    for check in checks:
        if check["dispatched"]:
            yield Mark(check["checked_at"], "retrain", _shortened(f"retrain asked for: {'; '.join(check['reasons'])}"))


def _failed_loads(runs: Sequence[Row]) -> Iterator[Mark]:
    """One mark for each outage: the loads that failed in a row. `runs` are ascending."""
    for outcome, group in groupby(runs, key=lambda run: run["outcome"]):
        if outcome != "failed":
            continue
        failed = list(group)
        count = "a load failed" if len(failed) == 1 else f"{len(failed)} loads failed"
        yield Mark(failed[0]["started_at"], "failed", _shortened(f"{count}: {failed[-1]['message']}"))


def _levels(card: Card | None, words: Words) -> Iterator[Mark]:
    for shift in card.shifts if card else ():
        yield Mark(shift.since, "level", f"the level changed from {words.period(shift.since)} on")


def _set_aside(quarantined: Mapping[datetime, str], timeline: Timeline) -> Iterator[Mark]:
    """One mark for each run of neighbours that are set aside for one reason. The periods are ascending."""
    words = Words(timeline)
    numbered = [(timeline.number_of(moment), moment) for moment in quarantined]
    ranked = enumerate(numbered)
    for (_, reason), group in groupby(ranked, key=lambda item: (item[1][0] - item[0], quarantined[item[1][1]])):
        moments = [moment for _, (_, moment) in group]
        yield Mark(moments[0], "aside", _shortened(f"{words.count(len(moments))} set aside: {reason}"))


def _holidays(card: Card | None) -> Iterator[Mark]:
    if card is None or card.holidays is None:
        return
    zone = ZoneInfo(card.holidays.timezone)
    for day in card.holidays.days:
        yield Mark(datetime.combine(day, time(), zone), "holiday", f"holiday ({card.holidays.code})")


def _shortened(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]} ..."
