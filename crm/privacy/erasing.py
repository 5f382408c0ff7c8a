"""The rows of an erasure: what is about others loses the person, what leads to them goes, all in known steps.

Each step may be done again, and is done again by whoever takes the work over after a kill: a step that has nothing
left to do does nothing.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from uuid import UUID

from core import clock
from core.db import Tx
from crm.audit.chain import Key
from crm.audit.erasing import erase_changes
from crm.contacts.models import HandleKind
from crm.contacts.queries import list_handles_of
from crm.privacy import rows
from crm.privacy.looking import Transactions
from crm.privacy.models import Person
from crm.privacy.places import PLACES, Fate, Place
from crm.search import actions as search
from crm.search.models import FoundKind
from events import due
from events.ids import ContactId, ConversationId, FactId, PrivacyRequestId
from events.outbox import emit
from events.types import ContactDeleted, ConversationDeleted

_FOUND = {
    "companies": FoundKind.COMPANY,
    "deals": FoundKind.DEAL,
    "leads": FoundKind.LEAD,
    "tasks": FoundKind.TASK,
    "meetings": FoundKind.MEETING,
    "notes": FoundKind.NOTE,
    "files": FoundKind.FILE,
    "messages": FoundKind.MESSAGE,
    "contacts": FoundKind.CONTACT,
}
_REMEMBER = "memory.remember"


async def list_addresses(tx: Tx, person: Person) -> list[tuple[str, str]]:
    """The person's addresses, as imports spell them."""
    handles = await list_handles_of(tx, [ContactId(id) for id in person.contacts])
    return sorted({(HandleKind(one.kind).value, one.value) for one in handles})


async def list_files(tx: Tx, person: Person) -> list[tuple[str, str]]:
    """Stored files of the person that nobody else's row names: (folder, key) pairs."""
    found = set()
    for place in _with_files():
        found |= {(place.folder, key) for key in await rows.list_blobs(tx, place, person)}
    return sorted(found)


def _with_files() -> Iterator[Place]:
    return (place for place in PLACES if place.blob and place.leads)


async def cut_quotes(transaction: Transactions, person: Person, *, held: Collection[str] = ()) -> None:
    """Take the person out of what is about others, table by table; what the law holds keeps its words."""
    for place in PLACES:
        if place.quotes and place.fate is not Fate.MARKED and place.table not in held:
            async with transaction("cut") as tx:
                changed = await rows.cut(tx, place, person)
                await _follow(tx, place, [id for id in changed if id is not None])
    async with transaction("forget_steps") as tx:
        await rows.forget_steps(tx, person)


async def _follow(tx: Tx, place: Place, ids: list[UUID]) -> None:
    """Let what is made from changed rows be made anew: how they are found, and what is remembered of them."""
    if not ids:
        return
    if place.table in _FOUND:
        for start in range(0, len(ids), search.BATCH):
            await search.index_records(tx, _FOUND[place.table], ids[start : start + search.BATCH])
    if place.table == "messages":
        conversations = await rows.conversations_of(tx, ids)
        await due.schedule_missing(tx, _REMEMBER, conversations, clock.now())


@dataclass(frozen=True)
class Removed:
    """What other stores have to follow: the nodes and edges of the graphs."""

    contact_ids: tuple[UUID, ...]
    fact_ids: tuple[FactId, ...]


async def remove_rows(tx: Tx, key: Key, person: Person, *, held: Collection[str] = ()) -> Removed:
    """Everything that leads to the person goes, or is emptied, in one transaction: nothing is ever half gone.

    Tables that are `held` keep their words, and lead to the person no more.
    """
    contacts = await rows.list_there(tx, "contacts", person.contacts)
    conversations = await rows.list_there(tx, "conversations", person.conversations)
    fact_ids = []
    for place in PLACES:
        if place.fate is Fate.MARKED:
            await erase_changes(tx, key, await rows.list_marked(tx, place, person))
        elif place.leads:
            if place.table == "facts" and place.fate is Fate.REMOVED:
                fact_ids = [FactId(id) for id in sorted(await rows.ids_of(tx, place, person))]
            await rows.settle(tx, place, person, keeps_words=place.table in held)
    await search.tidy_words(tx)
    for id in conversations:
        await emit(tx, ConversationDeleted(ConversationId(id)))
    for id in contacts:
        await emit(tx, ContactDeleted(ContactId(id)))
    return Removed(person.contacts, tuple(fact_ids))


async def list_old_exports(tx: Tx, contact_ids: Collection[UUID]) -> list[tuple[PrivacyRequestId, str]]:
    """Files that were made of everything about the person, by request."""
    return [(PrivacyRequestId(id), key) for id, key in await rows.list_export_files(tx, sorted(contact_ids))]
