"""The README and the examples name what exists, and what exists is named there."""

from __future__ import annotations

import re
import tomllib
from importlib.util import module_from_spec, spec_from_file_location

import pytest

from actioncast.config import load_settings
from actioncast.settings import (
    ApiSettings,
    FreshnessSettings,
    RetrainSettings,
    ScheduleSettings,
    SeriesSettings,
    TrainSettings,
)
from tests.support import checkout
from tests.support.checkout import CONFIG, ROOT

pytestmark = pytest.mark.template
README = (ROOT / "README.md").read_text(encoding="utf-8")
DESIGN = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


PLAIN = ("source", "unit", "candidates", "seed")  # keys that explain themselves


def named(pattern: str, text: str = README) -> set[str]:
    return set(re.findall(pattern, text))


def test_every_script_is_in_the_readme_and_the_reverse() -> None:
    scripts = {f"{name}.py" for name in checkout.scripts()}
    assert named(r"`(?:python )?(\w+\.py)\b") == scripts


def test_the_tree_of_the_design_is_made_from_the_docstrings() -> None:
    """`python docs/tree.py --write` brings it up to date."""
    path = ROOT / "docs" / "tree.py"
    specification = spec_from_file_location("tree", path)
    assert specification
    assert specification.loader
    tree = module_from_spec(specification)
    specification.loader.exec_module(tree)
    assert tree.updated(DESIGN) == DESIGN


def test_every_table_and_view_is_in_the_readme() -> None:
    schema = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "sql").glob("*.sql"))
    stored = named(r"create (?:table|view) (\w+)", schema)
    assert stored <= named(r"`(\w+)`")
    assert stored <= named(r"`(\w+)`", DESIGN)


def test_every_make_target_in_the_readme_exists() -> None:
    assert named(r"`?\bmake (\w+)") - {"make"} <= named(r"(?m)^(\w+):", MAKEFILE)


def test_every_workflow_in_the_readme_exists_and_the_reverse() -> None:
    workflows = {path.name for path in (ROOT / ".github" / "workflows").glob("*.yml")}
    assert named(r"`(\w+\.yml)`") == workflows


def test_the_tests_have_the_shipped_config() -> None:
    """`cp config.toml tests/fixtures/` brings theirs up to date."""
    assert CONFIG.read_text(encoding="utf-8") == (ROOT / "config.toml").read_text(encoding="utf-8")


def test_the_readme_names_whose_actions_an_organisation_must_allow() -> None:
    files = [*(ROOT / ".github").rglob("*.yml")]
    owners = {owner for path in files for owner in named(r"uses: ([\w-]+)/", path.read_text(encoding="utf-8"))}
    section = README[README.index("## On GitHub, in ten minutes") : README.index("## Your own series")]
    assert named(r"`([\w-]+)/[\w-]*@?\*`", section) == owners - {"actions"}


def test_the_shipped_config_is_valid_and_shows_every_key_with_a_reason() -> None:
    settings = load_settings(CONFIG, {})
    text = CONFIG.read_text(encoding="utf-8")
    shown = named(r"(?m)^(?:# )?(\w+) = .*", text)
    for table in (SeriesSettings, TrainSettings, RetrainSettings, ScheduleSettings, FreshnessSettings, ApiSettings):
        assert set(table.model_fields) <= shown, table.__name__
    uncommented = [line for line in text.splitlines() if re.match(r"\w+ = ", line) and "#" not in line]
    assert uncommented == ['title = "Bitcoin transactions entering the mempool (replayed recording)"'] + [
        line for line in uncommented[1:] if line.split(" = ")[0] in ("source", "unit", "candidates", "seed")
    ]
    assert settings.series_id() == "bitcoin_transactions"


def test_the_defaults_of_the_code_are_those_of_the_shipped_config() -> None:
    document = tomllib.loads(CONFIG.read_text(encoding="utf-8"))
    for name, table in (
        ("train", TrainSettings),
        ("retrain", RetrainSettings),
        ("schedule", ScheduleSettings),
        ("freshness", FreshnessSettings),
        ("api", ApiSettings),
    ):
        assert table.model_validate(document[name]) == table(), name


def test_every_secret_and_variable_of_the_workflows_is_in_the_readme() -> None:
    files = (ROOT / ".github" / "workflows").glob("*.yml")
    names = {name for path in files for name in named(r"\b(?:secrets|vars)\.(\w+)", path.read_text(encoding="utf-8"))}
    assert names - named(r"`(\w+)`") == set()


def test_every_variable_of_the_example_is_in_the_readme() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert named(r"(?m)^(\w+)=", example) <= named(r"\b([A-Z][A-Z_]+)\b")


def test_lock_files_name_no_registry() -> None:
    for path in [ROOT / "requirements.txt", *(ROOT / "requirements").glob("*.txt")]:
        assert "://" not in path.read_text(encoding="utf-8"), path.name


def test_the_cards_packages_are_locked_with_hashes() -> None:
    locked = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    served = ["fastapi", "uvicorn", "python-dotenv", "requests", "sqlalchemy", "psycopg2-binary"]
    for package in [*served, "pandas", "scikit-learn", "skforecast", "neptune-client"]:
        assert re.search(rf"(?m)^{package}==\S+( ;.*)? \\\n    --hash=sha256:", locked), package
