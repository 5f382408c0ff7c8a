"""Takes a chunk of rows over in a few statements, or tries what would become of it; the caller's transaction holds both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from core import jsons
from core.db import Tx
from core.errors import Conflict
from core.ids import uuid7
from crm.contacts import erased
from crm.imports.tables import firms, folding, leads, linking, people, records
from crm.imports.tables.folding import Head, Key
from crm.imports.tables.models import Duplicates, Options, Prepared, Reason, Source, Verdict, Why
from crm.imports.tables.people import Handle
from crm.imports.tables.values import language_of_name
from events.ids import ImportId, RecordKind

_WHY = {
    "telegram_id": Why.SAME_TELEGRAM,
    "email": Why.SAME_EMAIL,
    "phone": Why.SAME_PHONE,
    "telegram_username": Why.SAME_TELEGRAM,
}


@dataclass(frozen=True)
class Work:
    """One chunk of one import; a trial writes down what would happen and nothing else."""

    import_id: ImportId
    kind: RecordKind
    source: Source
    options: Options
    label: str
    chunk_id: UUID
    erased_key: bytes
    is_trial: bool = False


@dataclass
class Taken:
    """What became of a chunk."""

    made: int = 0
    updated: int = 0
    skipped: int = 0
    refused: int = 0
    companies: int = 0
    said: list[dict[str, Any]] = field(default_factory=list)

    def count(self, verdict: Verdict, row: Prepared, why: Why | None, record_id: UUID | None) -> None:
        """Count a row; one of which something is to be said is written down."""
        setattr(self, verdict.value, getattr(self, verdict.value) + 1)
        reasons = ([Reason(why)] if why else []) + row.reasons
        if reasons:
            self.said.append(
                {
                    "number": row.number,
                    "verdict": verdict.value,
                    "label": str(row.values.get("name", ""))[:120],
                    "reasons": [[one.why.value, one.column, one.value] for one in reasons],
                    "record_id": record_id,
                }
            )


async def take(tx: Tx, work: Work, rows: Sequence[Prepared], seen: set[int]) -> Taken:
    """Make, update, skip or refuse each row.

    `seen` holds the keys of earlier chunks of a trial, whose records were not made.

    Raises: Conflict when somebody else has just made one of the records; the chunk is then tried again.
    """
    taken = Taken()
    await _mind_erased(tx, work, rows)
    await linking.follow(tx, [row for row in rows if not row.is_refused], work.options)
    contacts = await _whose(tx, work, [row for row in rows if not row.is_refused])
    for row in rows:
        if row.is_refused:
            taken.count(Verdict.REFUSED, row, None, None)
    good = [row for row in rows if not row.is_refused]
    keys = {row.number: keys_of(work, row, contacts.get(row.number)) for row in good}
    fresh = [Head(row, uuid7(), contact_id=contacts.get(row.number)) for row in good]
    heads = folding.fold(fresh, keys, work.options.duplicates)
    for head in heads:
        rows_of_head = (head.row, *(row for row, _ in head.followers))
        head.contact_id = next((contacts[row.number] for row in rows_of_head if row.number in contacts), None)
    owners = await _owners(tx, work, heads)
    known = await leads.known_leads(tx, good, contacts) if contacts else {}
    met = await _met(tx, work, good, keys, owners, known)
    heads = folding.meet(heads, met, work.options.duplicates)
    await _mind_trash(tx, work, heads)
    if work.is_trial:
        _recall(heads, keys, seen)
    for head in heads:
        folding.leave_handles(head, owners)
    await _relate(tx, work, heads, taken)
    changed = await (_try_changes if work.is_trial else _write)(tx, work, heads)
    for head in heads:
        _count(taken, work, head, is_changed=head.record_id in changed)
    await _say(tx, work, taken)
    return taken


async def _mind_erased(tx: Tx, work: Work, rows: Sequence[Prepared]) -> None:
    """Somebody who was erased at their wish does not come back by a table; nothing of the row is kept."""
    addresses = {address for row in rows for address in (*row.handles, *row.person)}
    gone = await erased.list_erased(tx, work.erased_key, addresses)
    for row in rows:
        if gone & {*row.handles, *row.person}:
            row.is_refused = True
            row.values["name"] = ""
            row.reasons = [Reason(Why.ERASED)]


async def _whose(tx: Tx, work: Work, rows: Sequence[Prepared]) -> dict[int, UUID]:
    """The contacts of rows that are leads, by number; a row of which that is not clear is refused."""
    if work.kind is not RecordKind.LEAD or not rows:
        return {}
    await leads.set_pipelines(tx, rows)
    return await leads.find_people(tx, rows)


def keys_of(work: Work, row: Prepared, contact_id: UUID | None) -> list[Key]:
    """What leads to one record only, the surest first; `contact_id` is whose lead it is."""
    keys: list[Key] = [(Why.SAME_EXTERNAL_ID, row.external_id)] if row.external_id else []
    if work.kind is RecordKind.CONTACT:
        keys += [(_WHY[kind], value) for sure in people.SUREST for kind, value in row.handles if kind == sure]
    if work.kind is RecordKind.LEAD:
        keys += leads.keys_of(row, contact_id)
    if work.kind is RecordKind.COMPANY:
        domain = row.values.get("domain")
        keys.append((Why.SAME_DOMAIN, domain) if domain else (Why.SAME_NAME, row.values["name"].lower()))
    return keys


async def _owners(tx: Tx, work: Work, heads: Sequence[Head]) -> dict[Handle, UUID]:
    if work.kind is not RecordKind.CONTACT:
        return {}
    rows = [row for head in heads for row in (head.row, *(row for row, _ in head.followers))]
    return await people.owners_of(tx, list({handle for row in rows for handle in row.handles}))


async def _met(
    tx: Tx,
    work: Work,
    rows: Sequence[Prepared],
    keys: Mapping[int, list[Key]],
    owners: Mapping[Handle, UUID],
    known_leads: Mapping[Key, UUID],
) -> dict[int, tuple[Why, UUID]]:
    """Which rows are records that are there already."""
    ids = [row.external_id for row in rows if row.external_id]
    external = (
        await records.existing(tx, work.kind, ids)
        if work.source is Source.GETSALE
        else await records.known_by_external_id(tx, work.kind, work.source.value, ids)
    )
    known: dict[Key, UUID] = {(Why.SAME_EXTERNAL_ID, text): record_id for text, record_id in external.items()}
    known |= known_leads
    known |= {(_WHY[kind], value): contact_id for (kind, value), contact_id in owners.items() if kind in _WHY}
    if work.kind is RecordKind.COMPANY:
        known |= await _known_companies(tx, rows)
    met = {}
    for row in rows:
        found = next((key for key in keys[row.number] if key in known), None)
        if found is None and work.kind is RecordKind.COMPANY:  # one without a domain gets it by its name
            key = (Why.SAME_NAME, f"{row.values['name'].lower()}\n")
            found = key if key in known else None
        if found is not None:
            met[row.number] = (found[0], known[found])
    return met


async def _known_companies(tx: Tx, rows: Sequence[Prepared]) -> dict[Key, UUID]:
    names = [row.values["name"] for row in rows]
    found = await firms.find(tx, names, [row.values["domain"] for row in rows if row.values.get("domain")])
    return {
        **{(Why.SAME_DOMAIN, domain): company_id for domain, company_id in found.by_domain.items()},
        **{(Why.SAME_NAME, name): company_id for name, company_id in found.by_name.items()},
        **{(Why.SAME_NAME, f"{name}\n"): company_id for name, company_id in found.free.items()},
    }


async def _mind_trash(tx: Tx, work: Work, heads: Sequence[Head]) -> None:
    """A person in the trash still has their handles: the row waits until a person brings them back."""
    if work.kind is not RecordKind.CONTACT:
        return
    trashed = await people.in_trash(tx, [head.record_id for head in heads if head.is_there])
    for head in heads:
        if head.record_id in trashed:
            head.is_trashed = True
            head.row.reasons.append(Reason(Why.IN_TRASH))


def _recall(heads: Sequence[Head], keys: Mapping[int, list[Key]], seen: set[int]) -> None:
    """In a trial, rows of earlier chunks stand for the records that they would have become."""
    for head in heads:
        own = keys[head.row.number]
        if not head.is_there:
            head.why = next((why for why, value in own if hash((why, value)) in seen), None)
        seen.update(hash(key) for key in own)


async def _relate(tx: Tx, work: Work, heads: Sequence[Head], taken: Taken) -> None:
    """Find the companies and contacts that rows name; companies that nobody has are made, for leads new people too."""
    is_about_leads = work.kind is RecordKind.LEAD
    wanted = [
        (head.row.company_name, head.row.company_domain)
        for head in heads
        # a lead of somebody who is there says nothing new about where they work
        if (head.row.company_name or head.row.company_domain) and not (is_about_leads and head.contact_id)
    ]
    if wanted:
        found = await firms.find(tx, [name for name, _ in wanted if name], [one for _, one in wanted if one])
        if work.is_trial:
            taken.companies = len({pair for pair in wanted if found.find(*pair) is None})
        else:
            companies = await firms.make_missing(tx, found, wanted)
            taken.companies = len(companies)
            await _keep(tx, work, "company", [(company_id, 1, None) for company_id in companies])
            for head in heads:
                head.company_id = found.find(head.row.company_name, head.row.company_domain)
    if is_about_leads:
        if not work.is_trial:
            made = await leads.make_people(tx, [head for head in heads if not head.is_there])
            await people.record_employments(tx, made, work.import_id, work.label)
            await _keep(tx, work, RecordKind.CONTACT.value, [(person.record_id, 1, None) for person in made])
        return
    persons = [handle for head in heads for handle in head.row.person]
    if persons:
        owners = await people.owners_of(tx, persons)
        for head in heads:
            head.contact_id = next((owners[one] for one in head.row.person if one in owners), None)
            if head.row.person and head.contact_id is None:
                head.row.reasons.append(Reason(Why.UNKNOWN_CONTACT, value=head.row.person[0][1]))


def _values(work: Work, head: Head) -> dict[str, Any]:
    """The columns of a row's record."""
    row = head.row
    related = {"company_id": head.company_id, "contact_id": head.contact_id}
    if work.kind is RecordKind.LEAD and head.is_there:
        related = {}  # a table never gives a lead to somebody else
    return {
        **row.values,
        **{name: value for name, value in related.items() if value is not None},
        "custom": row.custom,
    }


async def _try_changes(tx: Tx, work: Work, heads: Sequence[Head]) -> set[UUID]:
    """The records that a run would change."""
    if work.options.duplicates is Duplicates.SKIP:
        return set()
    met = {head.record_id: _values(work, head) for head in heads if head.is_there and not head.is_trashed}
    _, changes = await records.changes_of(tx, work.kind, met, work.options.duplicates, lock=False)
    more = {head.record_id for head in heads if head.record_id in met and (head.row.handles or head.row.tags)}
    # a record that an earlier chunk of the trial would have made cannot be compared
    return {record_id for record_id, new in changes.items() if new} | more | (met.keys() - changes.keys())


async def _write(tx: Tx, work: Work, heads: Sequence[Head]) -> set[UUID]:
    """Make the new records and change those that are there; returns the ids of the changed ones."""
    new = [head for head in heads if not head.is_there]
    await _make(tx, work, new)
    is_changing = work.options.duplicates is not Duplicates.SKIP
    met = [head for head in heads if head.is_there and is_changing and not head.is_trashed]
    written = new + met
    if work.kind is RecordKind.CONTACT:
        added = await people.attach(tx, {head.record_id: head.row.handles for head in written})
        if any(len(added.get(head.record_id, [])) < len(head.row.handles) for head in new):
            raise Conflict("Somebody has just added one of these people; the rows are taken over again.")
        await people.record_consents(tx, written, work.label)
        await people.record_employments(tx, new, work.import_id, work.label)
    else:
        added = {}
    tags = await records.put_tags(tx, work.kind, {head.record_id: head.row.tags for head in written})
    await records.keep_external_ids(
        tx, work.kind, work.source.value, {head.record_id: head.row.external_id for head in written}
    )
    await _keep(tx, work, work.kind.value, [(head.record_id, 1, None) for head in new])
    return await _change(tx, work, met, added, tags)


async def _make(tx: Tx, work: Work, new: Sequence[Head]) -> None:
    rows = []
    for head in new:
        values = _values(work, head)
        if work.kind is RecordKind.CONTACT:
            values.setdefault("language", language_of_name(values["name"]))
        rows.append({"id": head.record_id, **values})
    made = await records.insert(tx, work.kind, rows)
    if len(made) < len(rows):
        raise Conflict("Somebody has just added one of these records; the rows are taken over again.")


async def _change(
    tx: Tx,
    work: Work,
    met: Sequence[Head],
    handles: Mapping[UUID, list[UUID]],
    tags: Mapping[UUID, list[UUID]],
) -> set[UUID]:
    """Write what rows change in records, and keep what an undo needs."""
    rows = {head.record_id: _values(work, head) for head in met}
    standing, changes = await records.changes_of(tx, work.kind, rows, work.options.duplicates, lock=True)
    touched = {id: new for id, new in changes.items() if new or handles.get(id) or tags.get(id)}
    if not touched:
        return set()
    versions = await records.write(tx, work.kind, standing, touched)
    kept = [
        (
            record["id"],
            versions[record["id"]],
            {
                "values": {name: record[name] for name in touched[record["id"]]},
                "handles": handles.get(record["id"], []),
                "tags": tags.get(record["id"], []),
            },
        )
        for record in standing
        if record["id"] in versions
    ]
    await _keep(tx, work, work.kind.value, kept)
    return set(touched)


async def _keep(
    tx: Tx, work: Work, kind: str, kept: Sequence[tuple[UUID, int, dict[str, Any] | None]]
) -> None:
    """Note what this chunk made or changed. What an import made and then changes is still what it made."""
    if not kept:
        return
    await tx.execute(
        """
        INSERT INTO import_records AS r (organization_id, import_id, kind, record_id, chunk_id, version, before)
        SELECT %(organization_id)s, %(import_id)s, %(kind)s, record_id, %(chunk_id)s, version, before::jsonb
          FROM unnest(%(ids)s::uuid[], %(versions)s::int[], %(befores)s::text[]) AS kept (record_id, version, before)
            ON CONFLICT (organization_id, import_id, kind, record_id)
            DO UPDATE SET version = EXCLUDED.version, chunk_id = EXCLUDED.chunk_id,
                          before = CASE WHEN r.before IS NULL THEN NULL
                                        ELSE jsonb_build_object(
                                            'values', (EXCLUDED.before -> 'values') || (r.before -> 'values'),
                                            'handles', (r.before -> 'handles') || (EXCLUDED.before -> 'handles'),
                                            'tags', (r.before -> 'tags') || (EXCLUDED.before -> 'tags')) END
        """,
        organization_id=tx.organization_id,
        import_id=work.import_id,
        kind=kind,
        chunk_id=work.chunk_id,
        ids=[record_id for record_id, _, _ in kept],
        versions=[version for _, version, _ in kept],
        befores=[None if before is None else jsons.dumps(before) for _, _, before in kept],
    )


def _count(taken: Taken, work: Work, head: Head, *, is_changed: bool) -> None:
    verdict = Verdict.MADE
    if head.is_there:
        verdict = Verdict.UPDATED if is_changed else Verdict.SKIPPED
    taken.count(verdict, head.row, head.why, head.record_id)
    is_skipping = work.options.duplicates is Duplicates.SKIP
    for row, why in head.followers:
        taken.count(Verdict.SKIPPED if is_skipping else Verdict.UPDATED, row, why, head.record_id)


async def _say(tx: Tx, work: Work, taken: Taken) -> None:
    if not taken.said:
        return
    await tx.execute(
        """
        INSERT INTO import_rows (organization_id, import_id, number, verdict, label, reasons, record_id)
        SELECT %(organization_id)s, %(import_id)s, number, verdict, label, reasons, record_id
          FROM jsonb_to_recordset(%(said)s::jsonb)
               AS said (number int, verdict text, label text, reasons jsonb, record_id uuid)
        """,
        organization_id=tx.organization_id,
        import_id=work.import_id,
        said=jsons.dumps(taken.said),
    )
