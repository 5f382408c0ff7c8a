"""Tools over notes."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import Field

from core.trust import Trust
from crm.notes import actions as notes
from crm.notes import queries
from crm.notes.models import Note
from crm.records.models import RecordRef
from events.ids import NoteId, RecordKind
from tools.base import Arguments, Impact, Risk, Source, ToolContext, tool


@dataclass(frozen=True)
class NoteCard:
    id: NoteId
    record_kind: RecordKind
    record_id: UUID
    body: str
    created_at: datetime
    source: Source


@dataclass(frozen=True)
class NoteList:
    notes: list[NoteCard]


class CreateNote(Arguments):
    record_kind: RecordKind = Field(description="What the note is about.")
    record_id: UUID
    body: str = Field(min_length=1, max_length=8192, description="Plain text, for colleagues only.")


@tool(scope="notes:write", risk=Risk.WRITE, impact=Impact.LOW)
async def create_note(ctx: ToolContext, args: CreateNote) -> NoteCard:
    """Write something down about a contact, company, lead or deal, for colleagues to read."""
    return _card(await notes.create_note(ctx.tx, RecordRef(args.record_kind, args.record_id), args.body))


class ListNotes(Arguments):
    record_kind: RecordKind
    record_id: UUID
    limit: int = Field(20, ge=1, le=50)


@tool(scope="notes:read", risk=Risk.READ, returns_untrusted=True)
async def list_notes(ctx: ToolContext, args: ListNotes) -> NoteList:
    """What colleagues wrote down about a contact, company, lead or deal, the newest first."""
    record = RecordRef(args.record_kind, args.record_id)
    page = await queries.list_notes(ctx.tx, record, limit=args.limit)
    return NoteList([_card(note) for note in page.items])


def _card(note: Note) -> NoteCard:
    # Colleagues paste into notes what others wrote, and an agent words one after reading it: nobody vouches for a note.
    return NoteCard(
        id=note.id,
        record_kind=note.record_kind,
        record_id=note.record_id,
        body=note.body,
        created_at=note.created_at,
        source=Source("note", note.id, Trust.QUARANTINED),
    )
