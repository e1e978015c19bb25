"""The OpenAPI schema is complete, and the API keeps to it under generated requests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings

import app
from tests.support.serving import KEY, NOW, fill, settings_in

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "40"))  # per operation


_folder = Path(mkdtemp(prefix="actioncast-schema-"))  # at import: schemathesis collects its tests from the schema
_settings = settings_in(_folder, f"sqlite:///{_folder / 'test.db'}")
_application = app.create_app(_settings, lambda: NOW)
schema = schemathesis.openapi.from_asgi("/openapi.json", _application)


@pytest.fixture(scope="module", autouse=True)
def _filled() -> Iterator[None]:
    fill(_settings)
    yield
    shutil.rmtree(_folder)


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_generated_requests(case: schemathesis.Case[Any]) -> None:
    case.call_and_validate(headers={"X-API-Key": KEY})


def test_every_operation_is_described_with_its_failures() -> None:
    document = _application.openapi()
    operations = {
        (method, path): operation for path, item in document["paths"].items() for method, operation in item.items()
    }
    assert {path for _, path in operations} == {
        "/forecast",
        "/performance",
        "/reality",
        "/vintages",
        "/annotations",
        "/what-if",
        "/model",
        "/series",
        "/health",
        "/ready",
        "/metrics",
    }
    for (method, path), operation in operations.items():
        assert operation["description"], (method, path)
        assert all(parameter["description"] for parameter in operation.get("parameters", [])), (method, path)
        for status, answer in operation["responses"].items():
            if status >= "400" and path != "/ready":
                assert answer["content"]["application/problem+json"]["example"]["status"] == int(status)
    assert operations["post", "/forecast"]["security"] == [{"APIKeyHeader": []}, {"HTTPBearer": []}, {}]
    assert "HTTPValidationError" not in document["components"]["schemas"]
