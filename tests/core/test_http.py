"""The outbound client over real sockets: what a tenant may reach, and what an answer cannot talk it into."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from core import addresses, http
from core.addresses import OPERATOR, AddressRefused, Reach


@asynccontextmanager
async def _server() -> AsyncIterator[int]:
    """A server that tells which Host it was asked for, and sends others to the operator's metadata."""

    async def told(request: web.Request) -> web.Response:
        return web.Response(text=request.headers["Host"])

    async def sends_away(_: web.Request) -> web.Response:
        raise web.HTTPFound("http://169.254.169.254/latest/meta-data")

    app = web.Application()
    app.router.add_get("/", told)
    app.router.add_get("/away", sends_away)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def test_a_tenant_does_not_reach_a_server_of_this_machine() -> None:
    async with _server() as port, http.client(Reach(), timeout_seconds=5) as client:
        with pytest.raises(AddressRefused):
            await client.get(f"http://localhost:{port}/")


async def test_the_checked_address_is_connected_to_and_the_name_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    async def resolve(host: str, port: int, reach: Reach) -> list[str]:
        asked.append(host)
        return ["127.0.0.9", "127.0.0.1"]  # nobody listens at the first

    monkeypatch.setattr(addresses, "resolve", resolve)
    async with _server() as port, http.client(Reach(), timeout_seconds=5) as client:
        answer = await client.get(f"http://models.example:{port}/")

    assert (asked, answer.text) == (["models.example"], f"models.example:{port}")


async def test_a_redirect_is_returned_and_not_followed() -> None:
    reach = Reach(internal_hosts=frozenset({"localhost"}))
    async with _server() as port, http.client(reach, timeout_seconds=5) as client:
        answer = await client.get(f"http://localhost:{port}/away")

    assert answer.status_code == 302


async def test_a_proxy_of_the_environment_does_not_stand_between_us_and_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with _server() as port, http.client(OPERATOR, timeout_seconds=5) as client:
        answer = await client.get(f"http://127.0.0.1:{port}/")

    assert answer.status_code == 200
