"""What every request gets: an id in logs and headers, a span, metrics, its limits; and how large a call may be."""

import time

import structlog
from fastapi import FastAPI
from opentelemetry import propagate, trace
from prometheus_client import Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.ids import uuid7
from core.ratelimit import WINDOW_SECONDS, Standing

log = structlog.get_logger()
_tracer = trace.get_tracer("getsale.api")
_seconds = Histogram("getsale_request_seconds", "Duration of requests", ["method", "route", "status"])
MAX_CALL_BYTES = 256 * 1024


def install(app: FastAPI) -> None:
    app.add_middleware(_CallSize)
    app.add_middleware(_Observer)


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


class _Observer:
    """Watches a request from its first byte to its last; written for ASGI itself, for it stands around every call."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id, start = str(uuid7()), time.perf_counter()

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                _tell_limits(scope.get("state", {}).get("standing"), headers)
                # the template of the path, never the path itself: labels stay few; a stream counts until it begins
                route = getattr(scope.get("route"), "path", "unmatched")
                took = time.perf_counter() - start
                _seconds.labels(scope["method"], route, str(message["status"])).observe(took)
            await send(message)

        with (
            structlog.contextvars.bound_contextvars(request_id=request_id),
            _tracer.start_as_current_span(
                f"{scope['method']} {scope['path']}", context=propagate.extract(Headers(scope=scope))
            ),
        ):
            await self._app(scope, receive, send_with_id)


def _tell_limits(standing: Standing | None, headers: MutableHeaders) -> None:
    """Where the caller stands. Source: draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4."""
    if standing is not None:
        rule = standing.rule
        headers["RateLimit-Policy"] = f'"{rule.name}";q={rule.per_minute};w={WINDOW_SECONDS}'
        headers["RateLimit"] = f'"{rule.name}";r={standing.remaining};t={standing.reset_seconds}'
