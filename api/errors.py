"""AppError -> problem+json (RFC 9457); everything else is a bug and says only that."""

from http import HTTPStatus

import psycopg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from redis.exceptions import RedisError
from starlette.exceptions import HTTPException

from api.headers import headers_of
from core.errors import AppError, Unauthorized

log = structlog.get_logger()
PROBLEM = "application/problem+json"


class Problem(BaseModel):
    """What went wrong, as RFC 9457 has it; `type` is for programs, `detail` for people."""

    type: str = Field(examples=["urn:getsale:problem:not_found"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["No such contact in this organization."])


_RESPONSES: dict[int | str, dict[str, object]] = {
    400: {"description": "The body cannot be read."},
    401: {"description": "Nobody is signed in, or the key is unknown or revoked."},
    403: {"description": "The caller may not do this, or the call came from another site's page."},
    404: {"description": "There is no such thing in this organization."},
    409: {"description": "The thing is in a state that does not allow this; `detail` says which."},
    412: {"description": "It was changed since the `version` that was sent; read it again."},
    413: {"description": "The body is too large."},
    415: {"description": "The body is not `application/json`."},
    422: {"description": "A value is missing, malformed or not possible; `fields` or `field` names it."},
    429: {"description": "Too many calls; `Retry-After` says when to come back."},
    503: {"description": "A server that this needs does not answer; the call can be repeated."},
}
ALWAYS = (401, 403, 422, 429, 503)
BODY = (400, 413, 415)


def problems(*statuses: int) -> dict[int | str, dict[str, object]]:
    """What a route answers when it fails, for the OpenAPI document."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {status: {**_RESPONSES[status], "content": {PROBLEM: {"schema": schema}}} for status in statuses}


def problem(
    status: HTTPStatus, code: str, detail: str, fields: dict[str, object] | None = None
) -> JSONResponse:
    """A problem document; `code` is stable and meant for programs, `detail` for people."""
    body = {
        "type": f"urn:getsale:problem:{code}",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
    }
    # the members that the RFC names are never taken by a field
    return JSONResponse({**(fields or {}), **body}, status_code=status.value, media_type=PROBLEM)


def install(app: FastAPI) -> None:
    """Register the handlers of every kind of failure."""
    app.add_exception_handler(AppError, _app_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(psycopg.OperationalError, _server_away)
    app.add_exception_handler(RedisError, _server_away)
    app.add_exception_handler(Exception, _bug)


def refusal(err: AppError) -> JSONResponse:
    """The problem document of a refusal, with the headers that belong to it."""
    response = problem(err.status, err.code, err.detail, dict(err.fields))
    if "retry_after_seconds" in err.fields:
        response.headers["Retry-After"] = str(err.fields["retry_after_seconds"])
    if isinstance(err, Unauthorized):
        response.headers["WWW-Authenticate"] = 'Bearer realm="getsale"'
    return response


async def _app_error(request: Request, err: Exception) -> JSONResponse:
    assert isinstance(err, AppError)
    return refusal(err)


async def _validation_error(request: Request, err: Exception) -> JSONResponse:
    assert isinstance(err, RequestValidationError)
    fields = [{"field": ".".join(str(part) for part in e["loc"]), "message": e["msg"]} for e in err.errors()]
    return problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid",
        "Some fields are missing or malformed.",
        {"fields": fields},
    )


async def _http_error(request: Request, err: Exception) -> JSONResponse:
    assert isinstance(err, HTTPException)
    status = HTTPStatus(err.status_code)
    response = problem(status, status.name.lower(), str(err.detail))
    response.headers.update(err.headers or {})
    return response


async def _server_away(request: Request, err: Exception) -> JSONResponse:
    part = "redis" if isinstance(err, RedisError) else "postgres"
    log.warning("server.away", part=part, error=type(err).__name__)
    return problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "unavailable",
        f"The {part} server does not answer; try again.",
        {"part": part},
    )


async def _bug(request: Request, err: Exception) -> JSONResponse:
    log.exception("request.failed", path=request.url.path)
    response = problem(
        HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "Something went wrong here; it has been logged."
    )
    # it is made outside of every middleware
    is_https = request.app.state.services.settings.is_https
    response.headers.update(headers_of(is_https=is_https))
    return response
