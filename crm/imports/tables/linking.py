"""Links among the custom fields of rows: the records that cells name are found, those of a chunk together."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import LiteralString, TypeVar
from uuid import UUID

from core.db import Tx
from crm.imports.tables import firms, people, records, values
from crm.imports.tables.models import Options, Prepared, Reason, Why
from crm.imports.tables.people import Handle
from crm.imports.tables.values import Wrong
from events.ids import RecordKind

Found = TypeVar("Found")
_BY_NAME: Mapping[RecordKind, LiteralString] = {
    RecordKind.CONTACT: """
        SELECT plain_name AS name, id
          FROM contacts
         WHERE plain_name = ANY(%(names)s)
           AND deleted_at IS NULL
        """,
    RecordKind.COMPANY: """
        SELECT plain_name AS name, id
          FROM companies
         WHERE plain_name = ANY(%(names)s)
           AND deleted_at IS NULL
        """,
    # no index knows deals by name: the deals of the organization are read once for a chunk
    RecordKind.DEAL: """
        SELECT lower(name) AS name, id
          FROM deals
         WHERE lower(name) = ANY(%(names)s)
           AND deleted_at IS NULL
        """,
}


async def follow(tx: Tx, rows: Sequence[Prepared], options: Options) -> None:
    """Put records in the place of what cells say of them: an id, an address of a person, a domain, or else a name.

    A cell that names none, or several, refuses its row, unless wrong cells are left empty. What is only being made by
    the same chunk is not there yet.
    """
    for kind in RecordKind:
        links = [(row, link) for row in rows for link in row.links if link.target is kind]
        if not links:
            continue
        found = await _find(tx, kind, {link.text for _, link in links}, options)
        for row, link in links:
            meant = found.get(link.text, set())
            if len(meant) == 1:
                row.custom[link.key] = str(next(iter(meant)))
                continue
            why = Why.SEVERAL_RECORDS if meant else Why.UNKNOWN_RECORD
            row.reasons.append(Reason(why, link.column, link.text))
            row.is_refused = row.is_refused or not options.is_lenient


async def _find(tx: Tx, kind: RecordKind, texts: Collection[str], options: Options) -> dict[str, set[UUID]]:
    """The records that each text may mean, by the surest way that leads to one."""
    found = {text: {id} for text, id in (await records.existing(tx, kind, list(texts))).items()}
    match kind:
        case RecordKind.CONTACT:
            found |= await _by_handle(tx, [text for text in texts if text not in found], options.region)
        case RecordKind.COMPANY:
            found |= await _by_domain(tx, [text for text in texts if text not in found])
    return found | await _by_name(tx, kind, [text for text in texts if text not in found])


async def _by_handle(tx: Tx, texts: Sequence[str], region: str) -> dict[str, set[UUID]]:
    handles = {text: _handles(text, region) for text in texts}
    owners = await people.owners_of(tx, list({one for own in handles.values() for one in own}))
    trashed = await people.in_trash(tx, list(owners.values()))
    ids = {
        text: {owners[one] for one in own if one in owners and owners[one] not in trashed}
        for text, own in handles.items()
    }
    return {text: own for text, own in ids.items() if own}


def _handles(text: str, region: str) -> list[Handle]:
    """The addresses that a text may be."""
    if "@" in text.lstrip("@"):
        return [("email", one) for one in _read(values.emails, text) or []]
    numbers = _read(lambda cell: values.phones(cell, region), text) or []
    name = _read(values.telegram, text)
    return [*(("phone", one) for one in numbers), *([name] if name else [])]


def _read(read: Callable[[str], Found], text: str) -> Found | None:
    try:
        return read(text)
    except Wrong:
        return None


async def _by_domain(tx: Tx, texts: Sequence[str]) -> dict[str, set[UUID]]:
    domains = {text: _read(values.domain, text) for text in texts}
    known = (await firms.find(tx, [], [one for one in domains.values() if one])).by_domain
    return {text: {known[domain]} for text, domain in domains.items() if domain in known}


@dataclass(frozen=True)
class _Named:
    name: str
    id: UUID


async def _by_name(tx: Tx, kind: RecordKind, texts: Sequence[str]) -> dict[str, set[UUID]]:
    if not texts:
        return {}
    plain = {text: " ".join(text.split()).lower() for text in texts}
    ids: dict[str, set[UUID]] = {}
    for one in await tx.all(_Named, _BY_NAME[kind], names=list(set(plain.values()))):
        ids.setdefault(one.name, set()).add(one.id)
    return {text: ids[name] for text, name in plain.items() if name in ids}
