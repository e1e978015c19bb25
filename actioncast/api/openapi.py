"""The OpenAPI document of the application."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from actioncast.api import keys, problems


def document(app: FastAPI) -> dict[str, Any]:
    """The schema, with the problem that all errors are, and without keys where reading is open."""
    if not app.openapi_schema:
        schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        problem = problems.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schema["components"]["securitySchemes"] = keys.SCHEMES
        schema["components"]["schemas"] |= problem.pop("$defs") | {"Problem": problem}
        if app.state.settings.api.reading == "open":
            for item in schema["paths"].values():
                item.get("get", {}).pop("security", None)
        app.openapi_schema = schema
    return app.openapi_schema
