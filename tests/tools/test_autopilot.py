"""A reply leaves without a person only inside the intents, the cap, the hours, and when nothing in it is doubtful."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from core import clock
from core.ids import uuid7
from core.trust import Trust
from crm.bidi.hours import is_at_work
from crm.bidi.models import Autonomy
from crm.conversations.queries import list_messages
from crm.drafts.queries import find_pending_draft
from crm.identity.models import Organization
from crm.policy.actions import set_decision
from events.ids import OrganizationId
from graph.store import GraphStore
from tests.support.seats import Seat
from tools import autopilot, provenance
from tools.base import Decision, RunContext, ToolResult
from tools.dispatch import Dispatcher
from tools.guard import Source, inspect

NO_GRAPH = cast(GraphStore, None)  # the tools of these tests do not ask it
OFFICE = Organization(OrganizationId(uuid7()), "office", "Office", "en", "Europe/Berlin")
HELLO = "Hello, thank you for writing to us."


@pytest.fixture
def dispatcher(seat: Seat) -> Dispatcher:
    return Dispatcher(seat.db, NO_GRAPH)


@pytest.fixture(autouse=True)
async def earned(seat: Seat) -> None:
    """What the seat may answer by itself before its run begins."""
    await _keep_intents(seat, ["greeting", "price"])


async def _keep_intents(seat: Seat, intents: list[str]) -> None:
    async with seat.db.transaction(seat.owner, "test") as tx:
        await tx.execute("UPDATE bidi SET autopilot_intents = %(intents)s", intents=intents)


def _pilot(seat: Seat, **limits: Any) -> RunContext:
    ctx = seat.at(Autonomy.AUTOPILOT)
    bidi = replace(ctx.bidi, **{"autopilot_intents": ["greeting", "price"], **limits})
    return replace(ctx, bidi=bidi, is_counterpart_scoped=True)


async def _send(
    dispatcher: Dispatcher, ctx: RunContext, body: str = HELLO, key: str = "send", **fields: Any
) -> ToolResult:
    arguments = {"conversation_id": str(ctx.conversation_id), "body": body, "intents": ["greeting"], **fields}
    return await dispatcher.call(ctx, "send_reply", arguments, key)


async def _outgoing(seat: Seat) -> list[str]:
    assert seat.ctx.conversation_id is not None
    async with seat.db.transaction(seat.owner, "test") as tx:
        messages = await list_messages(tx, seat.ctx.conversation_id)
    return [message.body for message in messages if message.direction == "out"]


async def _why(seat: Seat) -> list[str]:
    """Why the draft waits that stands in for the reply."""
    assert seat.ctx.conversation_id is not None
    async with seat.db.transaction(seat.owner, "test") as tx:
        draft = await find_pending_draft(tx, seat.ctx.conversation_id)
        assert draft is not None
        why: list[str] = await tx.value("SELECT why FROM approvals WHERE draft_id = %(id)s", id=draft.id)
    return why


async def test_what_was_taken_back_after_the_run_began_is_not_sent(
    seat: Seat, dispatcher: Dispatcher
) -> None:
    ctx = _pilot(seat)
    await _keep_intents(seat, ["price"])

    await _send(dispatcher, ctx)

    assert await _outgoing(seat) == []
    assert "intent" in await _why(seat)


async def test_what_the_guard_found_is_marked_in_the_draft(seat: Seat, dispatcher: Dispatcher) -> None:
    ctx = _pilot(seat)

    await _send(dispatcher, ctx, "It costs €5 a month.")

    assert ctx.conversation_id is not None
    async with seat.db.transaction(seat.owner, "test") as tx:
        draft = await find_pending_draft(tx, ctx.conversation_id)
    assert draft is not None
    assert [(flag["kind"], flag["value"]) for flag in draft.flags] == [("unsourced_value", "€5")]


async def test_a_greeting_beside_what_it_may_answer_asks_for_nothing(
    seat: Seat, dispatcher: Dispatcher
) -> None:
    await _keep_intents(seat, ["price"])
    ctx = _pilot(seat, autopilot_intents=["price"])

    result = await _send(dispatcher, ctx, intents=["greeting", "price"])

    assert isinstance(result.content, dict)
    assert result.content["is_sent"]


async def test_a_greeting_alone_has_to_be_earned(seat: Seat, dispatcher: Dispatcher) -> None:
    await _keep_intents(seat, ["price"])
    ctx = _pilot(seat, autopilot_intents=["price"])

    await _send(dispatcher, ctx, intents=["greeting"])

    assert "intent" in await _why(seat)


async def test_a_line_of_a_price_list_ends_its_price(seat: Seat) -> None:
    """A figure at the end of a line and the one that begins the next are two, however the text is compared."""
    assert seat.ctx.conversation_id is not None
    await seat.world.receive("25–99 | €17\n100–499 | €15")

    async with seat.db.transaction(seat.owner, "test") as tx:
        heard = await provenance.heard_by(tx, seat.ctx, ())

    sources = [Source(one.plain, Trust.CONFIRMED) for one in heard]
    assert inspect("It costs €17.", sources, language="en") == ()


async def test_a_harmless_reply_goes_out_under_the_agents_name(seat: Seat, dispatcher: Dispatcher) -> None:
    result = await _send(dispatcher, _pilot(seat))

    assert isinstance(result.content, dict)
    assert (result.decision, result.content["is_sent"]) == (Decision.ALLOW, True)
    assert await _outgoing(seat) == [HELLO]


@pytest.mark.parametrize(
    ("limits", "fields", "reason"),
    [
        ({}, {"intents": ["greeting", "complaint"]}, "intent"),
        ({}, {"intents": []}, "intent"),
        ({"autopilot_intents": []}, {}, "intent"),
        ({"daily_cap": 0}, {}, "capped"),
        ({"working_hours": {"mon": ["00:00", "00:00"]}}, {}, "off_hours"),
        ({}, {"body": "It costs €5 a month."}, "guard"),
        ({}, {"body": "Pay here: https://evil.example/pay"}, "guard"),
        ({}, {"body": "Write to eve@evil.example, please."}, "guard"),
        ({}, {"body": "Hel\u200blo, thank you for writing."}, "guard"),
        ({}, {"flags": [{"kind": "sources_differ", "value": "Hello"}]}, "guard"),
    ],
)
async def test_outside_its_limits_a_reply_becomes_a_draft_that_says_why(
    seat: Seat, dispatcher: Dispatcher, limits: dict[str, Any], fields: dict[str, Any], reason: str
) -> None:
    result = await _send(dispatcher, _pilot(seat, **limits), **fields)

    assert isinstance(result.content, dict)
    assert (result.decision, result.content["is_sent"]) == (Decision.ASK, False)
    assert await _outgoing(seat) == []
    assert reason in await _why(seat)


async def test_after_many_replies_in_a_row_without_a_person_the_next_is_a_draft(
    seat: Seat, dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(autopilot, "MAX_ANSWERS_ALONE", 1)
    ctx = _pilot(seat)

    first = await _send(dispatcher, ctx)
    second = await _send(dispatcher, ctx, key="again")

    assert isinstance(first.content, dict)
    assert isinstance(second.content, dict)
    assert (first.content["is_sent"], second.content["is_sent"]) == (True, False)
    assert "alone" in await _why(seat)


@pytest.mark.parametrize("autonomy", [Autonomy.SUGGEST, Autonomy.ASSIST])
async def test_below_autopilot_a_reply_is_a_draft(
    seat: Seat, dispatcher: Dispatcher, autonomy: Autonomy
) -> None:
    ctx = _pilot(seat)

    await _send(dispatcher, replace(ctx, bidi=replace(ctx.bidi, autonomy=autonomy)))

    assert await _outgoing(seat) == []


async def test_a_run_that_has_read_more_than_its_counterpart_may_hear_sends_nothing_by_itself(
    seat: Seat, dispatcher: Dispatcher
) -> None:
    ctx = _pilot(seat)
    free = replace(ctx, is_counterpart_scoped=False)
    assert (await dispatcher.call(free, "get_contact", {"contact_id": str(seat.contact.id)}, "look")).is_done

    result = await _send(dispatcher, ctx)

    assert result.decision is Decision.ASK
    assert await _outgoing(seat) == []


async def test_a_scoped_run_is_refused_what_its_counterpart_may_not_hear(
    seat: Seat, dispatcher: Dispatcher
) -> None:
    ctx = _pilot(seat)
    asked: dict[str, dict[str, object]] = {
        "get_contact": {"contact_id": str(seat.contact.id)},
        "list_deals": {"contact_id": str(seat.contact.id)},
        "list_facts": {"subject_id": str(seat.contact.id)},
        "search_records": {"text": "Acme"},
    }

    results = [await dispatcher.call(ctx, name, arguments, name) for name, arguments in asked.items()]
    own = {"conversation_id": str(ctx.conversation_id)}

    assert {result.code for result in results} == {"denied"}
    assert "more than they may hear" in results[0].error
    assert (await dispatcher.call(ctx, "read_conversation", own, "own")).is_done


async def test_a_colleagues_feedback_is_not_the_counterparts_to_hear(
    seat: Seat, dispatcher: Dispatcher
) -> None:
    ctx = _pilot(seat)
    told = replace(ctx, run=replace(ctx.run, feedback="Our lowest price is 12."))

    assert (await _send(dispatcher, told)).decision is Decision.ASK


async def test_the_organization_may_forbid_it(seat: Seat, dispatcher: Dispatcher) -> None:
    async with seat.db.transaction(seat.owner, "test") as tx:
        await set_decision(tx, "send_thread_scoped", Autonomy.AUTOPILOT, Decision.DENY)

    assert (await _send(dispatcher, _pilot(seat))).code == "denied"


async def test_a_reply_into_another_thread_never_leaves_by_itself(seat: Seat, dispatcher: Dispatcher) -> None:
    ctx = _pilot(seat)
    seat.world.chat_id = "another chat"
    await seat.world.receive("Hello from somewhere else")
    other = await seat.world.conversation()

    result = await _send(dispatcher, ctx, conversation_id=str(other.id))

    assert result.decision is Decision.ASK
    assert await _outgoing(seat) == []


def test_hours_are_those_of_the_organization(seat: Seat) -> None:
    monday = datetime(2026, 11, 30, 9, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    bidi = replace(seat.ctx.bidi, working_hours={"mon": ["09:30", "18:15"]})

    told = {
        minutes: is_at_work(bidi, monday + timedelta(minutes=minutes), OFFICE)
        for minutes in (-1, 0, 524, 525)
    }

    assert told == {-1: False, 0: True, 524: True, 525: False}
    assert not is_at_work(bidi, monday + timedelta(days=1), OFFICE)
    assert is_at_work(replace(bidi, working_hours={}), clock.now(), OFFICE)
