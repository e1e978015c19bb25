"""What a check leaves behind: its report, its row of `checks` and the request for a retrain, the first one too."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from actioncast.database.database import Database
from actioncast.forecasting.card import ModelError, read_card
from actioncast.github.api import EVENT_TYPE, Api, ApiError, dispatch_retrain
from actioncast.monitoring.live_error import LiveScore, live_score
from actioncast.monitoring.verdict import Verdict, dispatch_times
from actioncast.report import Report
from actioncast.settings import Settings
from actioncast.times import isoformat

FIRST_AGAIN = timedelta(hours=24)  # pause before a first training that never ran is asked for again
FIRST_REASON = "there is data and no champion"
NO_SCORE = live_score([], [])  # of a check that could not score anything

# Of a repository_dispatch, in characters.
LONGEST_PAYLOAD = 65_535  # of its client_payload
LONGEST_NAMES = 60_000  # of the names of the series in it
LONGEST_REASONS = (1_000, 100, 0)  # of one series: as many as fit
FIGURES = ("scored_periods", "mae", "reference_mae", "naive_mae")

Check = dict[str, Any]  # what the check of a series prints with --json


@dataclass(frozen=True)
class CheckReport(Report):
    """The verdict, the figures it rests on, and whether a retrain was asked for."""

    series: str
    score: LiveScore
    verdict: Verdict
    dispatched: bool

    @property
    def failed(self) -> bool:
        return self.verdict.name == "alarm"

    def as_json(self) -> dict[str, Any]:
        newest_period = self.score.newest_period
        return {
            "series": self.series,
            "verdict": self.verdict.name,
            "reasons": self.verdict.reasons,
            "scored_periods": self.score.scored_periods,
            "newest_period": isoformat(newest_period) if newest_period else None,
            **self.score.figures(),
            "coverage": self.score.coverage,
            "crps": self.score.distribution.crps if self.score.distribution else None,
            "dispatched": self.dispatched,
        }

    def as_text(self) -> str:
        lines = [f"{self.series}: {self.verdict.name}"]
        lines += [f"- {reason}" for reason in self.verdict.reasons]
        if self.dispatched:
            lines.append(f"asked GitHub for a retrain (repository_dispatch {EVENT_TYPE})")
        return "\n".join(lines)

    def as_row(self, now: datetime) -> dict[str, Any]:
        """The row of `checks`."""
        return {
            "series_id": self.series,
            "checked_at": now,
            "verdict": self.verdict.name,
            "bad": self.verdict.bad,
            "newest_period": self.score.newest_period,
            "reasons": self.verdict.reasons,
            "scored_periods": self.score.scored_periods,
            **self.score.figures(),
            "dispatched": self.dispatched,
        }


def why_by_hand(settings: Settings, series_id: str) -> str | None:
    """Why a person must start the retrain; None when GitHub can be asked."""
    command = f"to retrain, run: python train.py --series {series_id}"
    if settings.retrain.mode == "suggest":
        return f"retrain.mode is suggest, nothing was dispatched; {command}"
    if settings.environment.github_repository is None:
        return f"no repository is configured (GITHUB_REPOSITORY), nothing was dispatched; {command}"
    return None


def dispatch(settings: Settings, database: Database, now: datetime, due: Sequence[Check]) -> None:
    """Ask GitHub for the retrain of these series, whose checks at `now` are recorded already.

    When GitHub refuses, the records are corrected, so that the next check asks again, and ApiError
    is raised.
    """
    try:
        dispatch_retrain(api_of(settings), payload_of(due))
    except ApiError as error:
        for check in due:
            _correct(database, check["series"], now, str(error))
        raise


def dispatch_due(
    settings: Settings, database: Database, now: datetime, checks: Sequence[Check]
) -> tuple[list[Check], str]:
    """Ask GitHub, all at once, for the retrains that these checks want.

    Returns the checks, in which what GitHub refused is not dispatched, and why it did, or "".
    """
    refusal = ""
    refused = set()
    for part in parts(check for check in checks if check.get("dispatched")):
        try:
            dispatch(settings, database, now, part)
        except ApiError as error:
            refusal = str(error)
            refused |= {check["series"] for check in part}
    after = [{**check, "dispatched": False} if check["series"] in refused else check for check in checks]
    return after, refusal


def _correct(database: Database, series_id: str, now: datetime, reason: str) -> None:
    """Record that the check at `now` has not led to a retrain."""
    (row,) = database.checks(series_id, since=now, before=now + timedelta(seconds=1))
    row["reasons"] = [*row["reasons"], reason]
    row["dispatched"] = False
    database.store_check(row)


def parts(due: Iterable[Check]) -> list[list[Check]]:
    """The checks of each dispatch: one, unless the names of the series alone are too long for it."""
    lists: list[list[Check]] = []
    characters = 0
    for check in due:
        length = len(check["series"]) + 1  # with the comma
        if not lists or characters + length > LONGEST_NAMES:
            lists.append([])
            characters = 0
        lists[-1].append(check)
        characters += length
    return lists


def payload_of(due: Sequence[Check]) -> dict[str, Any]:
    """The client_payload of a dispatch.

    `series` are the names, separated by commas. Figures and reasons are lists in the same order;
    reasons are cut, and then both are left out, where they do not fit.
    """
    names = ",".join(check["series"] for check in due)
    for longest_reason in LONGEST_REASONS:
        payload: dict[str, Any] = {"series": names}
        payload["reasons"] = ["; ".join(check["reasons"])[:longest_reason] for check in due]
        for figure in FIGURES:
            payload[figure] = [check[figure] for check in due]
        if len(json.dumps(payload)) <= LONGEST_PAYLOAD:
            return payload
    return {"series": names}


def api_of(settings: Settings) -> Api:
    """GitHub as the settings name it.

    Raises ApiError when the repository or the token is missing.
    """
    environment = settings.environment
    token = environment.github_token
    variables = {
        "GITHUB_API_URL": environment.github_api_url,
        "GITHUB_REPOSITORY": environment.github_repository or "",
        "GITHUB_TOKEN": token.get_secret_value() if token else "",
    }
    first_pause = settings.patience.pause_seconds
    return Api.of(
        variables,
        pauses=(first_pause, 2 * first_pause),
        longest_pause=settings.patience.longest_pause_seconds,
    )


def is_first_due(settings: Settings, database: Database, now: datetime, series_id: str) -> bool:
    """Whether to ask for the first training of a series.

    It is due without a champion, with enough stored hours, a GitHub to ask, and no request or
    training in the last day. A card that cannot be read is not a missing champion: the check
    reports it.
    """
    try:
        card = read_card(settings.model_directory(series_id))
    except ModelError:
        return False
    if card is not None or why_by_hand(settings, series_id) is not None:
        return False
    since = now - FIRST_AGAIN
    if dispatch_times(database.checks(series_id, since=since, before=now + timedelta(seconds=1))):
        return False
    if database.training_runs(series_id, since=since):
        return False
    series = settings.series[series_id]
    enough = series.defaults.first_training.periods(series.frequency)
    history = database.reality(series_id, until=now, newest=enough, timeline=series.timeline)
    return history is not None and len(history) >= enough


def first_request(series_id: str) -> CheckReport:
    """The report of a check that asks for the first training."""
    verdict = Verdict("too few periods", bad=False, reasons=[FIRST_REASON])
    return CheckReport(series_id, NO_SCORE, verdict, dispatched=True)
