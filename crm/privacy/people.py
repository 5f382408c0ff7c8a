"""Finding a person: every id that leads to them, and the words by which others quote them."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import LiteralString
from uuid import UUID

from core.db import Tx
from crm.contacts.models import HandleKind
from crm.contacts.queries import list_handles_of
from crm.privacy import rows
from crm.privacy.models import Person
from crm.privacy.places import PLACES, Fate
from events.ids import ContactId

# A shorter word may stand for anybody.
_SHORTEST_WORD = 5


async def find_person(tx: Tx, contact_ids: Collection[UUID]) -> Person:
    """Everything of these contacts, of those whom they were merged into and of those who were merged into them."""
    contacts = await _list_merged(tx, contact_ids)
    person = Person(contacts=contacts)
    person = replace(
        person,
        conversations=await _ids(tx, _CONVERSATIONS, person),
        leads=await _ids(tx, _LEADS, person),
    )
    person = replace(person, deals=await _ids(tx, _DEALS, person))
    return replace(await with_everything(tx, person), words=await _words(tx, contacts))


async def with_everything(tx: Tx, person: Person) -> Person:
    """The same with the runs for them, and the ids of all rows that lead to any of it."""
    person = replace(person, runs=await _ids(tx, _RUNS, person))
    everything = {*person.contacts, *person.conversations}
    for place in PLACES:
        if place.fate not in (Fate.KEPT, Fate.UNLINKED) and place.leads and "everything" not in place.leads:
            everything |= await rows.ids_of(tx, place, person)
    return replace(person, everything=tuple(sorted(everything)))


@dataclass(frozen=True)
class _Id:
    id: UUID


async def _ids(tx: Tx, query: LiteralString, person: Person) -> tuple[UUID, ...]:
    return tuple(sorted(one.id for one in await tx.all(_Id, query, **person.ids)))


async def _list_merged(tx: Tx, contact_ids: Collection[UUID]) -> tuple[UUID, ...]:
    found = await tx.all(
        _Id,
        """
        WITH RECURSIVE person (id) AS (
            SELECT unnest(%(ids)s::uuid[])
             UNION
            SELECT CASE WHEN c.id = p.id THEN c.merged_into_id ELSE c.id END
              FROM person p
              JOIN contacts c ON (c.id = p.id AND c.merged_into_id IS NOT NULL) OR c.merged_into_id = p.id
        )
        SELECT id
          FROM person
         ORDER BY id
        """,
        ids=list(contact_ids),
    )
    return tuple(one.id for one in found)


_CONVERSATIONS: LiteralString = "SELECT id FROM conversations WHERE contact_id = ANY(%(contacts)s)"
_LEADS: LiteralString = "SELECT id FROM leads WHERE contact_id = ANY(%(contacts)s)"
_DEALS: LiteralString = """
    SELECT id
      FROM deals
     WHERE company_id IS NULL
       AND (contact_id = ANY(%(contacts)s) OR lead_id = ANY(%(leads)s))
    """
_RUNS: LiteralString = """
    SELECT id
      FROM runs
     WHERE conversation_id = ANY(%(conversations)s)
        OR about_id = ANY(%(conversations)s)
        OR about_id = ANY(%(deals)s)
        OR about_id IN (SELECT p.id FROM promises p WHERE p.conversation_id = ANY(%(conversations)s))
        OR id IN (SELECT q.run_id
                    FROM copilot_questions q
                   WHERE q.about_id = ANY(%(subjects)s)
                      OR q.about_id = ANY(%(conversations)s))
    """


@dataclass(frozen=True)
class _Name:
    name: str


async def _words(tx: Tx, contacts: Collection[UUID]) -> tuple[str, ...]:
    """Addresses of the person, and their names as far as nobody else has them and they are more than one word."""
    handles = await list_handles_of(tx, [ContactId(id) for id in contacts])
    names = await tx.all(
        _Name,
        """
        SELECT DISTINCT lower(c.name) AS name
          FROM contacts c
         WHERE c.id = ANY(%(contacts)s)
           AND c.name ~ '\\S\\s+\\S'
           AND NOT EXISTS (
               SELECT FROM contacts o
                WHERE lower(o.name) = lower(c.name)
                  AND NOT o.id = ANY(%(contacts)s))
        """,
        contacts=list(contacts),
    )
    addresses = {
        handle.value.lower().removeprefix("+") if handle.kind is HandleKind.PHONE else handle.value.lower()
        for handle in handles
    }
    words = addresses | {one.name for one in names}
    # the longest first, so that a part of a word does not spoil the whole
    return tuple(
        sorted((word for word in words if len(word) >= _SHORTEST_WORD), key=lambda word: (-len(word), word))
    )
