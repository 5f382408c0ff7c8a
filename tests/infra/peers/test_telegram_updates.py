"""getUpdates and webhooks of the peer behave as Telegram documents them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.support.telegram_peer import VERA, Peer, running_peer


async def updates(peer: Peer, **params: Any) -> list[dict[str, Any]]:
    status, answer = await peer.call("getUpdates", **params)
    assert status == 200, answer
    result: list[dict[str, Any]] = answer["result"]
    return result


def texts(found: list[dict[str, Any]]) -> list[str]:
    return [update["message"]["text"] for update in found]


async def test_updates_stay_until_a_higher_offset_confirms_them(peer: Peer) -> None:
    for text in ("one", "two", "three"):
        await peer.send(text)

    first = await updates(peer)
    again = await updates(peer)
    rest = await updates(peer, offset=first[1]["update_id"] + 1)

    assert texts(again) == ["one", "two", "three"]
    assert texts(rest) == ["three"]
    assert (await peer.state())["pending"] == 1


async def test_a_limit_cuts_and_a_negative_offset_counts_from_the_end(peer: Peer) -> None:
    for text in ("one", "two", "three"):
        await peer.send(text)

    assert texts(await updates(peer, limit=2)) == ["one", "two"]
    assert texts(await updates(peer, offset=-1)) == ["three"]
    assert (await peer.state())["pending"] == 1


async def test_a_long_poll_ends_with_the_first_update(peer: Peer) -> None:
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        poll = group.create_task(updates(peer, timeout=30))
        await asyncio.sleep(0.1)
        await peer.send("hello")

    assert texts(poll.result()) == ["hello"]


async def test_an_empty_poll_ends_after_its_time(peer: Peer) -> None:
    async with asyncio.timeout(3):
        assert await updates(peer, timeout=1) == []


async def test_a_second_poller_ends_the_first(peer: Peer) -> None:
    first = asyncio.create_task(peer.call("getUpdates", timeout=30))
    await asyncio.sleep(0.1)

    await updates(peer)

    status, answer = await asyncio.wait_for(first, 2)
    assert (status, answer["description"][:8]) == (409, "Conflict")


async def test_confirmed_messages_are_ticked_in_the_prospects_chat(peer: Peer) -> None:
    sent = await peer.send("hello")

    before = (await peer.chat())[0]["is_delivered"]
    await updates(peer, offset=sent["update_id"] + 1)

    assert (before, (await peer.chat())[0]["is_delivered"]) == (False, True)


@dataclass
class Hook:
    """A webhook that answers with the statuses it was given, then with 200."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    seen: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def receive(self, request: web.Request) -> web.Response:
        secret = request.headers.get("X-Telegram-Bot-Api-Secret-Token", "")
        update = await request.json()
        async with self.arrived:
            self.seen.append((secret, update))
            self.arrived.notify_all()
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)

    async def wait(self, count: int) -> None:
        async with asyncio.timeout(5), self.arrived:
            await self.arrived.wait_for(lambda: len(self.seen) >= count)


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    made = Hook()
    app = web.Application()
    app.router.add_post("/hook", made.receive)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield made
    await runner.cleanup()


async def test_a_webhook_gets_updates_in_order_with_its_secret(peer: Peer, hook: Hook) -> None:
    await peer.call("setWebhook", url=hook.url, secret_token="s3-cret_")

    for text in ("one", "two"):
        await peer.send(text)
    await hook.wait(2)

    assert [secret for secret, _ in hook.seen] == ["s3-cret_", "s3-cret_"]
    assert texts([update for _, update in hook.seen]) == ["one", "two"]


async def test_an_update_is_delivered_again_until_it_is_taken(peer: Peer, hook: Hook) -> None:
    hook.statuses = [500, 403]
    await peer.call("setWebhook", url=hook.url)

    await peer.send("one")
    await hook.wait(3)

    _, info = await peer.call("getWebhookInfo")
    assert len({update["update_id"] for _, update in hook.seen}) == 1
    assert info["result"]["last_error_message"] == "Wrong response from the webhook: 403 Forbidden"


async def test_a_webhook_can_be_made_to_get_an_update_twice(peer: Peer, hook: Hook) -> None:
    await peer.call("setWebhook", url=hook.url)
    await peer.fault("duplicate", method="webhook")

    await peer.send("one")
    await hook.wait(2)

    assert hook.seen[0] == hook.seen[1]


async def test_polling_is_refused_while_a_webhook_is_set(peer: Peer, hook: Hook) -> None:
    await peer.call("setWebhook", url=hook.url)

    status, _ = await peer.call("getUpdates")
    await peer.call("deleteWebhook")

    assert status == 409
    assert await updates(peer) == []


async def test_what_was_written_without_a_webhook_is_delivered_once_there_is_one(
    peer: Peer, hook: Hook
) -> None:
    await peer.send("early")

    await peer.call("setWebhook", url=hook.url)
    await hook.wait(1)

    assert texts([update for _, update in hook.seen]) == ["early"]


@pytest.mark.parametrize(
    "params", [{"url": "ftp://x/"}, {"url": "nonsense"}, {"url": "http://x/", "secret_token": "two words"}]
)
async def test_a_bad_webhook_is_refused(peer: Peer, params: dict[str, str]) -> None:
    status, _ = await peer.call("setWebhook", **params)

    assert status == 400


async def test_a_restart_keeps_chats_and_updates_and_never_reuses_an_id(tmp_path: Path) -> None:
    async with running_peer(tmp_path) as peer:
        old = await peer.send("before")

    async with running_peer(tmp_path) as peer:
        new = await peer.send("after")
        waiting = texts(await updates(peer))
        chat = [line["text"] for line in await peer.chat(VERA)]

    assert waiting == chat == ["before", "after"]
    assert new["update_id"] > old["update_id"]
    assert new["message_id"] > old["message_id"]
