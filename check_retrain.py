"""Check: is the live error of the champion still good? If it is not, ask GitHub for a retrain.

Scores the newest forecasts against what happened, compares with the champion's own backtest and with the weekly naive,
and writes the verdict with its reasons to `checks`, whatever it is. Only k bad looks of the last n, outside the
cooldown and under the weekly cap, dispatch `execute-retrain`.

    python check_retrain.py
    python check_retrain.py --max-mae 6000          # the tutorial's absolute limit, beside the ratios

Reads the view `performance`, `checks`, `training_runs` and model/<series>/card.json.
Needs GITHUB_TOKEN with `contents: write` and GITHUB_REPOSITORY to dispatch; without a repository it says what to run.
Exit codes: 0 checked, whatever the verdict; 1 an error is not a number, or GitHub or the database failed; 2 wrong
flags, config.toml or environment.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pipeline import github, monitoring
from pipeline.card import Card, read_card
from pipeline.database import Database
from pipeline.monitoring import LiveScore, Verdict
from pipeline.script import run_script
from pipeline.series import isoformat
from pipeline.settings import RetrainSettings, Settings


@dataclass(frozen=True)
class Report:
    """The verdict, the figures it rests on, and whether a retrain was asked for."""

    series: str
    score: LiveScore
    verdict: Verdict
    dispatched: bool
    command: str | None = None  # to run by hand where no repository is configured

    @property
    def failed(self) -> bool:
        return self.verdict.name == "alarm"

    def as_json(self) -> dict[str, Any]:
        score = self.score
        figures = {"mae": score.mae, "reference_mae": score.reference_mae, "naive_mae": score.naive_mae}
        return {
            "series": self.series,
            "verdict": self.verdict.name,
            "reasons": self.verdict.reasons,
            "scored_hours": score.scored_hours,
            "newest_hour": isoformat(score.newest_hour) if score.newest_hour else None,
            **{name: value if monitoring.is_number(value) else None for name, value in figures.items()},
            "coverage": score.coverage,
            "dispatched": self.dispatched,
        }

    def as_text(self) -> str:
        lines = [f"{self.series}: {self.verdict.name}", *(f"- {reason}" for reason in self.verdict.reasons)]
        if self.dispatched:
            lines.append("asked GitHub for a retrain (repository_dispatch execute-retrain)")
        if self.command:
            lines.append(f"no repository is configured; run: {self.command}")
        return "\n".join(lines)


def run(
    settings: Settings, database: Database, now: datetime, *, series_id: str, max_mae: float | None = None
) -> Report:
    """Score, judge, dispatch if due, record. A dispatch that fails is recorded, then raised."""
    policy = settings.retrain.model_copy(update={"max_mae": max_mae} if max_mae is not None else {})
    week_ago = now - timedelta(days=7)
    earlier = database.checks(series_id, since=week_ago, before=now)
    trainings = database.training_runs(series_id, since=week_ago)
    score = _score(settings, database, now, series_id, policy)
    verdict = monitoring.judge(score, earlier, trainings[0]["started_at"] if trainings else None, policy, now)
    try:
        dispatched, verdict = _act(settings, series_id, score, verdict)
    except github.GitHubError as error:
        failed = Verdict(verdict.name, verdict.bad, [*verdict.reasons, str(error)])
        database.store_check(_row(series_id, now, score, failed, dispatched=False))
        raise
    database.store_check(_row(series_id, now, score, verdict, dispatched))
    by_hand = verdict.name == "retrain" and not dispatched and settings.retrain.mode == "dispatch"
    return Report(series_id, score, verdict, dispatched, f"python train.py --series {series_id}" if by_hand else None)


def _score(settings: Settings, database: Database, now: datetime, series_id: str, policy: RetrainSettings) -> LiveScore:
    """The live score of the champion's own forecasts over the window; of all forecasts while there is no champion."""
    rows = database.performance(series_id, since=now - timedelta(hours=policy.window_hours), until=now)
    card: Card | None = read_card(settings.model_directory(series_id))
    if card is None:
        return monitoring.live_score(rows, [])
    return monitoring.live_score([row for row in rows if row["model_version"] == card.version], card.mae_by_lead)


def _act(settings: Settings, series_id: str, score: LiveScore, verdict: Verdict) -> tuple[bool, Verdict]:
    """Dispatch when the verdict is retrain and the mode allows it."""
    if verdict.name != "retrain":
        return False, verdict
    if settings.retrain.mode == "suggest":
        return False, Verdict(
            verdict.name, verdict.bad, [*verdict.reasons, "retrain.mode is suggest: nothing dispatched"]
        )
    payload = {
        "series": series_id,
        "reasons": verdict.reasons,
        "scored_hours": score.scored_hours,
        "mae": score.mae,
        "reference_mae": score.reference_mae,
        "naive_mae": score.naive_mae,
    }
    return github.dispatch_retrain(settings.environment, payload), verdict


def _row(series_id: str, now: datetime, score: LiveScore, verdict: Verdict, dispatched: bool) -> dict[str, Any]:
    return {
        "series_id": series_id,
        "checked_at": now,
        "verdict": verdict.name,
        "bad": verdict.bad,
        "newest_hour": score.newest_hour,
        "reasons": verdict.reasons,
        "scored_hours": score.scored_hours,
        "mae": score.mae,
        "reference_mae": score.reference_mae,
        "naive_mae": score.naive_mae,
        "dispatched": dispatched,
    }


def _add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--max-mae", type=float, help="absolute limit of the live error, in the series' unit")


def main(argv: Sequence[str] | None = None) -> int:
    return run_script(
        argv,
        __doc__,
        lambda arguments, settings, database: run(
            settings, database, arguments.now, series_id=arguments.series, max_mae=arguments.max_mae
        ),
        _add_flags,
    )


if __name__ == "__main__":
    sys.exit(main())
