"""The OpenAPI document: valid, complete, and changed on purpose only."""

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from typer.testing import CliRunner

from api.main import create_app
from infra.cli import app as command
from tests.support.operations import PUBLIC

GOLDEN = Path(__file__).with_name("operations.txt")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app().openapi()


@pytest.fixture(scope="module")
def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Method, path and description of everything under /api/v1."""
    return [
        (method.upper(), path, details)
        for path, methods in document["paths"].items()
        if path.startswith("/api/v1/")
        for method, details in methods.items()
    ]


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    validate(document)


def test_operation_ids_are_unique(document: dict[str, Any]) -> None:
    ids = [details["operationId"] for methods in document["paths"].values() for details in methods.values()]

    assert len(ids) == len(set(ids))


def test_schemas_have_names_of_their_own(document: dict[str, Any]) -> None:
    """Clients that are generated name their classes by them."""
    titles = [schema.get("title") for schema in document["components"]["schemas"].values()]

    assert sorted({title for title in titles if titles.count(title) > 1}) == []


def test_operations_change_on_purpose_only(operations: list[tuple[str, str, dict[str, Any]]]) -> None:
    """Whoever adds, renames or removes one changes the file beside this test, where callers can see it."""
    lines = sorted(f"{details['operationId']} {method} {path}" for method, path, details in operations)

    assert lines == GOLDEN.read_text().splitlines()


def test_no_operation_lacks_anything(
    document: dict[str, Any], operations: list[tuple[str, str, dict[str, Any]]]
) -> None:
    lacking = {
        f"{method} {path}": missing
        for method, path, details in operations
        if (missing := _missing(method, path, details, document))
    }

    assert len(operations) > 30
    assert lacking == {}


def _missing(method: str, path: str, details: dict[str, Any], document: dict[str, Any]) -> list[str]:
    """What an operation owes whoever reads about it."""
    parameters = {(one["in"], one["name"]): one for one in details.get("parameters", ())}
    owed = {
        "an operation id": bool(details.get("operationId")),
        "a summary": bool(details.get("summary")),
        "an idempotency key": method != "POST"
        or is_public(details)
        or ("header", "Idempotency-Key") in parameters,
        "a conditional read": method != "GET" or ("header", "If-None-Match") in parameters,
        "its problems": _owed_problems(method, path, details) <= set(details["responses"]),
        "an example of its body": "requestBody" not in details
        or _has_example(details["requestBody"], document),
        "an example of each answer": all(
            "example" in content
            for response in details["responses"].values()
            for content in response.get("content", {}).values()
        ),
        "problems as problem+json": all(
            response["content"]["application/problem+json"]["schema"]
            == {"$ref": "#/components/schemas/Problem"}
            for status, response in details["responses"].items()
            if status >= "400"
        ),
    }
    return [what for what, is_there in owed.items() if not is_there]


def _owed_problems(method: str, path: str, details: dict[str, Any]) -> set[str]:
    names = {one["name"] for one in details.get("parameters", ())}
    return (
        {"401", "403", "422", "429", "503"}
        | ({"404"} if "{" in path else set())
        | ({"400", "413", "415"} if "requestBody" in details else set())
        | ({"409"} if method == "POST" and not is_public(details) else set())
        | ({"412"} if "If-Match" in names else set())
    )


def _has_example(body: dict[str, Any], document: dict[str, Any]) -> bool:
    schema = body["content"]["application/json"]["schema"]
    return bool(document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]].get("examples"))


def test_every_example_is_what_its_schema_says(
    document: dict[str, Any], operations: list[tuple[str, str, dict[str, Any]]]
) -> None:
    examples = [
        (details["operationId"], content["schema"], content["example"])
        for _, _, details in operations
        for response in details["responses"].values()
        for content in response.get("content", {}).values()
    ] + [
        (name, schema, example)
        for name, schema in document["components"]["schemas"].items()
        for example in schema.get("examples", ())
    ]

    wrong = {
        name: [error.message for error in errors]
        for name, schema, example in examples
        if (errors := list(_validator(schema, document).iter_errors(example)))
    }

    assert len(examples) > 200
    assert wrong == {}


def _validator(schema: dict[str, Any], document: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": document["components"]})


def test_whatever_takes_a_version_takes_if_match(
    document: dict[str, Any], operations: list[tuple[str, str, dict[str, Any]]]
) -> None:
    def takes_version(details: dict[str, Any]) -> bool:
        content = details.get("requestBody", {}).get("content", {}).get("application/json", {})
        name = content.get("schema", {}).get("$ref", "").rsplit("/", 1)[-1]
        return "version" in document["components"]["schemas"].get(name, {}).get("properties", {})

    by_body = {details["operationId"] for _, _, details in operations if takes_version(details)}
    by_header = {
        details["operationId"]
        for _, _, details in operations
        if any(one["name"] == "If-Match" for one in details.get("parameters", ()))
    }

    assert len(by_body) > 5
    assert by_body <= by_header


def test_every_operation_may_be_called_with_a_key_or_a_session(
    operations: list[tuple[str, str, dict[str, Any]]],
) -> None:
    assert all(
        {name for way in details["security"] for name in way} == {"ApiKey", "Session"}
        for _, _, details in operations
        if not is_public(details)
    )


def is_public(details: dict[str, Any]) -> bool:
    """Whether it leads in, so that nobody can be signed in for it yet."""
    return details["operationId"] in PUBLIC


async def test_the_document_is_served_and_printed(site: str, document: dict[str, Any]) -> None:
    async with httpx2.AsyncClient() as client:
        served = (await client.get(f"{site}/api/openapi.json")).json()

    printed = json.loads(CliRunner().invoke(command, ["openapi"]).stdout)

    assert served == printed == document
