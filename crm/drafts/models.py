"""Drafts, what they rest on, and what a reviewer should look at first."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from events.ids import BidiId, ContactId, ConversationId, DraftId, RunId, UserId


class DraftStatus(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class IncidentKind(StrEnum):
    """What may befall a reply that was sent: we took it back, or the contact complained about it."""

    RECALLED = "recalled"
    COMPLAINED = "complained"


class EvidenceKind(StrEnum):
    MESSAGE = "message"
    FACT = "fact"
    DEAL = "deal"
    COMPANY = "company"
    CONTACT = "contact"
    TASK = "task"
    RELATIONSHIP = "relationship"
    KNOWLEDGE = "knowledge"  # the source is the document, the quote its line
    MEMORY = "memory"


@dataclass(frozen=True)
class Evidence:
    """One thing a draft rests on; `statement` is the exact part of the body that rests on it, or empty."""

    kind: EvidenceKind
    source_id: UUID
    label: str
    quote: str
    statement: str = ""
    occurred_at: datetime | None = None
    trust: str = "confirmed"
    is_used: bool = True


@dataclass(frozen=True)
class Flag:
    """Something in the body that a person should check before it goes out.

    `kind` is one of: unsourced_value, untrusted_value, new_address, new_link, language, moved_on, mixed_script, hidden_text,
    sources_differ, wrong_name, promise, feedback.
    """

    kind: str
    value: str
    text: str = ""


@dataclass(frozen=True)
class Origin:
    """Which run wrote a draft, how, and how far it had read the conversation."""

    run_id: RunId | None
    bidi_id: BidiId
    based_on_seq: int
    generation: int
    model: str
    prompt: str = ""


@dataclass(frozen=True)
class Draft:
    id: DraftId
    conversation_id: ConversationId
    contact_id: ContactId
    bidi_id: BidiId
    run_id: RunId | None
    status: DraftStatus
    version: int
    body: str
    original_body: str | None
    language: str
    based_on_seq: int
    answers: int
    content_hash: str
    flags: list[dict[str, str]]
    model: str
    reason: str
    checked_by: UserId | None
    edited_by: UserId | None
    created_at: datetime

    @property
    def needs_check(self) -> bool:
        """Flagged, and nobody has said that it was checked."""
        return bool(self.flags) and self.checked_by is None


@dataclass(frozen=True)
class NewDraft:
    """What an agent proposes to send into a conversation; `why` says, as codes, why it does not send it itself,
    `intents` what the contact wants, as triage named it."""

    conversation_id: ConversationId
    body: str
    language: str
    evidence: tuple[Evidence, ...] = field(default=())
    flags: tuple[Flag, ...] = field(default=())
    why: tuple[str, ...] = ()
    intents: tuple[str, ...] = ()
