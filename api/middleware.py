"""What every request gets: an id in logs and headers, a span, metrics, its limits; and how large a call may be."""

import time
from collections.abc import Awaitable, Callable

import structlog
from fastapi import FastAPI, Request, Response
from opentelemetry import propagate, trace
from prometheus_client import Histogram
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.ids import uuid7
from core.ratelimit import WINDOW_SECONDS, Standing

log = structlog.get_logger()
_tracer = trace.get_tracer("getsale.api")
_seconds = Histogram("getsale_request_seconds", "Duration of requests", ["method", "route", "status"])
Next = Callable[[Request], Awaitable[Response]]


MAX_CALL_BYTES = 256 * 1024


def install(app: FastAPI) -> None:
    app.add_middleware(_CallSize)
    app.middleware("http")(_observe)


class _CallSize:
    """Stops reading the body of a call of the API at a limit, whatever length it was announced with."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        read = 0

        async def receive_within_limit() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > MAX_CALL_BYTES:
                # this kind passes through whoever reads the body, and api/errors.py makes a problem of it
                raise HTTPException(413, f"A call has at most {MAX_CALL_BYTES} bytes.")
            return message

        is_call = scope["type"] == "http" and scope["path"].startswith("/api/")
        await self._app(scope, receive_within_limit if is_call else receive, send)


async def _observe(request: Request, call_next: Next) -> Response:
    request_id = str(uuid7())
    structlog.contextvars.bind_contextvars(request_id=request_id)
    start = time.perf_counter()
    context = propagate.extract(dict(request.headers))
    try:
        with _tracer.start_as_current_span(f"{request.method} {request.url.path}", context=context):
            response = await call_next(request)
    finally:
        structlog.contextvars.unbind_contextvars("request_id")
    # the template of the path, never the path itself: labels stay few
    route = getattr(request.scope.get("route"), "path", "unmatched")
    _seconds.labels(request.method, route, str(response.status_code)).observe(time.perf_counter() - start)
    response.headers["X-Request-Id"] = request_id
    _tell_limits(request, response)
    return response


def _tell_limits(request: Request, response: Response) -> None:
    """Where the caller stands. Source: draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4."""
    standing: Standing | None = getattr(request.state, "standing", None)
    if standing is not None:
        rule = standing.rule
        response.headers["RateLimit-Policy"] = f'"{rule.name}";q={rule.per_minute};w={WINDOW_SECONDS}'
        response.headers["RateLimit"] = f'"{rule.name}";r={standing.remaining};t={standing.reset_seconds}'
