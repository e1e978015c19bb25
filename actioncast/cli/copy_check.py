"""Check a copy: is config.toml valid, do the champions load, does a day's rehearsal with these settings
keep its promises, and is there an error in utils.py or a module of yours?

    python -m actioncast.cli.copy_check

The rehearsal replays the first series' own file, else the bundled recording: no source is asked.
Reads config.toml, model/ and the modules; writes the step summary. Needs requirements.txt and
requirements/lint.txt (make install brings both).
Exit codes: 0 all is well; 1 a check failed; 2 wrong config.toml.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from actioncast.cli import schedule
from actioncast.config import load_settings
from actioncast.errors import ActioncastError
from actioncast.github import summary
from actioncast.paths import CARD, MODEL_FOLDER, ROOT
from actioncast.serving.trial import try_champion
from actioncast.settings import Settings, SettingsError
from actioncast.source_settings import PythonSource, SourceSettings

FEATURES = "utils.py"  # the user's too
# Lines may be long, and a source takes (since, until) whether it looks at both or not.
LENIENT = ("--extend-ignore", "E501,ARG001")


def check(settings: Settings) -> dict[str, str]:
    """What is wrong, by what was checked; nothing when all is well."""
    problems = {}
    for series_id, problem in _broken_champions(settings):
        problems[f"The champion of {series_id} does not load"] = problem
    for function in _missing_functions(settings):
        problems[f"There is no {function}"] = "config.toml names it; put its module beside config.toml"
    if not _rehearses(settings):
        problems["The rehearsal of a day failed"] = "python rehearse.py --own --days 1 shows why"
    if not _lints(settings):
        names = ", ".join(path.name for path in _modules(settings))
        problems["The linter has found errors"] = f"in {names}; see the log"
    return problems


def _broken_champions(settings: Settings) -> Iterator[tuple[str, str]]:
    """(series, reason) for each champion of the copy that cannot serve; the others are printed."""
    for card_path in sorted((settings.folder / MODEL_FOLDER).glob(f"*/{CARD}")):
        series_id = card_path.parent.name
        try:
            card = try_champion(card_path.parent)
        except ActioncastError as error:
            yield series_id, str(error)
        else:
            print(f"{series_id}: {card.name}, version {card.version}")


def _sources(settings: Settings) -> Iterator[SourceSettings]:
    """The sources of all series and of their exogenous columns."""
    for series in settings.series.values():
        yield series.source
        yield from series.exogenous.values()


def _functions(settings: Settings) -> list[str]:
    """The functions that config.toml names as sources."""
    functions = {source.function for source in _sources(settings) if isinstance(source, PythonSource)}
    return sorted(functions)


def _module_path(settings: Settings, function: str) -> Path:
    module = function.partition(":")[0]
    return settings.folder / f"{module.replace('.', '/')}.py"


def _missing_functions(settings: Settings) -> list[str]:
    """Functions whose module is neither beside config.toml nor installed."""
    missing = []
    for function in _functions(settings):
        package = function.partition(":")[0].partition(".")[0]
        if not _module_path(settings, function).is_file() and find_spec(package) is None:
            missing.append(function)
    return missing


def _modules(settings: Settings) -> list[Path]:
    """The user's files with code."""
    paths = {_module_path(settings, function) for function in _functions(settings)}
    return [settings.folder / FEATURES, *sorted(path for path in paths if path.is_file())]


def _rehearses(settings: Settings) -> bool:
    """Rehearse a day of the first series in a process of its own; its report goes to the log."""
    config = settings.folder / "config.toml"
    with TemporaryDirectory() as folder:
        command = [
            sys.executable,
            str(ROOT / "rehearse.py"),
            "--own",
            "--days",
            "1",
            "--config",
            str(config),
            "--output",
            folder,
        ]
        done = subprocess.run(command, check=False)
    print("(That folder is removed; one that stays: python rehearse.py --own --days 1)", flush=True)
    return done.returncode == 0


def _lints(settings: Settings) -> bool:
    """Whether the linter, with the rules of pyproject.toml, finds no error in the user's files."""
    modules = [str(path) for path in _modules(settings)]
    command = [sys.executable, "-m", "ruff", "check", *LENIENT, *modules]
    return subprocess.run(command, cwd=settings.folder, check=False).returncode == 0


def _note_clock(settings: Settings) -> None:
    """Say where the workflows' schedules are not those of config.toml: no error, for both work."""
    try:
        different = schedule.differences(settings)
    except SettingsError as error:
        different = [str(error)]
    if different:
        summary.notice("The clock is not that of config.toml", f"{'; '.join(different)}. Run: {schedule.COMMAND}")


def main() -> int:
    try:
        settings = load_settings(variables={})
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        summary.failure("config.toml", str(error))
        return 2
    print(f"config.toml: {', '.join(settings.series)}")
    _note_clock(settings)
    problems = check(settings)
    for title, problem in problems.items():
        print(f"error: {title}: {problem}", file=sys.stderr)
        summary.failure(title, problem)
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
