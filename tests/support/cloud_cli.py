"""Stand-ins for gcloud, aws, az and docker on PATH: they keep a small state, answer from it, and record every call.

Run as a command by the wrappers that `Clouds` writes: the folder in $CLOUDS holds state.json and calls.jsonl. Only what
the scripts in deploy/ ask is emulated; anything else fails, so that a misspelt command is seen.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

MUTATING = {
    "create",
    "create-oidc",
    "enable",
    "add",
    "set-password",
    "add-iam-policy-binding",
    "remove-iam-policy-binding",
    "delete",
    "undelete",
}


ALONE = {  # flags that take no value
    "--cpu-boost",
    "--deletion-protection",
    "--detach",
    "--enabled",
    "--force",
    "--forecast",
    "--include-email",
    "--no-allow-unauthenticated",
    "--no-traffic",
    "--password-stdin",
    "--quiet",
    "--read-only",
    "--rm",
    "--to-latest",
    "--yes",
}
VERBS = {
    "add-iam-policy-binding",
    "create",
    "create-oidc",
    "delete",
    "describe",
    "get-iam-policy",
    "remove-iam-policy-binding",
    "set-password",
    "undelete",
}


class UnknownError(Exception):
    """A command that the stand-in does not emulate."""


class NotThereError(Exception):
    """The cloud's own not-found."""


def split(argv: list[str]) -> tuple[list[str], dict[str, str]]:
    """Words before the first flag and between, and flags: --a=b, --a b, --a."""
    words: list[str] = []
    flags: dict[str, str] = {}
    remaining = list(argv)
    while remaining:
        word = remaining.pop(0)
        if not word.startswith("--"):
            words.append(word)
        elif "=" in word:
            name, _, value = word.partition("=")
            flags[name] = value
        elif remaining and not remaining[0].startswith("--") and word not in ALONE:
            flags[word] = remaining.pop(0)
        else:
            flags[word] = ""
    return words, flags


# gcloud ------------------------------------------------------------------------------------------------------------


def gcloud(state: dict[str, Any], argv: list[str]) -> str:
    words, flags = split(argv)
    if "--flags-file" in flags:
        state.setdefault("flags files", []).append(Path(flags["--flags-file"]).read_text())
    match words:
        case ["auth", "print-identity-token"]:
            if state.get("no identity token"):
                raise UnknownError("PERMISSION_DENIED: Permission 'iam.serviceAccounts.getOpenIdToken' denied")
            return "head.payload.signature"
        case ["run", "deploy", name]:
            return run_deploy(state, name, flags)
        case ["run", "services", "update-traffic", name]:
            return update_traffic(state, name, flags)
        case ["run", "services", "describe", _]:
            return describe_service(state)
        case ["projects", "describe", _]:
            return "123456789"
        case ["services", "list"]:
            return "\n".join(state.setdefault("apis", []))
        case ["services", "enable", *apis]:
            state.setdefault("apis", []).extend(apis)
            return ""
        case ["builds", "triggers", "run", _]:
            return ""
        case ["secrets", "versions", "add", name]:
            state.setdefault("values", {})[name] = sys.stdin.read()
            return ""
        case ["secrets", "versions", "describe", "latest"]:
            if flags["--secret"] not in state.get("values", {}):
                raise NotThereError
            return ""
    return resource(state, words, flags)


def run_deploy(state: dict[str, Any], name: str, flags: dict[str, str]) -> str:
    service = state.setdefault("service", {"revisions": [], "traffic": {}, "tags": {}})
    revision = f"{name}-{len(service['revisions']) + 1:05d}"
    if "--no-traffic" in flags and not service["revisions"]:
        raise UnknownError("--no-traffic not supported when creating a new service.")
    latest = service["traffic"].pop("LATEST", None)
    if "--no-traffic" not in flags:
        service["traffic"] = {"LATEST": 100}
    elif latest:  # as gcloud does: what was latest is named, so that the new one gets nothing
        service["traffic"][service["revisions"][-1]["name"]] = latest
    service["revisions"].append({"name": revision, "image": flags["--image"]})
    service["tags"][flags["--tag"]] = revision
    return ""


def update_traffic(state: dict[str, Any], name: str, flags: dict[str, str]) -> str:
    service = state["service"]
    if "--to-latest" in flags:
        service["traffic"] = {"LATEST": 100}
    if "--to-revisions" in flags:
        revision, _, percent = flags["--to-revisions"].partition("=")
        service["traffic"] = {revision: int(percent)}
    if "--update-tags" in flags:
        tag, _, revision = flags["--update-tags"].partition("=")
        service["tags"][tag] = revision
    return ""


def describe_service(state: dict[str, Any]) -> str:
    service = state.get("service")
    if not service:
        raise NotThereError
    latest = service["revisions"][-1]["name"]
    traffic = [
        {"revisionName": latest if target == "LATEST" else target, "percent": percent}
        for target, percent in service["traffic"].items()
    ]
    traffic += [{"revisionName": r, "tag": tag, "url": os.environ["SERVICE"]} for tag, r in service["tags"].items()]
    return json.dumps({"status": {"url": "https://actioncast-demo.a.run.app", "traffic": traffic}})


def resource(state: dict[str, Any], words: list[str], flags: dict[str, str]) -> str:
    """describe, create, delete and roles of anything else, by its words."""
    things = state.setdefault("things", [])
    roles = state.setdefault("roles", [])
    position = next((i for i, word in enumerate(words) if word in VERBS), None)
    if position is None:
        raise UnknownError(f"gcloud {' '.join(words)}")
    name = flags.get("--name", words[-1]).partition("@")[0]  # created by name, referred to by address
    thing = " ".join([*words[:position], name])
    match words[position]:
        case "describe" if thing not in things:
            raise NotThereError
        case "describe":
            return str(state.get("pool", "ACTIVE")) if flags.get("--format") == "value(state)" else ""
        case "create" | "create-oidc":
            if thing in things:
                raise UnknownError(f"{thing} exists already")
            things.append(thing)
        case "delete" | "undelete" if words[1] == "workload-identity-pools":  # kept for 30 days
            state["pool"] = "DELETED" if words[position] == "delete" else "ACTIVE"
        case "delete":
            things.remove(thing)
            state.get("values", {}).pop(name, None)
        case "set-password" if thing not in things:
            raise NotThereError
        case "get-iam-policy":
            pattern_match = re.fullmatch(r"bindings\.role=(\S+) AND bindings\.members=(\S+)", flags["--filter"])
            assert pattern_match
            role, member = pattern_match.groups()
            return role if f"{thing} {role} {member}" in roles else ""
        case "add-iam-policy-binding":
            roles.append(f"{thing} {flags['--role']} {flags['--member']}")
        case "remove-iam-policy-binding":
            roles.remove(f"{thing} {flags['--role']} {flags['--member']}")
    return ""


# aws ---------------------------------------------------------------------------------------------------------------


def aws(state: dict[str, Any], argv: list[str]) -> str:
    words, flags = split(argv)
    service = state.setdefault("ecs", {"running": "arn:task/actioncast:1", "definitions": 1, "tags": {}})
    match words:
        case ["ecr", "get-login-password"]:
            return "ecr-password"
        case ["ecs", "describe-services"]:
            return str(
                {"services[0].taskDefinition": service["running"]}.get(flags["--query"], "arn:service/actioncast")
            )
        case ["ecs", "describe-task-definition"]:
            container = {"name": "api", "image": "old"}
            return json.dumps(
                {"family": "actioncast", "revision": 1, "status": "ACTIVE", "containerDefinitions": [container]}
            )
        case ["ecs", "register-task-definition"]:
            definition = json.loads(Path(flags["--cli-input-json"].removeprefix("file://")).read_text())
            if "revision" in definition or "status" in definition:
                raise UnknownError("UnknownError parameter in input")
            service["definitions"] += 1
            service["image"] = definition["containerDefinitions"][0]["image"]
            return f"arn:task/actioncast:{service['definitions']}"
        case ["ecs", "update-service"]:
            if not state.get("unhealthy"):
                service["running"] = flags["--task-definition"]
            return "ACTIVE"
        case ["ecs", "wait", "services-stable"]:
            return ""
        case ["ecs", "tag-resource"]:
            pattern_match = re.fullmatch(r"key=(\w+),value=(\S+)", flags["--tags"])
            assert pattern_match
            key, value = pattern_match.groups()
            service["tags"][key] = value
            return ""
        case ["ecs", "list-tags-for-resource"]:
            return str(service["tags"].get("previous", ""))
    raise UnknownError(f"aws {' '.join(words)}")


# az ----------------------------------------------------------------------------------------------------------------


def az(state: dict[str, Any], argv: list[str]) -> str:
    words, flags = split(argv)
    app = state.setdefault("app", {"traffic": {"actioncast--r0": 100}, "labels": {}, "revisions": ["actioncast--r0"]})
    match words:
        case ["acr", "login"]:
            return ""
        case ["containerapp", "show"]:
            return next((name for name, weight in app["traffic"].items() if weight == 100), "")
        case ["containerapp", "update"]:
            revision = f"{flags['--name']}--{flags['--revision-suffix']}"
            app["revisions"].append(revision)
            app["image"] = flags["--image"]
            return ""
        case ["containerapp", "revision", "show"]:
            return os.environ["SERVICE"]
        case ["containerapp", "ingress", "traffic", "set"]:
            target, _, weight = (flags.get("--revision-weight") or flags["--label-weight"]).partition("=")
            app["traffic"] = {app["labels"].get(target, target): int(weight)}
            return ""
        case ["containerapp", "revision", "label", "add"]:
            app["labels"][flags["--label"]] = flags["--revision"]
            return ""
        case ["containerapp", "revision", "deactivate"]:
            app["revisions"].remove(flags["--revision"])
            return ""
    raise UnknownError(f"az {' '.join(words)}")


def docker(state: dict[str, Any], argv: list[str]) -> str:
    match argv[0]:
        case "login":
            if not sys.stdin.read().strip():
                raise UnknownError("no password on stdin")
        case "run" if "--detach" in argv:
            return "container"
        case "exec" if state.get("broken model"):
            raise UnknownError("error: expected sha256 0, got 1")
        case "pull" | "build" | "push" | "run" | "exec" | "rm" | "logs":
            pass
        case other:
            raise UnknownError(f"docker {other}")
    return ""


def main() -> int:
    name, *argv = sys.argv[1:]
    folder = Path(os.environ["CLOUDS"])
    state = json.loads((folder / "state.json").read_text())
    with (folder / "calls.jsonl").open("a") as calls:
        calls.write(json.dumps([name, *argv]) + "\n")
    try:
        answer = {"gcloud": gcloud, "aws": aws, "az": az, "docker": docker}[name](state, argv)
    except NotThereError:
        print("ERROR: NOT_FOUND", file=sys.stderr)
        return 1
    except UnknownError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return 2
    whole = folder / f"state.{os.getpid()}.json"  # the other side of a pipe may be reading
    whole.write_text(json.dumps(state))
    whole.replace(folder / "state.json")
    if answer:
        print(answer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
