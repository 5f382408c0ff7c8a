"""The OpenAPI document: valid, complete, and changed on purpose only."""

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from openapi_spec_validator import validate
from typer.testing import CliRunner

from api.main import create_app
from infra.cli import app as command

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


def test_operations_change_on_purpose_only(operations: list[tuple[str, str, dict[str, Any]]]) -> None:
    """Whoever adds, renames or removes one changes the file beside this test, where callers can see it."""
    lines = sorted(f"{details['operationId']} {method} {path}" for method, path, details in operations)

    assert lines == GOLDEN.read_text().splitlines()


def test_every_operation_says_what_it_does_and_how_it_fails(
    operations: list[tuple[str, str, dict[str, Any]]],
) -> None:
    lacking = []
    for method, path, details in operations:
        failures = {status for status in details["responses"] if status >= "400"}
        wanted = {"401", "403", "422", "429", "503"}
        wanted |= {"404"} if "{" in path else set()
        wanted |= {"415", "413"} if "requestBody" in details else set()
        problems = {
            content["schema"]["$ref"]
            for status in failures
            for content in [details["responses"][status]["content"]["application/problem+json"]]
        }
        if not (details["summary"] and wanted <= failures and problems == {"#/components/schemas/Problem"}):
            lacking.append((method, path))

    assert lacking == []


def test_every_body_has_an_example(document: dict[str, Any], operations: list[tuple[str, str, Any]]) -> None:
    bodies = [
        document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        for _, _, details in operations
        if "requestBody" in details
        for schema in [details["requestBody"]["content"]["application/json"]["schema"]]
    ]

    without = [body["title"] for body in bodies if not body.get("examples")]

    assert len(bodies) > 10
    assert without == []


def test_every_operation_may_be_called_with_a_key_or_a_session(
    operations: list[tuple[str, str, dict[str, Any]]],
) -> None:
    assert all(
        {name for way in details["security"] for name in way} == {"ApiKey", "Session"}
        for _, _, details in operations
    )


async def test_the_document_is_served_and_printed(site: str, document: dict[str, Any]) -> None:
    async with httpx2.AsyncClient() as client:
        served = (await client.get(f"{site}/api/openapi.json")).json()

    printed = json.loads(CliRunner().invoke(command, ["openapi"]).stdout)

    assert served == printed == document
