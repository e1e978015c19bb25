"""The workflow files as text: three linters, and the rules of this project."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONS = sorted((ROOT / ".github" / "actions").glob("*/action.yml"))
MINUTES_TO_REPORT = 3  # of a job, for the steps before and after the one that hangs
LINTERS = {
    "zizmor": ["--offline", "--no-progress", "--persona", "pedantic", ".github"],
    "jactionlint": ["--shellcheck=", *(str(path) for path in [*FILES, *ACTIONS])],
    "check-jsonschema": ["--builtin-schema", "vendor.github-workflows", *(str(path) for path in FILES)],
}


@pytest.mark.parametrize("linter", LINTERS)
def test_linter_finds_nothing(linter: str) -> None:
    program = shutil.which(linter, path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip(f"{linter} is not installed: make install")
    done = subprocess.run([program, *LINTERS[linter]], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", [*FILES, *ACTIONS], ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_workflow_keeps_the_rules_of_the_project(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for uses in re.findall(r"uses: (\S+.*)", text):
        assert re.fullmatch(r"\./\.github/actions/\w+|[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", uses), uses
    for image in re.findall(r"runs-on: (\S+)", text):
        assert image in ("ubuntu-24.04", "ubuntu-slim")
    assert not re.search(r"\b(main|master)\b", text), "a copy's default branch may have another name"
    for minute in re.findall(r'cron: "(\S+)', text):
        assert int(minute) % 2 == 1, "an even or round minute is when everybody starts"
    assert text.count("actions/checkout@") == text.count("persist-credentials: false")
    payload = r"\$\{\{[^}]*(github\.event|inputs\.|github\.head_ref)[^}]*\}\}"
    for line in text.splitlines():
        if re.search(payload, line):
            assert re.match(r"\s+(if|[A-Z_]+|value|shard): ", line), f"untrusted text goes through env: only: {line}"
    assert not re.search(r"(?m)^    env:\n(      .*\n)*      [A-Z_]+: \$\{\{ (secrets\.\w+|github\.token) \}\}", text)


def jobs_of(path: Path) -> dict[str, dict[str, Any]]:
    jobs: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    return jobs


def concurrency_group(path: Path, job: dict[str, Any]) -> str:
    """The concurrency group of a job, or else of its workflow."""
    declared = job.get("concurrency") or yaml.safe_load(path.read_text(encoding="utf-8")).get("concurrency")
    return str(declared["group"] if isinstance(declared, dict) else declared)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_who_waits_for_data_and_model_checks_out_the_newest_commit(path: Path) -> None:
    for name, job in jobs_of(path).items():
        if concurrency_group(path, job) != "data":
            continue
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"].get("ref") == "${{ github.ref_name }}", name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_hang_fails_its_step_before_it_ends_the_job(path: Path) -> None:
    """A job that hits its limit counts as cancelled: nobody would be told. Who pushes looks at ci themselves."""
    if path.name == "ci.yml":
        return
    for name, job in jobs_of(path).items():
        limits = [step.get("timeout-minutes", math.inf) for step in job["steps"]]
        assert max(limits) + MINUTES_TO_REPORT <= job["timeout-minutes"], name


def texts_of_jobs(path: Path) -> list[str]:
    """The text of each job of a workflow."""
    _, _, jobs = path.read_text(encoding="utf-8").partition("\njobs:\n")
    return re.split(r"(?m)^  (?=\w+:$)", jobs)[1:]


JOBS = [(path, text) for path in FILES for text in texts_of_jobs(path)]
NAMES_OF_JOBS = [f"{path.name}-{text.partition(':')[0]}" for path, text in JOBS]


@pytest.mark.parametrize("text", [text for _, text in JOBS], ids=NAMES_OF_JOBS)
def test_an_incident_knows_its_job_s_limit_and_whom_to_tell(text: str) -> None:
    limits = re.findall(r"(?m)^    timeout-minutes: (\d+)", text)
    incidents = [step for step in re.split(r"\n      - ", text) if "actioncast.github.incidents" in step]
    for limit in re.findall(r"--limit-minutes (\d+)", text):
        assert limits == [limit]
    assert bool(incidents) == ("--limit-minutes" in text)
    for step in incidents:
        for name in ("NOTIFY", "WEBHOOK_KIND", "API_URL", "PUBLISH_PAGES"):
            assert f"{name}: ${{{{ vars.{name} }}}}" in step
        assert "WEBHOOK_URL: ${{ secrets.WEBHOOK_URL }}" in step


@pytest.mark.parametrize("text", [text for _, text in JOBS], ids=NAMES_OF_JOBS)
def test_the_log_of_an_incident_is_rid_of_every_secret_that_the_job_has(text: str) -> None:
    steps = re.split(r"\n      - ", text)
    used = {name for step in steps for name in re.findall(r"\b\w+: \$\{\{ secrets\.(\w+) \}\}", step)}
    for step in steps:
        if "--limit-minutes" in step:
            assert used - set(re.findall(r"secrets\.(\w+)", step)) == set()


def test_a_minute_belongs_to_one_schedule() -> None:
    minutes = [cron for path in FILES for cron in re.findall(r'cron: "(\S+)', path.read_text(encoding="utf-8"))]
    assert len(minutes) == len(set(minutes))


def test_a_change_of_what_a_backtest_rests_on_starts_the_comparison() -> None:
    workflow = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    (choices,) = re.findall(r"git diff .* actioncast/\{([\w,.]+)\}", workflow)
    listed = [f"actioncast/{name}" for name in choices.split(",")]
    plumbing = {"actioncast/errors.py", "actioncast/arrays.py", "actioncast/times.py"}  # no figure comes from these
    rests_on = files_behind(ROOT / "actioncast/training/backtest.py") - plumbing
    assert [file for file in sorted(rests_on) if not file.startswith(tuple(listed))] == []


def files_behind(path: Path) -> set[str]:
    """The files of the package that a module imports, by way of others too."""
    files: set[str] = set()
    waiting = [path]
    while waiting:
        file = waiting.pop()
        files.add(str(file.relative_to(ROOT)))
        text = file.read_text(encoding="utf-8")
        for package, names in re.findall(r"(?m)^from (actioncast[\w.]*) import (.+|\([^)]*\))$", text):
            modules = [package, *(f"{package}.{name}" for name in re.findall(r"\w+", names))]
            candidates = [ROOT / f"{module.replace('.', '/')}.py" for module in modules]
            waiting += [
                candidate
                for candidate in candidates
                if candidate.exists() and str(candidate.relative_to(ROOT)) not in files
            ]
    return files
