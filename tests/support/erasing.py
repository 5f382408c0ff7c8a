"""A person with canaries in every text column that leads to them, and everything that an erasure has to reach."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from redis.asyncio import Redis

from core.db import Database
from core.ids import uuid7
from core.settings import Settings
from crm.contacts.actions import create_contact, record_consent
from crm.contacts.models import ConsentChannel, NewContact
from crm.imports.tables.models import Duplicates, Options
from crm.notes.actions import create_note
from crm.records.models import RecordRef
from crm.search import actions as search
from crm.search.models import FoundKind
from events.ids import ContactId, RecordKind
from graph.postgres import PostgresGraph
from graph.projector import rebuild
from tests.support.importing import Importing
from tests.support.isolation.canaries import Canaries
from tests.support.isolation.catalogue import Admin, Catalogue, Column, read_catalogue
from tests.support.isolation.completion import GENERATORS
from tests.support.isolation.tenants import Tenant, build_tenant, contents

# What says of which sort something is, and not what it is: a word there is not a person's, and would break the row.
_SORTS = frozenset(
    [
        "kind",
        "type",
        "event_type",
        "handler",
        "table_name",
        "thread_id",
        "checkpoint_ns",
        "checkpoint_id",
        "parent_checkpoint_id",
        "task_id",
        "channel",
        "version",
        "currency",
        "blob_key",
        "language",
        "model",
        "agent",
        "outcome",
        "time_zone",
        "status",
        "predicate",
        "tool",
        "risk",
        "decision",
        "gram",
        "stem",
        "sha256",
        "mime",
        "name_key",
        "key",
        "call_key",
        "task",
        "cause",
        "content_hash",
    ]
)
# The record of what happened: ids only, and sealed. What leads on from a company's deal is the company's.
_NOT_THEIRS = frozenset({"events", "event_subjects", "event_deliveries", "due_work", "privacy_requests"})
# Made from the rows after the canaries stand in them.
_MADE = frozenset({"search_entries", "search_postings", "graph_nodes", "graph_edges"})


@dataclass
class Stage:
    """An organization with Vera, who is erased, and Ines, who is not; `words` are Vera's canaries."""

    admin: Admin
    catalogue: Catalogue
    tenant: Tenant
    vera: ContactId
    ines: ContactId
    folder: Path
    canaries: Canaries = field(default_factory=Canaries)
    others: Canaries = field(default_factory=Canaries)
    planted: int = 0

    @property
    def id(self) -> UUID:
        return self.tenant.id

    async def rows(self) -> dict[str, str]:
        return await contents(self.admin, self.catalogue, self.id)

    async def leaks(self, redis: Redis) -> list[str]:
        """Where a canary of Vera stands: tables, files, Redis."""
        texts = {table: text for table, text in (await self.rows()).items()}
        for path in sorted(self.folder.rglob("*")):
            if path.is_file():
                texts[path.name] = path.read_bytes().decode("utf-8", "replace")
        texts["Redis"] = await _all_of(redis)
        return [f"{where}: {place}" for where, text in texts.items() for place in self.vera_in(text)]

    def vera_in(self, text: str) -> list[str]:
        return [place for place in self.canaries.found_in(text) if not place.endswith(" ?")]

    def ines_in(self, text: str) -> list[str]:
        return [place for place in self.others.found_in(text) if not place.endswith(" ?")]


async def _all_of(redis: Redis) -> str:
    """Every key of a Redis with what it holds."""
    await redis.config_set("rdbcompression", "no")
    return " ".join([repr((key, await redis.dump(key))) async for key in redis.scan_iter("*")])


async def connect(settings: Settings) -> Admin:
    """Above the policies: plants, looks and restores."""
    url = settings.database_url.replace("getsale_app", "postgres")
    return await psycopg.AsyncConnection.connect(url, autocommit=True, row_factory=dict_row)


async def build_stage(db: Database, settings: Settings, admin: Admin, name: str) -> Stage:
    """Everything the product writes about a person, then a canary in each of its words."""
    tenant = await build_tenant(db, settings, name, lambda text: text)
    stage = Stage(
        admin, await read_catalogue(admin), tenant, await _vera(db, tenant), ContactId(uuid7()), settings.data
    )
    note, mark = await _beside(stage, db)
    await _import(stage, db, settings)
    await _plant(stage)
    await _quote(stage, note, mark)
    for kind in FoundKind:
        async with db.transaction(tenant.owner, "test") as tx:
            await search.index_next(tx, kind)
    await rebuild(db, tenant.owner, PostgresGraph(db))
    log = settings.data / "postgres.log"
    log.write_text(f"ERROR: Key (value)=({await _email(stage)}) exists\nLOG: ready {mark}\n")
    return stage


async def _vera(db: Database, tenant: Tenant) -> ContactId:
    async with db.transaction(tenant.owner, "test") as tx:
        vera = ContactId(
            await tx.value("SELECT contact_id FROM contact_handles WHERE value = 'vera@lind.example'")
        )
        await record_consent(tx, vera, ConsentChannel.EMAIL, is_given=True, source="a form")
        # theirs alone: a deal of a company would be the company's
        await tx.execute("UPDATE deals SET company_id = NULL WHERE contact_id = %(id)s", id=vera)
    return vera


async def _beside(stage: Stage, db: Database) -> tuple[UUID, str]:
    """Ines, with a note of her own."""
    mark = stage.others.make("Ines")
    async with db.transaction(stage.tenant.owner, "test") as tx:
        ines = await create_contact(
            tx, NewContact(f"Ines Alba {mark}", note=mark, handles=(("email", f"{mark}@alba.example"),))
        )
        stage.ines = ines.id
        note = await create_note(tx, RecordRef(RecordKind.CONTACT, ines.id), "A friend of ...")
    return note.id, mark


async def _import(stage: Stage, db: Database, settings: Settings) -> None:
    """A table in which both stand."""
    importing = Importing(db, stage.tenant.owner, settings.data)
    rows = [
        ["Name", "Email", "Title"],
        ["Vera Lind", "vera@lind.example", "Chief"],
        ["Otto", "otto@x.example", "-"],
    ]
    current = await importing.upload(rows, RecordKind.CONTACT)
    current = await importing.map(current, Options(duplicates=Duplicates.OVERWRITE))
    await importing.run(current)


async def _plant(stage: Stage) -> None:
    """A canary in every text column of every row that leads to Vera: by ids, whatever the catalogue of places says."""
    leading = await _closure(stage)
    await _plant_files(stage, leading)
    for table in stage.catalogue.tenant_tables:
        columns = [column for column in table.textual if _is_word(column) and table.name not in _MADE]
        for at in leading.get(table.name, ()):
            values = {column.name: _value(stage, column) for column in columns}
            if values:
                query = sql.SQL("UPDATE {} SET {} WHERE ctid = %s::tid").format(
                    sql.Identifier(table.name),
                    sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in values),
                )
                await stage.admin.execute(query, [*values.values(), at])
                stage.planted += len(values)


async def _plant_files(stage: Stage, leading: dict[str, set[str]]) -> None:
    """A canary at the end of each stored file of hers, and of the table that she was imported from."""
    keys = await stage.admin.execute(
        """
        SELECT 'blobs' AS folder, blob_key FROM files WHERE ctid::text = ANY(%s)
         UNION ALL
        SELECT 'blobs', blob_key FROM attachments WHERE ctid::text = ANY(%s) AND blob_key IS NOT NULL
         UNION ALL
        (SELECT 'uploads', blob_key FROM table_imports WHERE organization_id = %s ORDER BY import_id DESC LIMIT 1)
        """,
        (list(leading["files"]), list(leading["attachments"]), stage.id),
    )
    for row in await keys.fetchall():
        key = row["blob_key"]
        path = stage.folder / row["folder"] / str(stage.id) / key[:2] / key
        with path.open("ab") as file:
            file.write(stage.canaries.make(f"a file in {row['folder']}").encode())
        stage.planted += 1


def _is_word(column: Column) -> bool:
    return column.name not in _SORTS and not column.name.endswith("_kind")


def _value(stage: Stage, column: Column) -> object:
    word = stage.canaries.make(column.place)
    if column.place == "contacts.name":
        return f"Vera {word}"
    if column.place == "contact_handles.value":
        return f"{word}@lind.example"
    if column.place in GENERATORS:
        return GENERATORS[column.place](word)
    match column.type:
        case "jsonb" | "json":
            return Jsonb([{"canary": word}] if column.place in _LISTS else {"canary": word})
        case "_text" | "_varchar":
            return [word]
        case "bytea":
            return word.encode()
        case _:
            return word


_LISTS = frozenset(
    {
        "copilot_questions.citations",
        "drafts.flags",
        "run_replays.flags",
        "run_replays.calls",
        "model_exchanges.messages",
        "contact_matches.why",
    }
)


async def _closure(stage: Stage) -> dict[str, set[str]]:
    """The places of all rows that name Vera, or a row that does, and so on, by table."""
    rows: list[tuple[str, str, dict[str, Any]]] = []
    for table in stage.catalogue.tenant_tables:
        if table.name in _NOT_THEIRS or table.name.startswith("audit_"):
            continue
        query = sql.SQL("SELECT ctid::text AS at, to_jsonb(t) AS row FROM {} t WHERE organization_id = %s")
        found = await stage.admin.execute(query.format(sql.Identifier(table.name)), (stage.id,))
        rows += [(table.name, one["at"], one["row"]) for one in await found.fetchall()]
    events = await stage.admin.execute(
        "SELECT id::text, subject_id::text, run_id::text FROM events WHERE organization_id = %s", (stage.id,)
    )
    about = [(row["id"], {row["subject_id"], row["run_id"]}) for row in await events.fetchall()]
    ids, leading, before = {str(stage.vera)}, dict[str, set[str]](), -1
    while before != len(ids):
        before = len(ids)
        for name, at, row in rows:
            own = {
                str(value)
                for key, value in row.items()
                if key != "organization_id" and isinstance(value, str)
            }
            if own & ids:
                leading.setdefault(name, set()).add(at)
                if "id" in row:
                    ids.add(str(row["id"]))
        ids |= {event for event, subjects in about if subjects & ids}
    return leading


async def _email(stage: Stage) -> str:
    found = await stage.admin.execute(
        "SELECT value FROM contact_handles WHERE contact_id = %s AND kind = 'email'", (stage.vera,)
    )
    row = await found.fetchone()
    assert row is not None
    return str(row["value"])


async def _quote(stage: Stage, note: UUID, mark: str) -> None:
    """Others quote Vera: a note, what a run for others was answered, was told and kept, and a chat."""
    email, run = await _email(stage), uuid7()
    admin, organization = stage.admin, stage.id
    await admin.execute("UPDATE notes SET body = %s WHERE id = %s", (f"Friend of {email}, {mark}", note))
    await admin.execute(
        """
        INSERT INTO runs (organization_id, id, bidi_id, agent, status, first_at, due_at)
        SELECT organization_id, %s, id, 'copilot', 'succeeded', now(), now() FROM bidi WHERE organization_id = %s LIMIT 1
        """,
        (run, organization),
    )
    answer = {"contacts": [{"id": str(stage.vera), "name": email}, {"id": str(stage.ines), "name": mark}]}
    await admin.execute(
        """
        INSERT INTO tool_calls (organization_id, id, run_id, call_key, tool, risk, arguments, decision, is_tainted,
                                status, result)
        VALUES (%s, %s, %s, '1', 'list_contacts', 'read', %s, 'allow', false, 'done', %s)
        """,
        (organization, uuid7(), run, Jsonb({"text": email}), Jsonb(answer)),
    )
    await admin.execute(
        """
        INSERT INTO checkpoint_blobs (organization_id, thread_id, checkpoint_ns, channel, version, type, blob)
        VALUES (%s, %s, '', 'c', '1', 'msgpack', %s)
        """,
        (organization, str(run), email.encode()),
    )
    await admin.execute(
        """
        UPDATE copilot_questions
           SET answer = %s, citations = %s
         WHERE organization_id = %s
           AND status = 'answered'
        """,
        (
            f"{email} decides, {mark} does not.",
            Jsonb([{"number": 1, "kind": "contact", "id": str(stage.vera), "label": email}]),
            organization,
        ),
    )
    await admin.execute(
        "INSERT INTO saved_answers (organization_id, caller_id, key, fingerprint, fence, lease_until, claimed_at, status,"
        " media_type, content) VALUES (%s, %s, 'k', '', 1, now(), now(), 200, 'application/json', %s)",
        (organization, uuid7(), json.dumps({"email": email}).encode()),
    )


# A backup -------------------------------------------------------------------------------------------------------------
Dump = dict[str, list[dict[str, Any]]]


async def dump(stage: Stage) -> Dump:
    """Every row of the organization, as a backup has it."""
    kept: Dump = {}
    for table in stage.catalogue.tenant_tables:
        query = sql.SQL("SELECT to_jsonb(t) AS row FROM {} t WHERE organization_id = %s")
        found = await stage.admin.execute(query.format(sql.Identifier(table.name)), (stage.id,))
        kept[table.name] = [one["row"] for one in await found.fetchall()]
    return kept


async def restore(stage: Stage, kept: Dump) -> None:
    """The organization as it was: what came since is gone, what went is back."""
    async with stage.admin.transaction():
        await stage.admin.execute("SET LOCAL session_replication_role = replica")
        for table in stage.catalogue.tenant_tables:
            name = sql.Identifier(table.name)
            columns = await _writable(stage.admin, table.name)
            listed = sql.SQL(", ").join(map(sql.Identifier, columns))
            await stage.admin.execute(
                sql.SQL("DELETE FROM {} WHERE organization_id = %s").format(name), (stage.id,)
            )
            await stage.admin.execute(
                sql.SQL("INSERT INTO {} ({}) SELECT {} FROM jsonb_populate_recordset(NULL::{}, %s)").format(
                    name, listed, listed, name
                ),
                (Jsonb(kept[table.name]),),
            )


async def _writable(admin: Admin, table: str) -> Iterable[str]:
    found = await admin.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
        " AND attgenerated = ''",
        (table,),
    )
    return [row["attname"] for row in await found.fetchall()]
