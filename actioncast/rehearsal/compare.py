"""Several policies on one plan, one after the other."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from actioncast.database.database import open_database
from actioncast.rehearsal import stage, tutorial
from actioncast.rehearsal.loop import Loop, Progress, Scripts
from actioncast.rehearsal.plan import Plan
from actioncast.rehearsal.policies import TUTORIAL, Policy
from actioncast.rehearsal.report import RehearsalReport
from actioncast.rehearsal.score import Outcome, score
from actioncast.rehearsal.stage import Surroundings
from actioncast.rehearsal.world.github import GitHubStandIn
from actioncast.rehearsal.world.replay import ReplayServer
from actioncast.text import progress


@dataclass(frozen=True)
class Options:
    """How to rehearse, beside what. `database_url` None: SQLite files below the folder."""

    folder: Path
    scenario: str = "none"  # what to call the faults
    forecast_every: int = 6  # hours
    database_url: str | None = None
    resume: bool = False
    recommends: bool = False


def compare(plan: Plan, policies: Sequence[Policy], scripts: Scripts, options: Options) -> RehearsalReport:
    """Every policy on the same plan; what a rehearsal wrote here before is removed unless it is resumed."""
    begun = time.monotonic()
    if not options.resume:
        shutil.rmtree(options.folder, ignore_errors=True)
    with (
        ReplayServer(plan.recording, plan.start, seed=plan.seed) as source,
        GitHubStandIn() as github,
        progress("simulated hours", plan.ticks * len(policies), "h") as advance,
    ):
        surroundings = Surroundings(
            options.folder, source.url, github.url, options.database_url, alone=len(policies) == 1
        )

        def outcome(policy: Policy) -> Outcome:
            if policy.name == TUTORIAL:
                return tutorial.rehearse(plan, policy)
            return _rehearse(plan, policy, scripts, surroundings, (source, github), options.forecast_every, advance)

        outcomes = [outcome(policy) for policy in policies]
    return RehearsalReport(
        unit=plan.settings.series[plan.series_id].unit,
        start=plan.start,
        end=plan.end,
        ticks=plan.ticks,
        scenario=options.scenario,
        seed=plan.seed,
        outcomes=outcomes,
        seconds=time.monotonic() - begun,
        folder=options.folder,
        recommends=options.recommends,
    )


def _rehearse(
    plan: Plan,
    policy: Policy,
    scripts: Scripts,
    surroundings: Surroundings,
    servers: tuple[ReplayServer, GitHubStandIn],
    forecast_every: int,
    advance: Callable[[float], object],
) -> Outcome:
    """One policy, from its last saved tick on if there is one."""
    staged = stage.staged(plan, surroundings, policy)
    series_id = stage.series_of(plan, surroundings, policy)
    staged.folder.mkdir(parents=True, exist_ok=True)
    saved = Progress.read(staged.folder)
    with open_database(staged) as database:
        loop = Loop(plan, policy, scripts, staged, series_id, database, *servers, forecast_every, saved or Progress())
        if saved is None:
            stage.refuse_used(database, series_id)
            loop.set_up()
        else:
            loop.resume()
            advance(saved.ticks)
        return score(plan, policy, database, series_id, loop.run(advance))
