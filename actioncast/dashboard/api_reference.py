"""The OpenAPI schema as rows for a page that people read.

By hand instead of Swagger UI or Redoc, because the page promises: no CDN, no script, and the same
strict Content-Security-Policy as everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]
EXAMPLES_BY_TYPE = {"boolean": True, "integer": 1, "number": 1.5, "string": "text", "object": {}}
EXAMPLE_TIME = "2022-03-04T03:00:00Z"


@dataclass(frozen=True)
class Field:
    """A parameter, or a field of an answer."""

    name: str
    kind: str
    note: str


@dataclass(frozen=True)
class Operation:
    """One method of one address."""

    method: str
    path: str
    description: str
    needs_key: bool
    command: str  # to paste into a shell
    parameters: list[Field]
    fields: list[Field]  # of a successful answer
    example: str  # of a successful answer, JSON
    answers: dict[str, str]  # status -> when

    @property
    def anchor(self) -> str:
        return f"{self.method}-{self.path.strip('/')}".lower()


def operations(document: Schema, address: str) -> list[Operation]:
    """Every operation of the schema, as served at this address (without a slash at its end)."""
    schemas = document["components"]["schemas"]
    result = []
    for path, methods in document["paths"].items():
        for method, description in methods.items():
            operation = _operation(
                description,
                method=method.upper(),
                path=path,
                address=address,
                schemas=schemas,
            )
            result.append(operation)
    return result


def _operation(
    operation: Schema,
    *,
    method: str,
    path: str,
    address: str,
    schemas: Schema,
) -> Operation:
    parameters = operation.get("parameters", ())
    needs_key = bool(operation.get("security"))
    responses = operation["responses"]
    schema = _json_schema(responses["200"])
    example = ""
    if schema:
        example = json.dumps(_example(schema, schemas), indent=2)
    return Operation(
        method=method,
        path=path,
        description=operation["description"],
        needs_key=needs_key,
        command=_command(method, address + path, parameters, needs_key=needs_key),
        parameters=[_parameter(parameter) for parameter in parameters],
        fields=_fields(schema, schemas),
        example=example,
        answers={status: response["description"] for status, response in responses.items()},
    )


def _json_schema(response: Schema) -> Schema:
    """The schema of an answer; empty for one that is no JSON."""
    json_content = response["content"].get("application/json", {})
    schema: Schema = json_content.get("schema", {})
    return schema


def _parameter(parameter: Schema) -> Field:
    schema = parameter["schema"]
    # The null of an optional parameter only means that it may be left out.
    kind = _kind(schema).removesuffix(" or null")
    return Field(parameter["name"], kind, _note(schema))


def _command(method: str, url: str, parameters: Sequence[Schema], *, needs_key: bool) -> str:
    """A curl command with the first example of each parameter."""
    query = []
    for parameter in parameters:
        examples = parameter["schema"].get("examples")
        if examples:
            query.append(f"{parameter['name']}={examples[0]}")
    if query:
        url = f"{url}?{'&'.join(query)}"
    method_flag = "" if method == "GET" else f"-X {method} "
    key_flag = ' -H "X-API-Key: $API_KEY"' if needs_key else ""
    return f"curl {method_flag}'{url}'{key_flag}"


def _kind(schema: Schema) -> str:
    """What a value may be, in words: integer from 1 to 1000, time, list of Prediction."""
    if "anyOf" in schema:
        return " or ".join(_kind(option) for option in schema["anyOf"])
    if "$ref" in schema:
        return _name_of_reference(schema)
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    values = schema.get("additionalProperties")
    if isinstance(values, Mapping):
        return f"object of {_kind(values)}"
    return _plain_kind(schema)


def _plain_kind(schema: Schema) -> str:
    """What a value that is neither object nor list may be."""
    kind = "time" if schema.get("format") == "date-time" else str(schema.get("type", "any"))
    if "minimum" in schema and "maximum" in schema:
        return f"{kind} from {schema['minimum']} to {schema['maximum']}"
    return kind


def _note(schema: Schema) -> str:
    """The description and the default."""
    parts = []
    if schema.get("description"):
        parts.append(schema["description"])
    if schema.get("default") is not None:
        parts.append(f"{json.dumps(schema['default'])} by default")
    return "; ".join(parts)


def _fields(schema: Schema, schemas: Schema, prefix: str = "") -> list[Field]:
    """The fields of an object, each followed by the fields of the object inside it: `hours`, `hours[].lead`."""
    schema = _resolved(schema, schemas)
    if schema.get("type") == "array":
        # The prefix ends in the dot behind the name of the list.
        return _fields(schema["items"], schemas, f"{prefix.removesuffix('.')}[].")
    fields: list[Field] = []
    for name, value in schema.get("properties", {}).items():
        fields.append(Field(prefix + name, _kind(value), _note(value)))
        fields += _fields(value, schemas, f"{prefix}{name}.")
    return fields


def _example(schema: Schema, schemas: Schema) -> Any:
    """A value from the examples in the schema, a plain one where it has none."""
    if schema.get("examples"):
        return schema["examples"][0]
    schema = _resolved(schema, schemas)
    if "anyOf" in schema:
        return _example(schema["anyOf"][0], schemas)
    if schema.get("type") == "array":
        return [_example(schema["items"], schemas)] if "items" in schema else []
    if "properties" in schema:
        return {name: _example(value, schemas) for name, value in schema["properties"].items()}
    if schema.get("format") == "date-time":
        return EXAMPLE_TIME
    return EXAMPLES_BY_TYPE.get(schema.get("type", ""))


def _resolved(schema: Schema, schemas: Schema) -> Schema:
    """The schema that a reference names, or the schema itself."""
    if "$ref" not in schema:
        return schema
    resolved: Schema = schemas[_name_of_reference(schema)]
    return resolved


def _name_of_reference(schema: Schema) -> str:
    return str(schema["$ref"].rsplit("/", 1)[-1])
