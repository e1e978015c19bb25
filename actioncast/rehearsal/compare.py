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


@dataclass(frozen=True)
class World:
    """What every policy meets: the replayed source, GitHub's stand-in, and a bar that advances by ticks."""

    source: ReplayServer
    github: GitHubStandIn
    advance: Callable[[float], object]


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
        world = World(source, github, advance)
        surroundings = Surroundings(
            folder=options.folder,
            source_url=source.url,
            github_url=github.url,
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
                    world=world,
                    forecast_every=options.forecast_every,
                )
            outcomes.append(outcome)
    return outcomes


def _rehearse(
    plan: Plan,
    policy: Policy,
    *,
    scripts: Scripts,
    surroundings: Surroundings,
    world: World,
    forecast_every: int,
) -> Outcome:
    """One policy, from its last saved tick on if there is one."""
    settings = stage.staged(plan, surroundings, policy)
    series_id = stage.series_of(plan, surroundings, policy)
    settings.folder.mkdir(parents=True, exist_ok=True)
    saved = Progress.read(settings.folder)
    with open_database(settings) as database:
        loop = Loop(
            plan=plan,
            policy=policy,
            scripts=scripts,
            settings=settings,
            series_id=series_id,
            database=database,
            source=world.source,
            github=world.github,
            forecast_every=forecast_every,
            progress=saved or Progress(),
        )
        if saved is None:
            stage.refuse_used(database, series_id)
            loop.set_up()
        else:
            loop.resume()
            world.advance(saved.ticks)
        progress = loop.run(world.advance)
        return score(plan, policy, database, series_id, progress)
