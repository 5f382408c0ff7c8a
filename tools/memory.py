"""Tools over memory: what was said before, and what the organization's documents say."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import Field

from crm.conversations.queries import get_conversation
from memory import recall as recalling
from memory.knowledge import citation
from memory.models import Memory, MemoryKind
from tools.base import Arguments, Reach, Risk, Source, ToolContext, ToolFailed, tool


@dataclass(frozen=True)
class RecalledText:
    """A passage of a document, whose lines are told apart by line breaks and cells by bars, or what somebody said."""

    label: str
    text: str
    heading: str
    is_publishable: bool
    updated_at: datetime
    source: Source


@dataclass(frozen=True)
class Recollections:
    found: list[RecalledText]
    is_by_words: bool


class Recall(Arguments):
    question: str = Field(min_length=1, max_length=2000, description="In the words of whoever asks.")
    known: tuple[UUID, ...] = Field(
        (), max_length=200, description="Ids of messages that you have read already."
    )


@tool(scope="knowledge:read", risk=Risk.READ, tx=False, returns_untrusted=True, is_counterpart_safe=True)
async def recall(ctx: ToolContext, args: Recall) -> Recollections:
    """What may be told to this contact about a question: published documents, and what was said with them before."""
    # Never the model's to say: a text in the thread could ask for what somebody else wrote.
    async with ctx.short_tx() as tx:
        if ctx.run.conversation_id is None:
            raise ToolFailed("This run answers nobody outside; use recall_anywhere.")
        conversation = await get_conversation(tx, ctx.run.conversation_id)
    asked = recalling.Recall(
        args.question,
        contact_id=UUID(str(conversation.contact_id)),
        only_contact=True,
        only_publishable=True,
        shown=args.known,
    )
    recollection = await ctx.memories.recall(ctx.principal, ctx.short_tx, asked)
    return Recollections([_told(one.memory) for one in recollection.found], recollection.is_by_words)


class RecallAnywhere(Arguments):
    question: str = Field(min_length=1, max_length=2000, description="In the words of whoever asks.")
    contact_id: UUID | None = Field(None, description="Whom it is about, if about one person.")


@tool(scope="knowledge:read", risk=Risk.READ, reach=Reach.NEW, tx=False, returns_untrusted=True)
async def recall_anywhere(ctx: ToolContext, args: RecallAnywhere) -> Recollections:
    """What was said in any conversation and what any document says about a question: for colleagues only."""
    asked = recalling.Recall(
        args.question, contact_id=args.contact_id, only_contact=args.contact_id is not None
    )
    recollection = await ctx.memories.recall(ctx.principal, ctx.short_tx, asked)
    return Recollections([_told(one.memory) for one in recollection.found], recollection.is_by_words)


def _told(memory: Memory) -> RecalledText:
    heading = tuple(memory.heading)
    is_document = memory.kind is MemoryKind.CHUNK
    called = citation(memory.title, page=memory.page, heading=heading, number=memory.line or 1)
    return RecalledText(
        label=called if is_document else memory.speaker or f"{memory.occurred_at:%Y-%m-%d}",
        text=memory.text,
        heading=" › ".join(heading),
        is_publishable=memory.is_publishable,
        updated_at=memory.occurred_at,
        source=Source(
            "knowledge" if is_document else "memory",
            memory.source_id,
            memory.trust,
        ),
    )
