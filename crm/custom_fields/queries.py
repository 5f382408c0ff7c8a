"""Reading custom fields, and the columns that lists get from them."""

from collections.abc import Mapping
from typing import LiteralString

from psycopg import sql

from core.db import Tx
from core.filters import ValueKind
from core.money import digits_of
from core.pagination import Page
from core.sql import FIRST_PAGE, Column, ListQuery, fetch_page
from crm.custom_fields.fields import FIELDS
from crm.custom_fields.models import CustomField, CustomFields
from events.ids import CustomFieldId, RecordKind

_OTHER_CURRENCY: Mapping[RecordKind, LiteralString] = {
    RecordKind.CONTACT: "SELECT count(*) FROM contacts WHERE custom -> %(key)s ->> 'currency' <> %(currency)s",
    RecordKind.COMPANY: "SELECT count(*) FROM companies WHERE custom -> %(key)s ->> 'currency' <> %(currency)s",
    RecordKind.DEAL: "SELECT count(*) FROM deals WHERE custom -> %(key)s ->> 'currency' <> %(currency)s",
}

_TABLES: Mapping[RecordKind, LiteralString] = {
    RecordKind.CONTACT: "contacts",
    RecordKind.COMPANY: "companies",
    RecordKind.DEAL: "deals",
}


async def get_custom_field(tx: Tx, field_id: CustomFieldId, *, lock: bool = False) -> CustomField:
    """One field; `lock` keeps others from changing it until the transaction ends.

    Raises: NotFound.
    """
    tx.principal.require("contacts:read")
    if lock:
        await tx.execute("SELECT FROM custom_fields WHERE id = %(id)s FOR NO KEY UPDATE", id=field_id)
    return await tx.one(
        CustomField,
        """
        SELECT id, record_kind, key, label, kind, choices, target_kind, currency, is_required, position,
               archived_at, version
          FROM custom_fields
         WHERE id = %(id)s
        """,
        id=field_id,
    )


async def list_custom_fields(
    tx: Tx, record_kind: RecordKind | None = None, *, with_archived: bool = False
) -> list[CustomField]:
    """The fields of one kind of record or of all, in their order."""
    tx.principal.require("contacts:read")
    return await tx.all(
        CustomField,
        """
        SELECT id, record_kind, key, label, kind, choices, target_kind, currency, is_required, position,
               archived_at, version
          FROM custom_fields
         WHERE (%(record_kind)s::text IS NULL OR record_kind = %(record_kind)s)
           AND (%(with_archived)s OR archived_at IS NULL)
         ORDER BY record_kind, position, id
        """,
        record_kind=record_kind,
        with_archived=with_archived,
    )


async def list_field_lines(tx: Tx, query: ListQuery = FIRST_PAGE) -> Page[CustomField]:
    """Fields that a filter keeps, in order, archived ones too."""
    tx.principal.require("contacts:read")
    return await fetch_page(tx, CustomField, FIELDS, query)


async def count_other_currencies(tx: Tx, field: CustomField, currency: str) -> int:
    """How many records hold an amount of a money field in another currency."""
    return int(await tx.value(_OTHER_CURRENCY[field.record_kind], key=field.key, currency=currency))


async def custom_fields_of(tx: Tx, record_kind: RecordKind) -> CustomFields:
    """What the values of a record are checked against."""
    return CustomFields({field.key: field for field in await list_custom_fields(tx, record_kind)})


async def custom_columns(tx: Tx, record_kind: RecordKind, custom: str) -> list[Column]:
    """Custom fields as columns of a list; `custom` is where the list has their values, as in `c.custom`."""
    alias = custom.partition(".")[0]
    return [column_of(field, alias, custom) for field in await list_custom_fields(tx, record_kind)]


def column_of(field: CustomField, alias: str, custom: str) -> Column:
    """The typed value of one field out of a record's jsonb; money is compared by its amount."""
    values = sql.SQL(".").join(sql.Identifier(part) for part in custom.split("."))
    text = sql.SQL("({} ->> {})").format(values, sql.Literal(field.key))
    match field.kind:
        case ValueKind.NUMBER:
            expression = sql.SQL("{}::numeric").format(text)
        case ValueKind.MONEY:
            expression = sql.SQL("({} -> {} ->> 'amount_minor')::bigint").format(
                values, sql.Literal(field.key)
            )
        case ValueKind.DATE:
            expression = sql.SQL("{}::date").format(text)
        case ValueKind.BOOLEAN:
            expression = sql.SQL("{}::boolean").format(text)
        case ValueKind.RECORD:
            expression = sql.SQL("{}::uuid").format(text)
        case ValueKind.CHOICES:
            expression = sql.SQL("ARRAY(SELECT jsonb_array_elements_text(coalesce({} -> {}, '[]')))").format(
                values, sql.Literal(field.key)
            )
        case _:
            expression = text
    return Column(
        field.column_name,
        field.kind,
        expression,
        is_sortable=field.kind is not ValueKind.CHOICES,
        digits=digits_of(field.currency) if field.currency else 2,
        called=_called(field.target_kind, alias, expression) if field.target_kind else None,
    )


def _called(target: RecordKind, alias: str, id: sql.Composable) -> sql.Composable:
    """The name of the record that a link leads to, looked up by its key."""
    return sql.SQL(
        "(SELECT t.name FROM {table} t WHERE t.organization_id = {alias}.organization_id AND t.id = {id})"
    ).format(table=sql.Identifier(_TABLES[target]), alias=sql.Identifier(alias), id=id)
