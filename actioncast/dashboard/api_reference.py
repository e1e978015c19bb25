"""The OpenAPI schema as a page for people: no CDN, no script, the same strict Content-Security-Policy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]


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
    return [
        _operation(method.upper(), path, operation, schemas, address)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]


def _operation(method: str, path: str, operation: Schema, schemas: Schema, address: str) -> Operation:
    schema = operation["responses"]["200"]["content"].get("application/json", {}).get("schema", {})
    needs_key = bool(operation.get("security"))
    parameters = operation.get("parameters", ())
    return Operation(
        method=method,
        path=path,
        description=operation["description"],
        needs_key=needs_key,
        command=_command(method, address + path, parameters, needs_key),
        parameters=[_parameter(p["name"], p["schema"]) for p in parameters],
        fields=_fields(schema, schemas),
        example=json.dumps(_example(schema, schemas), indent=2) if schema else "",
        answers={status: answer["description"] for status, answer in operation["responses"].items()},
    )


def _parameter(name: str, schema: Schema) -> Field:
    """One that may be null is one that may be left out."""
    return Field(name, _kind(schema).removesuffix(" or null"), _note(schema))


def _command(method: str, url: str, parameters: Any, needs_key: bool) -> str:
    shown = [f"{p['name']}={p['schema']['examples'][0]}" for p in parameters if p["schema"].get("examples")]
    verb = "" if method == "GET" else f"-X {method} "
    key = ' -H "X-API-Key: $API_KEY"' if needs_key else ""
    return f"curl {verb}'{url}{'?' + '&'.join(shown) if shown else ''}'{key}"


def _kind(schema: Schema) -> str:
    """What a value may be, in words: integer from 1 to 1000, time, list of Prediction."""
    if "anyOf" in schema:
        return " or ".join(_kind(option) for option in schema["anyOf"])
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[-1])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    if isinstance(values := schema.get("additionalProperties"), Mapping):
        return f"object of {_kind(values)}"
    kind = {"date-time": "time"}.get(schema.get("format", ""), schema.get("type", "any"))
    if "minimum" in schema and "maximum" in schema:
        return f"{kind} from {schema['minimum']} to {schema['maximum']}"
    return str(kind)


def _note(schema: Schema) -> str:
    """Its description and default."""
    default = schema.get("default")
    said = [schema.get("description", ""), "" if default is None else f"{json.dumps(default)} by default"]
    return "; ".join(filter(None, said))


def _fields(schema: Schema, schemas: Schema, prefix: str = "") -> list[Field]:
    """The fields of an object, those of the objects inside it behind its name."""
    schema = _resolved(schema, schemas)
    if schema.get("type") == "array":
        return _fields(schema["items"], schemas, f"{prefix}[].")
    found: list[Field] = []
    for name, field in schema.get("properties", {}).items():
        inner = _fields(field, schemas, f"{prefix}{name}.")
        found += [Field(prefix + name, _kind(field), _note(field)), *inner]
    return [Field(field.name.replace(".[]", "[]"), field.kind, field.note) for field in found]


def _example(schema: Schema, schemas: Schema) -> Any:
    """A value as the schema's own examples have it."""
    if schema.get("examples"):
        return schema["examples"][0]
    schema = _resolved(schema, schemas)
    if "anyOf" in schema:
        return _example(schema["anyOf"][0], schemas)
    if schema.get("type") == "array":
        return [_example(schema["items"], schemas)] if "items" in schema else []
    if "properties" in schema:
        return {name: _example(field, schemas) for name, field in schema["properties"].items()}
    plain = {"boolean": True, "integer": 1, "number": 1.5, "string": "text", "object": {}}
    return "2022-03-04T03:00:00Z" if schema.get("format") == "date-time" else plain.get(schema.get("type", ""))


def _resolved(schema: Schema, schemas: Schema) -> Schema:
    return schemas[schema["$ref"].rsplit("/", 1)[-1]] if "$ref" in schema else schema
