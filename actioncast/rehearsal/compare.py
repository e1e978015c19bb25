"""Several policies on one plan, one after the other."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from actioncast.rehearsal import tutorial
from actioncast.rehearsal.jobs import Scripts
from actioncast.rehearsal.loop import Loop
from actioncast.rehearsal.plan import Plan
from actioncast.rehearsal.policies import TUTORIAL, Policy
from actioncast.rehearsal.progress import Progress
from actioncast.rehearsal.report import RehearsalReport
from actioncast.rehearsal.score import Outcome, score
from actioncast.rehearsal.stage import Surroundings, open_stage, refuse_used_database
from actioncast.rehearsal.world.github import GitHubStandIn
from actioncast.rehearsal.world.replay import ReplayServer
from actioncast.text import progress as progress_bar


@dataclass(frozen=True)
class Options:
    """How to rehearse. `database_url` None: SQLite files below the folder."""

    folder: Path
    scenario: str = "none"  # what to call the faults
    forecast_every: int = 6  # hours
    database_url: str | None = None
    resume: bool = False
    recommends: bool = False


def compare(
    plan: Plan,
    policies: Sequence[Policy],
    scripts: Scripts,
    options: Options,
) -> RehearsalReport:
    """Rehearse every policy on the same plan; unless it resumes, it first removes an earlier rehearsal's folder."""
    began = time.monotonic()
    if not options.resume:
        shutil.rmtree(options.folder, ignore_errors=True)
    outcomes = _outcomes(plan, policies, scripts, options)
    return RehearsalReport(
        unit=plan.settings.series[plan.series_id].unit,
        start=plan.start,
        end=plan.end,
        ticks=plan.ticks,
        scenario=options.scenario,
        seed=plan.seed,
        outcomes=outcomes,
        seconds=time.monotonic() - began,
        folder=options.folder,
        recommends=options.recommends,
    )


def _outcomes(
    plan: Plan,
    policies: Sequence[Policy],
    scripts: Scripts,
    options: Options,
) -> list[Outcome]:
    ticks = plan.ticks * len(policies)
    outcomes = []
    with (
        ReplayServer(plan.recording, plan.start, seed=plan.seed) as source,
        GitHubStandIn() as github,
        progress_bar("simulated hours", ticks, "h") as advance,
    ):
        surroundings = Surroundings(
            folder=options.folder,
            source=source,
            github=github,
            database_url=options.database_url,
            alone=len(policies) == 1,
        )
        for policy in policies:
            if policy.name == TUTORIAL:
                outcome = tutorial.rehearse(plan, policy)
            else:
                outcome = _rehearse(
                    plan,
                    policy,
                    scripts=scripts,
                    surroundings=surroundings,
                    forecast_every=options.forecast_every,
                    advance=advance,
                )
            outcomes.append(outcome)
    return outcomes


def _rehearse(
    plan: Plan,
    policy: Policy,
    *,
    scripts: Scripts,
    surroundings: Surroundings,
    forecast_every: int,
    advance: Callable[[float], object],
) -> Outcome:
    """One policy, from its last saved tick on if there is one.

    `advance` is called with the ticks that are done.
    """
    with open_stage(plan, policy, surroundings) as stage:
        saved = Progress.read(stage.settings.folder)
        progress = saved or Progress()
        loop = Loop(stage, scripts, forecast_every=forecast_every, progress=progress)
        if saved is None:
            refuse_used_database(stage)
            loop.set_up()
        else:
            loop.resume()
            advance(saved.ticks)
        loop.run(advance)
        return score(stage, progress)
