"""deploy/gcp.sh and deploy/cloud_run.sh against a gcloud that keeps a state."""

from __future__ import annotations

import base64
import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.support.cloud_cli import MUTATING
from tests.support.clouds import ROOT, Clouds, Service
from tests.support.google_apis import PROJECT, GoogleApis, real_gcloud

PASSWORD = "p4ssw0rd-of-the-database"
SETTINGS = {
    "PROJECT": "demo-proj",
    "REGION": "europe-west1",
    "GITHUB_REPOSITORY": "me/forecasts",
    "GITHUB_OWNER_ID": "11",
    "GITHUB_REPOSITORY_ID": "22",
    "DATABASE_URL": f"postgresql://app:{PASSWORD}@db.invalid/app",
}
EVERYTHING = {"CLOUD_SQL": "db-f1-micro", "CLOUD_BUILD": "1", "PING_TOKEN": "github_pat_ping"}


@pytest.fixture
def clouds(tmp_path: Path) -> Clouds:
    return Clouds(tmp_path / "clouds")


def run_script(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    script = [str(ROOT / "deploy/gcp.sh"), *arguments]
    return subprocess.run(script, env=environment, capture_output=True, text=True, timeout=400)


def gcp(clouds: Clouds, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return run_script(clouds.environment(**SETTINGS | settings), *arguments)


def changing(clouds: Clouds) -> list[list[str]]:
    """The calls that changed something."""
    return [call for call in clouds.calls("gcloud") if MUTATING & set(call)]


def created(clouds: Clouds, **settings: str) -> str:
    run = gcp(clouds, "create", **settings)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Clouds:
    """A cloud on which everything was created once; tests take its state, they do not change it."""
    made = Clouds(tmp_path_factory.mktemp("ready") / "clouds")
    created(made, **EVERYTHING)
    return made


def test_second_create_changes_nothing(clouds: Clouds, ready: Clouds) -> None:
    assert len(changing(ready)) > 25
    clouds.write(ready.state)
    output = created(clouds, **EVERYTHING)
    assert not changing(clouds)
    assert "nothing to change" in output
    assert "+ gcloud" not in output


def test_dry_run_prints_the_commands_and_changes_nothing(clouds: Clouds, ready: Clouds) -> None:
    run = gcp(clouds, "create", "--dry-run", **EVERYTHING)
    assert run.returncode == 0, run.stderr
    assert not changing(clouds)
    assert run.stdout.count("+ gcloud ") == len(changing(ready))


def test_dry_run_needs_no_gcloud(tmp_path: Path) -> None:
    settings = {"PATH": f"{tmp_path}:/usr/bin:/bin", "CLOUDSDK_CONFIG": str(tmp_path), **SETTINGS}
    program = tmp_path / "gcloud"
    program.write_text("#!/bin/sh\nexit 127\n")
    program.chmod(0o755)
    run = run_script(settings, "create", "--dry-run")
    assert run.returncode == 0, run.stderr
    assert "+ gcloud iam workload-identity-pools create actioncast-github" in run.stdout


def test_roles_are_few_and_secrets_are_neither_printed_nor_on_a_command_line(clouds: Clouds) -> None:
    output = created(clouds, PING_TOKEN="github_pat_ping")
    for secret in (PASSWORD, "github_pat_ping"):
        assert secret not in output
        assert not any(secret in word for call in clouds.calls() for word in call)
    roles = {role.split()[-2] for role in clouds.state["roles"]}
    assert roles == {
        "roles/artifactregistry.writer",
        "roles/iam.serviceAccountTokenCreator",
        "roles/iam.serviceAccountUser",
        "roles/iam.workloadIdentityUser",
        "roles/logging.logWriter",
        "roles/run.developer",
        "roles/run.invoker",
        "roles/secretmanager.secretAccessor",
    }
    assert gcp(clouds, "status").stdout.count("missing") == 1, "the service itself comes with the first deployment"


def test_secrets_reach_gcloud_by_a_pipe(ready: Clouds) -> None:
    database, headers = [yaml.safe_load(text) for text in ready.state["flags files"]]
    assert len(database["--password"]) == 48
    assert headers["--headers"]["Authorization"] == "Bearer github_pat_ping"
    assert not any(database["--password"] in word for call in ready.calls() for word in call)


@pytest.mark.parametrize("settings", [{}, {"CLOUD_SQL": "db-f1-micro", "DATABASE_URL": ""}], ids=["given", "Cloud SQL"])
def test_secret_that_an_interrupted_run_left_without_a_value_gets_one(
    clouds: Clouds, ready: Clouds, settings: dict[str, str]
) -> None:
    state = ready.state
    del state["values"]["actioncast-database-url"]
    clouds.write(state)
    assert "missing  secret actioncast-database-url\n" in gcp(clouds, "status", **settings).stdout
    created(clouds, **settings)
    commands = [" ".join(call[3:7]) for call in changing(clouds)]
    assert commands[-1] == "secrets versions add actioncast-database-url"
    expected = SETTINGS["DATABASE_URL"]
    if "CLOUD_SQL" in settings:  # its password went into no secret: nobody knows it
        assert commands[:-1] == ["sql users set-password actioncast"]
        password = yaml.safe_load(clouds.state["flags files"][-1])["--password"]
        expected = f"postgresql://actioncast:{password}@/actioncast?host=/cloudsql/demo-proj:europe-west1:actioncast"
    assert clouds.state["values"]["actioncast-database-url"] == expected


def as_typed(call: list[str]) -> str:
    """The flags last, and only their values in quotes: so the checker wants it."""
    words = [shlex.quote(word) for word in call if not word.startswith("--")]
    flags = [word.partition("=") for word in call if word.startswith("--")]
    return " ".join(words + [f"{name}{sign}{shlex.quote(value) if sign else ''}" for name, sign, value in flags])


def test_the_real_gcloud_knows_every_command(clouds: Clouds, ready: Clouds, tmp_path: Path) -> None:
    """With its own checker, which knows words and flags; stand-ins would let a misspelt flag pass."""
    gcloud = real_gcloud()
    clouds.write(ready.state)
    gcp(clouds, "status", **EVERYTHING)
    gcp(clouds, "destroy", "--yes", **EVERYTHING)
    given = iter(ready.state["flags files"])
    commands: set[str] = set()
    for call in ready.calls("gcloud") + clouds.calls("gcloud"):
        for position, word in enumerate(call):
            if word.startswith("--flags-file="):
                file = tmp_path / f"{len(commands)}.yaml"
                file.write_text(next(given))
                call[position] = f"--flags-file={file}"
        commands.add(as_typed(call))
    (tmp_path / "commands.json").write_text(json.dumps([{"command_string": command} for command in sorted(commands)]))
    checked = subprocess.run(
        [gcloud, "meta", "lint-gcloud-commands", f"--commands-file={tmp_path / 'commands.json'}"],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    verdicts = json.loads(checked.stdout)
    assert len(verdicts) == len(commands) > 60
    assert [(v["command_string"], v["error_message"]) for v in verdicts if not v["success"]] == []


def test_real_gcloud_makes_everything_once_and_takes_it_away(tmp_path: Path) -> None:
    """What it sends, and what it makes of the answers. What Google grants or refuses is not emulated."""
    real_gcloud()
    with GoogleApis() as google:
        environment = google.environment(tmp_path, **SETTINGS, **EVERYTHING)

        def gcp(*arguments: str) -> tuple[str, int]:
            before = len(google.writes)
            run = run_script(environment, *arguments)
            assert not run.returncode, run.stdout + run.stderr
            return run.stdout, len(google.writes) - before

        output, writes = gcp("create")
        assert output.count("+ gcloud ") == writes == 30
        sql, secret = f"{PROJECT}/instances/actioncast", f"{PROJECT}/secrets/actioncast-database-url"
        password = google.resources[f"{sql}/users/actioncast"]["password"]
        url = base64.b64decode(google.resources[f"{secret}/versions/1"]["payload"]["data"]).decode()
        assert url == f"postgresql://actioncast:{password}@/actioncast?host=/cloudsql/demo-proj:europe-west1:actioncast"
        ping = google.resources[f"{PROJECT}/locations/europe-west1/jobs/actioncast-hourly"]
        assert ping["httpTarget"]["headers"]["Authorization"] == "Bearer github_pat_ping"

        output, writes = gcp("create")
        assert ("nothing to change" in output, writes) == (True, 0)
        status = run_script(environment, "status").stdout
        assert [line for line in status.splitlines() if not line.startswith("there")] == [
            "missing  service on Cloud Run (the first deployment makes it)"
        ]
        output, writes = gcp("destroy", "--dry-run")
        assert (output.count("+ gcloud "), writes) == (15, 0)
        _, writes = gcp("destroy", "--yes")
        assert writes == 15
        pool = f"{PROJECT}/locations/global/workloadIdentityPools/actioncast-github"
        assert google.resources[pool]["state"] == "DELETED"
        left = [name for name in google.resources if not name.startswith((f"{PROJECT}/services/", sql, pool))]
        assert left == [PROJECT]
        assert [binding["role"] for binding in google.policies[PROJECT]["bindings"]] == ["roles/secretmanager.admin"]


def test_github_is_known_by_its_numbers_and_its_main_branch(ready: Clouds) -> None:
    (provider,) = [call for call in ready.calls("gcloud") if "create-oidc" in call]
    (condition,) = [word for word in provider if word.startswith("--attribute-condition=")]
    for part in ("repository_owner_id == '11'", "repository_id == '22'", "ref == 'refs/heads/main'"):
        assert part in condition
    (bound,) = [role for role in ready.state["roles"] if "workloadIdentityUser" in role]
    assert bound.endswith("actioncast-github/attribute.repository_id/22")


def test_destroy_asks_and_then_leaves_only_the_data(clouds: Clouds, ready: Clouds) -> None:
    clouds.write(ready.state)
    assert gcp(clouds, "destroy", **EVERYTHING).returncode == 2
    assert not changing(clouds)
    run = gcp(clouds, "destroy", "--yes", **EVERYTHING)
    assert run.returncode == 0, run.stderr
    left = [thing for thing in clouds.state["things"] if not thing.startswith(("sql", "iam workload", "builds repos"))]
    assert left == []
    assert "holds your data and stays" in run.stdout
    assert "Cloud Build may still manage secrets" in run.stdout
    assert gcp(clouds, "status", **EVERYTHING).stdout.count("missing") == 9, "all but the Cloud SQL server"


def test_create_after_destroy_makes_all_of_it_again(clouds: Clouds, ready: Clouds) -> None:
    clouds.write(ready.state)
    gcp(clouds, "destroy", "--yes", **EVERYTHING)
    output = created(clouds, **EVERYTHING)
    assert "workload-identity-pools undelete actioncast-github" in output
    assert "sql users set-password actioncast" in output
    assert gcp(clouds, "status", **EVERYTHING).stdout.count("missing") == 1


def test_status_tells_what_is_missing(clouds: Clouds) -> None:
    run = gcp(clouds, "status")
    assert run.returncode == 1
    assert run.stdout.count("missing") == 7


def test_create_without_a_database_says_what_to_set(clouds: Clouds) -> None:
    run = gcp(clouds, "create", DATABASE_URL="")
    assert run.returncode == 2
    assert "set DATABASE_URL" in run.stderr


# deploy/cloud_run.sh --------------------------------------------------------------------------------------------------


@pytest.fixture
def service() -> Iterator[Service]:
    with Service("v1") as running:
        yield running


def cloud_run(clouds: Clouds, *arguments: str) -> subprocess.CompletedProcess[str]:
    settings = {"PROJECT": "demo-proj", "REGION": "europe-west1", "RUN_ACCOUNT": "run@x", "DEPLOY_ACCOUNT": "deploy@x"}
    return subprocess.run(
        [str(ROOT / "deploy/cloud_run.sh"), *arguments],
        env=clouds.environment(**settings),
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_rollback_without_a_revision_to_go_back_to_says_so(clouds: Clouds) -> None:
    assert cloud_run(clouds, "candidate", "image:1").returncode == 0
    assert cloud_run(clouds, "promote").returncode == 0
    run = cloud_run(clouds, "rollback")
    assert run.returncode == 1
    assert "no revision with the tag previous" in run.stderr


def test_promoting_twice_keeps_the_way_back(clouds: Clouds) -> None:
    for _ in range(2):
        cloud_run(clouds, "candidate", "image:1")
        cloud_run(clouds, "promote")
    assert clouds.state["service"]["tags"]["previous"] == "actioncast-00001"
    assert cloud_run(clouds, "promote").returncode == 0
    assert clouds.state["service"]["tags"]["previous"] == "actioncast-00001"


def test_secrets_come_from_secret_manager(clouds: Clouds) -> None:
    cloud_run(clouds, "candidate", "image:1")
    (deploy,) = clouds.calls("gcloud", "run", "deploy")
    assert "--set-secrets=DATABASE_URL=actioncast-database-url:latest,API_KEY=actioncast-api-key:latest" in deploy


def test_without_an_identity_token_a_public_service_passes_and_a_private_one_fails_with_the_remedy(
    tmp_path: Path, service: Service
) -> None:
    clouds = Clouds(tmp_path / "clouds", service.url)
    assert cloud_run(clouds, "candidate", "image:1").returncode == 0
    clouds.write(clouds.state | {"no identity token": True})
    run = cloud_run(clouds, "smoke")
    assert run.returncode == 0, run.stderr
    assert "warning: no identity token for deploy@x" in run.stderr
    service.private = True
    run = cloud_run(clouds, "smoke")
    assert run.returncode == 1
    answer = run.stderr.partition("smoke test failed: ")[2]
    assert "/ready answered 403" in answer
    assert "roles/iam.serviceAccountTokenCreator on itself" in answer


def test_old_data_do_not_stop_a_deployment_and_a_dead_database_does(service: Service) -> None:
    smoke = ["python3", "-m", "deploy.smoke", service.url, "--wait", "0"]
    service.fresh = False
    run = subprocess.run(smoke, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    assert "warning: demo: newest hour 90 h old" in run.stdout
    service.database = False
    run = subprocess.run(smoke, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert run.returncode == 1
    assert "database: cannot be reached" in run.stderr
