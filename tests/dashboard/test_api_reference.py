"""The page of the API says what the schema says."""

from __future__ import annotations

import json

from actioncast.dashboard import api_reference


def test_the_reference_says_what_the_schema_says() -> None:
    integer = {"type": "integer", "minimum": 1, "maximum": 9, "description": "Periods", "default": 3, "examples": [7]}
    nested = {"type": "object", "properties": {"at": {"type": "string", "format": "date-time"}}}
    answer = {
        "type": "object",
        "properties": {"rows": {"type": "array", "items": {"$ref": "#/components/schemas/Row"}}},
    }
    operation = {
        "description": "Ask.",
        "security": [{"APIKeyHeader": []}],
        "parameters": [
            {"name": "n", "schema": integer},
            {"name": "name", "schema": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
        ],
        "responses": {
            "200": {"description": "Good", "content": {"application/json": {"schema": answer}}},
            "422": {"description": "Wrong"},
        },
    }
    document = {"paths": {"/ask": {"post": operation}}, "components": {"schemas": {"Row": nested}}}
    (shown,) = api_reference.operations(document, "https://example.org")
    assert shown.command == """curl -X POST 'https://example.org/ask?n=7' -H "X-API-Key: $API_KEY\""""
    assert shown.parameters == [
        api_reference.Field("n", "integer from 1 to 9", "Periods; 3 by default"),
        api_reference.Field("name", "string", ""),
    ]
    assert shown.fields == [
        api_reference.Field("rows", "list of Row", ""),
        api_reference.Field("rows[].at", "time", ""),
    ]
    assert json.loads(shown.example) == {"rows": [{"at": "2022-03-04T03:00:00Z"}]}
    assert shown.answers == {"200": "Good", "422": "Wrong"}
