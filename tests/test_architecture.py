"""The shape of the house: who may import whom, and how long a function may be."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CONDUCTORS = {"app", "rehearse"}
SCRIPTS = {path.stem: path for path in ROOT.glob("*.py")}
VERBS = set(SCRIPTS) - CONDUCTORS - {"utils"}
ROOMS = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in (ROOT / "pipeline").rglob("*.py")
}
MODULES = {**SCRIPTS, **ROOMS}
PURE = [
    "pipeline.series",
    "pipeline.exogenous",
    "pipeline.seasons",
    "pipeline.explain",
    "pipeline.intervals",
    "pipeline.forecaster",
    "pipeline.evaluation",
    "pipeline.monitoring",
    "pipeline.freshness",
]


def imports(path: Path) -> set[str]:
    """The project's own modules that a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found & set(MODULES) - {"pipeline"}


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_the_scripts_of_the_design_are_there() -> None:
    assert {"update_real_data", "make_predictions", "train", "check_retrain", "app", "rehearse", "utils"} <= set(
        SCRIPTS
    )


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_a_verb_imports_no_other_script(verb: str) -> None:
    assert imports(SCRIPTS[verb]) & set(SCRIPTS) == set()


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_room_imports_nothing_from_the_root_but_the_users_features(room: str) -> None:
    assert imports(ROOMS[room]) & set(SCRIPTS) <= {"utils"}


@pytest.mark.parametrize("room", PURE)
def test_a_pure_room_knows_neither_database_nor_network_nor_clock(room: str) -> None:
    source = ROOMS[room].read_text(encoding="utf-8")
    assert imports(ROOMS[room]) & {"pipeline.database", "pipeline.source", "pipeline.github"} == set()
    for word in ("sqlalchemy", "requests", "datetime.now", "time.time("):
        assert word not in source


def test_imports_make_no_circle() -> None:
    waiting = {name: imports(path) - {name} for name, path in MODULES.items()}
    while waiting:
        free = {name for name, needs in waiting.items() if not needs & set(waiting)}
        assert free, f"a circle among {sorted(waiting)}"
        waiting = {name: needs for name, needs in waiting.items() if name not in free}


@pytest.mark.parametrize("name", sorted(MODULES))
def test_no_function_is_longer_than_fifty_lines(name: str) -> None:
    lengths = {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in functions(MODULES[name])}
    assert {function: lines for function, lines in lengths.items() if lines > 50} == {}


@pytest.mark.parametrize("name", sorted(set(SCRIPTS) - {"utils"}))
def test_a_script_opens_with_what_it_does_and_a_command_to_paste(name: str) -> None:
    docstring = ast.get_docstring(ast.parse(SCRIPTS[name].read_text(encoding="utf-8"))) or ""
    assert f"python {name}.py" in docstring or f"uvicorn {name}:app" in docstring
    assert "Exit codes:" in docstring or name == "app"
