"""New conversations and leads go to whom the rules name and who can take them, never to one seat too many."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic import JsonValue

from core.db import Database
from core.errors import Forbidden, Stale, Unprocessable
from core.ids import uuid7
from core.principal import Principal
from crm.assignment import actions as assignment
from crm.assignment import queries, rules
from crm.assignment.choice import choose, why_not
from crm.assignment.models import (
    Assigned,
    AssignmentRule,
    Candidate,
    Case,
    NewRule,
    RuleEdit,
    Unassigned,
    Way,
)
from crm.automation.hearing import hear_message
from crm.bidi.actions import create_bidi, resume_bidi, update_bidi
from crm.bidi.models import Autonomy, Bidi, BidiEdit, BidiKind, NewBidi
from crm.bidi.queries import get_bidi
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.conversations import actions as conversations
from crm.conversations.history import import_conversation
from crm.conversations.models import Conversation, HandoffReason
from crm.conversations.queries import get_conversation, list_messages
from crm.identity.models import Organization, Role
from crm.leads.actions import create_lead
from crm.leads.models import NewLead
from crm.leads.queries import get_lead
from crm.pipelines.actions import create_pipeline
from crm.runs import halting
from crm.runs.actions import QuietWindow
from crm.runs.queries import list_runs
from crm.segments.actions import create_segment
from crm.segments.models import NewSegment
from events.ids import BidiId, ContactId, ConversationId, OrganizationId, RecordKind, UserId
from events.types import MessageReceived
from tests.support.organizations import add_member
from tests.support.world import World, make_world

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)  # a Friday
OFFICE = Organization(OrganizationId(uuid7()), "office", "Office", "en", "UTC")
_chats = count(790000001)


def seat(number: int = 1, **fields: Any) -> Bidi:
    made = Bidi(
        BidiId(UUID(int=number)), OrganizationId(UUID(int=9)), BidiKind.AI, f"Seat {number}", None, None, "inbox",
        Autonomy.SUGGEST, "", [], None, False, 40, 1, 1, 1,
    )  # fmt: skip
    for name, value in fields.items():
        object.__setattr__(made, name, value)
    return made


CASE = Case(Assigned.CONVERSATION, ContactId(UUID(int=5)), "en", "telegram")


@pytest.mark.parametrize(
    ("fields", "load", "code"),
    [
        ({}, 0, ""),
        ({"is_paused": True}, 0, "paused"),
        ({"archived_at": NOON, "is_paused": True}, 0, "archived"),
        ({"autonomy": Autonomy.OBSERVE}, 0, "observes"),
        ({"languages": ["ru"]}, 0, "language"),
        ({"languages": ["en", "ru"]}, 0, ""),
        ({"capacity": 3}, 2, ""),
        ({"capacity": 3}, 3, "full"),
        ({"working_hours": {"fri": ["09:00", "12:00"]}}, 0, "hours"),
        ({"working_hours": {"fri": ["09:00", "12:01"]}}, 0, ""),
        ({"working_hours": {"fri": ["09:00", "12:01"]}, "time_zone": "Asia/Tomsk"}, 0, "hours"),
    ],
)
def test_why_a_seat_does_not_take_something(fields: dict[str, Any], load: int, code: str) -> None:
    candidate = Candidate(seat(**fields), load)

    assert why_not(candidate, CASE, now=NOON, organization=OFFICE) == code


@pytest.mark.parametrize(
    ("own", "code"),
    [({}, "hours"), ({"fri": ["09:00", "18:00"]}, ""), ({"fri": ["13:00", "18:00"]}, "hours")],
)
def test_a_seat_without_hours_of_its_own_works_in_the_organizations(own: dict[str, Any], code: str) -> None:
    mornings = replace(OFFICE, working_hours={"fri": ["09:00", "12:00"]})

    assert why_not(Candidate(seat(working_hours=own), 0), CASE, now=NOON, organization=mornings) == code


def test_nobody_with_hours_works_on_a_holiday() -> None:
    closed = replace(OFFICE, holidays=[NOON.date()])
    in_hours, always = seat(working_hours={"fri": ["09:00", "18:00"]}), seat()

    assert why_not(Candidate(in_hours, 0), CASE, now=NOON, organization=closed) == "hours"
    assert why_not(Candidate(always, 0), CASE, now=NOON, organization=closed) == ""


LOADS = some.lists(
    some.tuples(some.integers(0, 6), some.none() | some.integers(1, 6)), min_size=1, max_size=6
)


@given(seats=LOADS, arrivals=some.integers(0, 40), way=some.sampled_from(list(Way)))
def test_no_seat_ever_gets_more_than_its_capacity(
    seats: list[tuple[int, int | None]], arrivals: int, way: Way
) -> None:
    """However much comes: who is over it already gets nothing, and somebody free is never passed over."""
    held = {n: load for n, (load, _) in enumerate(seats)}
    turns: dict[int, datetime] = {}
    for arrival in range(arrivals):
        free = [
            Candidate(seat(n, capacity=capacity), held[n], turns.get(n))
            for n, (_, capacity) in enumerate(seats)
            if capacity is None or held[n] < capacity
        ]
        chosen = choose(way, free)
        assert (chosen is None) == (not free)
        if chosen is None:
            break
        number = UUID(str(chosen.seat.id)).int
        if way is Way.LEAST_LOADED:
            assert held[number] == min(one.load for one in free)
        held[number] += 1
        turns[number] = NOON + timedelta(seconds=arrival)

    for n, (began, capacity) in enumerate(seats):
        assert capacity is None or held[n] <= max(began, capacity)


@given(seats=some.integers(1, 6), rounds=some.integers(1, 5))
def test_turns_are_taken_evenly(seats: int, rounds: int) -> None:
    turns: dict[int, datetime] = {}
    given = [0] * seats
    for arrival in range(seats * rounds):
        chosen = choose(Way.IN_TURN, [Candidate(seat(n), given[n], turns.get(n)) for n in range(seats)])
        assert chosen is not None
        number = UUID(str(chosen.seat.id)).int
        given[number] += 1
        turns[number] = NOON + timedelta(seconds=arrival)

    assert given == [rounds] * seats


@pytest.fixture
async def world(database: Database, organization: Principal) -> World:
    return await make_world(database, organization)


async def agent(world: World, name: str, **edit: Any) -> BidiId:
    async with world.db.transaction(world.owner, "test") as tx:
        new = NewBidi(BidiKind.AI, name, "inbox", responsible_user_id=UserId(world.owner.id))
        return (await create_bidi(tx, new, BidiEdit(**edit))).id


async def colleague(world: World, name: str = "Ilya", **edit: Any) -> BidiId:
    member = await add_member(world.db, world.owner, Role.BIDI)
    async with world.db.transaction(world.owner, "test") as tx:
        new = NewBidi(BidiKind.INTERNAL, name, user_id=UserId(member.id))
        return (await create_bidi(tx, new, BidiEdit(**edit))).id


async def rule(
    world: World, *seats: BidiId, kind: Assigned = Assigned.CONVERSATION, **more: Any
) -> AssignmentRule:
    async with world.db.transaction(world.owner, "test") as tx:
        new = NewRule(kind, "A rule", more.pop("way", Way.LEAST_LOADED), seats, **more)
        return await rules.create_rule(tx, new)


async def arrive(world: World, language: str = "en") -> ConversationId:
    """Somebody new has a conversation that nobody holds."""
    async with world.db.transaction(world.owner, "test") as tx:
        contact = await create_contact(tx, NewContact("Somebody", language=language))
        made = await import_conversation(
            tx, world.account, contact.id, chat_id=str(next(_chats)), messages=()
        )
    return made.conversation_id


async def assign(world: World, conversation_id: ConversationId) -> None:
    async with world.db.transaction(world.owner, "test") as tx:
        await assignment.assign_conversation(tx, conversation_id)


async def holder_of(world: World, conversation_id: ConversationId) -> UUID | None:
    return (await conversation(world, conversation_id)).holder_id


async def conversation(world: World, conversation_id: ConversationId) -> Conversation:
    async with world.db.transaction(world.owner, "test") as tx:
        return await get_conversation(tx, conversation_id)


async def unassigned(world: World) -> dict[ConversationId, Unassigned]:
    async with world.db.transaction(world.owner, "test") as tx:
        return {one.id: one.why for one in await queries.list_unassigned(tx)}


async def test_without_rules_nothing_is_assigned(world: World) -> None:
    new = await arrive(world)

    await assign(world, new)

    assert await holder_of(world, new) is None
    assert await unassigned(world) == {}


async def test_two_at_once_never_fill_one_last_place(world: World) -> None:
    mira = await agent(world, "Noor", capacity=3)
    await rule(world, mira)
    new = [await arrive(world) for _ in range(8)]

    await asyncio.gather(*(assign(world, one) for one in new))

    held = [one for one in new if await holder_of(world, one) == mira]
    assert len(held) == 3
    assert await unassigned(world) == {one: Unassigned.NOBODY_FREE for one in new if one not in held}


async def test_turns_go_round_whoever_asks_at_once(world: World) -> None:
    seats = [await agent(world, name) for name in ("Noor", "Vera", "Lev")]
    await rule(world, *seats, way=Way.IN_TURN)
    new = [await arrive(world) for _ in range(9)]

    await asyncio.gather(*(assign(world, one) for one in new))

    holders = [await holder_of(world, one) for one in new]
    assert [holders.count(one) for one in seats] == [3, 3, 3]


async def test_languages_decide_and_a_rule_without_a_free_seat_leaves_it_to_the_next(world: World) -> None:
    russian, anybody = await agent(world, "Lev", languages=["ru"]), await agent(world, "Noor")
    await rule(world, russian)
    await rule(world, anybody)
    one, two = await arrive(world, "ru"), await arrive(world, "en")

    await assign(world, one)
    await assign(world, two)

    assert (await holder_of(world, one), await holder_of(world, two)) == (russian, anybody)


async def test_a_segment_decides_who_a_rule_is_about(world: World) -> None:
    noor, vera = await agent(world, "Noor"), await agent(world, "Vera")
    async with world.db.transaction(world.owner, "test") as tx:
        kept: dict[str, JsonValue] = {"field": "language", "op": "is", "value": "ru"}
        segment = await create_segment(tx, NewSegment(RecordKind.CONTACT, "Russian", kept))
    await rule(world, noor, segment_id=segment.id)
    await rule(world, vera)
    one, two = await arrive(world, "ru"), await arrive(world, "en")

    await assign(world, one)
    await assign(world, two)

    assert (await holder_of(world, one), await holder_of(world, two)) == (noor, vera)


async def test_the_agent_that_holds_it_is_the_one_that_is_called(world: World) -> None:
    noor = await agent(world, "Noor")
    await rule(world, noor)

    await world.receive("What does it cost?")
    found = await world.conversation()
    async with world.db.transaction(world.owner, "test") as tx:
        message = (await list_messages(tx, found.id))[-1]
        await hear_message(tx, MessageReceived(found.id, message.id), QuietWindow(0, 0))
        runs = (await list_runs(tx, conversation_id=found.id)).items

    assert await holder_of(world, found.id) == noor
    assert [run.bidi_id for run in runs] == [noor]


async def test_what_an_agent_hands_off_goes_to_a_person_and_stays_marked(world: World) -> None:
    noor, ilya = await agent(world, "Noor"), await colleague(world)
    await rule(world, noor, ilya, way=Way.IN_TURN)
    new = await arrive(world)
    async with world.db.transaction(world.owner, "test") as tx:
        await conversations.hand_off(
            tx, new, reason=HandoffReason.CUSTOMER_REQUEST, summary="Wants a person", next_step=""
        )
        person = (await get_bidi(tx, ilya)).user_id

    await assign(world, new)

    after = await conversation(world, new)
    assert (after.holder_id, after.handoff_reason) == (person, HandoffReason.CUSTOMER_REQUEST)


async def test_what_a_paused_seat_holds_goes_to_others_or_says_that_nobody_is_free(world: World) -> None:
    noor, vera = await agent(world, "Noor"), await agent(world, "Vera", capacity=1)
    first = await rule(world, noor)
    new = [await arrive(world) for _ in range(2)]
    for one in new:
        await assign(world, one)
    async with world.db.transaction(world.owner, "test") as tx:
        await rules.update_rule(tx, first.id, RuleEdit(bidi_ids=[noor, vera]), version=1)
        await halting.pause_seat(tx, noor)
        await assignment.reassign_seat(tx, noor)

    holders = [await holder_of(world, one) for one in new]
    assert sorted(map(str, holders)) == sorted([str(vera), "None"])
    assert list((await unassigned(world)).values()) == [Unassigned.NOBODY_FREE]

    async with world.db.transaction(world.owner, "test") as tx:
        await resume_bidi(tx, noor)
        await assignment.assign_waiting(tx)
    assert {await holder_of(world, one) for one in new} == {noor, vera}
    assert await unassigned(world) == {}


async def test_an_organization_may_let_a_paused_seat_keep_what_it_holds(world: World) -> None:
    noor, vera = await agent(world, "Noor"), await agent(world, "Vera")
    await rule(world, noor)
    new = await arrive(world)
    await assign(world, new)
    await rule(world, vera)
    async with world.db.transaction(world.owner, "test") as tx:
        await rules.set_reassigning(tx, False)
        await halting.pause_seat(tx, noor)
        await assignment.reassign_seat(tx, noor)

    assert await holder_of(world, new) == noor


async def test_a_new_lead_gets_a_seat_and_its_person_as_owner(world: World) -> None:
    ilya = await colleague(world)
    await rule(world, ilya, kind=Assigned.LEAD)
    async with world.db.transaction(world.owner, "test") as tx:
        await create_pipeline(tx, "Sales")
        contact = await create_contact(tx, NewContact("Vera Lind"))
        lead = await create_lead(tx, NewLead(contact.id))
        await assignment.assign_lead(tx, lead.id)
        after = await get_lead(tx, lead.id)

    assert after.bidi_id == ilya
    assert after.owner_id is not None


async def test_a_trial_says_who_and_why_and_changes_nothing(world: World) -> None:
    noor, lev = await agent(world, "Noor"), await agent(world, "Lev", languages=["ru"])
    await rule(world, noor, channel="email")
    await rule(world, lev)
    new = await conversation(world, await arrive(world))

    async with world.db.transaction(world.owner, "test") as tx:
        verdict = await queries.judge(tx, await queries.case_of(tx, new))

    assert (verdict.seat, verdict.why) == (None, Unassigned.NOBODY_FREE)
    assert [one.skipped for one in verdict.asked] == ["channel", ""]
    assert [one.why_not for one in verdict.asked[1].considered] == ["language"]
    assert await holder_of(world, new.id) is None


async def test_rules_move_among_each_other(world: World) -> None:
    noor = await agent(world, "Noor")
    made = [await rule(world, noor) for _ in range(3)]

    async with world.db.transaction(world.owner, "test") as tx:
        await rules.update_rule(tx, made[2].id, RuleEdit(position=1), version=1)
        order = [one.id for one in await queries.list_rules(tx)]

    assert order == [made[2].id, made[0].id, made[1].id]


async def test_a_rule_that_means_nothing_is_refused_with_the_field(world: World) -> None:
    noor = await agent(world, "Noor")

    refusals: tuple[tuple[tuple[BidiId, ...], dict[str, Any], str], ...] = (
        ((), {}, "bidi_ids"),
        ((BidiId(uuid7()),), {}, "bidi_ids"),
        ((noor,), {"channel": "pigeon"}, "channel"),
    )
    for seats, more, field in refusals:
        with pytest.raises(Unprocessable) as refused:
            await rule(world, *seats, **more)
        assert refused.value.fields["field"] == field


async def test_an_older_version_of_a_rule_changes_nothing(world: World) -> None:
    made = await rule(world, await agent(world, "Noor"))
    async with world.db.transaction(world.owner, "test") as tx:
        await rules.update_rule(tx, made.id, RuleEdit(name="New"), version=1)

    with pytest.raises(Stale):
        async with world.db.transaction(world.owner, "test") as tx:
            await rules.update_rule(tx, made.id, RuleEdit(name="Old"), version=1)


async def test_who_may_not_manage_seats_makes_no_rule(database: Database, world: World) -> None:
    noor = await agent(world, "Noor")
    rep = await add_member(database, world.owner, Role.BIDI)

    with pytest.raises(Forbidden):
        async with database.transaction(rep, "test") as tx:
            await rules.create_rule(tx, NewRule(Assigned.CONVERSATION, "Mine", Way.IN_TURN, (noor,)))


async def test_a_seat_that_is_full_gets_the_next_when_it_may_hold_more(world: World) -> None:
    noor = await agent(world, "Noor", capacity=1)
    await rule(world, noor)
    new = [await arrive(world) for _ in range(2)]
    for one in new:
        await assign(world, one)
    assert len(await unassigned(world)) == 1

    async with world.db.transaction(world.owner, "test") as tx:
        version = (await get_bidi(tx, noor)).version
        await update_bidi(tx, noor, BidiEdit(capacity=2), version=version)
        await assignment.assign_waiting(tx)

    assert [await holder_of(world, one) for one in new] == [noor, noor]
