"""How a seat does is counted from messages, drafts and runs as they are."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from core import clock
from core.db import Database
from core.principal import Principal
from crm.analytics.seats import Performance, get_performance, list_loads
from crm.drafts import actions as drafts
from crm.drafts.models import Draft
from tests.support.world import World, make_world


@pytest.fixture
async def world(database: Database, organization: Principal) -> World:
    return await make_world(database, organization)


@dataclass(frozen=True)
class Wish:
    """What a person does about a draft."""

    edit: str = ""
    is_rejected: bool = False


async def answer(world: World, wish: Wish) -> Draft:
    """The contact writes, the agent drafts, a person decides; what was approved leaves a minute after the line came."""
    await world.receive("And what about this?")
    draft = await world.draft("It costs €17 a month.")
    async with world.db.transaction(world.owner, "test") as tx:
        if wish.is_rejected:
            return await drafts.reject_draft(tx, draft.id, version=draft.version)
        if wish.edit:
            draft = await drafts.edit_draft(tx, draft.id, version=draft.version, body=wish.edit)
        draft = await drafts.approve_draft(tx, draft.id, version=draft.version)
        await tx.execute(
            """
            UPDATE messages SET status = 'sent', sent_at = occurred_at + interval '1 minute'
             WHERE draft_id = %(draft_id)s
            """,
            draft_id=draft.id,
        )
        return draft


async def performance(world: World, *, days_ago: int = 0) -> Performance:
    until = clock.now() + timedelta(seconds=1) - timedelta(days=days_ago)
    async with world.db.transaction(world.owner, "test") as tx:
        return await get_performance(tx, world.bidi_id, since=until - timedelta(days=1), until=until)


async def test_a_seat_that_did_nothing_has_no_figures(world: World) -> None:
    found = await performance(world)

    assert (found.sent, found.decided, found.accepted_share) == (0, 0, None)
    assert (found.median_response_seconds, found.edit_distance) == (None, None)


async def test_what_people_decided_is_counted(world: World) -> None:
    for wish in (Wish(), Wish(), Wish(edit="It costs €18 a month."), Wish(is_rejected=True)):
        await answer(world, wish)

    found = await performance(world)

    assert (found.sent, found.decided, found.accepted, found.accepted_share) == (3, 4, 2, 0.5)
    # one letter of 21
    assert found.edit_distance == pytest.approx(1 / 21)


async def test_the_time_to_answer_is_from_the_first_line_that_waited(world: World) -> None:
    await world.receive("Hello?")
    await answer(world, Wish())

    found = await performance(world)

    assert found.median_response_seconds == pytest.approx(60, abs=5)


async def test_a_contact_who_writes_again_has_answered(world: World) -> None:
    await answer(world, Wish())
    before = await performance(world)
    await world.receive("Thanks!")
    after = await performance(world)

    assert [(one.conversations, one.replied) for one in (before, after)] == [(1, 0), (1, 1)]


async def test_another_period_counts_nothing_of_this_one(world: World) -> None:
    await answer(world, Wish())

    assert (await performance(world, days_ago=1)).sent == 0


async def test_the_load_is_what_is_in_hand_now(world: World) -> None:
    await world.receive("Hello?")
    await world.draft()

    async with world.db.transaction(world.owner, "test") as tx:
        load = (await list_loads(tx, [world.bidi_id]))[world.bidi_id]

    assert (load.open_conversations, load.open_runs, load.waiting_drafts) == (1, 0, 1)
