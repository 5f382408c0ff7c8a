"""What every request gets: an id in logs and headers, a body limit, a span and metrics."""

import time
from collections.abc import Awaitable, Callable

import structlog
from fastapi import FastAPI, Request, Response
from opentelemetry import propagate, trace
from prometheus_client import Histogram

from core.ids import uuid7

log = structlog.get_logger()
_tracer = trace.get_tracer("getsale.api")
_seconds = Histogram("getsale_request_seconds", "Duration of requests", ["method", "route", "status"])
Next = Callable[[Request], Awaitable[Response]]


def install(app: FastAPI) -> None:
    app.middleware("http")(_observe)


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
    return response
