"""What a check leaves behind: its report, its row of `checks`, and what it asks GitHub for, the first training too."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from actioncast.database.database import Database
from actioncast.forecasting.card import ModelError, read_card
from actioncast.github.dispatch import EVENT_TYPE, GitHubError, dispatch_retrain
from actioncast.monitoring import live_error
from actioncast.monitoring import verdict as verdict_module
from actioncast.monitoring.live_error import LiveScore
from actioncast.monitoring.verdict import Verdict
from actioncast.settings import Settings
from actioncast.times import isoformat

FIRST_HOURS = 24 * 21  # fewer stored hours are not worth a first training
FIRST_AGAIN = timedelta(hours=24)  # when nothing came of it
FIRST_REASON = "there is data and no champion"


@dataclass(frozen=True)
class CheckReport:
    """The verdict, the figures it rests on, and whether a retrain was asked for."""

    series: str
    score: LiveScore
    verdict: Verdict
    dispatched: bool

    @property
    def failed(self) -> bool:
        return self.verdict.name == "alarm"

    def as_json(self) -> dict[str, Any]:
        newest_hour = self.score.newest_hour
        return {
            "series": self.series,
            "verdict": self.verdict.name,
            "reasons": self.verdict.reasons,
            "scored_hours": self.score.scored_hours,
            "newest_hour": isoformat(newest_hour) if newest_hour else None,
            **self.score.figures(),
            "coverage": self.score.coverage,
            "dispatched": self.dispatched,
        }

    def as_text(self) -> str:
        lines = [f"{self.series}: {self.verdict.name}", *(f"- {reason}" for reason in self.verdict.reasons)]
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
            "newest_hour": self.score.newest_hour,
            "reasons": self.verdict.reasons,
            "scored_hours": self.score.scored_hours,
            **self.score.figures(),
            "dispatched": self.dispatched,
        }


def by_hand(settings: Settings, series_id: str) -> str | None:
    """Why a person must start the retrain; None when GitHub can be asked."""
    command = f"to retrain, run: python train.py --series {series_id}"
    if settings.retrain.mode == "suggest":
        return f"retrain.mode is suggest, nothing was dispatched; {command}"
    if settings.environment.github_repository is None:
        return f"no repository is configured (GITHUB_REPOSITORY), nothing was dispatched; {command}"
    return None


def dispatch(settings: Settings, database: Database, now: datetime, report: CheckReport) -> None:
    """Ask GitHub; when it refuses, correct the record, so that the next check asks again."""
    payload = {
        "series": report.series,
        "reasons": report.verdict.reasons,
        "scored_hours": report.score.scored_hours,
        **report.score.figures(),
    }
    try:
        dispatch_retrain(settings.environment, payload, settings.patience)
    except GitHubError as error:
        refused = replace(report, verdict=report.verdict.because(str(error)), dispatched=False)
        database.store_check(refused.as_row(now))
        raise


def is_first_due(settings: Settings, database: Database, now: datetime, series_id: str) -> bool:
    """No champion, enough hours, none asked for today, and a GitHub to ask; a broken card is the check's to report."""
    try:
        missing = read_card(settings.model_directory(series_id)) is None
    except ModelError:
        return False
    if not missing or by_hand(settings, series_id):
        return False
    since = now - FIRST_AGAIN
    asked = verdict_module.asked(database.checks(series_id, since=since, before=now))
    known = database.reality(series_id, until=now, newest=FIRST_HOURS)
    enough = known is not None and len(known) >= FIRST_HOURS
    return enough and not asked and not database.training_runs(series_id, since=since)


def ask_for_first(settings: Settings, database: Database, now: datetime, series_id: str) -> CheckReport:
    """Ask GitHub for the first training."""
    verdict = Verdict("too few hours", False, [FIRST_REASON])
    report = CheckReport(series_id, live_error.live_score([], []), verdict, dispatched=True)
    # Before the deed: what cannot be remembered must not be repeated for ever.
    database.store_check(report.as_row(now))
    dispatch(settings, database, now, report)
    return report
