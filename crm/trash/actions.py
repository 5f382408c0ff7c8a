"""Taking things out of the trash, each by the action of its noun."""

from typing import assert_never
from uuid import UUID

from core.db import Tx
from crm.companies.actions import restore_company
from crm.contacts.actions import restore_contact
from crm.deals.actions import restore_deal
from crm.files.actions import restore_file
from crm.knowledge.actions import restore_document
from crm.leads.actions import restore_lead
from crm.meetings.actions import restore_meeting
from crm.notes.actions import restore_note
from crm.tasks.actions import restore_task
from crm.trash.models import TrashKind
from events.ids import (
    CompanyId,
    ContactId,
    DealId,
    DocumentId,
    FileId,
    LeadId,
    MeetingId,
    NoteId,
    TaskId,
)


async def restore(tx: Tx, kind: TrashKind, id: UUID) -> None:
    """Take one thing out of the trash; what is not in it stays as it is.

    Raises: NotFound; Conflict when something else has its place by now.
    """
    match kind:
        case TrashKind.CONTACT:
            await restore_contact(tx, ContactId(id))
        case TrashKind.COMPANY:
            await restore_company(tx, CompanyId(id))
        case TrashKind.DEAL:
            await restore_deal(tx, DealId(id))
        case TrashKind.LEAD:
            await restore_lead(tx, LeadId(id))
        case TrashKind.TASK:
            await restore_task(tx, TaskId(id))
        case TrashKind.MEETING:
            await restore_meeting(tx, MeetingId(id))
        case TrashKind.NOTE:
            await restore_note(tx, NoteId(id))
        case TrashKind.FILE:
            await restore_file(tx, FileId(id))
        case TrashKind.DOCUMENT:
            await restore_document(tx, DocumentId(id))
        case _:
            assert_never(kind)
