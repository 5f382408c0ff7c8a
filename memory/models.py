"""What is remembered: turns of conversations, their summaries, and chunks of documents."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from core.trust import Trust
from events.ids import ContactId, ConversationId, DocumentId, DocumentVersionId

MemoryId = NewType("MemoryId", UUID)


class MemoryKind(StrEnum):
    TURN = "turn"
    SUMMARY = "summary"
    CHUNK = "chunk"


class SourceKind(StrEnum):
    """What a memory was made from, and is forgotten with."""

    MESSAGE = "message"
    CONVERSATION = "conversation"
    DOCUMENT = "document"


@dataclass(frozen=True)
class Memory:
    """One thing that can be recalled, with where it comes from and how far it may be trusted."""

    id: MemoryId
    kind: MemoryKind
    source_kind: SourceKind
    source_id: UUID
    thread_id: UUID
    ordinal: int
    conversation_id: ConversationId | None
    contact_id: ContactId | None
    speaker: str
    is_ours: bool
    title: str
    heading: list[str]
    page: int | None
    line: int | None
    text: str
    trust: Trust
    is_publishable: bool
    occurred_at: datetime
    superseded_at: datetime | None


@dataclass(frozen=True)
class NewTurn:
    """A message as it was said. `ordinal` is its place in the conversation; who wrote it decides its trust."""

    message_id: UUID
    ordinal: int
    speaker: str
    is_ours: bool
    text: str
    occurred_at: datetime

    @property
    def trust(self) -> Trust:
        return Trust.CONFIRMED if self.is_ours else Trust.UNTRUSTED


@dataclass(frozen=True)
class Version:
    """The document that chunks belong to; `title` is how people call it."""

    document_id: DocumentId
    version_id: DocumentVersionId
    title: str
    is_publishable: bool
    uploaded_at: datetime


@dataclass(frozen=True)
class Unembedded:
    """A memory that waits for its vector; `before` is the turn that it answers, if it is a turn."""

    id: MemoryId
    kind: MemoryKind
    speaker: str
    title: str
    heading: list[str]
    text: str
    before: str = field(default="")

    def passage(self) -> str:
        """What is embedded: a turn with its speaker and what it answers, a chunk under its title and headings."""
        if self.kind is MemoryKind.CHUNK:
            return "\n".join([" – ".join([self.title, *self.heading]), self.text])
        said = f"{self.speaker}: {self.text}" if self.speaker else self.text
        return f"{self.before}\n{said}" if self.before else said
