"""What a run of the memory writer is about, and what its tools returned in the numbers that a model sees."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, JsonValue

from agents.agent import Unwanted
from agents.memory_writer.contract import Known, Line, OpenPromise, Talk
from agents.said import SaidMessage, SaidMessages
from core.db import Tx
from core.errors import NotFound
from core.trust import Trust
from crm.contacts.queries import get_contact
from crm.conversations.queries import get_conversation
from crm.identity.queries import get_organization
from crm.runs.models import About, AboutKind, Run
from crm.runs.queries import find_last_about
from events.ids import ConversationId

LAST = 40
# Relations are the graph's; here are words.
_RELATIONS = frozenset({"works_at", "knows", "interacted"})


@dataclass(frozen=True)
class Subject:
    """The conversation that a run reads; `read_at` is when the run before it was asked for, which has read what was
    there."""

    conversation_id: UUID
    contact_id: UUID
    contact_name: str
    zone: ZoneInfo
    read_at: datetime | None


async def load_subject(tx: Tx, run: Run) -> Subject:
    """Raises: Unwanted when the conversation is gone."""
    if run.about_id is None:
        raise ValueError(f"The run {run.id} is about no conversation.")
    try:
        conversation = await get_conversation(tx, ConversationId(run.about_id))
    except NotFound as err:
        raise Unwanted("the conversation is gone") from err
    contact = await get_contact(tx, conversation.contact_id)
    return Subject(
        run.about_id,
        UUID(str(contact.id)),
        contact.name,
        ZoneInfo((await get_organization(tx)).time_zone),
        await find_last_about(tx, run.agent, About(AboutKind.CONVERSATION, run.about_id), before=run.id),
    )


class _Read(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Source(_Read):
    trust: Trust


class _Fact(_Read):
    id: UUID
    predicate: str
    text: str
    source: _Source


class _Facts(_Read):
    facts: tuple[_Fact, ...] = ()


class _Promise(_Read):
    id: UUID
    message_id: UUID
    is_ours: bool
    quote: str
    due_at: datetime


class _Promises(_Read):
    promises: tuple[_Promise, ...] = ()


@dataclass(frozen=True)
class Numbered:
    """The talk as a model sees it, with the ids behind its numbers."""

    talk: Talk
    messages: dict[int, UUID]
    facts: dict[int, UUID]
    promises: dict[int, UUID]


def numbered(subject: Subject, said: JsonValue, known: JsonValue, promised: JsonValue) -> Numbered:
    """Messages, facts and promises under numbers; what was never sent was never said."""
    messages = [
        one
        for one in SaidMessages.model_validate(said or {}).messages
        if one.status not in ("cancelled", "failed")
    ]
    facts = [
        one
        for one in _Facts.model_validate(known or {}).facts
        if one.predicate not in _RELATIONS and one.text
    ]
    promises = _Promises.model_validate(promised or {}).promises
    numbers = {one.id: n for n, one in enumerate(messages, 1)}
    shown = [one for one in promises if one.message_id in numbers]
    talk = Talk(
        contact=subject.contact_name,
        lines=tuple(_line(n, one, subject) for n, one in enumerate(messages, 1)),
        known=tuple(
            Known(
                n=n, predicate=one.predicate, text=one.text, is_confirmed=one.source.trust is Trust.CONFIRMED
            )
            for n, one in enumerate(facts, 1)
        ),
        promises=tuple(
            OpenPromise(
                n=n,
                message=numbers[one.message_id],
                is_ours=one.is_ours,
                quote=one.quote,
                due_at=one.due_at.astimezone(subject.zone),
            )
            for n, one in enumerate(shown, 1)
        ),
    )
    return Numbered(
        talk,
        dict(enumerate((one.id for one in messages), 1)),
        dict(enumerate((one.id for one in facts), 1)),
        dict(enumerate((one.id for one in shown), 1)),
    )


def _line(n: int, message: SaidMessage, subject: Subject) -> Line:
    return Line(
        n=n,
        author="us" if message.direction == "out" else "contact",
        text=message.text,
        at=message.occurred_at.astimezone(subject.zone),
        files=message.files,
        is_new=subject.read_at is None or message.occurred_at > subject.read_at,
    )
