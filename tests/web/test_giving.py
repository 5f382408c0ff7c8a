"""Giving a conversation to a colleague, who then sees it, by whoever may then see it no more."""

import asyncio
from uuid import UUID

from redis.asyncio import Redis

from core.db import Database
from core.ids import uuid7
from core.principal import Principal
from core.pubsub import PubSub
from crm.conversations.models import HolderKind
from crm.conversations.queries import get_conversation
from crm.identity.models import Role
from crm.identity.queries import find_member_id
from tests.support.organizations import add_member
from tests.support.world import World
from tests.web.conftest import Browser, signed_in


async def _member_id(world: World, person: Principal) -> UUID:
    async with world.db.transaction(world.owner, "test") as tx:
        found = await find_member_id(tx, person.id)
        assert found is not None
        return found


async def test_a_conversation_is_given_to_a_colleague_who_sees_it_then(
    site: str, database: Database, browser: Browser, world: World
) -> None:
    colleague = await add_member(database, world.owner, Role.BIDI)
    draft = await world.draft()
    conversation = await world.conversation()
    async with signed_in(site, database, colleague) as theirs:
        before = await theirs.get(f"/inbox/{conversation.id}")
        offered = (await browser.get(f"/inbox/{conversation.id}")).text
        given = await browser.post(
            f"/conversations/{conversation.id}/person", member_id=str(await _member_id(world, colleague))
        )
        after = await theirs.get(f"/inbox/{conversation.id}")

    async with database.transaction(world.owner, "test") as tx:
        now = await get_conversation(tx, conversation.id)
        status = await tx.value("SELECT status FROM drafts WHERE id = %(id)s", id=draft.id)
    assert "Milo Member" in offered
    assert (before.status_code, given.status_code, after.status_code) == (404, 303, 200)
    assert (now.holder_kind, now.holder_id) == (HolderKind.PERSON, colleague.id)
    assert status == "superseded"


async def test_who_gives_their_own_away_is_led_back_to_the_list(
    site: str, database: Database, browser: Browser, world: World
) -> None:
    one, other = [await add_member(database, world.owner, Role.BIDI) for _ in range(2)]
    conversation = await world.conversation()
    path = f"/conversations/{conversation.id}/person"
    await browser.post(path, member_id=str(await _member_id(world, one)))

    async with signed_in(site, database, one) as theirs:
        given = await theirs.post(path, None, member_id=str(await _member_id(world, other)))
        gone = await theirs.get(f"/inbox/{conversation.id}")

    assert given.headers["Location"].startswith("/inbox?folder=")
    assert gone.status_code == 404


async def test_an_open_page_leaves_what_was_given_to_somebody_else(
    site: str, database: Database, browser: Browser, world: World, redis: Redis
) -> None:
    one, other = [await add_member(database, world.owner, Role.BIDI) for _ in range(2)]
    conversation = await world.conversation()
    path = f"/conversations/{conversation.id}/person"
    await browser.post(path, member_id=str(await _member_id(world, one)))

    heard = []
    async with signed_in(site, database, one) as theirs:
        page = f"/live?folder=mine&conversation={conversation.id}"
        async with theirs.client.stream("GET", page) as stream, asyncio.timeout(10):
            lines = stream.aiter_lines()
            assert await anext(lines) == "retry: 1000"
            await browser.post(path, member_id=str(await _member_id(world, other)))
            async with database.transaction(world.owner, "test") as tx:
                event_id = await tx.value(
                    "SELECT id FROM events WHERE type = 'conversation.assigned' ORDER BY id DESC LIMIT 1"
                )
            message = {
                "event_id": str(event_id),
                "type": "conversation.assigned",
                "conversation_id": str(conversation.id),
            }
            await PubSub(redis).publish(world.owner.organization_id, message)
            while "event: gone" not in heard:
                heard.append(await anext(lines))

    assert not any("Vera" in line for line in heard)


async def test_it_is_not_given_to_a_viewer_or_to_nobody(
    database: Database, browser: Browser, world: World
) -> None:
    viewer = await add_member(database, world.owner, Role.VIEWER)
    conversation = await world.conversation()
    path = f"/conversations/{conversation.id}/person"

    refused = await browser.post(path, member_id=str(await _member_id(world, viewer)))
    unknown = await browser.post(path, member_id=str(uuid7()))

    async with database.transaction(world.owner, "test") as tx:
        now = await get_conversation(tx, conversation.id)
    assert (refused.status_code, unknown.status_code) == (422, 422)
    assert "may not write to contacts" in refused.text
    assert now.holder_id != viewer.id
