"""The Bot API peer for tests: started inside the test's process, or reached at the address of a running one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, web

from infra.peers.telegram.app import create_app

TOKEN = "1000001:test-token"
VERA = 700000001


class Peer:
    """Control over a peer: play prospects, look into their chats, ask for faults."""

    def __init__(self, base: str, session: ClientSession, token: str = TOKEN) -> None:
        self.base = base
        self.token = token
        self._session = session

    async def send(self, text: str = "", **more: Any) -> dict[str, Any]:
        """Write as a prospect; returns update_id, message_id and chat_id."""
        return await self._post(f"/control/{self.token}/send", {"text": text, **more})

    async def push(self, update: dict[str, Any]) -> dict[str, Any]:
        return await self._post(f"/control/{self.token}/updates", update)

    async def fault(self, mode: str, **more: Any) -> None:
        await self._post("/control/faults", {"token": self.token, "mode": mode, **more})

    async def chat(self, chat_id: int = VERA) -> list[dict[str, Any]]:
        found = await self._get(f"/control/{self.token}/chats/{chat_id}")
        messages: list[dict[str, Any]] = found["messages"]
        return messages

    async def received(self, chat_id: int = VERA) -> list[str]:
        """The texts that the bot got across to the prospect, in order."""
        return [line["text"] for line in await self.chat(chat_id) if not line["is_prospect"]]

    async def state(self) -> dict[str, Any]:
        return await self._get(f"/control/{self.token}")

    async def call(self, method: str, **params: Any) -> tuple[int, dict[str, Any]]:
        """Call a method as any Bot API client would; returns the HTTP status and the answer."""
        async with self._session.post(f"{self.base}/bot{self.token}/{method}", json=params) as response:
            return response.status, await response.json()

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        async with self._session.post(self.base + path, json=body) as response:
            assert response.ok, await response.text()
            answer: dict[str, Any] = await response.json()
            return answer

    async def _get(self, path: str) -> dict[str, Any]:
        async with self._session.get(self.base + path) as response:
            assert response.ok, await response.text()
            answer: dict[str, Any] = await response.json()
            return answer


@asynccontextmanager
async def running_peer(data: Path | None = None, token: str = TOKEN) -> AsyncIterator[Peer]:
    """A peer on a free port of this machine, for as long as the block runs."""
    runner = web.AppRunner(create_app(data=data), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with ClientSession() as session:
            yield Peer(f"http://127.0.0.1:{port}", session, token)
    finally:
        await runner.cleanup()
