"""Whose the leads of a table are: found by address or by name, made where nobody has them; and which are there already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from core.db import Tx
from core.errors import Conflict
from core.ids import uuid7
from crm.imports.tables import people, records
from crm.imports.tables.folding import Head, Key
from crm.imports.tables.models import Prepared, Reason, Why
from events.ids import RecordKind


async def set_pipelines(tx: Tx, rows: Sequence[Prepared]) -> None:
    """Say of each row in which pipeline its stage is."""
    cursor = await tx.connection.execute(
        "SELECT id, pipeline_id FROM stages WHERE id = ANY(%(ids)s)",
        {"ids": list({row.values["stage_id"] for row in rows})},
    )
    pipelines = {row["id"]: row["pipeline_id"] for row in await cursor.fetchall()}
    for row in rows:
        row.values["pipeline_id"] = pipelines[row.values["stage_id"]]


async def find_people(tx: Tx, rows: Sequence[Prepared]) -> dict[int, UUID]:
    """The contacts of rows by their numbers, by the surest address, else by the name and the company.

    A row whose contact is in the trash, or whose name several have, is refused.
    """
    owners = await people.owners_of(tx, list({handle for row in rows for handle in row.person}))
    found = {}
    for row in rows:
        known = [one for sure in people.SUREST for one in row.person if one[0] == sure and one in owners]
        if known:
            found[row.number] = owners[known[0]]
    found |= await _find_by_name(tx, [row for row in rows if not row.person])
    trashed = await people.in_trash(tx, list(found.values()))
    for row in rows:
        if found.get(row.number) in trashed:
            _refuse(row, Why.IN_TRASH)
    return found


@dataclass(frozen=True)
class _Person:
    id: UUID
    name: str
    company: str | None
    domain: str | None

    def may_be(self, row: Prepared) -> bool:
        """Somebody of another company is somebody else."""
        if self.company is None or not (row.company_name or row.company_domain):
            return True
        return row.company_domain == self.domain or row.company_name.lower() == self.company


async def _find_by_name(tx: Tx, rows: Sequence[Prepared]) -> dict[int, UUID]:
    if not rows:
        return {}
    named = await tx.all(
        _Person,
        """
        SELECT c.id, c.name, k.plain_name AS company, k.domain
          FROM contacts c
          LEFT JOIN companies k ON (k.organization_id, k.id) = (c.organization_id, c.company_id)
         WHERE c.name = ANY(%(names)s)
           AND c.deleted_at IS NULL
        """,
        names=list({row.values["name"] for row in rows}),
    )
    found = {}
    for row in rows:
        fits = [one for one in named if one.name == row.values["name"] and one.may_be(row)]
        if len(fits) == 1:
            found[row.number] = fits[0].id
        elif fits:
            _refuse(row, Why.SEVERAL_PEOPLE)
    return found


def _refuse(row: Prepared, why: Why) -> None:
    row.reasons.append(Reason(why, value=row.values["name"]))
    row.is_refused = True


def keys_of(row: Prepared, contact_id: UUID | None) -> list[Key]:
    """A person is in a pipeline once, under whatever address or name."""
    own = [str(contact_id)] if contact_id else []
    return [(Why.SAME_LEAD, f"{row.values['pipeline_id']} {one}") for one in (*own, *_person_keys(row))]


def _person_keys(row: Prepared) -> list[str]:
    if row.person:
        return [f"{kind} {value}" for kind, value in row.person]
    return [f"{row.values['name']} {row.company_domain or row.company_name.lower()}"]


async def known_leads(tx: Tx, rows: Sequence[Prepared], contacts: Mapping[int, UUID]) -> dict[Key, UUID]:
    """The leads that these contacts have already in the pipelines of their rows."""
    cursor = await tx.connection.execute(
        """
        SELECT id, pipeline_id, contact_id
          FROM leads
         WHERE contact_id = ANY(%(contacts)s)
           AND deleted_at IS NULL
        """,
        {"contacts": [contacts[row.number] for row in rows if row.number in contacts]},
    )
    return {
        (Why.SAME_LEAD, f"{row['pipeline_id']} {row['contact_id']}"): row["id"]
        for row in await cursor.fetchall()
    }


async def make_people(tx: Tx, heads: Sequence[Head]) -> list[Head]:
    """Make the contacts of leads whom nobody has yet, each once; returns them as heads of their own.

    Raises: Conflict when somebody else has just added one of them.
    """
    made: dict[str, UUID] = {}
    fresh: list[Head] = []
    for head in heads:
        if head.contact_id is not None:
            continue
        keys = _person_keys(head.row)
        head.contact_id = next((made[key] for key in keys if key in made), None)
        if head.contact_id is None:
            head.contact_id = uuid7()
            fresh.append(Head(head.row, head.contact_id, company_id=head.company_id))
        made |= dict.fromkeys(keys, head.contact_id)
    rows = [
        {
            "id": person.record_id,
            "company_id": person.company_id,
            **{name: person.row.values.get(name) for name in ("name", "title", "language")},
        }
        for person in fresh
    ]
    await records.insert(tx, RecordKind.CONTACT, rows)
    handles = {person.record_id: list(dict.fromkeys(person.row.person)) for person in fresh}
    added = await people.attach(tx, handles)
    if any(len(added.get(id, [])) < len(own) for id, own in handles.items()):
        raise Conflict("Somebody has just added one of these people; the rows are taken over again.")
    return fresh
