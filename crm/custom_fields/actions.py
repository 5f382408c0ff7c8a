"""Adding, changing and retiring custom fields."""

from collections.abc import Sequence
from dataclasses import asdict

from psycopg import sql
from psycopg.errors import UniqueViolation
from psycopg.types.json import Jsonb

from core import clock
from core.db import Tx
from core.edits import KEEP, assignments, differences, given
from core.errors import Conflict, Stale, Unprocessable
from core.filters import ValueKind
from core.ids import uuid7
from core.money import known_currency
from crm.custom_fields.models import (
    EXTENSIBLE,
    FIELD_KINDS,
    MAX_CHOICES,
    MAX_FIELDS,
    MAX_LABEL,
    Choice,
    CustomField,
    CustomFieldEdit,
    NewCustomField,
    is_key,
    key_of,
)
from crm.custom_fields.queries import count_other_currencies, get_custom_field, list_custom_fields
from events.ids import CustomFieldId
from events.outbox import emit
from events.types import CustomFieldCreated, CustomFieldUpdated


async def create_custom_field(tx: Tx, new: NewCustomField) -> CustomField:
    """Add a field to one kind of record; it comes last.

    Raises:
        Unprocessable: no label, a kind of record or value that takes none, choices missing or repeated, too many fields.
        Conflict: the key is taken.
    """
    tx.principal.require("fields:write")
    _check(new)
    existing = await list_custom_fields(tx, new.record_kind, with_archived=True)
    if len(existing) >= MAX_FIELDS:
        raise Unprocessable(
            f"A {new.record_kind} takes at most {MAX_FIELDS} custom fields; archive one first."
        )
    key = new.key or key_of(new.label)
    try:
        async with tx.savepoint():
            field = await tx.one(
                CustomField,
                """
                INSERT INTO custom_fields (organization_id, id, record_kind, key, label, kind, choices, target_kind,
                                           currency, is_required, position)
                VALUES (%(organization_id)s, %(id)s, %(record_kind)s, %(key)s, %(label)s, %(kind)s, %(choices)s,
                        %(target_kind)s, %(currency)s, %(is_required)s, %(position)s)
                RETURNING id, record_kind, key, label, kind, choices, target_kind, currency, is_required, position,
                          archived_at, version
                """,
                organization_id=tx.organization_id,
                id=uuid7(),
                record_kind=new.record_kind,
                key=key,
                label=new.label.strip(),
                kind=new.kind,
                choices=Jsonb([asdict(choice) for choice in new.choices]),
                target_kind=new.target_kind,
                currency=known_currency(new.currency) if new.currency else None,
                is_required=new.is_required,
                position=max((field.position for field in existing), default=0) + 1,
            )
    except UniqueViolation as err:
        raise Conflict(f"There is a field {key!r} already; choose another name.", field="key") from err
    await emit(tx, CustomFieldCreated(field.id))
    return field


def _check(new: NewCustomField) -> None:
    _check_label(new.label)
    if new.key and not is_key(new.key):
        raise Unprocessable(
            "A key begins with a letter and has small Latin letters, digits and _ only.", field="key"
        )
    if new.record_kind not in EXTENSIBLE:
        raise Unprocessable(f"A {new.record_kind} takes no custom fields.", field="record_kind")
    if new.kind not in FIELD_KINDS:
        raise Unprocessable(f"{new.kind} is no kind of custom field.", field="kind")
    if (new.kind is ValueKind.RECORD) != (new.target_kind is not None) or (
        new.target_kind is not None and new.target_kind not in EXTENSIBLE
    ):
        raise Unprocessable(
            "A link needs to know what it leads to: contact, company or deal.", field="target_kind"
        )
    if new.currency is not None and new.kind is not ValueKind.MONEY:
        raise Unprocessable("Only money has a currency.", field="currency")
    _check_choices(new.kind, new.choices)


def _check_label(label: str) -> None:
    if not label.strip() or len(label.strip()) > MAX_LABEL:
        raise Unprocessable(f"A custom field needs a label of at most {MAX_LABEL} characters.", field="label")


def _check_choices(kind: ValueKind, choices: Sequence[Choice]) -> None:
    if (kind in (ValueKind.CHOICE, ValueKind.CHOICES)) != bool(choices):
        raise Unprocessable(
            "A choice needs something to choose from, and nothing else has choices.", field="choices"
        )
    if len(choices) > MAX_CHOICES:
        raise Unprocessable(f"A field has at most {MAX_CHOICES} choices.", field="choices")
    labels = {choice.label.strip().lower() for choice in choices}
    if len(labels) < len(choices) or len({choice.key for choice in choices}) < len(choices) or "" in labels:
        raise Unprocessable("Every choice needs a name of its own.", field="choices")


async def update_custom_field(
    tx: Tx, field_id: CustomFieldId, edit: CustomFieldEdit, *, version: int
) -> CustomField:
    """Rename a field, change its choices, its currency, its place, or whether it is required.

    A choice that is gone stays in the records that hold it and is shown by its key.

    Raises:
        NotFound, Stale; Unprocessable: no label, or choices missing or repeated.
        Conflict: records hold amounts in another currency.
    """
    field = await get_custom_field(tx, field_id, lock=True)
    tx.principal.require("fields:write")
    if field.version != version:
        raise Stale(f"The field {field.label} was changed meanwhile; reload and try again.")
    new = given(edit)
    if edit.label is not KEEP:
        _check_label(edit.label)
        new["label"] = edit.label.strip()
    if edit.choices is not KEEP:
        _check_choices(field.kind, edit.choices)
        new["choices"] = [asdict(choice) for choice in edit.choices]
    if isinstance(edit.currency, str):
        new["currency"] = await _checked_currency(tx, field, edit.currency)
    changes = differences(field, new)
    if not changes:
        return field
    return await _write(tx, field, {name: after for name, (_, after) in changes.items()}, changes)


async def _checked_currency(tx: Tx, field: CustomField, currency: str) -> str:
    if field.kind is not ValueKind.MONEY:
        raise Unprocessable("Only money has a currency.", field="currency")
    code = known_currency(currency)
    others = await count_other_currencies(tx, field, code)
    if others:
        raise Conflict(
            f"{others} records hold {field.label} in another currency than {code}; change them first.",
            field="currency",
        )
    return code


async def move_custom_field(tx: Tx, field_id: CustomFieldId, *, places: int) -> CustomField:
    """Move a field up (negative) or down among those of its kind of record that are in use. Raises: NotFound."""
    field = await get_custom_field(tx, field_id, lock=True)
    tx.principal.require("fields:write")
    in_order = await list_custom_fields(tx, field.record_kind)
    here = next((place for place, one in enumerate(in_order) if one.id == field_id), None)
    if here is None:
        return field
    in_order.insert(min(max(here + places, 0), len(in_order) - 1), in_order.pop(here))
    for position, one in enumerate(in_order, start=1):
        if one.position != position:
            await _write(tx, one, {"position": position}, {"position": (one.position, position)})
    return await get_custom_field(tx, field_id)


async def archive_custom_field(tx: Tx, field_id: CustomFieldId) -> CustomField:
    """Take a field out of use; its values stay and come back with it. Raises: NotFound."""
    field = await get_custom_field(tx, field_id, lock=True)
    tx.principal.require("fields:write")
    if field.archived_at is not None:
        return field
    now = clock.now()
    return await _write(tx, field, {"archived_at": now}, {"archived_at": (None, now)})


async def restore_custom_field(tx: Tx, field_id: CustomFieldId) -> CustomField:
    """Take a field into use again. Raises: NotFound."""
    field = await get_custom_field(tx, field_id, lock=True)
    tx.principal.require("fields:write")
    if field.archived_at is None:
        return field
    return await _write(tx, field, {"archived_at": None}, {"archived_at": (field.archived_at, None)})


async def _write(
    tx: Tx, field: CustomField, values: dict[str, object], changes: dict[str, tuple[object, object]]
) -> CustomField:
    updated = await tx.one(
        CustomField,
        sql.SQL(
            """
        UPDATE custom_fields
           SET {values}, version = version + 1
         WHERE id = %(id)s
        RETURNING id, record_kind, key, label, kind, choices, target_kind, currency, is_required, position,
                  archived_at, version
        """
        ).format(values=assignments(values)),
        id=field.id,
    )
    await emit(tx, CustomFieldUpdated(field.id), changes=changes)
    return updated
