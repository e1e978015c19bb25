"""What keeps a cold start short."""

from __future__ import annotations

import ast
import os
import subprocess
import sys

from actioncast.paths import ROOT


def test_serving_a_stored_forecast_imports_nothing_heavy() -> None:
    heavy = (
        *("numpy", "pandas", "sklearn", "scipy", "lightgbm", "jinja2", "multiprocessing"),
        *("sqlalchemy.dialects.sqlite", "sqlalchemy.dialects.postgresql"),
    )
    code = f"import sys, app; print([name for name in {heavy} if name in sys.modules])"
    # Coverage, started by its variables, would import more.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_app_defers_import_work_before_it_imports_anything_else() -> None:
    tree = ast.parse((ROOT / "app.py").read_text(encoding="utf-8"))
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    first = next(node for node in imports if getattr(node, "module", "") != "__future__")
    assert ast.unparse(first) == "from actioncast.api import cold_start"


def test_the_collector_runs_again_after_the_imports() -> None:
    code = "import gc, app; print(gc.isenabled(), gc.get_freeze_count() > 0)"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "True True"
