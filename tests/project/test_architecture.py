"""The shape of the project: which folder may import what, and how large its parts may grow."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path
from statistics import median, quantiles

import pytest

from actioncast.cli import many_series
from tests.support import checkout
from tests.support.checkout import ROOT

PACKAGE = "actioncast"
COMPOSERS = {"app", "rehearse"}  # root scripts that call other root scripts
SCRIPTS = checkout.scripts()
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): path
    for path in (ROOT / PACKAGE).rglob("*.py")
    if path.name != "__init__.py"
}
GROUND = {name.split(".")[1] for name in MODULES if name.count(".") == 1}

# Which wings a wing may import besides itself and the ground files.
MAY_IMPORT = {
    "ground": set(),
    "ingestion": {"database"},
    "database": set(),
    "forecasting": set(),
    "training": {"database", "forecasting", "github", "tracking"},
    "serving": {"database", "forecasting"},
    "tracking": {"github"},
    "monitoring": {"database", "forecasting", "github", "ingestion", "serving"},
    "github": set(),
    "api": {"database", "forecasting", "monitoring"},
    "dashboard": {"api", "database", "forecasting", "monitoring"},
    "rehearsal": {"database", "forecasting", "github", "ingestion", "monitoring", "tracking", "training"},
    "cli": {"api", "database", "forecasting", "github", "ingestion", "monitoring", "serving", "tracking", "training"},
}
DETECTION = ROOT / PACKAGE / "ingestion" / "detection"
HEALTH = ROOT / PACKAGE / "ingestion" / "health"
PERIODS = ROOT / PACKAGE / "periods"
PURE = {  # decisions: arrays or rows in, verdict out
    **{f"periods.{module.stem}": {"ground"} for module in PERIODS.glob("[a-z]*.py")},
    "forecasting": {"forecasting"},
    "ingestion.doubts": {"ingestion"},
    **{f"ingestion.detection.{module.stem}": {"ingestion"} for module in DETECTION.glob("[a-z]*.py")},
    **{f"ingestion.health.{module.stem}": {"ingestion"} for module in HEALTH.glob("[a-z]*.py")},
    "ingestion.patterns": {"ingestion"},
    "ingestion.sentinels": {"ingestion"},
    "training.clean": {"forecasting", "training"},
    "training.backtest": {"forecasting", "training"},
    "training.metrics": {"forecasting", "training"},
    "training.leaderboard": {"forecasting", "training"},
    "training.gate": {"forecasting", "training"},
    "training.explanation": {"forecasting", "training"},
    "training.drawing": {"forecasting", "training"},
    "serving.fallback": {"forecasting", "serving"},
    "serving.live_width": {"forecasting", "serving"},
    "serving.restatement": {"forecasting", "serving"},
    "monitoring.age": {"monitoring"},
    "monitoring.live_error": {"forecasting", "monitoring"},
    "monitoring.verdict": {"forecasting", "monitoring", "serving"},
    "monitoring.freshness": {"forecasting", "ingestion", "monitoring"},
    "monitoring.findings": {"monitoring"},
}
TOUCHES_MODEL_FOLDER = {"forecasting.champion", "forecasting.card"}
SPEAKS_HTTP = {"ingestion.web", "api.client", "github.api", "github.alerts.outgoing"}
NETWORK_AND_DATABASES = {"sqlalchemy", "sqlite3", "psycopg2", "requests", "urllib", "httpx", "socket", "subprocess"}
OUTSIDE = {"open", "now", "today", "time", "read_text", "read_bytes", "write_text", "write_bytes"}  # functions

LARGEST_FOLDER = 16  # modules
LARGEST_MODULE = 400  # lines
LONGEST_FUNCTION = 50  # lines
TYPICAL_FUNCTION = 10  # lines, median
NODES_PER_LINE = 5.3  # syntax-tree nodes per line of code
NODES_PER_FUNCTION = 110  # syntax-tree nodes, ninth decile
WIDE = 100  # columns
WIDE_SHARE = 0.02  # of code lines may be wider


def wing_of(module: str) -> str:
    """`ground`, which every wing stands on, or the folder of a module of the package."""
    parts = module.split(".")
    return "ground" if len(parts) == 2 or parts[1] == "periods" else parts[1]


@cache
def imports(path: Path) -> frozenset[str]:
    """The names of the modules that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


def own_imports(path: Path) -> set[str]:
    """The modules of the package and the root scripts that a file imports."""
    return set(imports(path)) & (set(MODULES) | set(SCRIPTS))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def calls(path: Path) -> set[str]:
    """The names of the functions and methods that a file calls."""
    functions_called = [node.func for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call)]
    names = {function.id for function in functions_called if isinstance(function, ast.Name)}
    return names | {function.attr for function in functions_called if isinstance(function, ast.Attribute)}


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or 0) - node.lineno + 1


def nodes(tree: ast.AST) -> int:
    return sum(isinstance(node, ast.expr | ast.stmt) for node in ast.walk(tree))


def code_lines(path: Path) -> list[str]:
    """The lines that are neither blank, nor a comment, nor part of a docstring."""
    text = path.read_text(encoding="utf-8").splitlines()
    strings = [
        node
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    ]
    documentation = {line for node in strings for line in range(node.lineno, (node.end_lineno or 0) + 1)}
    return [
        line
        for number, line in enumerate(text, 1)
        if number not in documentation and line.strip() and not line.strip().startswith("#")
    ]


def test_the_scripts_of_the_design_are_there() -> None:
    scripts = {"update_real_data", "make_predictions", "train", "check_retrain", "app", "rehearse", "utils"}
    assert scripts <= set(SCRIPTS)


@pytest.mark.parametrize("script", sorted(set(SCRIPTS) - COMPOSERS - {"utils"}))
def test_a_script_imports_no_other_script(script: str) -> None:
    assert own_imports(SCRIPTS[script]) & set(SCRIPTS) == set()


@pytest.mark.parametrize("module", sorted(MODULES))
def test_the_package_imports_nothing_from_the_root_but_the_users_features(module: str) -> None:
    assert own_imports(MODULES[module]) & set(SCRIPTS) <= {"utils"}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_imports_only_what_its_wing_may(module: str) -> None:
    wing = wing_of(module)
    wings = {wing_of(name) for name in own_imports(MODULES[module]) if name in MODULES}
    allowed = MAY_IMPORT[wing] | {wing, "ground"}
    if module == f"{PACKAGE}.github.state_branch":
        allowed = allowed | {"database"}
    assert wings <= allowed


def test_every_wing_has_a_rule_and_the_reverse() -> None:
    assert {wing_of(module) for module in MODULES} == set(MAY_IMPORT)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_only_the_database_wing_imports_sqlalchemy(module: str) -> None:
    libraries = {name.split(".")[0] for name in imports(MODULES[module])}
    assert wing_of(module) == "database" or not libraries & {"sqlalchemy", "psycopg2", "sqlite3"}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_only_the_modules_that_ask_others_send_requests(module: str) -> None:
    libraries = set(imports(MODULES[module]))
    asks = libraries & {"requests", "httpx", "urllib.request"}
    assert module.removeprefix(f"{PACKAGE}.") in SPEAKS_HTTP or not asks


def is_pure(module: str) -> set[str] | None:
    """The wings that a pure module may import, None for a module that may touch the outside."""
    name = module.removeprefix(f"{PACKAGE}.")
    if name in TOUCHES_MODEL_FOLDER:
        return None
    return PURE.get(name, PURE.get(wing_of(module)))


@pytest.mark.parametrize("module", sorted(module for module in MODULES if is_pure(module)))
def test_a_decision_touches_neither_database_nor_network_nor_files_nor_the_clock(module: str) -> None:
    wings = {wing_of(name) for name in own_imports(MODULES[module]) if name in MODULES}
    assert wings <= (is_pure(module) or set()) | {"ground"}
    assert {name.split(".")[0] for name in imports(MODULES[module])} & NETWORK_AND_DATABASES == set()
    assert calls(MODULES[module]) & OUTSIDE == set()


@pytest.mark.parametrize("module", sorted(MODULES))
def test_only_the_command_line_knows_scripts_by_name(module: str) -> None:
    """A path such as `train.py` or an entry such as `train:run` in a string; commands for a person may name them."""
    texts = {str(node.value) for node in ast.walk(tree_of(MODULES[module])) if isinstance(node, ast.Constant)}
    paths = {text for text in texts for script in SCRIPTS if text.endswith(f"{script}.py") and " " not in text}
    entries = texts & set(many_series.SCRIPTS.values())
    made = [node for node in ast.walk(tree_of(MODULES[module])) if isinstance(node, ast.JoinedStr) and ends_in_py(node)]
    assert wing_of(module) == "cli" or not (paths or entries or made)


def ends_in_py(text: ast.JoinedStr) -> bool:
    last = text.values[-1]
    return isinstance(last, ast.Constant) and str(last.value) == ".py"


def test_the_table_of_scripts_names_functions_that_exist() -> None:
    for module, function in (place.split(":") for place in many_series.SCRIPTS.values()):
        assert function in {node.name for node in functions({**SCRIPTS, **MODULES}[module])}


@pytest.mark.parametrize("module", sorted(module for module in MODULES if wing_of(module) == "github"))
def test_the_github_wing_runs_on_a_bare_python(module: str) -> None:
    code = f"import {module}"
    bare = subprocess.run([sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}"])
    assert bare.returncode == 0


def test_imports_make_no_circle() -> None:
    everything = {**SCRIPTS, **MODULES}
    waiting = {name: own_imports(path) - {name} for name, path in everything.items()}
    while waiting:
        free = {name for name, needs in waiting.items() if not needs & set(waiting)}
        assert free, f"a circle among {sorted(waiting)}"
        waiting = {name: needs for name, needs in waiting.items() if name not in free}


@pytest.mark.parametrize("name", sorted({**SCRIPTS, **MODULES}))
def test_no_function_and_no_module_grows_too_long(name: str) -> None:
    path = {**SCRIPTS, **MODULES}[name]
    assert {node.name: length(node) for node in functions(path) if length(node) > LONGEST_FUNCTION} == {}
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LARGEST_MODULE


def test_no_folder_holds_too_many_modules() -> None:
    folders = [path.parent for path in MODULES.values()]
    assert {str(folder): folders.count(folder) for folder in folders if folders.count(folder) > LARGEST_FOLDER} == {}


def test_functions_are_short_and_lines_are_plain() -> None:
    paths = list(MODULES.values())
    lengths = [length(node) for path in paths for node in functions(path)]
    sizes = [nodes(node) for path in paths for node in functions(path)]
    lines = [line for path in paths for line in code_lines(path)]
    assert median(lengths) <= TYPICAL_FUNCTION
    assert quantiles(sizes, n=10)[-1] <= NODES_PER_FUNCTION
    assert sum(nodes(tree_of(path)) for path in paths) / len(lines) <= NODES_PER_LINE
    assert sum(len(line) > WIDE for line in lines) / len(lines) <= WIDE_SHARE


@pytest.mark.parametrize("name", sorted(set(SCRIPTS) - {"utils"}))
def test_a_script_opens_with_what_it_does_and_a_command_to_paste(name: str) -> None:
    docstring = ast.get_docstring(tree_of(SCRIPTS[name])) or ""
    assert f"python {name}.py" in docstring or f"uvicorn {name}:app" in docstring
    assert "Exit codes:" in docstring or name == "app"
