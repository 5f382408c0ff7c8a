"""The OpenAPI document: what every operation has in common is written in here once, from what its route says of itself."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from api import answers, sparse
from api.errors import PROBLEM, Problem, problems
from api.examples import example_of
from api.nouns import Operation

Schema = dict[str, Any]
_PROBLEM_CODES = {
    400: ("bad_request", "There was an error parsing the body"),
    401: ("unauthorized", "This API key is unknown or revoked; make one on the page API keys."),
    403: ("forbidden", "This needs the permission contacts:write; ask an administrator for it."),
    404: ("not_found", "There is no such record in this organization."),
    409: ("conflict", "The record is in a state that does not allow this."),
    412: ("stale", "It was changed meanwhile; read it again and repeat your change."),
    413: ("too_large", "A call has at most 262144 bytes."),
    415: ("unsupported_media", "The body must be JSON; send it with Content-Type: application/json."),
    422: ("invalid", "Some fields are missing or malformed."),
    429: ("limited", "Too many calls; come back later."),
    503: ("unavailable", "The postgres server does not answer; try again."),
}
_IDEMPOTENCY_KEY: Schema = {
    "name": answers.KEY,
    "in": "header",
    "required": False,
    "description": "Sent again within 48 hours with the same call, the answer of the first is given and nothing is done "
    "twice. With another call it is refused (422), and while the first is worked on too (409).",
    "schema": {"type": "string", "pattern": answers.KEY_PATTERN},
    "example": "5f0c9b9e-2f0a-4c1e-9d3b-0b8f1d2f6a11",
}
_IF_MATCH: Schema = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of the record that was read; instead of `version`. If it was changed since: 412.",
    "schema": {"type": "string"},
    "example": '"3-9a1b2c3d4e5f6071"',
}
_IF_NONE_MATCH: Schema = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of an answer that the caller has; if it still holds: 304, without a body.",
    "schema": {"type": "string"},
    "example": '"3-9a1b2c3d4e5f6071"',
}
_FIELDS: Schema = {
    "name": "fields",
    "in": "query",
    "required": False,
    "description": f"The fields of the record to send, separated by commas; the answer is then `{sparse.MEDIA_TYPE}`.",
    "schema": {"type": "string", "maxLength": 1000},
}
_ETAG: Schema = {"description": "The version of the answer.", "schema": {"type": "string"}}
_REPLAYED: Schema = {
    "description": f"`true` when this is the answer of an earlier call with the same {answers.KEY}.",
    "schema": {"type": "string", "const": "true"},
}


def describe(app: FastAPI) -> None:
    """Let the document say of every operation what holds for all of its kind."""
    generate = app.openapi

    def openapi() -> Schema:
        if app.openapi_schema is None:
            document = generate()
            _complete(document, dict(_operations(app)))
        assert app.openapi_schema is not None
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def _operations(app: FastAPI) -> Iterator[tuple[str, Operation]]:
    """The operations of the API by their ids."""
    for context in iter_route_contexts(app.router.routes):
        route = context.original_route
        if isinstance(route, Operation):
            yield str(route.operation_id), route
        elif isinstance(route, APIRoute) and str(getattr(context, "path", "")).startswith("/api/v1/"):
            raise TypeError(f"{route.path} is no operation of the API: make its router with api.nouns.Noun.")


def _complete(document: Schema, operations: dict[str, Operation]) -> None:
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = Problem.model_json_schema()
    for methods in document["paths"].values():
        for method, details in methods.items():
            if details.get("operationId") in operations:
                _describe_headers(method, details, operations[details["operationId"]])
                _add_examples(details, schemas)


def _describe_headers(method: str, details: Schema, operation: Operation) -> None:
    parameters, responses = details.setdefault("parameters", []), details["responses"]
    answered = [response for status, response in responses.items() if status < "300"]
    if operation.takes_key:
        parameters.append(_IDEMPOTENCY_KEY)
        _add_problems(details, 409)
        _add_headers(answered, {answers.REPLAYED: _REPLAYED})
    if operation.takes_if_match:
        parameters.append(_IF_MATCH)
        _add_problems(details, 412)
    if method == "get":
        parameters.append(_IF_NONE_MATCH)
        _describe_fields(parameters, responses["200"], operation)
        responses["304"] = {
            "description": "The caller has this answer already.",
            "headers": {"ETag": _ETAG},
        }
    if method == "get" or operation.shows_version:
        _add_headers(answered, {"ETag": _ETAG})


def _describe_fields(parameters: list[Schema], answered: Schema, operation: Operation) -> None:
    fields = sorted(sparse.fields_of(operation.response_model))
    if not fields:
        return
    parameters.append({**_FIELDS, "example": ",".join(fields[:2])})
    schema = answered["content"]["application/json"]["schema"]
    kind = "array" if schema.get("type") == "array" else "object"
    example: Schema | list[Schema] = [] if kind == "array" else {}
    answered["content"][sparse.MEDIA_TYPE] = {
        "schema": {"type": kind, "title": "Sparse", "description": "The fields that were asked for."},
        "example": example,
    }


def _add_headers(responses: list[Schema], headers: Schema) -> None:
    for response in responses:
        response.setdefault("headers", {}).update(headers)


def _add_problems(details: Schema, *statuses: int) -> None:
    for status, response in problems(*statuses).items():
        details["responses"].setdefault(str(status), response)


def _add_examples(details: Schema, schemas: Schema) -> None:
    for status, response in details["responses"].items():
        for media_type, content in response.get("content", {}).items():
            if media_type == PROBLEM:
                content["example"] = _problem(int(status))
            elif "schema" in content:
                content["example"] = example_of(content["schema"], schemas)


def _problem(status: int) -> Schema:
    code, detail = _PROBLEM_CODES[status]
    title = HTTPStatus(status).phrase
    return {"type": f"urn:getsale:problem:{code}", "title": title, "status": status, "detail": detail}
