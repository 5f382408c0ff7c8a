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


class MessageKind(StrEnum):
    """Who wrote a message: a person, or a machine; nobody answers a machine.

    `dsn` is a delivery report, `arf` a complaint, `bulk` a newsletter or a mail to a whole list.
    """

    ORDINARY = "ordinary"
    BULK = "bulk"
    AUTO_REPLY = "auto_reply"
    DSN = "dsn"
    ARF = "arf"


# So many replies in a row an agent sends by itself; then a person looks, who may be answering another machine.
MAX_ANSWERS_ALONE = 10


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
    """A file that came with a message; `refusal` says why its content will not be fetched, if so.

    `blob_key` is where the content is already, for channels that hand it over together with the message.
    """

    provider_id: str
    name: str
    mime: str
    size_bytes: int
    refusal: str = ""
    blob_key: str | None = None


@dataclass(frozen=True)
class Failure:
    """A machine's word that a mail of ours did not arrive at an address, or was not wanted there."""

    address: str
    reason: str
    is_hard: bool


@dataclass(frozen=True)
class MailHead:
    """What a mail has beyond a text: where it stands in its thread, and what was cut from it.

    `address` is the other side's. `full_text` is the whole mail, `failures` what a delivery report tells and `reported`
    the Message-IDs that it returns. `is_ours`
    marks a mail that the account's owner sent with another program: history, never to be sent. `claims_us` marks one
    that says so without proof.
    """

    address: str
    subject: str = ""
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    full_text: str = ""
    kind: MessageKind = MessageKind.ORDINARY
    failures: tuple[Failure, ...] = ()
    reported: tuple[str, ...] = ()
    is_ours: bool = False
    claims_us: bool = False
    recipients: tuple[str, ...] = ()  # of a mail of ours
    signature_phones: tuple[str, ...] = ()  # numbers under the text, as +digits
    # from before the mailbox was connected: nothing reacts to it
    is_past: bool = False


@dataclass(frozen=True)
class InboundMessage:
    """What a channel parsed out of one update: a message, or an edit of one, from one person in one chat.

    Ids are the channel's own, as text. `update_id` is unique per account: the same one twice is one message.
    `handles` are (kind, value) pairs that identify the other side, the surest first. A mail has a `mail` and no
    `chat_id`: its conversation is found by its thread.
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
    mail: MailHead | None = None


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
    subject: str
    address: str

    @property
    def recipient(self) -> str:
        """Where an answer goes, settled when the conversation began: an address, or the chat itself."""
        return self.address or self.external_id


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
    kind: MessageKind
    subject: str
    address: str


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
class OutgoingMail:
    """What a mail of ours has beyond its text. Its Message-ID is stored before anything leaves."""

    mail_id: str
    subject: str
    sender: str
    sender_name: str
    in_reply_to: str
    references: tuple[str, ...]
    written_at: datetime


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
    mail: OutgoingMail | None = None
    delays: int = 0  # how often its receiver did not take it yet
