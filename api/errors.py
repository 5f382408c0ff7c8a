"""AppError -> problem+json (RFC 9457); everything else is a bug and says only that."""

from http import HTTPStatus

import psycopg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from redis.exceptions import RedisError
from starlette.exceptions import HTTPException

from core.errors import AppError, Limited

log = structlog.get_logger()
PROBLEM = "application/problem+json"


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
    return JSONResponse({**body, **(fields or {})}, status_code=status.value, media_type=PROBLEM)


def install(app: FastAPI) -> None:
    """Register the handlers of every kind of failure."""
    app.add_exception_handler(AppError, _app_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(psycopg.OperationalError, _server_away)
    app.add_exception_handler(RedisError, _server_away)
    app.add_exception_handler(Exception, _bug)


async def _app_error(request: Request, err: Exception) -> JSONResponse:
    assert isinstance(err, AppError)
    response = problem(err.status, err.code, err.detail, dict(err.fields))
    if isinstance(err, Limited):
        response.headers["Retry-After"] = str(err.retry_after_seconds)
    return response


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
    return problem(status, status.name.lower(), str(err.detail))


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
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "Something went wrong here; it has been logged."
    )
