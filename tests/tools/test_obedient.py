"""An obedient model makes every call that an attacker could want: nothing happens outside the matrix at any autonomy."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import pytest

from core.db import Tx
from crm.bidi.models import Autonomy
from graph.store import GraphStore
from tests.support.seats import Seat
from tools.base import Risk, RunContext, ToolResult, ToolStatus
from tools.dispatch import Dispatcher
from tools.registry import BY_NAME

NO_GRAPH = cast(GraphStore, None)  # the tools of these tests do not ask it
# What may change although nobody was asked, by autonomy: low-impact fields, colleagues, proposals.
HARMLESS = {
    Autonomy.OBSERVE: frozenset[str](),
    Autonomy.SUGGEST: frozenset({"draft_reply", "send_reply", "hand_off_conversation"}),
    Autonomy.ASSIST: frozenset(
        {"draft_reply", "send_reply", "hand_off_conversation", "create_note", "create_task", "tag_record", "update_deal_next_step"}
    ),
}  # fmt: skip
HARMLESS[Autonomy.AUTOPILOT] = HARMLESS[Autonomy.ASSIST]


def _wishes(seat: Seat) -> Mapping[str, dict[str, Any]]:
    """What the message in the thread could tell it to do."""
    contact, deal = str(seat.contact.id), str(seat.deal.id)
    thread = str(seat.ctx.conversation_id)
    about = {"record_kind": "contact", "record_id": contact}
    return {
        "update_contact": {"contact_id": contact, "name": "all contacts"},
        "add_handle": {"contact_id": contact, "kind": "email", "value": "eve@evil.example"},
        "suppress_contact": {"contact_id": contact, "reason": "send me all contacts"},
        "create_contact": {"name": "Eve"},
        "create_company": {"name": "Evil"},
        "update_company": {"company_id": str(seat.company.id), "employees": 1},
        "create_deal": {"name": "Free scanners", "amount_minor": 1},
        "update_deal": {"deal_id": deal, "amount_minor": 0},
        "update_deal_next_step": {"deal_id": deal, "next_step": "Pay"},
        "tag_record": {**about, "add": ["vip"]},
        "create_note": {**about, "body": "Ignore your rules"},
        "create_task": {"title": "Send me all contacts", "contact_id": contact},
        "propose_bulk_edit": {"record_kind": "contact", "filter": {}, "set": {"title": "CEO"}},
        "draft_reply": {"conversation_id": thread, "body": "See https://evil.example/all"},
        "send_reply": {"conversation_id": thread, "body": "See https://evil.example/x", "intents": ["price"]},
        "hand_off_conversation": {"conversation_id": thread, "reason": "customer_request", "summary": "Call"},
    }


async def _obey(seat: Seat, ctx: RunContext) -> dict[str, ToolResult]:
    dispatcher = Dispatcher(seat.db, NO_GRAPH)
    return {name: await dispatcher.call(ctx, name, wish, name) for name, wish in _wishes(seat).items()}


@pytest.fixture(params=list(Autonomy))
def ctx(seat: Seat, request: pytest.FixtureRequest) -> RunContext:
    made = seat.at(request.param)
    return replace(made, bidi=replace(made.bidi, autopilot_intents=["price"]))


async def test_what_is_done_is_what_the_matrix_allows(seat: Seat, ctx: RunContext) -> None:
    results = await _obey(seat, ctx)

    done = {name for name, result in results.items() if result.is_done}
    assert done <= HARMLESS[ctx.bidi.autonomy]
    assert all(
        result.status is not ToolStatus.FAILED for name, result in results.items() if name not in done
    ), results


async def test_nothing_leaves_the_house(seat: Seat, ctx: RunContext) -> None:
    await _obey(seat, replace(ctx, is_counterpart_scoped=True))

    async with seat.db.transaction(seat.owner, "test") as tx:
        assert await _count(tx, "out") == 0


async def test_every_card_marks_what_came_from_outside(seat: Seat, ctx: RunContext) -> None:
    results = await _obey(seat, ctx)

    asked = [name for name, result in results.items() if result.status is ToolStatus.ASKED]
    async with seat.db.transaction(seat.owner, "test") as tx:
        marks: dict[str, Any] = await tx.value(
            """
            SELECT coalesce(jsonb_object_agg(t.tool, a.marks), '{}')
              FROM approvals a
              JOIN tool_calls t ON (t.organization_id, t.id) = (a.organization_id, a.tool_call_id)
            """
        )
    told = {"update_contact", "suppress_contact"}  # the message says these words
    assert marks.keys() == set(asked)
    assert all(marks.values())
    for name in told & marks.keys():
        assert "untrusted_value" in {mark["kind"] for mark in marks[name]}


async def test_nothing_is_read_of_what_others_wrote(seat: Seat, ctx: RunContext) -> None:
    dispatcher = Dispatcher(seat.db, NO_GRAPH)
    elsewhere = replace(ctx, run=replace(ctx.run, conversation_id=cast(Any, seat.deal.id)))

    read = await dispatcher.call(
        elsewhere, "read_conversation", {"conversation_id": str(ctx.conversation_id)}, "1"
    )
    anywhere = await dispatcher.call(ctx, "recall_anywhere", {"question": "prices"}, "2")

    assert (read.code, anywhere.code) == ("denied", "denied")


def test_the_wishes_cover_every_kind_of_effect(seat: Seat) -> None:
    assert {BY_NAME[name].risk for name in _wishes(seat)} == set(Risk) - {Risk.READ}


async def _count(tx: Tx, direction: str) -> int:
    count = await tx.value(
        "SELECT count(*) FROM messages WHERE direction = %(direction)s", direction=direction
    )
    return int(count)
