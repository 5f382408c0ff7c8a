"""The tool that proposes next steps: what it would do is checked now, and done once a person accepts it."""

from dataclasses import asdict, dataclass
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, JsonValue

from core.trust import Trust
from crm.drafts.models import EvidenceKind
from crm.promises.queries import get_promise
from crm.records.models import RecordRef
from crm.runs import tool_calls
from crm.runs.touched import find_touched
from crm.suggestions import actions as suggestions
from crm.suggestions.models import Evidence, NewSuggestion, ProposedCall, SuggestionKind
from events.ids import ConversationId, PromiseId, RecordKind, SuggestionId
from tools import deals, drafts, gate, notes, provenance, tasks, wire
from tools.base import (
    Arguments,
    Decision,
    Reach,
    Risk,
    Source,
    Tool,
    ToolContext,
    ToolFailed,
    ToolRetry,
    tool,
)

# What a suggestion may come to. Nothing of it leaves the house: a draft waits for its own approval.
_TOOLS: tuple[Tool[Any], ...] = (
    tasks.create_task,
    notes.create_note,
    drafts.draft_reply,
    deals.move_deal_stage,
    deals.update_deal_next_step,
)
PROPOSABLE = {one.name: one for one in _TOOLS}
# These change nothing that is there.
_ONLY_ADD = frozenset({"create_task", "create_note"})


class CallArgument(Arguments):
    """One thing to do."""

    tool: Literal["create_task", "create_note", "draft_reply", "move_deal_stage", "update_deal_next_step"]
    arguments: dict[str, JsonValue] = Field(description="As that tool takes them.")


class EvidenceArgument(Arguments):
    """One thing that it rests on, as a tool returned it."""

    kind: EvidenceKind
    source_id: UUID
    label: str = Field(max_length=200)
    quote: str = Field("", max_length=500)


class SuggestNextStep(Arguments):
    kind: SuggestionKind
    record_kind: RecordKind
    record_id: UUID = Field(description="Whom or what it is about.")
    promise_id: UUID | None = Field(None, description="Of the kind promise: which one.")
    conversation_id: UUID | None = Field(None, description="The conversation that it comes from.")
    title: str = Field(min_length=1, max_length=300, description="What to do, in one line, for a colleague.")
    why: str = Field("", max_length=1000, description="Why now, in a sentence.")
    evidence: tuple[EvidenceArgument, ...] = Field((), max_length=10)
    calls: tuple[CallArgument, ...] = Field(min_length=1, max_length=5)


@dataclass(frozen=True)
class SuggestionRef:
    id: SuggestionId
    status: str
    source: Source


@tool(scope="suggestions:write", risk=Risk.WRITE, reach=Reach.ORG)
async def suggest_next_step(ctx: ToolContext, args: SuggestNextStep) -> SuggestionRef:
    """Propose to colleagues what to do next. It is done when one of them accepts it; the same is not proposed twice."""
    if (args.kind is SuggestionKind.PROMISE) != (args.promise_id is not None):
        raise ToolRetry("promise_id belongs to the kind promise, and to no other.")
    if args.promise_id is not None:
        await get_promise(ctx.tx, PromiseId(args.promise_id))
    # as for drafts: whatever was read may have put it there, and each part says itself how far it is trusted
    called = sorted(await tool_calls.list_called_tools(ctx.tx, ctx.run.run_id))
    heard = await provenance.heard_by(ctx.tx, ctx.run, called)
    is_tainted = ctx.run.is_tainted or bool(called)
    made = await suggestions.make_suggestion(
        ctx.tx,
        NewSuggestion(
            kind=args.kind,
            record=RecordRef(args.record_kind, args.record_id),
            title=args.title,
            why=args.why,
            calls=tuple([await _checked(ctx, call, heard, is_tainted=is_tainted) for call in args.calls]),
            evidence=tuple(_evidence(one, args) for one in args.evidence),
            run_id=ctx.run.run_id,
            bidi_id=ctx.run.bidi.id,
            is_tainted=is_tainted,
            promise_id=None if args.promise_id is None else PromiseId(args.promise_id),
            conversation_id=None if args.conversation_id is None else ConversationId(args.conversation_id),
        ),
    )
    return SuggestionRef(made.id, made.status, Source("suggestion", made.id, Trust.QUARANTINED))


async def _checked(
    ctx: ToolContext, call: CallArgument, heard: list[provenance.Heard], *, is_tainted: bool
) -> ProposedCall:
    """The call as it will be made, if the seat may make it at all. Raises: ToolRetry, ToolFailed."""
    proposed = PROPOSABLE[call.tool]
    args: BaseModel = wire.parse(proposed, call.arguments)
    if not ctx.run.bidi.principal().may(proposed.scope):
        raise ToolFailed(f"This seat does not hold {proposed.scope}; {call.tool} needs it.")
    decision = await gate.decision_of(ctx.tx, ctx.run, proposed, args, gate.State(is_tainted))
    if decision is Decision.DENY:
        raise ToolFailed(f"Policy denies {call.tool} to this seat; suggest something else.")
    records, missing = await find_touched(ctx.tx, call.arguments)
    if missing:
        raise ToolRetry(f"{', '.join(missing)}: there is no such record; look it up and suggest again.")
    named = {str(record.id) for record in records}
    marks = [
        mark
        for mark in provenance.marks_of(call.arguments, heard, is_tainted=is_tainted)
        if mark.value not in named and not mark.path.startswith("evidence")
    ]
    return ProposedCall(
        tool=proposed.name,
        arguments=call.arguments,
        risk=proposed.risk.value,
        scope=proposed.scope,
        only_adds=proposed.name in _ONLY_ADD,
        records=[asdict(record) for record in records],
        marks=[dict(row) for row in provenance.as_rows(marks)],
    )


def _evidence(one: EvidenceArgument, args: SuggestNextStep) -> Evidence:
    is_said = one.kind in (EvidenceKind.MESSAGE, EvidenceKind.MEMORY)
    return Evidence(one.kind, one.source_id, one.label, one.quote, args.conversation_id if is_said else None)
