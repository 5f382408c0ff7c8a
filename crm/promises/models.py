"""A promise is words of a message with a time by which they bind somebody."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from events.ids import ContactId, ConversationId, MessageId, PromiseId, RunId

MAX_QUOTE = 500
DUE = "promise.due"
# Nobody is reminded in the very minute.
GRACE = timedelta(hours=1)


class PromiseStatus(StrEnum):
    OPEN = "open"
    KEPT = "kept"
    DROPPED = "dropped"


@dataclass(frozen=True)
class NewPromise:
    """`quote` are the message's own words; whose promise it is, the message says."""

    message_id: MessageId
    quote: str
    due_at: datetime


@dataclass(frozen=True)
class Promise:
    """`is_ours` says whose word it is; `kept_message_id` is the message that shows that it was kept, if one does."""

    id: PromiseId
    conversation_id: ConversationId
    contact_id: ContactId
    contact_name: str
    message_id: MessageId
    is_ours: bool
    quote: str
    made_at: datetime
    due_at: datetime
    status: PromiseStatus
    kept_message_id: UUID | None
    noted_at: datetime
    run_id: RunId | None
