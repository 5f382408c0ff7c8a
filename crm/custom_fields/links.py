"""Links among the custom fields: whether they lead to a record, and what that is called."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID

from pydantic import JsonValue

from core.db import Tx
from core.errors import Unprocessable
from core.filters import ValueKind
from crm.custom_fields.models import CustomField, CustomFields
from events.ids import RecordKind

_SCOPES: Mapping[RecordKind, str] = {
    RecordKind.CONTACT: "contacts:read",
    RecordKind.COMPANY: "companies:read",
    RecordKind.DEAL: "deals:read",
}
_NAMES: Mapping[RecordKind, LiteralString] = {
    RecordKind.CONTACT: "SELECT id, name FROM contacts WHERE id = ANY(%(ids)s)",
    RecordKind.COMPANY: "SELECT id, name FROM companies WHERE id = ANY(%(ids)s)",
    RecordKind.DEAL: "SELECT id, name FROM deals WHERE id = ANY(%(ids)s)",
}


@dataclass(frozen=True)
class _Named:
    id: UUID
    name: str


async def names_of(tx: Tx, kind: RecordKind, ids: Collection[UUID]) -> dict[UUID, str]:
    """What records of one kind are called, those in the trash too; what is gone for good has no name."""
    if not ids:
        return {}
    return {one.id: one.name for one in await tx.all(_Named, _NAMES[kind], ids=list(ids))}


async def linked_names(
    tx: Tx, fields: Iterable[CustomField], held: Iterable[Mapping[str, Any]]
) -> dict[UUID, str]:
    """What the links in these values of records lead to, with one statement for each kind that may be read."""
    wanted: dict[RecordKind, set[UUID]] = {}
    links = [(field.key, field.target_kind) for field in fields if field.target_kind is not None]
    for custom in held:
        for key, target in links:
            if custom.get(key):
                wanted.setdefault(target, set()).add(UUID(custom[key]))
    names: dict[UUID, str] = {}
    for target, ids in wanted.items():
        if tx.principal.may(_SCOPES[target]):
            names |= await names_of(tx, target, ids)
    return names


async def require_linked(
    tx: Tx, fields: CustomFields, values: Mapping[str, JsonValue]
) -> dict[str, JsonValue]:
    """Values that were checked, all links of which lead to a record.

    Raises: Unprocessable, naming the field whose record is not there; Forbidden.
    """
    for key, value in values.items():
        field = fields.by_key[key]
        if field.kind is not ValueKind.RECORD or field.target_kind is None or value is None:
            continue
        tx.principal.require(_SCOPES[field.target_kind])
        if not await names_of(tx, field.target_kind, [UUID(str(value))]):
            raise Unprocessable(
                f"{field.label}: there is no {field.target_kind.value} {value}; choose one that is there.",
                field=field.column_name,
            )
    return dict(values)
