"""The OpenAI peer for tests, inside the test's process, over real HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession, web

from infra.peers.openai.app import create_app


class ModelPeer:
    """Control over a peer: what it answers, what it suffers, what it counted."""

    def __init__(self, base: str, session: ClientSession) -> None:
        self._base = base
        self._session = session

    @property
    def base_url(self) -> str:
        return f"{self._base}/v1"

    async def answer(self, *turns: dict[str, Any]) -> None:
        """Answer with these next: `value`, `text` or `tools`."""
        await self._post("/control/turns", list(turns))

    async def fault(self, mode: str, **more: Any) -> None:
        await self._post("/control/faults", [{"mode": mode, **more}])

    async def usage(self) -> dict[str, Any]:
        """The peer's own account."""
        async with self._session.get(f"{self._base}/control/usage") as response:
            counted: dict[str, Any] = await response.json()
            return counted

    async def requests(self) -> list[dict[str, Any]]:
        async with self._session.get(f"{self._base}/control/requests") as response:
            asked: list[dict[str, Any]] = await response.json()
            return asked

    async def _post(self, path: str, body: object) -> None:
        async with self._session.post(self._base + path, json=body) as response:
            assert response.ok, await response.text()


@asynccontextmanager
async def running_model_peer(key: str = "") -> AsyncIterator[ModelPeer]:
    """A peer on a free port of this machine, for as long as the block runs."""
    runner = web.AppRunner(create_app(key=key), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with ClientSession() as session:
            yield ModelPeer(f"http://127.0.0.1:{runner.addresses[0][1]}", session)
    finally:
        await runner.cleanup()
