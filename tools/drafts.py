"""Tools over drafts: what an agent proposes to send."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from core.trust import Trust
from crm.drafts import actions as drafts
from crm.drafts import queries
from crm.drafts.models import Draft, Evidence, EvidenceKind, Flag, NewDraft, Origin
from crm.runs import tool_calls
from events.ids import ConversationId, DraftId
from tools import provenance
from tools.base import Arguments, Reach, Risk, ToolContext, ToolFailed, ToolRetry, tool
from tools.guard import Source, inspect

# Spaces at the ends belong to it: it must stand in the body letter by letter.
Verbatim = Annotated[str, StringConstraints(strip_whitespace=False, max_length=4096)]


@dataclass(frozen=True)
class DraftRef:
    id: DraftId
    conversation_id: ConversationId
    status: str
    version: int


class EvidenceArgument(Arguments):
    """One thing that the reply rests on, as a tool returned it."""

    kind: EvidenceKind
    source_id: UUID
    label: str = Field(max_length=200)
    quote: Verbatim = Field("", description="The words of the source.")
    statement: Verbatim = Field("", description="The exact part of the body that rests on it.")
    occurred_at: AwareDatetime | None = None
    trust: Trust = Trust.CONFIRMED
    is_used: bool = True


class FlagArgument(Arguments):
    """Something in the body that a person should look at first."""

    kind: str = Field(max_length=50)
    value: str = Field("", max_length=500)
    text: str = Field("", max_length=500)


IntentName = Annotated[str, Field(max_length=50)]


class DraftReply(Arguments):
    conversation_id: UUID
    body: str = Field(min_length=1, max_length=4096, description="Plain text, in the contact's language.")
    language: str = Field("en", pattern=r"^[a-z]{2}$")
    evidence: tuple[EvidenceArgument, ...] = Field((), max_length=50)
    flags: tuple[FlagArgument, ...] = Field((), max_length=50)
    intents: tuple[IntentName, ...] = Field(
        (), max_length=10, description="What the contact wants, each as triage names it."
    )


@tool(scope="drafts:write", risk=Risk.PROPOSE, reach=Reach.THREAD, is_counterpart_safe=True)
async def draft_reply(ctx: ToolContext, args: DraftReply) -> DraftRef:
    """Propose a reply. It is sent only after approval."""
    return _ref(await _propose(ctx, args))


# So many words in a row that only somebody outside has said are no chance.
_COPIED = 5
# What a text from outside leaves in a body. Whether the rest is borne out is for the agent, which knows its evidence.
_FROM_OUTSIDE = frozenset({"new_address", "new_link", "untrusted_value", "hidden_text"})


async def _flags(ctx: ToolContext, args: DraftReply) -> tuple[Flag, ...]:
    """What the caller flagged, and what the text gives away by itself: who obeys somebody outside flags nothing."""
    given = [Flag(**flag.model_dump()) for flag in args.flags]
    called = await tool_calls.list_called_tools(ctx.tx, ctx.run.run_id)
    heard = await provenance.heard_by(ctx.tx, ctx.run, sorted(called))
    sources = [Source(one.plain, one.trust) for one in heard]
    # whoever decides instead of the agent is told what kept it from sending
    is_held = "guard" in ctx.why
    found = [
        Flag(mark.kind, mark.value, mark.text)
        for mark in inspect(args.body, sources, language=args.language)
        if is_held or mark.kind in _FROM_OUTSIDE
    ]
    copied = [
        Flag(mark.kind, mark.value, mark.quote)
        for mark in provenance.marks_of({"body": args.body}, heard, is_tainted=True)
        if mark.kind == provenance.UNTRUSTED and len(mark.value.split()) >= _COPIED
    ]
    known = {(flag.kind, flag.value) for flag in given}
    new = [flag for flag in dict.fromkeys([*found, *copied]) if (flag.kind, flag.value) not in known]
    return (*given, *new)


async def _propose(ctx: ToolContext, args: DraftReply) -> Draft:
    run = ctx.run.run
    new = NewDraft(
        conversation_id=ConversationId(args.conversation_id),
        body=args.body,
        language=args.language,
        evidence=tuple(Evidence(**evidence.model_dump()) for evidence in args.evidence),
        flags=await _flags(ctx, args),
        why=ctx.why,
        intents=args.intents,
    )
    origin = Origin(
        run_id=run.id,
        bidi_id=ctx.run.bidi.id,
        based_on_seq=await _read_up_to(ctx, new.conversation_id),
        generation=run.generation,
        model=ctx.run.model,
        prompt=ctx.run.prompt,
    )
    return await drafts.create_draft(ctx.tx, new, origin)


async def _read_up_to(ctx: ToolContext, conversation_id: ConversationId) -> int:
    """Up to which message this run knows the conversation. Raises: ToolRetry when it has not read it."""
    if ctx.run.conversation_id is not None:
        return ctx.run.run.based_on_seq or 0
    seen = await tool_calls.find_last_result(
        ctx.tx, ctx.run.run_id, "read_conversation", {"conversation_id": str(conversation_id)}
    )
    if seen is None:
        raise ToolRetry("You have not read this conversation; call read_conversation first, then propose.")
    return int(seen["last_inbound_seq"])


class SendReply(DraftReply):
    intents: tuple[IntentName, ...] = Field(
        max_length=10,
        description="What the contact wants, each as triage names it; all must be on autopilot.",
    )


@dataclass(frozen=True)
class Sent:
    """`is_sent` says whether the reply goes out; otherwise it is a draft and waits for a person."""

    is_sent: bool
    draft: DraftRef


async def _draft_instead(ctx: ToolContext, args: SendReply) -> Sent:
    return Sent(False, _ref(await _propose(ctx, args)))


@tool(
    scope="drafts:write",
    risk=Risk.EXTERNAL,
    reach=Reach.THREAD,
    is_counterpart_safe=True,
    otherwise=_draft_instead,
)
async def send_reply(ctx: ToolContext, args: SendReply) -> Sent:
    """Answer the contact in this thread at once, where the policy lets you; otherwise it becomes a draft."""
    draft = await _propose(ctx, args)
    return Sent(True, _ref(await drafts.send_by_policy(ctx.tx, draft.id)))


class WithdrawDraft(Arguments):
    draft_id: UUID
    reason: str = Field(min_length=1, max_length=300)


@tool(scope="drafts:write", risk=Risk.PROPOSE, reach=Reach.THREAD, is_counterpart_safe=True)
async def withdraw_draft(ctx: ToolContext, args: WithdrawDraft) -> DraftRef:
    """Take back a reply that you proposed and nobody has decided about."""
    draft = await queries.get_draft(ctx.tx, DraftId(args.draft_id))
    if draft.bidi_id != ctx.run.bidi.id:
        raise ToolFailed("This draft is not yours; its author or a person can take it back.")
    if ctx.run.conversation_id not in (None, draft.conversation_id):
        raise ToolFailed("This draft belongs to another conversation than the one that you serve; leave it.")
    return _ref(await drafts.withdraw_draft(ctx.tx, draft.id, reason=args.reason))


def _ref(draft: Draft) -> DraftRef:
    return DraftRef(draft.id, draft.conversation_id, draft.status, draft.version)
