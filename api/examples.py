"""One example of whatever a schema of the document describes, so that no operation is without."""

from typing import Any

from pydantic import JsonValue

Schema = dict[str, Any]
_BY_FORMAT: dict[str, JsonValue] = {
    "uuid": "01931b5e-7c00-7000-8000-000000000001",
    "date-time": "2026-12-01T09:00:00Z",
    "date": "2026-12-01",
    "uri": "https://example.com/",
}
_BY_TYPE: dict[str, JsonValue] = {
    "integer": 1,
    "number": 1.0,
    "boolean": False,
    "string": "text",
    "null": None,
}


def example_of(schema: Schema, definitions: Schema) -> JsonValue:
    """The examples that the schema has, joined where it is made of parts; what has none gets a plain value."""
    if "$ref" in schema:
        return example_of(definitions[schema["$ref"].rsplit("/", 1)[-1]], definitions)
    if schema.get("examples"):
        first: JsonValue = schema["examples"][0]
        return first
    if "const" in schema:
        return schema["const"]  # type: ignore[no-any-return]
    if "enum" in schema:
        return schema["enum"][0]  # type: ignore[no-any-return]
    choices = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if choices:
        return example_of(choices[0], definitions)
    return _plain(schema, definitions)


def _plain(schema: Schema, definitions: Schema) -> JsonValue:
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {})
            return {name: example_of(one, definitions) for name, one in properties.items()}
        case "array":
            return [example_of(schema["items"], definitions)] if "items" in schema else []
        case kind:
            return schema.get("default") or _BY_FORMAT.get(schema.get("format", ""), _BY_TYPE.get(str(kind)))
