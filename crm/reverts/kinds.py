"""How each kind of thing is read, changed and put away: by the actions of its noun."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, get_type_hints
from uuid import UUID

from pydantic import TypeAdapter

from core.db import Tx
from crm.companies import actions as companies
from crm.companies.models import Company, CompanyEdit
from crm.companies.queries import get_company
from crm.contacts import actions as contacts
from crm.contacts.models import Contact, ContactEdit
from crm.contacts.queries import get_contact
from crm.deals import actions as deals
from crm.deals.models import Deal, DealEdit
from crm.deals.queries import get_deal
from crm.leads import actions as leads
from crm.leads.models import Lead, LeadEdit
from crm.leads.queries import get_lead
from crm.meetings import actions as meetings
from crm.meetings.models import MeetingEdit, MeetingLine
from crm.meetings.queries import get_meeting
from crm.notes import actions as notes
from crm.notes.models import Note
from crm.notes.queries import get_note
from crm.tasks import actions as tasks
from crm.tasks.models import Task, TaskEdit
from crm.tasks.queries import get_task


@dataclass(frozen=True)
class Kind:
    """`edit` holds new values of some fields; a note has only words."""

    model: type[Any]
    edit: type[Any] | None
    get: Callable[..., Awaitable[Any]]
    update: Callable[..., Awaitable[Any]]
    remove: Callable[[Tx, Any], Awaitable[Any]]

    def takes(self, name: str) -> bool:
        """Whether an edit may give this field a value."""
        if name.startswith("custom."):
            return "custom" in self._names()
        if name in ("record_kind", "record_id"):
            return "record" in self._names()
        return name in self._names()

    def _names(self) -> set[str]:
        return {field.name for field in fields(self.edit)} if self.edit else {"body"}


async def _update_note(tx: Tx, note_id: Any, edit: Mapping[str, Any], *, version: int) -> Note:
    return await notes.update_note(tx, note_id, edit["body"], version=version)


KINDS: Mapping[str, Kind] = {
    "contact": Kind(Contact, ContactEdit, get_contact, contacts.update_contact,
                    lambda tx, id: contacts.delete_contact(tx, id, version=None)),
    "company": Kind(Company, CompanyEdit, get_company, companies.update_company,
                    lambda tx, id: companies.delete_company(tx, id, version=None)),
    "lead": Kind(Lead, LeadEdit, get_lead, leads.update_lead, leads.delete_lead),
    "deal": Kind(Deal, DealEdit, get_deal, deals.update_deal, deals.delete_deal),
    "task": Kind(Task, TaskEdit, get_task, tasks.update_task, tasks.remove_task),
    "meeting": Kind(MeetingLine, MeetingEdit, get_meeting, meetings.update_meeting, meetings.remove_meeting),
    "note": Kind(Note, None, get_note, _update_note, notes.remove_note),
}  # fmt: skip


@lru_cache
def _readers(kind: str) -> Mapping[str, TypeAdapter[Any]]:
    return {name: TypeAdapter(hint) for name, hint in get_type_hints(KINDS[kind].model).items()}


def typed(kind: str, name: str, value: Any) -> Any:
    """A value as events keep it, as the field holds it; those of the organization's own fields are JSON."""
    if name.startswith("custom."):
        return value
    return _readers(kind)[name].validate_python(value)


def value_in(record: Any, name: str) -> Any:
    """What a record holds in a field now."""
    if name.startswith("custom."):
        return record.custom.get(name.removeprefix("custom."))
    return getattr(record, name)


async def is_built_on(tx: Tx, kind: str, id: UUID) -> bool:
    """Whether something else hangs on a record that is to go."""
    found = await tx.value(
        """
        SELECT EXISTS (SELECT FROM tasks WHERE (record_kind, record_id) = (%(kind)s, %(id)s) AND removed_at IS NULL)
            OR EXISTS (SELECT FROM notes WHERE (record_kind, record_id) = (%(kind)s, %(id)s) AND removed_at IS NULL)
            OR EXISTS (SELECT FROM files WHERE (record_kind, record_id) = (%(kind)s, %(id)s) AND removed_at IS NULL)
            OR EXISTS (SELECT FROM meetings WHERE (record_kind, record_id) = (%(kind)s, %(id)s) AND removed_at IS NULL)
            OR %(kind)s = 'contact'
               AND (EXISTS (SELECT FROM conversations WHERE contact_id = %(id)s)
                    OR EXISTS (SELECT FROM leads WHERE contact_id = %(id)s AND deleted_at IS NULL)
                    OR EXISTS (SELECT FROM deals WHERE contact_id = %(id)s AND deleted_at IS NULL)
                    OR EXISTS (SELECT FROM deal_stakeholders s
                                 JOIN deals d ON (d.organization_id, d.id) = (s.organization_id, s.deal_id)
                                WHERE s.contact_id = %(id)s AND d.deleted_at IS NULL)
                    OR EXISTS (SELECT FROM meeting_contacts a
                                 JOIN meetings m ON (m.organization_id, m.id) = (a.organization_id, a.meeting_id)
                                WHERE a.contact_id = %(id)s AND m.removed_at IS NULL))
            OR %(kind)s = 'company'
               AND (EXISTS (SELECT FROM contacts WHERE company_id = %(id)s AND deleted_at IS NULL)
                    OR EXISTS (SELECT FROM deals WHERE company_id = %(id)s AND deleted_at IS NULL))
        """,
        kind=kind,
        id=id,
    )
    return bool(found)
