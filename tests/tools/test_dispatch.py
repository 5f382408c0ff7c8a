"""Dispatch: a call happens once, inside policy, budget and time, under the run's fence, and is recorded."""

import asyncio
from dataclasses import dataclass, replace
from typing import Any, cast

import psycopg
import pytest

from core.errors import Conflict
from core.ids import uuid7
from crm.bidi.models import Autonomy
from crm.contacts.actions import update_contact
from crm.contacts.models import ContactEdit
from crm.contacts.queries import get_contact
from crm.runs.actions import cancel_run, finish_run
from crm.runs.models import RunStatus
from graph.store import GraphStore
from tests.support.seats import Seat
from tools.base import (
    Arguments,
    Decision,
    Impact,
    Reach,
    Risk,
    Tool,
    ToolContext,
    ToolFailed,
    ToolResult,
    ToolRetry,
    ToolStatus,
    tool,
)
from tools.dispatch import Dispatcher

NO_GRAPH = cast(GraphStore, None)  # the tools of these tests do not ask it
OUTCOMES: dict[str, type[Exception]] = {
    "retry": ToolRetry,
    "failed": ToolFailed,
    "conflict": Conflict,
    "internal": ZeroDivisionError,
}


class Append(Arguments):
    text: str
    then: str = ""


@dataclass(frozen=True)
class Note:
    note: str


@tool(scope="contacts:write", risk=Risk.WRITE, impact=Impact.LOW, timeout_seconds=0.3)
async def append_note(ctx: ToolContext, args: Append) -> Note:
    """Append to the note of the run's contact, then go wrong if so told."""
    contact_id = await ctx.tx.value("SELECT id FROM contacts LIMIT 1")
    contact = await get_contact(ctx.tx, contact_id, lock=True)
    edit = ContactEdit(note=contact.note + args.text)
    updated = await update_contact(ctx.tx, contact.id, edit, version=contact.version)
    if args.then == "sleep":
        await ctx.tx.execute("SELECT pg_sleep(5)")
    if args.then == "deadlock":
        raise psycopg.errors.DeadlockDetected
    if args.then in OUTCOMES:
        raise OUTCOMES[args.then]("so told")
    return Note(updated.note)


class Nothing(Arguments):
    pass


@tool(scope="conversations:read", risk=Risk.READ, tx=False, returns_untrusted=True)
async def read_outside(ctx: ToolContext, args: Nothing) -> list[str]:
    """Read something from outside, without a transaction."""
    async with ctx.short_tx() as tx:
        return [str(await tx.value("SELECT count(*) FROM contacts"))]


@tool(scope="contacts:write", risk=Risk.WRITE)
async def set_owner(ctx: ToolContext, args: Nothing) -> str:
    """Change something that matters."""
    return "done"


@tool(scope="contacts:write", risk=Risk.WRITE, impact=Impact.LOW, tx=False)
async def call_partner(ctx: ToolContext, args: Nothing) -> str:
    """Do something outside that cannot be repeated."""
    return "done"


class Target(Arguments):
    conversation_id: str


@tool(scope="drafts:write", risk=Risk.EXTERNAL, reach=Reach.THREAD)
async def send_now(ctx: ToolContext, args: Nothing) -> str:
    """Send something at once."""
    return "sent"


TOOLS: tuple[Tool[Any], ...] = (append_note, read_outside, set_owner, call_partner, send_now)


@pytest.fixture
def dispatcher(seat: Seat) -> Dispatcher:
    return Dispatcher(seat.db, NO_GRAPH, TOOLS)


def assisted(seat: Seat) -> Any:
    return seat.at(Autonomy.ASSIST)


async def test_a_call_returns_its_result_and_is_recorded_with_an_event(
    seat: Seat, dispatcher: Dispatcher
) -> None:
    result = await dispatcher.call(assisted(seat), "append_note", {"text": "a"}, "1")

    assert (result.status, result.decision, result.content) == ("done", "allow", {"note": "a"})
    (call,) = await seat.calls()
    assert call.id == result.tool_call_id
    assert (call.tool, call.status, call.decision, call.is_tainted) == ("append_note", "done", "allow", True)
    assert (await seat.events())[-1].type == "ai.tool.called"


async def test_the_same_call_again_returns_what_was_recorded(seat: Seat, dispatcher: Dispatcher) -> None:
    first = await dispatcher.call(assisted(seat), "append_note", {"text": "a"}, "1")

    second = await dispatcher.call(assisted(seat), "append_note", {"text": "a"}, "1")

    assert second == replace(first, is_replayed=True)
    assert await seat.note() == "a"


async def test_two_calls_at_once_with_one_key_have_one_effect(seat: Seat, dispatcher: Dispatcher) -> None:
    results = await asyncio.gather(
        *(dispatcher.call(assisted(seat), "append_note", {"text": "a"}, "1") for _ in range(5))
    )

    assert [result.content for result in results] == [{"note": "a"}] * 5
    assert sorted(result.is_replayed for result in results) == [False, True, True, True, True]
    assert await seat.note() == "a"


async def test_calls_at_once_with_keys_of_their_own_all_happen(seat: Seat, dispatcher: Dispatcher) -> None:
    await asyncio.gather(
        *(dispatcher.call(assisted(seat), "append_note", {"text": "a"}, str(key)) for key in range(5))
    )

    assert await seat.note() == "aaaaa"


@pytest.mark.parametrize(
    ("name", "arguments"), [("append_note", {"text": "b"}), ("set_owner", {"text": "a"})]
)
async def test_a_key_is_for_one_call_only(
    seat: Seat, dispatcher: Dispatcher, name: str, arguments: dict[str, str]
) -> None:
    await dispatcher.call(assisted(seat), "append_note", {"text": "a"}, "1")

    result = await dispatcher.call(assisted(seat), name, arguments, "1")

    assert (result.status, result.code) == ("failed", "conflict")
    assert await seat.note() == "a"


@pytest.mark.parametrize(
    ("then", "code", "may_retry"),
    [
        ("retry", "retry", True),
        ("failed", "failed", False),
        ("conflict", "conflict", False),
        ("internal", "internal", False),
        ("sleep", "timeout", False),
    ],
)
async def test_a_failed_call_leaves_no_rows_but_its_record(
    seat: Seat, dispatcher: Dispatcher, then: str, code: str, may_retry: bool
) -> None:
    arguments = {"text": "a", "then": then}

    result = await dispatcher.call(assisted(seat), "append_note", arguments, "1")
    again = await dispatcher.call(assisted(seat), "append_note", arguments, "1")
    other = await dispatcher.call(assisted(seat), "append_note", {"text": "b"}, "2")

    assert (result.status, result.code, result.may_retry) == ("failed", code, may_retry)
    assert result.error
    assert again == replace(result, is_replayed=True)
    assert other.is_done
    assert await seat.note() == "b"


async def test_a_deadlock_records_nothing_so_that_the_call_can_be_repeated(
    seat: Seat, dispatcher: Dispatcher
) -> None:
    with pytest.raises(psycopg.errors.DeadlockDetected):
        await dispatcher.call(assisted(seat), "append_note", {"text": "a", "then": "deadlock"}, "1")

    assert await seat.calls() == []
    assert await seat.note() == ""


async def test_a_call_after_the_run_was_taken_over_has_no_effect(seat: Seat, dispatcher: Dispatcher) -> None:
    stalled = replace(assisted(seat), run=replace(seat.ctx.run, fence=seat.ctx.run.fence - 1))

    result = await dispatcher.call(stalled, "append_note", {"text": "a"}, "1")

    assert (result.status, result.code) == ("failed", "taken_over")
    assert await seat.calls() == []
    assert await seat.note() == ""


async def test_a_call_after_the_run_ended_has_no_effect(seat: Seat, dispatcher: Dispatcher) -> None:
    async with seat.db.transaction(seat.owner, "test") as tx:
        await finish_run(tx, seat.ctx.run, RunStatus.SUCCEEDED, outcome="done")

    result = await dispatcher.call(assisted(seat), "append_note", {"text": "a"}, "1")

    assert result.code == "taken_over"


async def test_a_run_that_is_cancelled_during_a_call_loses_its_effect(seat: Seat) -> None:
    @tool(scope="contacts:write", risk=Risk.WRITE, impact=Impact.LOW)
    async def slow_note(ctx: ToolContext, args: Nothing) -> str:
        """Write a note while somebody else cancels the run."""
        edit = ContactEdit(note="too late")
        await update_contact(ctx.tx, seat.contact.id, edit, version=seat.contact.version)
        async with seat.db.transaction(seat.owner, "test") as tx:
            await cancel_run(tx, seat.ctx.run, "a person took over")
        return "written"

    dispatcher = Dispatcher(seat.db, NO_GRAPH, [slow_note])

    result = await dispatcher.call(assisted(seat), "slow_note", {}, "1")

    assert result.code == "taken_over"
    assert await seat.note() == ""
    assert await seat.calls() == []


async def test_policy_asks_and_the_call_waits_for_a_person(seat: Seat, dispatcher: Dispatcher) -> None:
    result = await dispatcher.call(seat.at(Autonomy.SUGGEST), "append_note", {"text": "a"}, "1")

    assert (result.status, result.decision, result.code) == ("asked", "ask", "asked")
    assert "waits for approval" in result.error
    (call,) = await seat.calls()
    assert (call.status, call.decision) == ("asked", "ask")
    assert await seat.note() == ""


async def test_a_denial_ends_that_action_for_the_run(seat: Seat, dispatcher: Dispatcher) -> None:
    denied = await dispatcher.call(seat.at(Autonomy.OBSERVE), "append_note", {"text": "a"}, "1")

    again = await dispatcher.call(assisted(seat), "append_note", {"text": "a"}, "2")
    other = await dispatcher.call(assisted(seat), "append_note", {"text": "b"}, "3")

    assert (denied.status, again.status, again.code) == ("refused", "refused", "denied")
    assert "before" in again.error
    assert other.is_done


async def test_a_seat_without_the_scope_is_refused(seat: Seat, dispatcher: Dispatcher) -> None:
    weak = replace(seat.ctx.principal, scopes=frozenset({"contacts:read"}))

    result = await dispatcher.call(replace(assisted(seat), principal=weak), "append_note", {"text": "a"}, "1")

    assert (result.status, result.decision, result.code) == ("refused", "deny", "forbidden")


async def test_the_budget_of_calls_ends_the_run_s_calls(seat: Seat, dispatcher: Dispatcher) -> None:
    ctx = seat.at(Autonomy.ASSIST, max_steps=2)

    results = [await dispatcher.call(ctx, "append_note", {"text": "a"}, str(key)) for key in range(3)]

    assert [result.code for result in results] == ["", "", "budget"]
    assert await seat.note() == "aa"


async def test_reading_from_outside_taints_every_later_call(seat: Seat, dispatcher: Dispatcher) -> None:
    clean = seat.at(Autonomy.ASSIST, is_tainted=False)

    before = await dispatcher.call(clean, "set_owner", {}, "1")
    read = await dispatcher.call(clean, "read_outside", {}, "2")
    after = await dispatcher.call(clean, "set_owner", {}, "3")
    low = await dispatcher.call(clean, "append_note", {"text": "a"}, "4")

    assert [before.decision, after.decision, low.decision] == ["allow", "ask", "allow"]
    assert read.is_untrusted
    assert [call.is_tainted for call in await seat.calls()] == [False, False, True, True]


@pytest.mark.parametrize(
    ("autonomy", "is_tainted", "decision"),
    [
        (Autonomy.OBSERVE, False, Decision.DENY),
        (Autonomy.SUGGEST, False, Decision.ASK),
        (Autonomy.AUTOPILOT, True, Decision.ASK),
        (Autonomy.AUTOPILOT, False, Decision.ALLOW),
    ],
)
async def test_an_outside_effect_follows_the_matrix(
    seat: Seat, dispatcher: Dispatcher, autonomy: Autonomy, is_tainted: bool, decision: Decision
) -> None:
    result = await dispatcher.call(seat.at(autonomy, is_tainted=is_tainted), "send_now", {}, "1")

    assert result.decision is decision


async def test_a_thread_tool_pointed_at_another_thread_reaches_somebody_new(seat: Seat) -> None:
    @tool(scope="drafts:write", risk=Risk.EXTERNAL, reach=Reach.THREAD)
    async def send_to(ctx: ToolContext, args: Target) -> str:
        """Send into a conversation."""
        return "sent"

    dispatcher = Dispatcher(seat.db, NO_GRAPH, [send_to])
    ctx = seat.at(Autonomy.AUTOPILOT, is_tainted=False)

    elsewhere = await dispatcher.call(ctx, "send_to", {"conversation_id": str(uuid7())}, "1")

    assert elsewhere.decision is Decision.ASK


async def test_an_unknown_tool_names_those_that_sound_like_it(seat: Seat, dispatcher: Dispatcher) -> None:
    result = await dispatcher.call(assisted(seat), "append_notes\x00", {"text": "a"}, "1")

    assert (result.status, result.code, result.may_retry) == ("failed", "unknown_tool", True)
    assert "append_note" in result.error
    assert (await seat.calls())[0].tool == "append_notes"


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"text": 5},
        {"text": "a", "unknown": 1},
        {"text": None},
        [],
        "text",
        None,
        {"text": {"deep": [[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]}},
        {"text": "a" * 70_000},
    ],
)
async def test_malformed_arguments_are_explained_and_recorded(
    seat: Seat, dispatcher: Dispatcher, arguments: object
) -> None:
    result = await dispatcher.call(assisted(seat), "append_note", arguments, "1")

    assert (result.status, result.code, result.may_retry) == ("failed", "malformed", True)
    assert "argument" in result.error
    assert await seat.note() == ""
    assert [call.status for call in await seat.calls()] == ["failed"]


async def test_a_wrong_field_is_named(seat: Seat, dispatcher: Dispatcher) -> None:
    result = await dispatcher.call(assisted(seat), "append_note", {"then": "x"}, "1")

    assert "text: Field required" in result.error
    assert "Its fields are: text, then." in result.error


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "💡" * 10, "' OR 1=1 --"])
async def test_any_text_can_be_an_argument(seat: Seat, dispatcher: Dispatcher, text: str) -> None:
    result = await dispatcher.call(assisted(seat), "append_note", {"text": text}, "1")

    assert result.is_done


async def cut_off(seat: Seat, name: str) -> None:
    """A worker that died while it ran a call outside of a transaction."""
    async with seat.db.transaction(seat.ctx.principal, "test") as tx:
        await tx.execute(
            """
            INSERT INTO tool_calls (organization_id, id, run_id, call_key, tool, risk, arguments, decision, status)
            VALUES (%(organization_id)s, gen_random_uuid(), %(run_id)s, '1', %(tool)s, 'read', '{}', 'allow', 'running')
            """,
            organization_id=tx.organization_id,
            run_id=seat.ctx.run_id,
            tool=name,
        )


async def test_a_read_that_was_cut_off_is_run_again(seat: Seat, dispatcher: Dispatcher) -> None:
    await cut_off(seat, "read_outside")

    result = await dispatcher.call(assisted(seat), "read_outside", {}, "1")

    assert (result.status, result.content) == ("done", ["1"])
    assert [call.status for call in await seat.calls()] == ["done"]


async def test_an_effect_of_unknown_fate_is_never_repeated(seat: Seat, dispatcher: Dispatcher) -> None:
    await cut_off(seat, "call_partner")

    result = await dispatcher.call(assisted(seat), "call_partner", {}, "1")

    assert (result.status, result.code) == (ToolStatus.FAILED, "unknown")
    assert [call.status for call in await seat.calls()] == ["running"]


async def test_reads_outside_a_transaction_run_once_per_key_when_recorded(
    seat: Seat, dispatcher: Dispatcher
) -> None:
    results: list[ToolResult] = await asyncio.gather(
        *(dispatcher.call(assisted(seat), "read_outside", {}, "1") for _ in range(4))
    )

    assert [result.content for result in results] == [["1"]] * 4
    assert len(await seat.calls()) == 1
