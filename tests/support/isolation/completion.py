"""Fills what the product's own actions left empty: one more row per table, with a canary in every text column."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from core import jsons
from core.ids import uuid7
from tests.support.isolation.canaries import Canaries
from tests.support.isolation.catalogue import Admin, Catalogue, Column, Table

Row = dict[str, Any]

# Text columns that hold no canary, each with its reason. Closed sets (CHECK ... IN) are known from the catalogue.
EXEMPT = {
    "organizations.locale": "one row per organization, read to choose a language; en or ru",
    "organizations.time_zone": "one row per organization, read to show times; a zone's name",
    "deals.currency": "three letters, too short for a canary",
    "commissions.currency": "three letters, too short for a canary",
    "custom_fields.currency": "three letters, too short for a canary",
    "stages.allowed_actions": "a closed set of verbs, which Action reads",
}

# What a CHECK wants to stand beside a canary.
BESIDE: dict[str, Row] = {
    "document_versions": {"status": "refused"},
    "saved_answers": {"status": 201},
    # open, as its template
    "invitations": {"accepted_by": None},
    # about a call, not about a draft
    "approvals": {"kind": "tool_call", "draft_id": None},
    # its deal has a standing one already
    "commissions": {"taken_back_at": "2026-11-27"},
    # open, as its template: no message shows that it was kept
    "promises": {"kept_message_id": None},
    # its promise has an open one already
    "suggestions": {"status": "dismissed"},
}

# Columns whose CHECK wants a certain shape: how to write a canary in it.
GENERATORS: dict[str, Callable[[str], object]] = {
    "organizations.working_hours": lambda word: Jsonb({"mon": [word, word]}),
    "custom_fields.choices": lambda word: Jsonb([{"key": "canary", "label": word}]),
    "webhook_deliveries.payload": lambda word: jsons.dumps({"canary": word}),
    "approvals.records": lambda word: Jsonb(
        [{"field": "contact_id", "kind": "contact", "id": word, "name": word, "version": 1}]
    ),
    "approvals.marks": lambda word: Jsonb([{"kind": "untrusted_value", "path": "name", "value": word}]),
    "suggestions.evidence": lambda word: Jsonb(
        [{"kind": "message", "id": str(uuid7()), "label": word, "quote": word}]
    ),
    "suggestions.calls": lambda word: Jsonb(
        [
            {
                "tool": "create_task",
                "arguments": {"title": word},
                "risk": "write",
                "scope": "tasks:write",
                "only_adds": True,
                "records": [],
                "marks": [],
            }
        ]
    ),
    "stages.entry_rules": lambda word: Jsonb([{"rule": "field", "field": f"custom.{word}"}]),
    "stages.exit_rules": lambda word: Jsonb([{"rule": "field", "field": f"custom.{word}"}]),
}


class CannotComplete(AssertionError):
    """The build fails and says which column wants a generator."""


async def complete(
    admin: Admin,
    catalogue: Catalogue,
    organization_id: UUID,
    canaries: Canaries,
    *,
    also: Collection[str] = (),
) -> dict[str, Row]:
    """Give every tenant table of the organization a row with canaries; returns these rows by table.

    `also` are tables that get one though they can hold no canary.
    """
    elders: dict[str, Row] = {}
    made = {"users": await _user(admin, catalogue.tables["users"], canaries)}
    for table in catalogue.tenant_tables:
        wanted = [column for column in table.textual if column.place not in EXEMPT]
        if not wanted and table.name not in also:
            continue
        words = {column.name: _value(column, canaries.make(column.place)) for column in wanted}
        row = elders[table.name] = await _template(admin, table, organization_id)
        if _is_single(table):
            await _update(admin, table, organization_id, words)
            made[table.name] = row | words
            continue
        made[table.name] = row | _fresh(table, row, made, elders) | words | BESIDE.get(table.name, {})
        await _insert(admin, table, made[table.name])
    return made


async def _user(admin: Admin, table: Table, canaries: Canaries) -> Row:
    """Somebody of the organization; users belong to no tenant by their columns, so none can be copied."""
    row = {"id": uuid7(), **{column.name: canaries.make(column.place) for column in table.textual}}
    await _insert(admin, table, row)
    return row


def _is_single(table: Table) -> bool:
    """Whether an organization has one row in it."""
    return ("organization_id",) in table.keys


async def _template(admin: Admin, table: Table, organization_id: UUID) -> Row:
    """A row that the product made, or plain values where it made none."""
    query = sql.SQL("SELECT * FROM {} WHERE organization_id = %s ORDER BY ctid LIMIT 1")
    found = await (
        await admin.execute(query.format(sql.Identifier(table.name)), (organization_id,))
    ).fetchone()
    names = {column.name for column in table.columns}
    if found is not None:
        return {name: value for name, value in found.items() if name in names}
    plain = {c.name: _plain(c) for c in table.columns if c.is_required and not c.has_default}
    return plain | {"organization_id": organization_id}


def _plain(column: Column) -> object:
    if column.is_closed:
        return column.choice
    match column.type:
        case "uuid":
            return uuid7()
        case "bool":
            return False
        case "timestamptz":
            return datetime.now(UTC)
        case "int2" | "int4" | "int8" | "float4" | "float8" | "numeric":
            return 1
        case "vector" | "halfvec":
            return str([1.0] + [0.0] * (column.length + 3))
        case _:
            return "x"


def _fresh(table: Table, row: Row, made: dict[str, Row], elders: dict[str, Row]) -> Row:
    """New ids, and parents that are canary rows too, so that no unique key is met twice."""
    settable = {column.name for column in table.columns} - {
        "organization_id"
    }  # generated ones are not listed
    parents: Row = {}
    last: dict[str, tuple[str, ...]] = {}
    for key in table.foreign_keys:
        last[key.parent] = max(key.columns, last.get(key.parent, ()))
    for key in table.foreign_keys:
        if key.parent == table.name:
            continue
        # of two references to one parent the first takes another row of it than the canary row
        is_earlier = key.columns < last[key.parent]
        parent = elders.get(key.parent) if is_earlier else made.get(key.parent)
        for column, name in zip(key.columns, key.parent_columns, strict=True):
            if column in settable:
                parents[column] = (parent or {}).get(name)
    referring = {column for key in table.foreign_keys for column in key.columns}
    own = {
        name: uuid7()
        for key in table.keys
        for name in key
        if isinstance(row.get(name), UUID) and name not in referring and name != "organization_id"
    }
    return parents | own


def _value(column: Column, word: str) -> object:
    if column.place in GENERATORS:
        return GENERATORS[column.place](word)
    match column.type:
        case "jsonb" | "json":
            return Jsonb({"canary": word})
        case "_text" | "_varchar":
            return [word]
        case "bytea":
            return word.encode()
        case _:
            return word


async def _insert(admin: Admin, table: Table, row: Row) -> None:
    query = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(table.name),
        sql.SQL(", ").join(sql.Identifier(name) for name in row),
        sql.SQL(", ").join(sql.Placeholder() for _ in row),
    )
    values = [Jsonb(value) if isinstance(value, dict | list) and _is_json(table, name) else value
              for name, value in row.items()]  # fmt: skip
    try:
        async with admin.transaction():
            await admin.execute(query, values)
    except psycopg.Error as err:
        raise CannotComplete(
            f"No canary row fits into {table.name}: {err}. Give the column a generator (or an exemption with its "
            "reason) in tests/support/isolation/completion.py, or build a row in tests/support/isolation/tenants.py."
        ) from err


def _is_json(table: Table, name: str) -> bool:
    return any(column.name == name and column.type in ("json", "jsonb") for column in table.columns)


async def _update(admin: Admin, table: Table, organization_id: UUID, words: Row) -> None:
    query = sql.SQL("UPDATE {} SET {} WHERE organization_id = %s").format(
        sql.Identifier(table.name),
        sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in words),
    )
    await admin.execute(query, [*words.values(), organization_id])
