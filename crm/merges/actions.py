"""Merging two contacts or companies, and taking it back."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from psycopg import sql
from psycopg.errors import UniqueViolation
from pydantic import JsonValue

from core import clock, jsons
from core.db import Tx
from core.errors import Conflict, Unprocessable
from core.ids import uuid7
from crm.merges import rows
from crm.merges.models import Merge, MergeId, Side, Undone, Values
from crm.merges.queries import choices, custom_of, get_merge, read_both, subject_of
from crm.merges.references import MENTIONS, Subject
from events.ids import CompanyId, ContactId, RecordKind
from events.outbox import emit
from events.types import CompanyMerged, CompanyUnmerged, ContactMerged, ContactUnmerged


@dataclass(frozen=True)
class _Refusal:
    row: Values


async def merge_records(
    tx: Tx, kind: RecordKind, kept_id: UUID, merged_id: UUID, *, sides: Mapping[str, Side] | None = None
) -> Merge:
    """Make two records one: `kept_id` stays and gets what `merged_id` has; that one is put away, not deleted.

    `sides` says for fields (custom ones as `custom.KEY`) whose value stays; by default the kept one's, where it has
    any. Of consents and suppressions the stricter holds.

    Raises:
        NotFound: one of them is not there, or was put away.
        Conflict: a record with itself.
        Unprocessable: a field that there is not.
        Forbidden: the principal sees only what is assigned to it, and so not all that would have to move.
    """
    subject = subject_of(kind)
    tx.principal.require(f"{subject.table}:write")
    tx.principal.require_full_sight()
    await _lock(tx, subject, kept_id, merged_id)
    kept, merged = await read_both(tx, subject, kept_id, merged_id)
    values = _chosen(subject, kept, merged, sides or {})
    journal: list[rows.Change] = []
    if kind is RecordKind.CONTACT:
        journal += await _keep_stricter_consents(tx, kept_id, merged_id)
    await _put_away(tx, subject, merged_id, kept_id)
    for reference in subject.references:
        journal += await rows.move(tx, reference, kind, merged_id, kept_id)
    for mention in MENTIONS:
        journal += await rows.rewrite(tx, mention, kind, merged_id, kept_id)
    await _write(tx, subject, kept_id, values)
    journal = [*await _of_records(tx, subject, merged, kept), *journal]
    merge = await _record(tx, subject, kept, merged)
    await rows.keep(tx, merge.id, journal)
    await emit(tx, _event(merge, is_undone=False), changes=_told(kept, values))
    return merge


async def _lock(tx: Tx, subject: Subject, *ids: UUID) -> None:
    ordered = sorted(ids)
    if subject.kind is RecordKind.CONTACT:
        query = "SELECT FROM contacts WHERE id = ANY(%(ids)s) ORDER BY id FOR UPDATE"
        await tx.execute(query, ids=ordered)
        return
    await tx.execute("SELECT FROM companies WHERE id = ANY(%(ids)s) ORDER BY id FOR UPDATE", ids=ordered)


def _chosen(subject: Subject, kept: Values, merged: Values, sides: Mapping[str, Side]) -> Values:
    """The values that the kept record has afterwards, only those that change."""
    offered = {choice.field: choice.side for choice in choices(subject, kept, merged, {})}
    unknown = sorted(sides.keys() - offered.keys())
    if unknown:
        raise Unprocessable(f"{unknown[0]} is no field of these two; choose between {', '.join(offered)}.")
    taken = [name for name, side in (offered | dict(sides)).items() if side is Side.MERGED]
    values = {name: merged[name] for name in taken if not name.startswith("custom.")}
    own, other = custom_of(kept), custom_of(merged)
    keys = [name.removeprefix("custom.") for name in taken if name.startswith("custom.")]
    values["custom"] = _led_to({**own, **{key: other.get(key) for key in keys}}, merged, kept)
    if not str(values.get("name", kept["name"])).strip():
        raise Unprocessable(f"A {subject.kind} needs a name; choose the one that is not empty.", field="name")
    if subject.kind is RecordKind.CONTACT:
        values |= _stricter(kept, merged)
    return {name: value for name, value in values.items() if value != kept[name]}


def _led_to(custom: Values, merged: Values, kept: Values) -> JsonValue:
    """The custom fields that the kept record will have; one may lead to the other record."""
    value: JsonValue = jsons.loads(jsons.dumps(custom).replace(str(merged["id"]), str(kept["id"])))
    return value


def _stricter(kept: Values, merged: Values) -> Values:
    """Who asked to be left alone once is left alone."""
    values: Values = {"telegram_consent": bool(kept["telegram_consent"] and merged["telegram_consent"])}
    if kept["suppressed_at"] is None and merged["suppressed_at"] is not None:
        values |= {name: merged[name] for name in ("suppressed_at", "suppressed_reason")}
    return values


async def _keep_stricter_consents(tx: Tx, kept_id: UUID, merged_id: UUID) -> list[rows.Change]:
    """Where one of the two refused a channel and the other's word is newer, the refusal is said again."""
    refused = await tx.all(
        _Refusal,
        """
        WITH latest AS (
            SELECT DISTINCT ON (contact_id, channel) contact_id, channel, is_given
              FROM contact_consents
             WHERE contact_id IN (%(kept_id)s, %(merged_id)s)
             ORDER BY contact_id, channel, given_at DESC, id DESC
        )
        INSERT INTO contact_consents (organization_id, id, contact_id, channel, is_given, source, given_at,
                                      recorded_by_kind, recorded_by_id)
        SELECT %(organization_id)s, gen_random_uuid(), %(kept_id)s, channel, false, 'merge', %(now)s, %(by_kind)s,
               %(by_id)s
          FROM latest
         GROUP BY channel
        HAVING NOT bool_and(is_given) AND bool_or(is_given)
        RETURNING to_jsonb(contact_consents) AS row
        """,
        organization_id=tx.organization_id,
        kept_id=kept_id,
        merged_id=merged_id,
        now=clock.now(),
        by_kind=tx.principal.kind,
        by_id=tx.principal.id,
    )
    return [rows.Change("contact_consents", {"id": one.row["id"]}, None, one.row) for one in refused]


async def _put_away(tx: Tx, subject: Subject, merged_id: UUID, kept_id: UUID) -> None:
    """First of all: what must be unique among records that are there is free from now on."""
    away: Values = {"deleted_at": clock.now().isoformat(), "merged_into_id": str(kept_id)}
    await rows.write(tx, subject.table, {"id": str(merged_id)}, away, counts_version=True)
    await tx.execute(
        sql.SQL(
            """
        UPDATE {matches}
           SET status = CASE WHEN %(kept_id)s IN ({one}, {other}) THEN 'accepted' ELSE 'set_aside' END
         WHERE status = 'open'
           AND %(merged_id)s IN ({one}, {other})
        """
        ).format(**_pairs(subject)),
        kept_id=kept_id,
        merged_id=merged_id,
    )


def _pairs(subject: Subject) -> dict[str, sql.Identifier]:
    """Where the suggested pairs of this kind are."""
    return {
        "matches": sql.Identifier(f"{subject.kind}_matches"),
        "one": sql.Identifier(f"{subject.kind}_id"),
        "other": sql.Identifier(f"other_{subject.kind}_id"),
    }


async def _write(tx: Tx, subject: Subject, kept_id: UUID, values: Values) -> None:
    now: Values = {"updated_at": clock.now().isoformat()}
    await rows.write(tx, subject.table, {"id": str(kept_id)}, values | now, counts_version=True)


async def _of_records(tx: Tx, subject: Subject, *before: Values) -> list[rows.Change]:
    """What became of the two themselves; first in the journal, so that they are put back last."""
    after = await rows.read_rows(tx, subject.table, ("id",), [{"id": row["id"]} for row in before])
    found = (rows.changed(subject.table, {"id": row["id"]}, row, after[(str(row["id"]),)]) for row in before)
    return [change for change in found if change is not None]


async def _record(tx: Tx, subject: Subject, kept: Values, merged: Values) -> Merge:
    return await tx.one(
        Merge,
        """
        INSERT INTO merges (organization_id, id, record_kind, kept_id, merged_id, kept_name, merged_name, merged_by)
        VALUES (%(organization_id)s, %(id)s, %(kind)s, %(kept_id)s, %(merged_id)s, %(kept_name)s, %(merged_name)s,
                %(by)s)
        RETURNING id, record_kind, kept_id, merged_id, kept_name, merged_name, merged_by, merged_at, undone_at
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        kind=subject.kind,
        kept_id=kept["id"],
        merged_id=merged["id"],
        kept_name=kept["name"],
        merged_name=merged["name"],
        by=tx.principal.id,
    )


def _told(kept: Values, values: Values) -> Mapping[str, tuple[object, object]]:
    return {name: (kept[name], value) for name, value in values.items()}


async def undo_merge(tx: Tx, merge_id: MergeId) -> Undone:
    """Take a merge back, row by row; what somebody changed since stays as they left it, and is named.

    Rows that came to the kept record since stay with it.

    Raises:
        NotFound: no such merge.
        Conflict: already taken back, one of the two is gone or was merged since, or something else took the place.
    """
    merge = await get_merge(tx, merge_id, lock=True)
    subject = subject_of(merge.record_kind)
    tx.principal.require(f"{subject.table}:write")
    tx.principal.require_full_sight()
    if merge.undone_at is not None:
        raise Conflict(f"The merge of {merge.merged_name} into {merge.kept_name} was already undone.")
    await _lock(tx, subject, merge.kept_id, merge.merged_id)
    await _require_as_left(tx, subject, merge)
    left_alone: list[tuple[str, str]] = []
    try:
        async with tx.savepoint():
            for change in await rows.read_journal(tx, merge_id):
                left_alone += [(change.table_name, name) for name in await rows.put_back(tx, change)]
    except UniqueViolation as err:
        raise Conflict(
            f"Something made since the merge took a place that {merge.merged_name} would need again:"
            f" {err.diag.message_detail or err.diag.constraint_name}. Change that and undo again."
        ) from err
    for record_id in (merge.kept_id, merge.merged_id):
        await rows.write(
            tx,
            subject.table,
            {"id": str(record_id)},
            {"updated_at": clock.now().isoformat()},
            counts_version=True,
        )
    return await _finish(tx, merge, tuple(dict.fromkeys(left_alone)))


async def _require_as_left(tx: Tx, subject: Subject, merge: Merge) -> None:
    keys: list[Values] = [{"id": str(merge.kept_id)}, {"id": str(merge.merged_id)}]
    found = await rows.read_rows(tx, subject.table, ("id",), keys)
    kept, merged = found.get((str(merge.kept_id),)), found.get((str(merge.merged_id),))
    if kept is None or merged is None:
        raise Conflict(
            f"{merge.merged_name if merged is None else merge.kept_name} was erased since; there is nothing to undo."
        )
    if kept["merged_into_id"] is not None:
        raise Conflict(f"{merge.kept_name} was itself merged since; undo that merge first.")
    if kept["deleted_at"] is not None:
        raise Conflict(f"{merge.kept_name} is in the trash; restore it first.")
    if merged["merged_into_id"] != str(merge.kept_id):
        raise Conflict(f"{merge.merged_name} was restored in another way since; there is nothing to undo.")


async def _finish(tx: Tx, merge: Merge, left_alone: tuple[tuple[str, str], ...]) -> Undone:
    undone = await tx.one(
        Merge,
        """
        UPDATE merges
           SET undone_at = %(now)s, undone_by = %(by)s
         WHERE id = %(merge_id)s
        RETURNING id, record_kind, kept_id, merged_id, kept_name, merged_name, merged_by, merged_at, undone_at
        """,
        now=clock.now(),
        by=tx.principal.id,
        merge_id=merge.id,
    )
    # whoever takes a merge back has said that the two are not one
    await tx.execute(
        sql.SQL(
            """
        UPDATE {matches}
           SET status = CASE WHEN status = 'accepted' THEN 'dismissed' ELSE 'open' END
         WHERE status IN ('accepted', 'set_aside')
           AND %(merged_id)s IN ({one}, {other})
        """
        ).format(**_pairs(subject_of(merge.record_kind))),
        merged_id=merge.merged_id,
    )
    await emit(tx, _event(merge, is_undone=True))
    return Undone(undone, left_alone)


def _event(
    merge: Merge, *, is_undone: bool
) -> ContactMerged | ContactUnmerged | CompanyMerged | CompanyUnmerged:
    if merge.record_kind is RecordKind.CONTACT:
        event = ContactUnmerged if is_undone else ContactMerged
        return event(ContactId(merge.kept_id), ContactId(merge.merged_id), merge.id)
    company_event = CompanyUnmerged if is_undone else CompanyMerged
    return company_event(CompanyId(merge.kept_id), CompanyId(merge.merged_id), merge.id)
