"""The only place where privacy reads and writes other nouns' rows: count, show, remove, empty, take out.

Names of tables and columns come from the closed list in `places.py`, never from a caller, and are composed with
psycopg.sql as in core/sql.py.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb
from pydantic import JsonValue

from core.db import Tx
from crm.privacy.models import Person
from crm.privacy.places import Fate, Place
from crm.privacy.quoting import cut_json, cut_text, needles

Values = dict[str, Any]
_UUID = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_WITHOUT_ID = frozenset(
    [
        "checkpoint_writes",
        "checkpoint_blobs",
        "checkpoints",
        "model_exchanges",
        "tool_visits",
        "draft_evidence",
        "memory_speakers",
        "memory_terms",
        "mail_threads",
        "inbound_receipts",
        "meeting_members",
        "meeting_contacts",
        "record_tags",
        "external_ids",
        "deal_stakeholders",
        "table_imports",
        "import_rows",
        "import_records",
        "bulk_edit_records",
        "merge_rows",
        "webhook_attempts",
        "event_changes",
        "search_postings",
        "search_entries",
        "graph_edges",
        "contact_match_keys",
    ]
)


@dataclass(frozen=True)
class _Row:
    row: Values


async def ids_of(tx: Tx, place: Place, person: Person) -> set[UUID]:
    """The ids of the rows that lead to a person; none where rows have no id of their own."""
    if place.table in _WITHOUT_ID:
        return set()
    found = await tx.all(_Row, _select(place, sql.SQL("jsonb_build_object('id', t.id)")), **_ids(tx, person))
    return {UUID(one.row["id"]) for one in found}


async def count(tx: Tx, place: Place, person: Person) -> int:
    """How many rows lead to a person and hold something that an erasure would take."""
    full = sql.SQL(" OR ").join(
        sql.SQL("t.{} IS DISTINCT FROM {}").format(sql.Identifier(name), sql.SQL(value))
        for name, value in place.empty.items()
    )
    still = sql.SQL(" AND ({})").format(full) if place.empty else sql.SQL("")
    return int(await tx.value(_select(place, sql.SQL("count(*)")) + still, **_ids(tx, person)))


async def read(tx: Tx, place: Place, person: Person) -> list[Values]:
    """What is shown of the rows that lead to a person."""
    columns = sql.SQL(", ").join(
        sql.SQL("{name}, t.{column}").format(name=sql.Literal(name), column=sql.Identifier(name))
        for name in place.shows
    )
    found = await tx.all(
        _Row, _select(place, sql.SQL("jsonb_build_object({})").format(columns)), **_ids(tx, person)
    )
    return [one.row for one in found]


async def list_blobs(tx: Tx, place: Place, person: Person) -> list[str]:
    """The stored files that rows of a person name, and no row of anybody else does."""
    column = sql.Identifier(place.blob)
    found = await tx.all(
        _Row,
        sql.SQL(
            "SELECT DISTINCT jsonb_build_object('key', t.{column}) AS row FROM {table} AS t"
            " WHERE t.{column} IS NOT NULL AND ({leads})"
            "   AND NOT EXISTS (SELECT FROM {table} AS o WHERE o.{column} = t.{column} AND o.ctid NOT IN"
            "                   (SELECT t.ctid FROM {table} AS t WHERE {leads}))"
        ).format(column=column, table=sql.Identifier(place.table), leads=_led(place)),
        **_ids(tx, person),
    )
    return [one.row["key"] for one in found]


async def settle(tx: Tx, place: Place, person: Person, *, keeps_words: bool = False) -> int:
    """Do with the rows that lead to a person what their fate is; what is marked is the audit's own.

    A row that `keeps_words` is only emptied of what leads to the person.
    """
    match place.fate:
        case Fate.REMOVED:
            statement = sql.SQL("DELETE FROM {table} AS t WHERE {leads}").format(
                table=sql.Identifier(place.table), leads=_led(place)
            )
        case Fate.EMPTIED | Fate.UNLINKED:
            values = sql.SQL(", ").join(
                sql.SQL("{} = {}").format(sql.Identifier(name), sql.SQL(value))
                for name, value in place.empty.items()
                if value == "NULL" or not keeps_words
            )
            statement = sql.SQL("UPDATE {table} AS t SET {values} WHERE {leads}").format(
                table=sql.Identifier(place.table), values=values, leads=_led(place)
            )
        case Fate.MARKED | Fate.KEPT:
            return 0
    return await tx.execute(statement, **_ids(tx, person))


async def list_marked(tx: Tx, place: Place, person: Person) -> list[UUID]:
    """The events whose values lead to a person or quote them."""
    led = await tx.all(
        _Row, _select(place, sql.SQL("jsonb_build_object('id', t.event_id)")), **_ids(tx, person)
    )
    quoted = await tx.all(
        _Row,
        sql.SQL("SELECT jsonb_build_object('id', t.event_id) AS row FROM {table} AS t WHERE {hit}").format(
            table=sql.Identifier(place.table), hit=_hit(place, {"changes": "jsonb"})
        ),
        **_asked(tx, person),
    )
    return sorted({UUID(one.row["id"]) for one in (*led, *quoted)})


def _select(place: Place, what: sql.Composable) -> sql.Composed:
    return sql.SQL("SELECT {what} AS row FROM {table} AS t WHERE {leads}").format(
        what=what, table=sql.Identifier(place.table), leads=_led(place)
    )


def _led(place: Place) -> sql.Composed:
    """The condition of a place; a worker may see work of any tenant, so it names the organization itself."""
    return sql.SQL("t.organization_id = %(organization_id)s AND ({})").format(sql.SQL(place.leads))


def _ids(tx: Tx, person: Person) -> dict[str, object]:
    return {**person.ids, "organization_id": tx.organization_id}


# Rows about others that quote the person ------------------------------------------------------------------------------
async def count_quotes(tx: Tx, place: Place, person: Person) -> int:
    """How many rows about others quote a person."""
    return len(await _list_quoting(tx, place, person))


async def cut(tx: Tx, place: Place, person: Person) -> list[UUID | None]:
    """Take a person out of rows about others; the ids of those rows, None where they have none.

    Bytes cannot be cut: such a row goes. So does a memory, which is made anew from what is left.
    """
    quoting = await _list_quoting(tx, place, person)
    for one in quoting:
        await tx.execute(
            sql.SQL("DELETE FROM {table} WHERE ctid = %(at)s::tid").format(table=sql.Identifier(place.table))
            if not one.cut
            else sql.SQL("UPDATE {table} SET {values} WHERE ctid = %(at)s::tid").format(
                table=sql.Identifier(place.table),
                values=sql.SQL(", ").join(
                    sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(f"new_{name}"))
                    for name in one.cut
                ),
            ),
            at=one.at,
            **{
                f"new_{name}": Jsonb(value) if one.types[name] == "jsonb" else value
                for name, value in one.cut.items()
            },
        )
    return [one.id for one in quoting]


@dataclass(frozen=True)
class _Quoting:
    """A row about others in which the person stands, and what it holds without them; nothing where it has to go."""

    at: str
    id: UUID | None
    types: Mapping[str, str]
    cut: Values


async def _list_quoting(tx: Tx, place: Place, person: Person) -> list[_Quoting]:
    """Rows that lead to the person themselves are not among them."""
    types = await _types(tx, place)
    others = sql.SQL("NOT coalesce({}, false)").format(_led(place)) if place.leads else sql.SQL("true")
    found = await tx.all(
        _Row,
        sql.SQL(
            "SELECT jsonb_build_object('at', t.ctid::text) || to_jsonb(t) AS row FROM {table} AS t"
            " WHERE t.organization_id = %(organization_id)s AND {hit} AND {others} FOR UPDATE"
        ).format(table=sql.Identifier(place.table), hit=_hit(place, types), others=others),
        **_asked(tx, person),
    )
    is_removed = place.table == "memories" or "bytea" in types.values()
    quoting = []
    for one in found:
        cut = {} if is_removed else dict(_cut(one.row, types, person))
        if is_removed or any(cut[name] != one.row[name] for name in types):
            id = UUID(one.row["id"]) if "id" in one.row else None
            quoting.append(_Quoting(one.row["at"], id, types, cut))
    return quoting


def _cut(row: Values, types: Mapping[str, str], person: Person) -> Iterator[tuple[str, JsonValue]]:
    for name, kind in types.items():
        value: JsonValue = row[name]
        if value is None or kind == "jsonb":
            yield name, value if value is None else cut_json(value, person)
        elif isinstance(value, list):
            yield name, [cut_text(str(one), person) for one in value]
        else:
            yield name, cut_text(str(value), person)


async def _types(tx: Tx, place: Place) -> dict[str, str]:
    """The columns that may quote, each with its type."""
    found = await tx.all(
        _Row,
        """
        SELECT jsonb_object_agg(attname, t.typname) AS row
          FROM pg_attribute a
          JOIN pg_type t ON t.oid = a.atttypid
         WHERE a.attrelid = %(table)s::regclass
           AND a.attname = ANY(%(columns)s)
        """,
        table=place.table,
        columns=list(place.quotes),
    )
    return dict(found[0].row)


def _hit(place: Place, types: Mapping[str, str]) -> sql.Composed:
    """Whether a row quotes: one of the words in any column, or in JSON the id of something of the person's."""
    parts: list[sql.Composable] = []
    for name, kind in types.items():
        column = sql.SQL("t.{}").format(sql.Identifier(name))
        text = sql.SQL("lower(encode({}, 'escape'))" if kind == "bytea" else "lower({}::text)").format(column)
        words = "escaped" if kind == "bytea" else "words"
        parts.append(
            sql.SQL("EXISTS (SELECT FROM unnest({words}::text[]) w WHERE strpos({text}, w) > 0)").format(
                text=text, words=sql.Placeholder(words)
            )
        )
        if kind in ("jsonb", "bytea"):
            parts.append(
                sql.SQL("ARRAY(SELECT (regexp_matches({text}, {uuid}, 'g'))[1]) && %(ids)s::text[]").format(
                    text=text, uuid=sql.Literal(f"({_UUID})")
                )
            )
    return sql.SQL("({})").format(sql.SQL(" OR ").join(parts))


def _asked(tx: Tx, person: Person) -> dict[str, object]:
    words = needles(person)
    return {
        **_ids(tx, person),
        "words": words,
        # as PostgreSQL prints bytes: those outside of ASCII by their octal number
        "escaped": [_escaped(word) for word in words],
        "ids": [str(id) for id in person.everything],
    }


def _escaped(word: str) -> str:
    return "".join(chr(byte) if byte < 128 else f"\\{byte:03o}" for byte in word.encode())


# What agents' runs for others keep of their steps: bytes that cannot be cut, of runs that are over ---------------------
async def forget_steps(tx: Tx, person: Person) -> int:
    """Forget the steps of runs for others that have the person in them; the runs, their calls and results stay."""
    asked = {
        "words": [word.encode() for word in needles(person)]
        + [str(id).encode() for id in (*person.contacts, *person.conversations)]
    }
    threads = await tx.all(
        _Row,
        """
        SELECT jsonb_build_object('id', thread_id) AS row
          FROM checkpoint_blobs b
         WHERE EXISTS (SELECT FROM unnest(%(words)s::bytea[]) w WHERE position(w IN b.blob) > 0)
         UNION
        SELECT jsonb_build_object('id', thread_id)
          FROM checkpoint_writes b
         WHERE EXISTS (SELECT FROM unnest(%(words)s::bytea[]) w WHERE position(w IN b.blob) > 0)
         UNION
        SELECT jsonb_build_object('id', thread_id)
          FROM checkpoints c
         WHERE EXISTS (SELECT FROM unnest(%(words)s::bytea[]) w
                        WHERE position(w IN convert_to(c.checkpoint::text || c.metadata::text, 'UTF8')) > 0)
        """,
        **asked,
    )
    gone = 0
    for table in ("checkpoint_writes", "checkpoint_blobs", "checkpoints"):
        gone += await tx.execute(
            sql.SQL("DELETE FROM {} WHERE thread_id = ANY(%(threads)s)").format(sql.Identifier(table)),
            threads=[one.row["id"] for one in threads],
        )
    return gone


# Small looks that an erasure takes ------------------------------------------------------------------------------------
async def list_there(tx: Tx, table: str, ids: Collection[UUID]) -> list[UUID]:
    """Which of these rows are there."""
    found = await tx.all(
        _Row,
        sql.SQL("SELECT jsonb_build_object('id', id) AS row FROM {} WHERE id = ANY(%(ids)s)").format(
            sql.Identifier(table)
        ),
        ids=list(ids),
    )
    return sorted(UUID(one.row["id"]) for one in found)


async def conversations_of(tx: Tx, message_ids: Sequence[UUID]) -> list[UUID]:
    """The conversations of some messages."""
    found = await tx.all(
        _Row,
        "SELECT DISTINCT jsonb_build_object('id', conversation_id) AS row FROM messages WHERE id = ANY(%(ids)s)",
        ids=list(message_ids),
    )
    return sorted(UUID(one.row["id"]) for one in found)


async def list_export_files(tx: Tx, contact_ids: Sequence[UUID]) -> list[tuple[UUID, str]]:
    """Requests with a file of everything about these contacts, and its key."""
    found = await tx.all(
        _Row,
        """
        SELECT jsonb_build_object('id', id, 'key', blob_key) AS row
          FROM privacy_requests
         WHERE blob_key IS NOT NULL
           AND (contact_id = ANY(%(ids)s) OR contact_ids && %(ids)s)
        """,
        ids=list(contact_ids),
    )
    return [(UUID(one.row["id"]), one.row["key"]) for one in found]


async def list_refused_mails(tx: Tx) -> list[tuple[UUID, str]]:
    """Mails that could not be taken in and are kept as they came: who wrote them is not known."""
    found = await tx.all(
        _Row,
        "SELECT jsonb_build_object('id', id, 'key', blob_key) AS row FROM mail_refusals WHERE blob_key IS NOT NULL",
    )
    return [(UUID(one.row["id"]), one.row["key"]) for one in found]


async def forget_refused_mail(tx: Tx, id: UUID) -> None:
    await tx.execute("DELETE FROM mail_refusals WHERE id = %(id)s", id=id)
