"""Where custom fields are used: records that hold values, and what filters or asks by them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

from core.db import Tx
from core.filters import ValueKind
from crm.custom_fields.models import CustomField
from events.ids import RecordKind


@dataclass(frozen=True)
class FieldUse:
    """Something that knows the field: a segment, a saved view, or a stage that asks for it by a rule."""

    kind: str
    id: UUID
    name: str


@dataclass(frozen=True)
class _Counted:
    record_kind: RecordKind
    key: str
    records: int


async def count_values(tx: Tx) -> dict[tuple[RecordKind, str], int]:
    """How many records hold a value, by kind of record and key of the field; the trash counts."""
    tx.principal.require("contacts:read")
    # one pass over each table, however many fields there are
    counted = await tx.all(
        _Counted,
        """
        SELECT record_kind, key, count(*) AS records
          FROM (SELECT 'contact' AS record_kind, jsonb_object_keys(custom) AS key FROM contacts WHERE custom <> '{}'
                 UNION ALL
                SELECT 'company', jsonb_object_keys(custom) FROM companies WHERE custom <> '{}'
                 UNION ALL
                SELECT 'deal', jsonb_object_keys(custom) FROM deals WHERE custom <> '{}') AS held
         GROUP BY record_kind, key
        """,
    )
    return {(RecordKind(one.record_kind), one.key): one.records for one in counted}


async def list_uses(tx: Tx, field: CustomField) -> list[FieldUse]:
    """The segments, the views that the principal sees, and the stages that know a field."""
    tx.principal.require("contacts:read")
    return await tx.all(
        FieldUse,
        """
        SELECT 'segment' AS kind, id, name
          FROM segments
         WHERE record_kind = %(record_kind)s
           AND deleted_at IS NULL
           AND strpos(filter::text, %(field)s) > 0
         UNION ALL
        SELECT 'view', id, name
          FROM views
         WHERE record_kind = %(record_kind)s
           AND deleted_at IS NULL
           AND (is_shared OR made_by = %(me)s)
           AND (strpos(filter::text, %(field)s) > 0 OR %(column)s = ANY(columns)
                OR %(column)s = ANY(string_to_array(replace(sort, '-', ''), ',')))
         UNION ALL
        SELECT 'stage', id, name
          FROM stages
         WHERE %(record_kind)s = 'deal'
           AND strpos(entry_rules::text || exit_rules::text, %(field)s) > 0
         ORDER BY kind, name, id
        """,
        record_kind=field.record_kind,
        field=f'"{field.column_name}"',
        column=field.column_name,
        me=tx.principal.id,
    )


@dataclass(frozen=True)
class _Choice:
    key: str
    records: int


_CHOICE: Mapping[RecordKind, LiteralString] = {
    RecordKind.CONTACT: """
        SELECT custom ->> %(key)s AS key, count(*) AS records
          FROM contacts WHERE custom ->> %(key)s IS NOT NULL GROUP BY 1
        """,
    RecordKind.COMPANY: """
        SELECT custom ->> %(key)s AS key, count(*) AS records
          FROM companies WHERE custom ->> %(key)s IS NOT NULL GROUP BY 1
        """,
    RecordKind.DEAL: """
        SELECT custom ->> %(key)s AS key, count(*) AS records
          FROM deals WHERE custom ->> %(key)s IS NOT NULL GROUP BY 1
        """,
}
_CHOICES: Mapping[RecordKind, LiteralString] = {
    RecordKind.CONTACT: """
        SELECT chosen AS key, count(*) AS records
          FROM contacts, jsonb_array_elements_text(coalesce(custom -> %(key)s, '[]')) AS chosen GROUP BY 1
        """,
    RecordKind.COMPANY: """
        SELECT chosen AS key, count(*) AS records
          FROM companies, jsonb_array_elements_text(coalesce(custom -> %(key)s, '[]')) AS chosen GROUP BY 1
        """,
    RecordKind.DEAL: """
        SELECT chosen AS key, count(*) AS records
          FROM deals, jsonb_array_elements_text(coalesce(custom -> %(key)s, '[]')) AS chosen GROUP BY 1
        """,
}


async def count_choices(tx: Tx, field: CustomField) -> dict[str, int]:
    """How many records hold each choice of a field, also those that were taken off its list."""
    tx.principal.require("contacts:read")
    if field.kind not in (ValueKind.CHOICE, ValueKind.CHOICES):
        return {}
    query = (_CHOICE if field.kind is ValueKind.CHOICE else _CHOICES)[field.record_kind]
    return {one.key: one.records for one in await tx.all(_Choice, query, key=field.key)}
