"""Decisions in a test: a contact asks, an agent drafts, a person decides, by the product's own actions."""

from datetime import datetime
from itertools import count

from core import clock
from crm.drafts import actions as drafts
from crm.drafts.models import Draft
from tests.support.world import World

_chats = count(1)


async def ask(world: World, question: str, at: datetime, *answers: str) -> list[Draft]:
    """A contact of their own writes, and the agent proposes these answers one after the other; only one stays open."""
    world.chat_id = str(810000000 + next(_chats))
    world.handles = (("telegram_id", world.chat_id),)
    return await ask_again(world, question, at, *answers)


async def ask_again(world: World, question: str, at: datetime, *answers: str) -> list[Draft]:
    """The same contact writes once more."""
    with clock.frozen(at):
        await world.receive(question)
        written = [await world.draft(answer) for answer in answers]
    async with world.db.transaction(world.owner, "test") as tx:
        # the time of a row is the server's own
        await tx.execute(
            "UPDATE drafts SET created_at = %(at)s WHERE id = ANY(%(ids)s)",
            at=at,
            ids=[draft.id for draft in written],
        )
    return written


async def approve(world: World, draft: Draft, *, edited: str = "") -> None:
    async with world.db.transaction(world.owner, "test") as tx:
        if edited:
            draft = await drafts.edit_draft(tx, draft.id, version=draft.version, body=edited)
        await drafts.approve_draft(tx, draft.id, version=draft.version)


async def reject(world: World, draft: Draft, reason: str) -> None:
    async with world.db.transaction(world.owner, "test") as tx:
        await drafts.reject_draft(tx, draft.id, version=draft.version, reason=reason)


async def send_back(world: World, draft: Draft, feedback: str) -> None:
    async with world.db.transaction(world.owner, "test") as tx:
        await drafts.respond_to_draft(tx, draft.id, version=draft.version, feedback=feedback)
