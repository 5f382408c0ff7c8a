"""The issuer for tests, inside the test's process, over real HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from infra.peers.oidc.app import ISSUER, create_app
from infra.peers.oidc.state import Issuer


@asynccontextmanager
async def running_issuer() -> AsyncIterator[Issuer]:
    """An issuer on a free port of this machine, for as long as the block runs."""
    app = create_app("")
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    app[ISSUER].url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield app[ISSUER]
    finally:
        await runner.cleanup()
