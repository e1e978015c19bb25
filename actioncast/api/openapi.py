"""The OpenAPI document of the application."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from actioncast.api import keys, problems


def document(app: FastAPI, *, reading_needs_key: bool) -> dict[str, Any]:
    """The schema of all routes, with the shape of a problem, and without security where reading is open."""
    if app.openapi_schema:
        return app.openapi_schema
    schema = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
    )
    components = schema["components"]
    components["securitySchemes"] = keys.SCHEMES
    problem = problems.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    components["schemas"] |= problem.pop("$defs")
    components["schemas"]["Problem"] = problem
    if not reading_needs_key:
        for operations in schema["paths"].values():
            operations.get("get", {}).pop("security", None)
    app.openapi_schema = schema
    return schema
