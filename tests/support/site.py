"""The web process in the test's own event loop."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI

from api.main import create_app
from core.settings import Settings


@asynccontextmanager
async def running_site(settings: Settings) -> AsyncIterator[str]:
    """The address of a running web process."""
    async with running_app(create_app(settings)) as address:
        yield address


@asynccontextmanager
async def running_app(app: FastAPI) -> AsyncIterator[str]:
    """The address of a web process around an application that the test holds in its hands."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = uvicorn.Config(
        app,
        port=port,
        log_level="error",
        timeout_graceful_shutdown=1,
        ws_max_size=64 * 1024,
        ws_per_message_deflate=False,
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    async with asyncio.timeout(20):
        while not server.started:  # noqa: ASYNC110 (uvicorn offers no event)
            await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await running
