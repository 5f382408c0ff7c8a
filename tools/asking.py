"""Calls that wait for a person: the card that is made of one, and what is checked again once it is approved."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import BaseModel, JsonValue

from core.db import Tx
from core.principal import Principal
from crm.bidi.queries import get_bidi
from crm.runs import asked_calls, tool_calls
from crm.runs.asked_calls import NewAsk
from crm.runs.queries import get_run
from crm.runs.tool_calls import ToolCall
from crm.runs.touched import find_touched
from events.ids import ApprovalId
from tools import gate, provenance, wire
from tools.base import Decision, RunContext, Tool, ToolResult, ToolRetry, ToolStatus


async def ask(
    tx: Tx,
    ctx: RunContext,
    verdict: gate.Asked,
    arguments: dict[str, JsonValue],
    call_id: UUID,
    untrusted_tools: Sequence[str],
) -> ToolResult:
    """Put the call on a card with what it touches and where its values come from; the run goes on without it."""
    records, missing = await find_touched(tx, arguments)
    if missing:
        why = f"{', '.join(missing)}: there is no such record; look it up and ask again."
        return ToolResult(ToolStatus.FAILED, Decision.ASK, error=why, code="not_found", may_retry=True)
    heard = await provenance.heard_by(tx, ctx, untrusted_tools)
    named = {str(record.id) for record in records}
    marks = [
        mark
        for mark in provenance.marks_of(arguments, heard, is_tainted=verdict.is_tainted)
        # the card shows by its name which record it is; where its id was read tells nobody anything
        if mark.value not in named
    ]
    approval_id = await asked_calls.ask_about_call(
        tx,
        call_id,
        NewAsk(
            run_id=ctx.run_id,
            bidi_id=ctx.bidi.id,
            tool=verdict.tool.name,
            arguments=arguments,
            scope=verdict.tool.scope,
            why=verdict.why,
            records=tuple(records),
            marks=provenance.as_rows(marks),
            assignee_id=ctx.principal.behalf_of,
        ),
    )
    return gate.asked(verdict.tool.name, approval_id)


@dataclass(frozen=True)
class Approved:
    """A call to be carried out; `ctx` acts as the seat, within what the approver may do, because of the decision."""

    approval_id: ApprovalId
    ctx: RunContext
    call: ToolCall
    records: list[dict[str, JsonValue]]


async def load(tx: Tx, approval_id: ApprovalId, cause: Principal) -> Approved | None:
    """What is to be carried out, or None."""
    approved = await asked_calls.find_approved_call(tx, approval_id)
    if approved is None:
        return None
    run = await get_run(tx, approved.run_id)
    bidi = await get_bidi(tx, approved.bidi_id)
    call = await tool_calls.lock_tool_call(tx, approved.tool_call_id)
    seat = bidi.principal(run.id).on_behalf_of(approved.approver(tx.organization_id))
    if cause.causation_id is not None:
        seat = seat.caused_by(cause.causation_id, cause.correlation_id)
    ctx = RunContext(run, bidi, seat, is_tainted=call.is_tainted, model=run.model)
    return Approved(approval_id, ctx, call, approved.records)


async def take(tx: Tx, approved: Approved) -> ToolCall:
    """The call as it stands, held until this transaction ends: deliveries of one decision take turns."""
    await tool_calls.take_turn(tx, approved.ctx.run_id)
    return await tool_calls.lock_tool_call(tx, approved.call.id)


async def judge(tx: Tx, approved: Approved, tool: Tool[BaseModel]) -> BaseModel | ToolResult:
    """The arguments, if everything that was true when it was asked is true now."""
    ctx = approved.ctx
    try:
        args = wire.parse(tool, approved.call.arguments)
    except ToolRetry as err:
        return _not_done("malformed", str(err))
    if ctx.bidi.is_paused:
        return _not_done("paused", f"{ctx.bidi.name} is paused; nothing is done in its name.")
    if not ctx.bidi.principal().may(tool.scope):
        return _not_done("forbidden", f"{ctx.bidi.name} does not hold {tool.scope} any more.")
    if not ctx.principal.may(tool.scope):
        return _not_done("forbidden", f"Whoever approved it does not hold {tool.scope} any more.")
    state = gate.State(approved.call.is_tainted)
    if await gate.decision_of(tx, ctx, tool, args, state) is Decision.DENY:
        return _not_done("denied", f"Policy denies {tool.name} to this seat now.")
    changed = await _changed(tx, approved)
    if changed:
        return _not_done(
            "changed", f"Changed since it was asked: {', '.join(changed)}. Ask again with what is there now."
        )
    return args


async def _changed(tx: Tx, approved: Approved) -> list[str]:
    """The names of what is not at the version that the agent saw, or not there any more."""
    now, _ = await find_touched(tx, approved.call.arguments, lock=True)
    versions = {(record.kind, str(record.id)): record.version for record in now}
    return [
        str(record["name"])
        for record in approved.records
        if versions.get((str(record["kind"]), str(record["id"]))) != record["version"]
    ]


async def follow_own_changes(tx: Tx, approved: Approved) -> None:
    """What a run has changed itself is no news to the calls of it that still wait."""
    seen = {(str(record["kind"]), str(record["id"])): record["version"] for record in approved.records}
    now, _ = await find_touched(tx, approved.call.arguments)
    for record in now:
        before = seen.get((record.kind, str(record.id)))
        if isinstance(before, int) and before != record.version:
            await asked_calls.follow_version(tx, approved.ctx.run_id, record, before)


def _not_done(code: str, why: str) -> ToolResult:
    return ToolResult(ToolStatus.FAILED, Decision.ASK, error=why, code=code)
