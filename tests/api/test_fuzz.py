"""Whatever the document allows, and much that it does not: the API never fails and answers as it says it does."""

import asyncio
import json
from functools import cache
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from api.main import create_app
from tests.support.callers import Caller
from tests.support.desk import Desk
from tests.support.operations import OPERATIONS, Operation

Schema = dict[str, Any]
EXAMPLES = 30
# What parsers and databases stumble over.
_odd_text = st.sampled_from(
    ["", " ", "\x00", "a\x00b", "\ufeff", "\u202e", "😀" * 40, "%00", "' OR 1=1 --", "null", "[]", "x" * 9000]
)
_odd_value = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), _odd_text, st.lists(st.integers(), max_size=2)
)


@cache
def _document() -> Schema:
    return create_app().openapi()


def _resolve(schema: Schema) -> Schema:
    name = schema.get("$ref", "").rsplit("/", 1)[-1]
    found: Schema = _document()["components"]["schemas"][name] if name else schema
    return found


def _value(schema: Schema, known: dict[str, UUID]) -> st.SearchStrategy[Any]:
    """Values that fit a schema of the document, now and then one that does not."""
    schema = _resolve(schema)
    return st.one_of(*[_fitting(schema, known)] * 4, _odd_value)


def _fitting(schema: Schema, known: dict[str, UUID]) -> st.SearchStrategy[Any]:
    if "anyOf" in schema:
        return st.one_of(*(_value(one, known) for one in schema["anyOf"]))
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema.get("type"):
        case "object":
            required = set(schema.get("required", ()))
            values = {name: _value(one, known) for name, one in schema.get("properties", {}).items()}
            return st.fixed_dictionaries(
                {name: value for name, value in values.items() if name in required},
                optional={name: value for name, value in values.items() if name not in required},
            )
        case "array":
            return st.lists(_value(schema["items"], known), max_size=3)
        case "integer":
            return st.integers(schema.get("minimum", -(2**70)), schema.get("maximum", 2**70)) | st.just(1)
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
        case _:
            return _text(schema, known)


def _text(schema: Schema, known: dict[str, UUID]) -> st.SearchStrategy[str]:
    match schema.get("format"):
        case "uuid":
            return st.sampled_from([str(one) for one in known.values()]) | st.uuids().map(str)
        case "date-time":
            return st.datetimes(timezones=st.timezones()).map(lambda at: at.isoformat())
        case _:
            alphabet = st.characters(exclude_categories=["Cs"])
            return st.text(alphabet, max_size=min(schema.get("maxLength", 60), 60)) | st.sampled_from(
                ["en", "ru"]
            )


def _call(operation: Operation, known: dict[str, UUID]) -> st.SearchStrategy[tuple[dict[str, Any], Any]]:
    """Query and body of one call."""
    details = _document()["paths"]["/api/v1" + operation.path][operation.method.lower()]
    query = {
        one["name"]: _value(one["schema"], known)
        for one in details.get("parameters", ())
        if one["in"] == "query"
    }
    body = details.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    return st.tuples(st.fixed_dictionaries({}, optional=query), _value(body, known) if body else st.none())


def _validator(status: int, operation: Operation) -> Draft202012Validator | None:
    """What the document says that an answer looks like; None when it does not know the status."""
    details = _document()["paths"]["/api/v1" + operation.path][operation.method.lower()]
    response = details["responses"].get(str(status))
    if response is None:
        return None
    (content,) = response["content"].values()
    return Draft202012Validator({**content["schema"], "components": _document()["components"]})


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
async def test_an_operation_never_fails_and_answers_as_documented(
    api: Caller, desk: Desk, operation: Operation
) -> None:
    loop = asyncio.get_running_loop()

    async def call(query: dict[str, Any], body: Any) -> None:
        sent = {name: "" if value is None else value for name, value in query.items()}
        answer = await api.client.request(
            operation.method,
            desk.path(operation.path),
            params={name: json.dumps(v) if isinstance(v, list) else v for name, v in sent.items()} or None,
            content=json.dumps(body).encode() if body is not None else None,
            headers={"Content-Type": "application/json"},
        )

        validator = _validator(answer.status_code, operation)
        assert answer.status_code < 500, answer.text
        assert validator is not None, f"{answer.status_code} is not documented: {answer.text}"
        assert list(validator.iter_errors(answer.json())) == []

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(_call(operation, desk.ids))
    def explore(given_call: tuple[dict[str, Any], Any]) -> None:
        asyncio.run_coroutine_threadsafe(call(*given_call), loop).result(30)

    # hypothesis drives synchronous tests: it runs beside the loop that the server and the client live in
    await asyncio.to_thread(explore)
