"""One event on its way to every open socket of an organization, through the real web process."""

import asyncio
import base64
import os
import struct
import tempfile
import time
from pathlib import Path
from uuid import UUID

import aiohttp
from redis.asyncio import Redis

from core import jsons
from core.db import Database
from core.ids import uuid7
from core.presence import beat
from core.principal import Principal, PrincipalKind
from core.pubsub import PubSub
from crm.api_keys.actions import create_api_key
from crm.identity.actions import create_organization, create_user
from crm.identity.models import Role
from infra import embedded
from infra.bench import Report, percentile
from infra.embedded import Urls
from infra.fleet import Fleet, running_fleet
from infra.migrate import migrate

SOCKETS = 1000
EVENTS = 100
_AT_ONCE = 10
_PAUSE_SECONDS = 0.05


def run() -> Report:
    """Measure; takes about half a minute and needs nothing running."""
    with (
        tempfile.TemporaryDirectory(prefix="getsale-bench-") as folder,
        embedded.start(Path(folder)) as servers,
    ):
        migrate(servers.urls.database_url_migrator)
        return asyncio.run(_measure(Path(folder), servers.urls))


async def _measure(folder: Path, urls: Urls) -> Report:
    report = Report("fanout")
    organization_id, secret = await _organization(urls)
    wide = {"WS_PER_PERSON": str(SOCKETS), "API_KEY_PER_MINUTE": "100000", "API_PERSON_PER_MINUTE": "100000"}
    quiet = {"LOG_LEVEL": "warning", "LEASE_SECONDS": "15"}
    redis = Redis.from_url(urls.redis_url)
    # the bench publishes in the worker's place
    alive = asyncio.create_task(beat(redis, "worker"))
    async with running_fleet(folder, urls, "http://127.0.0.1:1", ("api",), **quiet, **wide) as fleet:
        sockets = await _open_sockets(fleet, secret, organization_id)
        spread = [await _publish(redis, organization_id, sockets) for _ in range(EVENTS)]
        for socket in sockets:
            socket.close()
    alive.cancel()
    await redis.aclose()
    # the first one pays for what is loaded late
    first, last = zip(*spread[1:], strict=True)
    report.add("first_socket_p50", percentile(first, 0.5), "ms", len(first))
    report.add(f"all_{SOCKETS}_sockets_p50", percentile(last, 0.5), "ms", len(last), aim=30)
    report.add(f"all_{SOCKETS}_sockets_p95", percentile(last, 0.95), "ms", len(last))
    return report


async def _organization(urls: Urls) -> tuple[UUID, str]:
    """An organization with one person, and a key of theirs."""
    db = await Database(urls.database_url, size=2).open()
    principal = Principal(PrincipalKind.SYSTEM, uuid7(), uuid7(), scopes=frozenset({"*"}))
    try:
        async with db.transaction(principal, "bench") as tx:
            await create_organization(tx, slug="bench", name="Bench", locale="en", time_zone="UTC")
            password = "a password for a bench"
            user_id = await create_user(
                tx, email="bench@bench.example", name="Anna", password=password, role=Role.OWNER, locale="en"
            )
            key = await create_api_key(tx, user_id)
    finally:
        await db.close()
    return principal.organization_id, key.secret


class _Socket(asyncio.Protocol):
    """The least that speaks RFC 6455: notes when something came, so that the bench measures the server."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self.heard = asyncio.Event()
        self.heard_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self.heard_at = time.perf_counter()
        self.heard.set()

    async def ask(self, data: bytes) -> None:
        """Send, and wait for what comes next."""
        assert self._transport is not None
        self.heard.clear()
        self._transport.write(data)
        await asyncio.wait_for(self.heard.wait(), 30)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()


def _frame(**message: object) -> bytes:
    """A masked text frame of at most 65535 bytes. Source: RFC 6455, section 5.2."""
    payload = jsons.dump_bytes(message)
    mask = os.urandom(4)
    masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
    length = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack("!H", len(payload))
    return b"\x81" + length + mask + masked


async def _open_sockets(fleet: Fleet, secret: str, organization_id: UUID) -> list[_Socket]:
    limit = asyncio.Semaphore(_AT_ONCE)
    headers = {"Authorization": f"Bearer {secret}"}
    async with aiohttp.ClientSession(headers=headers) as http:

        async def open_one() -> _Socket:
            async with limit:
                async with http.post(f"{fleet.base}/api/v1/ws-tickets") as answer:
                    ticket = (await answer.json())["ticket"]
                return await _open(fleet.port, ticket, organization_id)

        return await asyncio.gather(*(open_one() for _ in range(SOCKETS)))


async def _open(port: int, ticket: str, organization_id: UUID) -> _Socket:
    _, socket = await asyncio.get_running_loop().create_connection(_Socket, "127.0.0.1", port)
    key = base64.b64encode(os.urandom(16)).decode()
    await socket.ask(
        f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    await socket.ask(_frame(type="login", ticket=ticket))
    await socket.ask(_frame(type="subscribe", topic=f"organization:{organization_id}"))
    return socket


async def _publish(redis: Redis, organization_id: UUID, sockets: list[_Socket]) -> tuple[float, float]:
    """One event as the worker publishes it; milliseconds until the first and the last socket had it."""
    for socket in sockets:
        socket.heard.clear()
    message = {"event_id": str(uuid7()), "type": "conversation.read", "conversation_id": str(uuid7())}
    start = time.perf_counter()
    await PubSub(redis).publish(organization_id, message)
    for socket in sockets:
        await asyncio.wait_for(socket.heard.wait(), 30)
    times = [socket.heard_at - start for socket in sockets]
    await asyncio.sleep(_PAUSE_SECONDS)
    return 1000 * min(times), 1000 * max(times)
