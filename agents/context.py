"""What a run knows before its first tool call: the thread that it serves, loaded under the seat's own eyes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from core.db import Tx
from crm.companies.queries import get_company
from crm.contacts.models import Contact
from crm.contacts.queries import get_contact
from crm.conversations.models import Conversation, Direction, Message, MessageKind, MessageStatus
from crm.conversations.queries import count_answers_alone, get_conversation, list_attachments, list_messages
from crm.runs.models import Run
from events.ids import ConversationId, MessageId

# A silence after which a new line begins a new burst.
BURST_GAP = timedelta(hours=12)
HISTORY = 40


@dataclass(frozen=True)
class Line:
    """One message of the thread, from either side; `files` are the names of what came with it."""

    id: MessageId
    is_ours: bool
    text: str
    at: datetime
    files: tuple[str, ...]


@dataclass(frozen=True)
class Thread:
    """A conversation as one run sees it: what waits for an answer, what came before, and with whom.

    `answers_alone` is how many replies in a row agents have sent without a person.
    """

    conversation: Conversation
    contact: Contact
    company: str
    burst: tuple[Line, ...]
    history: tuple[Line, ...]
    answers_alone: int = 0


async def load_thread(tx: Tx, run: Run, *, as_then: bool = False) -> Thread:
    """The thread up to the newest message that the run covers; a resumed run sees the same.

    `as_then` leaves out what we ourselves wrote since, as its own reply.
    """
    conversation = await get_conversation(tx, served(run))
    contact = await get_contact(tx, conversation.contact_id)
    company = await get_company(tx, contact.company_id) if contact.company_id else None
    lines = await _lines(tx, run, up_to=run.based_on_seq if as_then else None)
    start = _burst_start(lines)
    return Thread(
        conversation,
        contact,
        company.name if company else "",
        tuple(lines[start:]),
        tuple(lines[:start]),
        await count_answers_alone(tx, conversation.id),
    )


def served(run: Run) -> ConversationId:
    """The conversation of a run that serves one, as every run of the inbox does."""
    if run.conversation_id is None:
        raise ValueError(f"The run {run.id} serves no conversation.")
    return run.conversation_id


async def _lines(tx: Tx, run: Run, *, up_to: int | None) -> list[Line]:
    found = await list_messages(tx, served(run), last=HISTORY, up_to=up_to)
    messages = [message for message in found if _is_seen(message, run)]
    files = await _files(tx, messages)
    return [
        Line(
            message.id,
            message.direction is Direction.OUT,
            message.body,
            message.occurred_at,
            tuple(files.get(message.id, ())),
        )
        for message in messages
    ]


def _is_seen(message: Message, run: Run) -> bool:
    """What was never sent was never said, a machine's words are nobody's, and what came after the run began is the next run's."""
    if message.direction is Direction.OUT:
        return message.status not in (MessageStatus.CANCELLED, MessageStatus.FAILED)
    if message.kind is not MessageKind.ORDINARY:
        return False
    return run.based_on_seq is None or message.seq <= run.based_on_seq


async def _files(tx: Tx, messages: list[Message]) -> dict[MessageId, list[str]]:
    named: dict[MessageId, list[str]] = {}
    for attachment in await list_attachments(tx, [UUID(str(message.id)) for message in messages]):
        named.setdefault(attachment.message_id, []).append(attachment.name)
    return named


def _burst_start(lines: list[Line]) -> int:
    """Where the unanswered messages begin; a run that was asked for after our answer takes up the last burst."""
    end = len(lines)
    while end and lines[end - 1].is_ours:
        end -= 1
    if end == 0:
        return len(lines)
    start = end - 1
    while start and _go_together(lines[start - 1], lines[start]):
        start -= 1
    return start


def _go_together(earlier: Line, later: Line) -> bool:
    """Whether a line belongs to the same burst; what was left unanswered days ago is history by now."""
    return not earlier.is_ours and later.at - earlier.at < BURST_GAP
