"""Records that are chosen by their name: which one is meant, and what the one that is held is called."""

from collections.abc import Sequence
from itertools import zip_longest
from uuid import UUID

from core.db import Tx
from core.errors import NotFound, Unprocessable
from core.sql import ListQuery
from crm.companies.queries import get_company, list_companies
from crm.contacts.queries import get_contact, list_contacts
from crm.deals.queries import get_deal, list_deals
from crm.leads.queries import get_lead
from events.ids import CompanyId, ContactId, DealId, LeadId, RecordKind
from web.phrases import N_

MAX_FOUND = 6
PATHS = {
    RecordKind.CONTACT: "/contacts",
    RecordKind.COMPANY: "/companies",
    RecordKind.LEAD: "/leads",
    RecordKind.DEAL: "/deals",
}


async def name_of(tx: Tx, kind: RecordKind, id: UUID) -> str:
    """The name of another record; empty when the reader may not see it."""
    try:
        match kind:
            case RecordKind.CONTACT:
                return (await get_contact(tx, ContactId(id))).name
            case RecordKind.COMPANY:
                return (await get_company(tx, CompanyId(id))).name
            case RecordKind.LEAD:
                return (await get_lead(tx, LeadId(id))).name
            case _:
                return (await get_deal(tx, DealId(id))).name
    except NotFound:
        return ""


class Unclear(Unprocessable):
    """A text that means no record, or may mean several: those that were `found`, by id and name."""

    def __init__(self, text: str, field: str, found: list[tuple[str, str]]) -> None:
        super().__init__(f"{text} does not say which record is meant; choose one by its id.", field=field)
        self.text, self.found = text, found

    @property
    def question(self) -> str:
        return N_("Which one is meant?") if self.found else N_("There is no such record. Make it first.")


async def the_record(tx: Tx, kind: RecordKind, text: str, field: str) -> UUID:
    """The one record that a text means, by its id or its whole name. Raises: Unclear."""
    found = await find_records(tx, kind, text)
    exact = [id for id, name in found if name.casefold() == text.casefold()]
    if len(exact) == 1 or (len(found) == 1 and str(found[0][0]) == text):
        return exact[0] if exact else found[0][0]
    raise Unclear(text, field, [(str(id), name) for id, name in found])


async def the_records(tx: Tx, kind: RecordKind, given: Sequence[str], field: str) -> list[str]:
    """The ids of the records that were typed or chosen: a name that was chosen has its id behind it. Raises: Unclear."""
    texts = [text.strip() for text in given if text.strip()]
    meant = [
        text
        for text, behind in zip_longest(texts, texts[1:], fillvalue="")
        if is_id(text) or not is_id(behind)
    ]
    return list(
        dict.fromkeys(
            [text if is_id(text) else str(await the_record(tx, kind, text, field)) for text in meant]
        )
    )


async def find_records(tx: Tx, kind: RecordKind, text: str) -> list[tuple[UUID, str]]:
    if not is_id(text):
        query = ListQuery(limit=MAX_FOUND)
        match kind:
            case RecordKind.CONTACT:
                return [(one.id, one.name) for one in (await list_contacts(tx, query, text=text)).items]
            case RecordKind.COMPANY:
                return [(one.id, one.name) for one in (await list_companies(tx, query, text=text)).items]
            case _:
                return [(one.id, one.name) for one in (await list_deals(tx, query, text=text)).items]
    id = UUID(text)
    name = await name_of(tx, kind, id)
    return [(id, name)] if name else []


def is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
