"""The workflow `start`: the first training of each series, and what the person reads who pressed the
button.

Between the two the workflow delivers the champions, forecasts and saves the data.

    python -m actioncast.cli.start train            # the series without a champion
    python -m actioncast.cli.start train --again    # all
    python -m actioncast.cli.start report --trained load --delivered pushed

`train` reads config.toml, the stored hours and model/, writes model/ and `training_runs`, and sets the
output `trained` of its step. `report` reads the same and writes the step summary; with
PUBLISH_PAGES=true it starts the workflow `pages` (GITHUB_TOKEN with `actions: write`).
Exit codes: 0 done, or nothing to do; 1 a series failed, or the database or GitHub did; 2 wrong
flags, config.toml or environment.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from actioncast.cli import job
from actioncast.cli.script import parser
from actioncast.config import load_settings, with_rows
from actioncast.database.database import Database, open_database
from actioncast.errors import ActioncastError
from actioncast.forecasting.card import Card, ModelError, read_card
from actioncast.github import summary
from actioncast.github.api import Api
from actioncast.periods.grid import Grid
from actioncast.periods.words import Words
from actioncast.redaction import masked
from actioncast.settings import Settings, SettingsError

ALL_PERIODS = 1_000_000  # more than any series has
SHOWN_PERIODS = 48  # of a picture, before and after now
SHOWN_SERIES = 10  # with a section of their own
NEXT = """\
## What happens next

| when (UTC) | what |
| --- | --- |
| every hour, about :17 | what is new is loaded |
| with every second load | a look at the live error; a retrain follows when it is no longer good |
| every six hours, about :37 | a new forecast is made |
| twice a day | a look at whether anything is silently dead |

What fails opens an issue, and its recovery closes it. GitHub starts schedules late, the first one at times after
hours; each run catches up. Nothing is left to press."""
THEN = """\
## What you can do now

- **Your own series**: edit [config.toml]({repository}/edit/{branch}/config.toml), commit, and press start again.
- **The page**: {page}
- **An API in the cloud**: the README, section Deploy.
- The runs: [Actions]({repository}/actions). The champions: [model/]({repository}/tree/{branch}/model)."""
OUTCOMES = {  # of the delivery
    "pushed": "It is committed to the folder model/.",
    "kept": "It is the one that was there.",
    "pull request": "Merge its pull request, and forecasts follow.",
}
PAGE_STARTED = "the workflow pages publishes it now; its run names the address."
PAGE_OFF = (
    "Settings, Pages, Source: GitHub Actions; then the variable `PUBLISH_PAGES` = `true` "
    "([variables]({repository}/settings/variables/actions)), and press start again."
)


@dataclass(frozen=True)
class State:
    """What there is of one series."""

    title: str
    unit: str
    history: Grid | None
    words: Words
    first_periods: int  # that a first training needs
    card: Card | None
    fault: str  # of a card that cannot be read
    forecast: Sequence[Mapping[str, Any]]  # the newest vintage, by lead
    trained_now: bool

    @property
    def runs(self) -> bool:
        return bool(self.card and self.forecast)


def state_of(settings: Settings, database: Database, now: datetime, series_id: str, trained: Sequence[str]) -> State:
    series = settings.series[series_id]
    card, fault = None, ""
    try:
        card = read_card(settings.model_directory(series_id))
    except ModelError as error:
        fault = str(error)
    newest = database.newest_vintages(series_id, newest=1)
    return State(
        title=series.title or series_id,
        unit=series.unit,
        history=database.reality(series_id, until=now, newest=ALL_PERIODS, timeline=series.timeline, quarantined=True),
        words=Words(series.timeline),
        first_periods=series.defaults.first_training.periods(series.frequency),
        card=card,
        fault=fault,
        forecast=database.vintage(series_id, newest[0]) if newest else [],
        trained_now=series_id in trained,
    )


# --- train ------------------------------------------------------------------------------------------------------------


def train(settings: Settings, now: datetime, *, again: bool) -> list[str]:
    """Train the series that have enough hours and no champion; `again` also those that have one.

    Returns the series that failed.
    """
    with open_database(settings) as database:
        due = [name for name in settings.series if _is_due(state_of(settings, database, now, name, []), again)]
    if not due:
        print("no series waits for its first training: nothing was trained")
        return []
    failed = job.run(settings, "train", now, due)
    summary.output("trained", ",".join(name for name in due if name not in failed))
    return failed


def _is_due(state: State, again: bool) -> bool:
    if state.history is None or len(state.history) < state.first_periods:
        return False
    return again or not (state.card or state.fault)


# --- report -----------------------------------------------------------------------------------------------------------


def as_markdown(states: Sequence[State], delivered: str) -> str:
    """What was done, with a picture of each series, in plain words."""
    parts = [f"# {_headline(states)}"]
    for state in states[:SHOWN_SERIES]:
        parts.append("\n\n".join([f"### {state.title}", _lines(state, delivered), _picture(state)]).rstrip())
    if len(states) > SHOWN_SERIES:
        parts.append(f"... and {len(states) - SHOWN_SERIES} more series.")
    parts.append(NEXT)
    return "\n\n".join(parts)


def _headline(states: Sequence[State]) -> str:
    if not all(state.runs for state in states):
        return "Not every series runs yet"
    if any(state.trained_now for state in states):
        return "Your forecasts are running"
    return "Everything is running already: nothing was trained"


def _lines(state: State, delivered: str) -> str:
    lines = [_loaded(state.history), _trained(state, delivered)]
    if state.forecast:
        issued = state.forecast[0]["issued_at"]
        lines.append(f"**Forecast**: the next {state.words.count(len(state.forecast))}, made {_moment(issued)}.")
    return "\n".join(f"- {line}" for line in lines)


def _loaded(history: Grid | None) -> str:
    if history is None:
        return "**Not loaded**: the step that loads says why."
    words = Words(history.timeline)
    return f"**Loaded**: {words.count(len(history))}, from {_moment(history.start)} to {_moment(history.end)}."


def _trained(state: State, delivered: str) -> str:
    if state.fault:
        return f"**Champion**: it cannot be read. {state.fault}"
    if state.card is None:
        hours = len(state.history) if state.history else 0
        if hours < state.first_periods:
            needed = state.words.count(state.first_periods)
            return f"**Not trained yet**: {hours:,} of {needed} are there; then it follows by itself."
        return "**Not trained**: the step that trains says why."
    error = f"its error in the backtest is {state.card.mae:,.4g} {state.unit}"
    if not state.trained_now:
        return f"**Champion**: `{state.card.name}`, there since {_moment(state.card.created_at)}; {error}."
    outcome = OUTCOMES.get(delivered, "It was not delivered: the step that delivers says why.")
    return f"**Trained**: `{state.card.name}` won; {error}. {outcome}"


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _picture(state: State) -> str:
    """One chart: the newest hours, and the forecast as a fan after them."""
    if state.history is None or not state.forecast:
        return ""
    newest = state.history.values[-SHOWN_PERIODS:].tolist()
    past = [None if math.isnan(value) else value for value in newest]
    ahead = [row for row in state.forecast if row["prediction_date"] > state.history.end][:SHOWN_PERIODS]
    bounds = [("interval", [*past, *(row[column] for row in ahead)]) for column in ("upper", "lower")]
    return summary.line_chart(
        title=f"The last {state.words.count(len(past))}, and the next {len(ahead)} with their interval",
        x_title=state.words.noun,
        y_title=state.unit,
        lines=[("reality, then the forecast", [*past, *(row["prediction"] for row in ahead)]), *bounds],
    )


def report(settings: Settings, now: datetime, *, trained: Sequence[str], delivered: str) -> None:
    """Write the step summary; start the page where it is wanted. Raises ApiError."""
    with open_database(settings) as database:
        states = [state_of(settings, database, now, name, trained) for name in settings.series]
    summary.write(as_markdown(states, delivered))
    page = PAGE_OFF
    if os.environ.get("PUBLISH_PAGES") == "true":
        api = Api.of(os.environ)
        api.call("POST", "/actions/workflows/pages.yml/dispatches", {"ref": os.environ["GITHUB_REF_NAME"]})
        page = PAGE_STARTED
    summary.write(_what_you_can_do(page, os.environ))


def _what_you_can_do(page: str, variables: Mapping[str, str]) -> str:
    server = variables.get("GITHUB_SERVER_URL", "https://github.com")
    repository = f"{server}/{variables.get('GITHUB_REPOSITORY', '')}"
    branch = variables.get("GITHUB_REF_NAME", "main")
    return THEN.format(repository=repository, branch=branch, page=page.format(repository=repository))


# --- the steps --------------------------------------------------------------------------------------------------------


def _train_step(settings: Settings, now: datetime, arguments: argparse.Namespace) -> bool:
    return not train(settings, now, again=arguments.again)


def _report_step(settings: Settings, now: datetime, arguments: argparse.Namespace) -> bool:
    trained = arguments.trained.split(",")
    report(settings, now, trained=trained, delivered=arguments.delivered)
    return True


STEPS: dict[str, Callable[[Settings, datetime, argparse.Namespace], bool]] = {
    "train": _train_step,
    "report": _report_step,
}


def main(argv: Sequence[str] | None = None) -> int:
    flags = parser(__doc__)
    flags.add_argument("step", choices=STEPS)
    flags.add_argument("--again", action="store_true", help="train: also the series that have a champion")
    flags.add_argument("--trained", default="", metavar="NAME,...", help="report: the series that were trained")
    flags.add_argument("--delivered", default="", help="report: what came of the delivery, e.g. pushed")
    arguments = flags.parse_args(argv)
    secrets: list[str] = []
    try:
        settings = load_settings()
        secrets = settings.environment.secrets()
        with open_database(settings) as database:
            settings = with_rows(settings, database.series())
        now = datetime.now(UTC).replace(microsecond=0)
        succeeded = STEPS[arguments.step](settings, now, arguments)
    except ActioncastError as error:
        summary.failure("start", masked(str(error), secrets))
        return 2 if isinstance(error, SettingsError) else 1
    return 0 if succeeded else 1


if __name__ == "__main__":
    sys.exit(main())
