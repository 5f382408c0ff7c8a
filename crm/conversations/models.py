"""Conversations, their messages and attachments, and what a channel hands in."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from events.ids import AttachmentId, ChannelAccountId, ContactId, ConversationId, DraftId, MessageId


class ConversationStatus(StrEnum):
    OPEN = "open"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"


class HolderKind(StrEnum):
    PERSON = "person"
    AGENT = "agent"
    CAMPAIGN = "campaign"


class Direction(StrEnum):
    IN = "in"
    OUT = "out"


class MessageStatus(StrEnum):
    RECEIVED = "received"
    READ = "read"
    QUEUED = "queued"
    ATTEMPTING = "attempting"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"


class HandoffReason(StrEnum):
    CUSTOMER_REQUEST = "customer_request"
    MISSING_KNOWLEDGE = "missing_knowledge"
    UNSUPPORTED_REQUEST = "unsupported_request"
    POLICY_RESTRICTION = "policy_restriction"
    TOOL_FAILURE = "tool_failure"
    PENDING_CLARIFICATION = "pending_clarification"
    USAGE_LIMIT = "usage_limit"


@dataclass(frozen=True)
class InboundAttachment:
    """A file that came with a message; `refusal` says why its content will not be fetched, if so."""

    provider_id: str
    name: str
    mime: str
    size_bytes: int
    refusal: str = ""


@dataclass(frozen=True)
class InboundMessage:
    """What a channel parsed out of one update: a message, or an edit of one, from one person in one chat.

    Ids are the channel's own, as text. `update_id` is unique per account: the same one twice is one message.
    `handles` are (kind, value) pairs that identify the sender, the surest first.
    """

    update_id: str
    chat_id: str
    message_id: str
    sender_name: str
    sender_language: str
    handles: tuple[tuple[str, str], ...]
    text: str
    occurred_at: datetime
    is_edit: bool = False
    attachments: tuple[InboundAttachment, ...] = field(default=())


class Reception(StrEnum):
    """What became of one inbound update."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"


@dataclass(frozen=True)
class Conversation:
    id: ConversationId
    channel_account_id: ChannelAccountId
    channel: str
    contact_id: ContactId
    external_id: str
    status: ConversationStatus
    snoozed_until: datetime | None
    holder_kind: HolderKind | None
    holder_id: UUID | None
    last_seq: int
    last_inbound_seq: int
    read_seq: int
    last_message_at: datetime
    handoff_reason: HandoffReason | None
    handoff_summary: str
    handoff_next_step: str


@dataclass(frozen=True)
class ConversationFilter:
    """Which conversations a list shows; None means any."""

    status: ConversationStatus | None = None
    channel: str | None = None
    contact_id: ContactId | None = None
    holder_id: UUID | None = None
    is_unread: bool | None = None


@dataclass(frozen=True)
class Message:
    id: MessageId
    conversation_id: ConversationId
    seq: int
    direction: Direction
    status: MessageStatus
    body: str
    author_kind: str
    author_id: UUID | None
    draft_id: DraftId | None
    approved_by: UUID | None
    failure: str
    occurred_at: datetime
    edited_at: datetime | None
    sent_at: datetime | None
    scheduled_at: datetime | None


@dataclass(frozen=True)
class Attachment:
    id: AttachmentId
    message_id: MessageId
    name: str
    mime: str
    size_bytes: int
    status: str
    refusal: str
    provider_id: str
    blob_key: str | None


@dataclass(frozen=True)
class Attempt:
    """One claimed attempt to send a message: all that a channel needs, and the fence that guards the outcome."""

    message_id: MessageId
    conversation_id: ConversationId
    channel_account_id: ChannelAccountId
    channel: str
    chat_id: str
    body: str
    key: UUID
    fence: int
