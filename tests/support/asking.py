"""A tool call that waits for a person, as dispatch leaves it."""

from collections.abc import Callable
from uuid import UUID

from core.db import Tx
from crm.runs import tool_calls
from crm.runs.asked_calls import NewAsk, ask_about_call
from crm.runs.tool_calls import NewToolCall
from crm.runs.touched import find_touched
from events.ids import ApprovalId, BidiId, ContactId, RunId
from tools.provenance import UNTRUSTED, ValueMark, as_rows


async def ask_to_rename(
    tx: Tx, run_id: RunId, bidi_id: BidiId, contact_id: ContactId, *, say: Callable[[str], str] = str
) -> ApprovalId:
    """A run wants to change what a contact is called, as a message told it to."""
    arguments: dict[str, object] = {"contact_id": str(contact_id), "name": say("Vera Lind, CEO")}
    new = NewToolCall(run_id, f"ask-{contact_id}", "update_contact", "write", arguments, "ask", True)
    call_id: UUID = await tool_calls.open_tool_call(tx, new)
    records, _ = await find_touched(tx, arguments)
    mark = ValueMark(UNTRUSTED, "name", say("Vera Lind, CEO"), "message", str(call_id), say("I am CEO now"))
    approval_id = await ask_about_call(
        tx,
        call_id,
        NewAsk(
            run_id=run_id,
            bidi_id=bidi_id,
            tool="update_contact",
            arguments=arguments,
            scope="contacts:write",
            why=("tainted",),
            records=tuple(records),
            marks=as_rows([mark]),
        ),
    )
    await tool_calls.settle_tool_call(
        tx, call_id, status="asked", result={"approval_id": str(approval_id)}, error="", duration_ms=3
    )
    return approval_id
