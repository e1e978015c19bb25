"""The REST routes of the stand-in: who may call them, what they check, what they answer.

Status codes, limits and messages are GitHub's. A query parameter or a route that is not emulated is answered 501:
ignoring it would let a test pass for the wrong reason.
"""

from __future__ import annotations

import base64
import io
import json
import re
import tarfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode

from . import workflow_file
from .github_git import BOT
from .workflow_file import Json

if TYPE_CHECKING:
    from .github_stand_in import GitHub, Recorded, Token

FORBIDDEN = "Resource not accessible by integration"
LONGEST_TEXT = 65_536  # characters of an issue or comment body
LONGEST_PAYLOAD = 65_535  # characters of a client_payload


@dataclass(frozen=True)
class Response:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class RefusedError(Exception):
    """A request that gets GitHub's error answer."""

    def __init__(self, status: int, message: str, **details: Any) -> None:
        super().__init__(message)
        self.response = as_json({"message": message} | details, status)


@dataclass(frozen=True)
class Call:
    """A request on its way to a route."""

    method: str
    path: str
    query: dict[str, str]
    body: bytes
    accept: str
    token: Token
    run_id: int | None

    @classmethod
    def of(cls, request: Recorded, token: Token | None, prefix: str) -> Call:
        if token is None:
            raise RefusedError(401, "Requires authentication")
        query = {name: values[-1] for name, values in parse_qs(request.query, keep_blank_values=True).items()}
        path = request.path.removeprefix(prefix)
        return cls(request.method, path, query, request.body, request.headers.get("Accept", ""), token, token.run_id)

    def json(self) -> Json:
        """The body; GitHub answers 400 to what is not a JSON object."""
        try:
            body = json.loads(self.body or b"{}")
        except ValueError:
            raise RefusedError(400, "Problems parsing JSON") from None
        if not isinstance(body, dict):
            raise RefusedError(400, "Body should be a JSON object")
        return body


Handler = Callable[["GitHub", Call, tuple[str, ...]], Response]


@dataclass(frozen=True)
class Route:
    """`scopes`: any one of them suffices, at `level`."""

    method: str
    path: re.Pattern[str]
    scopes: tuple[str, ...]
    level: str
    handler: Handler


def answer(github: GitHub, call: Call) -> Response:
    """Find the route, check the token, call the handler."""
    root = f"/repos/{github.full_name}"
    if github.template and call.path == f"/repos/{github.template}/tags":
        return template_tags(github, call)
    if call.path != root and not call.path.startswith(f"{root}/"):
        raise RefusedError(404, "Not Found")
    for route in ROUTES:
        found = route.path.fullmatch(call.path.removeprefix(root))
        if found and route.method == call.method:
            if not any(call.token.allows(scope, route.level) for scope in route.scopes):
                raise RefusedError(403, FORBIDDEN)
            return route.handler(github, call, found.groups())
    raise RefusedError(501, f"the stand-in has no route {call.method} {call.path}")


def as_json(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(
        status, json.dumps(content).encode(), {"Content-Type": "application/json; charset=utf-8"} | (headers or {})
    )


def only(call: Call, *emulated: str) -> None:
    """Refuse query parameters that would be ignored."""
    unknown = sorted(set(call.query) - set(emulated) - {"per_page", "page"})
    if unknown:
        raise RefusedError(501, f"the stand-in does not emulate {unknown} of {call.method} {call.path}")


def paged(github: GitHub, call: Call, items: Iterable[Any], wrap: str | None = None) -> Response:
    """One page of a list, with the Link header that leads to the next."""
    everything = list(items)
    per_page = min(int(call.query.get("per_page", "30")), 100)
    page = int(call.query.get("page", "1"))
    chosen = everything[(page - 1) * per_page : page * per_page]
    headers = {}
    if page * per_page < len(everything):
        following = urlencode(call.query | {"page": str(page + 1)})
        headers["Link"] = f'<{github.api_url}{call.path}?{following}>; rel="next"'
    return as_json({"total_count": len(everything), wrap: chosen} if wrap else chosen, headers=headers)


def timestamp(github: GitHub) -> str:
    return github.now().strftime("%Y-%m-%dT%H:%M:%SZ")


# --- repository -------------------------------------------------------------------------------------------------------


def get_repository(github: GitHub, call: Call, _: tuple[str, ...]) -> Response:
    template = None
    if github.template:
        template = {"full_name": github.template, "html_url": f"{github.url}/{github.template}"}
    return as_json(repository_json(github) | {"template_repository": template})


def template_tags(github: GitHub, call: Call) -> Response:
    """Of the public repository that this one was generated from, which any token may read."""
    return paged(github, call, [{"name": tag} for tag in github.template_tags])


def repository_json(github: GitHub) -> Json:
    owner, name = github.full_name.split("/")
    return {
        "id": 1,
        "name": name,
        "full_name": github.full_name,
        "private": github.private,
        "fork": False,
        "is_template": github.is_template,
        "default_branch": github.default_branch,
        "owner": {"login": owner},
        "html_url": f"{github.url}/{github.full_name}",
        "url": f"{github.api_url}/repos/{github.full_name}",
        "clone_url": f"{github.url}/{github.full_name}.git",
    }


def get_contents(github: GitHub, call: Call, parts: tuple[str, ...]) -> Response:
    only(call, "ref")
    path, ref = parts[0].strip("/"), call.query.get("ref", github.default_branch)
    if github.repository.sha(ref) is None:
        raise RefusedError(404, f"No commit found for the ref {ref}")
    files = github.repository.files(ref, path)
    if path in files:
        return _file_contents(github, call, path, ref)
    if not files:
        raise RefusedError(404, "Not Found")
    below = path.count("/") + 1 if path else 0
    children = sorted({"/".join(file.split("/")[: below + 1]) for file in files})
    return as_json([{"type": "file" if c in files else "dir", "name": c.split("/")[-1], "path": c} for c in children])


def _file_contents(github: GitHub, call: Call, path: str, ref: str) -> Response:
    content = github.repository.read(path, ref)
    if "raw" in call.accept:
        return Response(200, content, {"Content-Type": "application/vnd.github.raw+json; charset=utf-8"})
    encoded = base64.encodebytes(content).decode()
    sha = github.repository.git("rev-parse", f"{ref}:{path}").decode().strip()
    name = path.rsplit("/", 1)[-1]
    return as_json(
        {
            "type": "file",
            "encoding": "base64",
            "size": len(content),
            "name": name,
            "path": path,
            "content": encoded,
            "sha": sha,
        }
    )


# --- events -----------------------------------------------------------------------------------------------------------


def create_dispatch(github: GitHub, call: Call, _: tuple[str, ...]) -> Response:
    from .github_stand_in import Dispatch

    body = call.json()
    event_type, payload = body.get("event_type"), body.get("client_payload", {})
    if not isinstance(event_type, str) or not event_type:
        raise RefusedError(422, 'Invalid request.\n\n"event_type" wasn\'t supplied.')
    if len(event_type) > 100:
        raise RefusedError(422, "Invalid request.\n\nevent_type is too long (maximum is 100 characters)")
    if not isinstance(payload, dict):
        raise RefusedError(422, f"Invalid request.\n\nFor 'properties/client_payload', {payload!r} is not an object.")
    if len(payload) > 10:
        raise RefusedError(422, "No more than 10 properties are allowed; client_payload has too many.")
    if len(json.dumps(payload)) > LONGEST_PAYLOAD:
        raise RefusedError(422, "client_payload is too large.")
    event = {"action": event_type, "branch": github.default_branch, "client_payload": payload}
    github.dispatches.append(Dispatch("repository_dispatch", event, call.run_id, ref=github.default_branch))
    return Response(204)


def workflow_id(github: GitHub, file: str) -> int:
    """A stable number for a workflow file."""
    return zlib.crc32(file.encode())


def _workflow_files(github: GitHub) -> list[str]:
    folder = ".github/workflows/"
    files = github.repository.files(folder=folder) if github.repository.sha() else []
    return [file.removeprefix(folder) for file in files if file.endswith((".yml", ".yaml"))]


def _workflow_json(github: GitHub, file: str) -> Json:
    return {
        "id": workflow_id(github, file),
        "name": loaded(github, file).name,
        "path": f".github/workflows/{file}",
        "state": github.workflow_states.get(file, "active"),
        "html_url": f"{github.url}/{github.full_name}/blob/{github.default_branch}/.github/workflows/{file}",
    }


def loaded(github: GitHub, file: str, ref: str | None = None) -> workflow_file.Workflow:
    """A workflow as it is in the repository at `ref`."""
    return workflow_file.load(file, lambda name: github.repository.read(f".github/workflows/{name}", ref).decode())


def _known_workflow(github: GitHub, name: str) -> str:
    for file in _workflow_files(github):
        if name in (file, str(workflow_id(github, file))):
            return file
    raise RefusedError(404, "Not Found")


def list_workflows(github: GitHub, call: Call, _: tuple[str, ...]) -> Response:
    only(call)
    return paged(github, call, [_workflow_json(github, file) for file in _workflow_files(github)], "workflows")


def get_workflow(github: GitHub, call: Call, parts: tuple[str, ...]) -> Response:
    return as_json(_workflow_json(github, _known_workflow(github, parts[0])))


def switch_workflow(github: GitHub, call: Call, parts: tuple[str, ...]) -> Response:
    github.workflow_states[_known_workflow(github, parts[0])] = {"enable": "active", "disable": "disabled_manually"}[
        parts[1]
    ]
    return Response(204)


def dispatch_workflow(github: GitHub, call: Call, parts: tuple[str, ...]) -> Response:
    from .github_stand_in import Dispatch

    file, body = _known_workflow(github, parts[0]), call.json()
    ref = str(body.get("ref") or "").removeprefix("refs/heads/")
    if not ref:
        raise RefusedError(422, 'Invalid request.\n\n"ref" wasn\'t supplied.')
    if github.repository.sha(f"refs/heads/{ref}") is None:
        raise RefusedError(422, f"No ref found for: {ref}")
    if github.workflow_states.get(file, "active") != "active":
        raise RefusedError(422, "Cannot trigger a 'workflow_dispatch' on a disabled workflow")
    workflow = loaded(github, file, ref)
    if "workflow_dispatch" not in workflow.triggers:
        raise RefusedError(422, "Workflow does not have 'workflow_dispatch' trigger")
    try:
        inputs = workflow_file.filled_inputs(workflow, body.get("inputs") or {})
    except ValueError as error:
        raise RefusedError(422, str(error)) from None
    payload = {"inputs": inputs, "ref": f"refs/heads/{ref}", "workflow": f".github/workflows/{file}"}
    github.dispatches.append(Dispatch("workflow_dispatch", payload, call.run_id, file, ref))
    return Response(204)


def list_runs(github: GitHub, call: Call, parts: tuple[str, ...]) -> Response:
    only(call, "branch", "event", "status", "exclude_pull_requests")
    file = _known_workflow(github, parts[0]) if parts else None
    wanted = call.query
    runs = [
        run
        for run in sorted(github.runs, key=lambda run: (run["created_at"], run["id"]), reverse=True)
        if (file is None or run["path"].endswith(f"/{file}"))
        and wanted.get("branch", run["head_branch"]) == run["head_branch"]
        and wanted.get("event", run["event"]) == run["event"]
        and wanted.get("status", run["status"]) in (run["status"], run["conclusion"])
    ]
    return paged(github, call, runs, "workflow_runs")


# --- issues and comments ----------------------------------------------------------------------------------------------


def _check_issues_are_on(github: GitHub) -> None:
    if not github.issues_are_on:
        raise RefusedError(410, "Issues are disabled for this repo")


def list_issues(github: GitHub, call: Call, _: tuple[str, ...]) -> Response:
    _check_issues_are_on(github)
    only(call, "state", "labels", "creator", "direction", "sort")
    if call.query.get("sort", "created") != "created":
        raise RefusedError(501, "the stand-in sorts by creation only")
    labels = [label for label in call.query.get("labels", "").split(",") if label]
    creator, state = call.query.get("creator"), call.query.get("state", "open")
    issues = [
        issue
        for issue in github.issues.values()
        if state in ("all", issue["state"])
        and set(labels) <= {label["name"] for label in issue["labels"]}
        and creator in (None, issue["user"]["login"])
    ]
    return paged(github, call, issues if call.query.get("direction") == "asc" else reversed(issues))


def create_issue(github: GitHub, call: Call, _: tuple[str, ...]) -> Response:
    _check_issues_are_on(github)
    body = call.json()
    _check_texts(body, required="title")
    unknown = set(body.get("labels", [])) - github.labels
    if unknown and github.unknown_label == "refuse":
        raise _invalid("Issue", "labels")
    if set(body.get("assignees", [])) - github.assignable and github.refuses_assignees:
        raise _invalid("Issue", "assignees")
    body["labels"] = _accepted_labels(github, body.get("labels", []))
    body["assignees"] = [name for name in body.get("assignees", []) if name in github.assignable]
    return as_json(new_issue(github, call.token.user, body), 201)


def _invalid(resource: str, name: str, code: str = "invalid") -> RefusedError:
    return RefusedError(422, "Validation Failed", errors=[{"resource": resource, "field": name, "code": code}])


def _accepted_labels(github: GitHub, names: list[str]) -> list[str]:
    if github.unknown_label == "create":
        github.labels |= set(names)
    if github.unknown_label == "ignore":
        return []
    return [name for name in names if name in github.labels]


def create_label(github: GitHub, call: Call, _: tuple[str, ...]) -> Response:
    label = call.json()
    if len(str(label.get("description", ""))) > 100 or not re.fullmatch("[0-9a-fA-F]{6}", label.get("color", "ededed")):
        raise _invalid("Label", "description or color")
    if label["name"] in github.labels:
        raise _invalid("Label", "name", "already_exists")
    github.labels.add(label["name"])
    return as_json(label, 201)


def add_labels(github: GitHub, call: Call, parts: tuple[str, ...]) -> Response:
    issue = _numbered(github, call, parts[0], "write")
    names = [name for name in call.json()["labels"] if name in github.labels or github.unknown_label == "create"]
    issue["labels"] += [{"name": name} for name in names]
    return as_json(issue["labels"])


def check_assignee(github: GitHub, call: Call, parts: tuple[str, ...]) -> Response:
    if parts[0] not in github.assignable:
        raise RefusedError(404, "Not Found")
    return Response(204)


def new_issue(github: GitHub, user: str, body: Json) -> Json:
    """Open an issue, or the issue half of a pull request."""
    number = len(github.issues) + 1
    address = f"{github.full_name}/issues/{number}"
    issue = {
        "number": number,
        "title": body["title"],
        "body": body.get("body"),
        "state": "open",
        "state_reason": None,
        "labels": _labels(body),
        "assignees": [{"login": login} for login in body.get("assignees", [])],
        "user": {"login": user, "type": "Bot" if user.endswith("[bot]") else "User"},
        "author_association": _association(github, user),
        "comments": 0,
        "created_at": timestamp(github),
        "updated_at": timestamp(github),
        "closed_at": None,
        "html_url": f"{github.url}/{address}",
        "url": f"{github.api_url}/repos/{address}",
        "comments_url": f"{github.api_url}/repos/{address}/comments",
    }
    github.issues[number] = issue
    return issue


def _association(github: GitHub, user: str) -> str:
    owner = github.full_name.partition("/")[0]
    return "OWNER" if user == owner else "NONE"


def get_issue(github: GitHub, call: Call, parts: tuple[str, ...]) -> Response:
    return as_json(_numbered(github, call, parts[0], "read"))


def update_issue(github: GitHub, call: Call, parts: tuple[str, ...]) -> Response:
    issue, body = _numbered(github, call, parts[0], "write"), call.json()
    _check_texts(body)
    if body.get("state", "open") not in ("open", "closed"):
        raise RefusedError(
            422, "Validation Failed", errors=[{"resource": "Issue", "field": "state", "code": "invalid"}]
        )
    issue.update({key: body[key] for key in ("title", "body", "state", "state_reason") if key in body})
    if "labels" in body:
        issue["labels"] = _labels(body)
    if "state" in body:
        issue["closed_at"] = timestamp(github) if body["state"] == "closed" else None
    issue["updated_at"] = timestamp(github)
    return as_json(issue)


def list_comments(github: GitHub, call: Call, parts: tuple[str, ...]) -> Response:
    only(call)
    number = _numbered(github, call, parts[0], "read")["number"]
    return paged(github, call, [comment for comment in github.comments.values() if comment["issue_number"] == number])


def create_comment(github: GitHub, call: Call, parts: tuple[str, ...]) -> Response:
    issue, body = _numbered(github, call, parts[0], "write"), call.json()
    _check_texts(body, required="body")
    comment_id = github.next_id()
    comment = {
        "id": comment_id,
        "issue_number": issue["number"],
        "body": body["body"],
        "user": {"login": call.token.user},
        "created_at": timestamp(github),
        "updated_at": timestamp(github),
        "html_url": f"{issue['html_url']}#issuecomment-{comment_id}",
        "url": f"{github.api_url}/repos/{github.full_name}/issues/comments/{comment_id}",
    }
    github.comments[comment_id] = comment
    issue.update(comments=issue["comments"] + 1, updated_at=timestamp(github))
    return as_json(comment, 201)


def update_comment(github: GitHub, call: Call, parts: tuple[str, ...]) -> Response:
    comment, body = github.comments.get(int(parts[0])), call.json()
    if comment is None:
        raise RefusedError(404, "Not Found")
    _numbered(github, call, str(comment["issue_number"]), "write")
    _check_texts(body, required="body")
    comment.update(body=body["body"], updated_at=timestamp(github))
    return as_json(comment)


def _numbered(github: GitHub, call: Call, number: str, level: str) -> Json:
    """The issue or pull request; `pull-requests` suffices for pull requests only, `issues` for both."""
    issue = github.issues.get(int(number))
    if issue is None:
        raise RefusedError(404, "Not Found")
    if "pull_request" not in issue:
        _check_issues_are_on(github)
    if not call.token.allows("issues", level) and "pull_request" not in issue:
        raise RefusedError(403, FORBIDDEN)
    return issue


def _labels(body: Json) -> list[Json]:
    return [{"name": label if isinstance(label, str) else label["name"]} for label in body.get("labels", [])]


def _check_texts(body: Json, required: str | None = None) -> None:
    if required and not str(body.get(required) or "").strip():
        raise RefusedError(422, "Validation Failed", errors=[{"field": required, "code": "missing_field"}])
    if len(str(body.get("title") or "")) > 256:
        raise RefusedError(
            422,
            "Validation Failed",
            errors=[{"field": "title", "message": "title is too long (maximum is 256 characters)"}],
        )
    if len(str(body.get("body") or "")) > LONGEST_TEXT:
        raise RefusedError(
            422,
            "Validation Failed",
            errors=[{"field": "body", "message": "body is too long (maximum is 65536 characters)"}],
        )


# --- pull requests ----------------------------------------------------------------------------------------------------


def list_pulls(github: GitHub, call: Call, _: tuple[str, ...]) -> Response:
    only(call, "state", "head", "base")
    owner = github.full_name.split("/")[0]
    pulls = [
        pull
        for pull in map(pull_json, _pulls(github))
        if call.query.get("state", "open") in ("all", pull["state"])
        and call.query.get("head", f"{owner}:{pull['head']['ref']}") == f"{owner}:{pull['head']['ref']}"
        and call.query.get("base", pull["base"]["ref"]) == pull["base"]["ref"]
    ]
    return paged(github, call, reversed(pulls))


def _pulls(github: GitHub) -> list[Json]:
    return [issue for issue in github.issues.values() if "pull_request" in issue]


def pull_json(issue: Json) -> Json:
    """A pull request as the pulls API shows it; its issue keeps the shared fields."""
    shared = {
        key: issue[key] for key in ("number", "title", "body", "state", "user", "labels", "created_at", "updated_at")
    }
    pull: Json = issue["pull_request"]
    return shared | pull


def create_pull(github: GitHub, call: Call, _: tuple[str, ...]) -> Response:
    if call.token.user == BOT and not github.actions_may_open_pulls:
        raise RefusedError(403, "GitHub Actions is not permitted to create or approve pull requests.")
    body = call.json()
    _check_texts(body, required="title")
    head, base = str(body.get("head", "")).split(":")[-1], str(body.get("base", ""))
    for name, branch in (("head", head), ("base", base)):
        if github.repository.sha(f"refs/heads/{branch}") is None:
            raise RefusedError(
                422, "Validation Failed", errors=[{"resource": "PullRequest", "field": name, "code": "invalid"}]
            )
    if any(pull["state"] == "open" and pull["head"]["ref"] == head for pull in map(pull_json, _pulls(github))):
        raise _pull_refused(f"A pull request already exists for {github.full_name.split('/')[0]}:{head}.")
    if not github.repository.commits_between(base, head):
        raise _pull_refused(f"No commits between {base} and {head}")
    return as_json(pull_json(new_pull(github, call.token.user, body, head, base)), 201)


def _pull_refused(message: str) -> RefusedError:
    return RefusedError(
        422, "Validation Failed", errors=[{"resource": "PullRequest", "code": "custom", "message": message}]
    )


def new_pull(github: GitHub, user: str, body: Json, head: str, base: str) -> Json:
    """Open a pull request and return its issue half."""
    issue = new_issue(github, user, body)
    repository, owner = repository_json(github), github.full_name.split("/")[0]
    issue["pull_request"] = {
        "draft": bool(body.get("draft")),
        "merged": False,
        "html_url": f"{github.url}/{github.full_name}/pull/{issue['number']}",
        "head": {"ref": head, "repo": repository, "label": f"{owner}:{head}"},
        "base": {"ref": base, "repo": repository},
    }
    refresh_pull(github, issue)
    return issue


def refresh_pull(github: GitHub, issue: Json) -> None:
    """Bring refs/pull/N/head, refs/pull/N/merge and the SHAs up to where the branches are now."""
    pull, number = issue["pull_request"], issue["number"]
    for side in ("head", "base"):
        pull[side]["sha"] = github.repository.sha(f"refs/heads/{pull[side]['ref']}")
    github.repository.git("update-ref", f"refs/pull/{number}/head", pull["head"]["sha"])
    merged = github.repository.merge(pull["base"]["sha"], pull["head"]["sha"], f"refs/pull/{number}/merge")
    pull["merge_commit_sha"] = merged


def get_pull(github: GitHub, call: Call, parts: tuple[str, ...]) -> Response:
    return as_json(pull_json(_known_pull(github, parts[0])))


def update_pull(github: GitHub, call: Call, parts: tuple[str, ...]) -> Response:
    issue, body = _known_pull(github, parts[0]), call.json()
    _check_texts(body)
    issue.update({key: body[key] for key in ("title", "body", "state") if key in body}, updated_at=timestamp(github))
    return as_json(pull_json(issue))


def _known_pull(github: GitHub, number: str) -> Json:
    issue = github.issues.get(int(number))
    if issue is None or "pull_request" not in issue:
        raise RefusedError(404, "Not Found")
    return issue


# --- Pages ------------------------------------------------------------------------------------------------------------


def show_pages(github: GitHub, call: Call, _: tuple[str, ...]) -> Response:
    if not github.pages_on:
        raise RefusedError(404, "Not Found")
    return as_json({"build_type": "workflow", "html_url": f"{github.url}/{github.full_name}/pages/"})


def deploy_pages(github: GitHub, call: Call, _: tuple[str, ...]) -> Response:
    """What the deploy-pages stand-in calls with the site as a tar; the real action also needs an OIDC token."""
    if not github.pages_on:
        raise RefusedError(404, "Not Found")
    if not call.token.allows("id-token", "write"):
        raise RefusedError(403, 'Ensure GITHUB_TOKEN has permission "id-token: write".')
    with tarfile.open(fileobj=io.BytesIO(call.body)) as site:
        files = {member.name.removeprefix("./"): site.extractfile(member) for member in site if member.isfile()}
        github.pages = {name: content.read() for name, content in files.items() if content}
    return as_json({"page_url": f"{github.url}/{github.full_name}/pages/"})


def _route(method: str, path: str, scopes: str, level: str, handler: Handler) -> Route:
    return Route(method, re.compile(path), tuple(scopes.split("|")), level, handler)


ROUTES = (
    _route("GET", "", "metadata", "read", get_repository),
    _route("GET", "/contents(/.*|)", "contents", "read", get_contents),
    _route("POST", "/dispatches", "contents", "write", create_dispatch),
    _route("GET", "/actions/workflows", "actions", "read", list_workflows),
    _route("GET", "/actions/workflows/([^/]+)", "actions", "read", get_workflow),
    _route("GET", "/actions/workflows/([^/]+)/runs", "actions", "read", list_runs),
    _route("GET", "/actions/runs", "actions", "read", list_runs),
    _route("PUT", "/actions/workflows/([^/]+)/(enable|disable)", "actions", "write", switch_workflow),
    _route("POST", "/actions/workflows/([^/]+)/dispatches", "actions", "write", dispatch_workflow),
    _route("GET", "/issues", "issues|pull-requests", "read", list_issues),
    _route("POST", "/issues", "issues", "write", create_issue),
    _route("GET", r"/issues/(\d+)", "issues|pull-requests", "read", get_issue),
    _route("PATCH", r"/issues/(\d+)", "issues|pull-requests", "write", update_issue),
    _route("POST", r"/issues/(\d+)/labels", "issues|pull-requests", "write", add_labels),
    _route("POST", "/labels", "issues|pull-requests", "write", create_label),
    _route("GET", "/assignees/([^/]+)", "issues", "read", check_assignee),
    _route("GET", r"/issues/(\d+)/comments", "issues|pull-requests", "read", list_comments),
    _route("POST", r"/issues/(\d+)/comments", "issues|pull-requests", "write", create_comment),
    _route("PATCH", r"/issues/comments/(\d+)", "issues|pull-requests", "write", update_comment),
    _route("GET", "/pulls", "pull-requests", "read", list_pulls),
    _route("POST", "/pulls", "pull-requests", "write", create_pull),
    _route("GET", r"/pulls/(\d+)", "pull-requests", "read", get_pull),
    _route("PATCH", r"/pulls/(\d+)", "pull-requests", "write", update_pull),
    _route("GET", "/pages", "pages", "read", show_pages),
    _route("POST", "/pages/deployments", "pages", "write", deploy_pages),
)
