"""A fragment is exactly the part of the page that it replaces, and it arrives over the stream."""

import asyncio
import re

import pytest
from redis.asyncio import Redis

from core import clock
from core.ids import uuid7
from core.pubsub import PubSub
from tests.support.world import World
from tests.web.conftest import Browser

_OUT_OF_BAND = re.compile(r' (hx-swap-oob="\w+"|data-in-folder="\w+")')


def _part(html: str, id: str) -> str:
    """The inner lines of the element with this id, without what marks a fragment as one."""
    start = html.index(f'id="{id}"')
    text = _OUT_OF_BAND.sub("", html[start:])
    return re.sub(r"\s+", " ", text)


async def test_going_to_a_conversation_returns_the_pages_own_panes(
    browser: Browser, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # both say what time it is where the contact lives
    fixed = clock.now()
    monkeypatch.setattr(clock, "now", lambda: fixed)
    conversation = await world.conversation()
    await browser.get(f"/inbox/{conversation.id}")

    whole = (await browser.get(f"/inbox/{conversation.id}")).text
    part = (await browser.get(f"/inbox/{conversation.id}", HX_Request="true")).text

    assert part.startswith("<title>Vera Lind, Inbox · GetSale</title>")
    panes = re.sub(r"after=[0-9a-f-]*", "", part.split("</title>")[1].strip())
    assert panes in re.sub(r"after=[0-9a-f-]*", "", whole)


async def test_a_forms_answer_holds_the_same_messages_as_the_page(browser: Browser, world: World) -> None:
    await world.draft("It costs €17.")
    conversation = await world.conversation()

    answer = await browser.client.post(
        f"/conversations/{conversation.id}/reopening",
        data={"csrf_token": browser.token},
        headers={"HX-Request": "true"},
    )
    page = (await browser.get(f"/inbox/{conversation.id}")).text

    for id, ends in ((f"messages-{conversation.id}", f"draft-slot-{conversation.id}"),):
        fragment = _part(answer.text, id).split(f'<div class="part" id="{ends}"')[0]
        assert fragment.strip() in _part(page, id)


async def test_what_happens_arrives_over_the_stream(browser: Browser, world: World, redis: Redis) -> None:
    conversation = await world.conversation()
    draft = await world.draft("It costs €17.")
    message = {
        "event_id": str(uuid7()),
        "type": "ai.draft.generated",
        "conversation_id": str(conversation.id),
    }

    async with browser.client.stream("GET", f"/live?folder=mine&conversation={conversation.id}") as stream:
        lines = stream.aiter_lines()
        assert await anext(lines) == "retry: 1000"
        await PubSub(redis).publish(world.owner.organization_id, message)
        received = await asyncio.wait_for(_until(lines, f'id="draft-{draft.id}"'), 5)

    assert f"id: {message['event_id']}" in received
    assert any(f'id="conversation-{conversation.id}"' in line for line in received)


async def test_a_stream_replays_what_was_missed(browser: Browser, world: World) -> None:
    conversation = await world.conversation()
    seen = str(uuid7())
    draft = await world.draft("It costs €17.")

    path = f"/live?folder=mine&conversation={conversation.id}"
    async with browser.client.stream("GET", path, headers={"Last-Event-ID": seen}) as stream:
        received = await asyncio.wait_for(_until(stream.aiter_lines(), f'id="draft-{draft.id}"'), 5)

    assert any("hx-swap-oob" in line for line in received)


async def _until(lines: object, wanted: str) -> list[str]:
    received: list[str] = []
    async for line in lines:  # type: ignore[attr-defined]
        received.append(line)
        if wanted in line:
            return received
    raise AssertionError(f"the stream ended without {wanted}")


async def test_an_inbox_without_conversations_arrives_as_a_fragment_with_the_first_steps(
    browser: Browser,
) -> None:
    answer = await browser.get("/inbox", HX_Request="true")

    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert "First steps" in answer.text


@pytest.mark.parametrize("verb", ["reading", "reopening"])
async def test_a_conversation_that_is_not_here_is_not_found_by_a_form(browser: Browser, verb: str) -> None:
    answer = await browser.post(f"/conversations/{uuid7()}/{verb}", headers={"HX-Request": "true"})

    assert answer.status_code == 404
