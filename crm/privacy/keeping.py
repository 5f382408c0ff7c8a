"""What is older than its organization keeps it: found and forgotten, kind by kind, a batch a transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from psycopg.errors import ForeignKeyViolation

from core.db import Tx
from crm.audit.chain import Key
from crm.audit.erasing import erase_origins
from crm.privacy import people
from crm.privacy.models import Person

BATCH = 50


@dataclass(frozen=True)
class _Id:
    id: UUID


async def find_old_talks(tx: Tx, before: datetime) -> Person | None:
    """Conversations in which nothing was said since, with everything that agents made of them; None when there are none."""
    found = await tx.all(
        _Id,
        """
        SELECT id
          FROM conversations
         WHERE last_message_at < %(before)s
         ORDER BY last_message_at
         LIMIT %(limit)s
        """,
        before=before,
        limit=BATCH,
    )
    return await people.with_everything(tx, Person((), tuple(one.id for one in found))) if found else None


async def find_old_contacts(tx: Tx, before: datetime) -> Person | None:
    """Somebody who has been in the trash since, with everything about them; None when nobody has."""
    found = await tx.find(
        _Id,
        """
        SELECT id
          FROM contacts
         WHERE deleted_at < %(before)s
           AND merged_into_id IS NULL
         ORDER BY deleted_at, id
         LIMIT 1
        """,
        before=before,
    )
    # their words stay where others quote them: nobody asked to be forgotten
    return replace(await people.find_person(tx, [found.id]), words=()) if found else None


async def find_old_sales(tx: Tx, before: datetime) -> Person | None:
    """Leads and deals that have been in the trash since, with what hangs on them; what a partner is owed for stays."""
    leads, deals = [
        await tx.all(_Id, query, before=before, limit=BATCH)
        for query in (
            "SELECT id FROM leads WHERE deleted_at < %(before)s ORDER BY deleted_at, id LIMIT %(limit)s",
            """
            SELECT id
              FROM deals d
             WHERE deleted_at < %(before)s
               AND NOT EXISTS (SELECT FROM commissions c WHERE c.deal_id = d.id)
             ORDER BY deleted_at, id
             LIMIT %(limit)s
            """,
        )
    ]
    if not leads and not deals:
        return None
    person = Person((), leads=tuple(one.id for one in leads), deals=tuple(one.id for one in deals))
    return await people.with_everything(tx, person)


async def remove_sales(tx: Tx, person: Person) -> None:
    """The leads and deals themselves, once nothing hangs on them any more."""
    await tx.execute("DELETE FROM deals WHERE id = ANY(%(ids)s)", ids=list(person.deals))
    await tx.execute("DELETE FROM leads WHERE id = ANY(%(ids)s)", ids=list(person.leads))


@dataclass(frozen=True)
class _File:
    blob_key: str


async def forget_trash(tx: Tx, before: datetime) -> list[str]:
    """Notes, tasks, meetings, files, and companies that nothing leads to; returns stored files to be removed."""
    for statement in (
        "DELETE FROM notes WHERE removed_at < %(before)s",
        "DELETE FROM tasks WHERE removed_at < %(before)s",
        "DELETE FROM meetings WHERE removed_at < %(before)s",
    ):
        await tx.execute(statement, before=before)
    files = await tx.all(
        _File, "DELETE FROM files WHERE removed_at < %(before)s RETURNING blob_key", before=before
    )
    companies = await tx.all(
        _Id,
        "SELECT id FROM companies WHERE deleted_at < %(before)s AND merged_into_id IS NULL",
        before=before,
    )
    for company in companies:
        try:
            async with tx.savepoint():
                await tx.execute("DELETE FROM companies WHERE id = %(id)s", id=company.id)
        except ForeignKeyViolation:
            continue  # something of use still leads to it
    return await _unused(tx, [file.blob_key for file in files])


async def _unused(tx: Tx, keys: Sequence[str]) -> list[str]:
    """Content is stored once, whoever has it."""
    found = await tx.all(
        _File,
        """
        SELECT DISTINCT blob_key
          FROM unnest(%(keys)s::text[]) AS gone (blob_key)
         WHERE NOT EXISTS (SELECT FROM files f WHERE f.blob_key = gone.blob_key)
           AND NOT EXISTS (SELECT FROM attachments a WHERE a.blob_key = gone.blob_key)
           AND NOT EXISTS (SELECT FROM document_versions v WHERE v.sha256 = gone.blob_key)
        """,
        keys=list(keys),
    )
    return [one.blob_key for one in found]


async def forget_traces(tx: Tx, before: datetime) -> None:
    """What models were told and runs noted on their way; runs, their cost and their outcome stay."""
    for statement in (
        "DELETE FROM model_exchanges WHERE asked_at < %(before)s",
        "DELETE FROM run_replays WHERE ended_at < %(before)s",
        """
        DELETE FROM checkpoint_writes
         WHERE thread_id IN (SELECT id::text FROM runs WHERE finished_at < %(before)s)
        """,
        """
        DELETE FROM checkpoint_blobs
         WHERE thread_id IN (SELECT id::text FROM runs WHERE finished_at < %(before)s)
        """,
        """
        DELETE FROM checkpoints
         WHERE thread_id IN (SELECT id::text FROM runs WHERE finished_at < %(before)s)
        """,
        """
        UPDATE tool_calls AS c
           SET arguments = '{}', result = NULL, error = ''
          FROM runs r
         WHERE r.id = c.run_id
           AND r.finished_at < %(before)s
           AND c.status <> 'asked'
           AND (c.arguments <> '{}' OR c.result IS NOT NULL)
        """,
    ):
        await tx.execute(statement, before=before)


async def forget_imports(tx: Tx, before: datetime) -> list[str]:
    """What imports wrote down of their rows; they cannot be taken back any more. Returns uploaded files to be removed."""
    old = await tx.all(
        _Id, "SELECT id FROM imports WHERE coalesce(finished_at, undone_at) < %(before)s", before=before
    )
    ids = [one.id for one in old]
    files = await tx.all(
        _File,
        """
        SELECT DISTINCT blob_key
          FROM table_imports t
         WHERE import_id = ANY(%(ids)s)
           AND blob_key IS NOT NULL
           AND NOT EXISTS (SELECT FROM table_imports o
                            WHERE o.blob_key = t.blob_key AND NOT o.import_id = ANY(%(ids)s))
        """,
        ids=ids,
    )
    for statement in (
        "DELETE FROM import_rows WHERE import_id = ANY(%(ids)s)",
        "DELETE FROM import_records WHERE import_id = ANY(%(ids)s)",
        "UPDATE table_imports SET blob_key = NULL, sample = '[]', repeated = '{}' WHERE import_id = ANY(%(ids)s)",
    ):
        await tx.execute(statement, ids=ids)
    return [file.blob_key for file in files]


async def forget_deliveries(tx: Tx, before: datetime) -> None:
    """What webhooks were told; what is on its way yet stays."""
    await tx.execute(
        "DELETE FROM webhook_deliveries WHERE created_at < %(before)s AND status <> 'pending'", before=before
    )


async def forget_sign_ins(tx: Tx, key: Key, before: datetime) -> None:
    """Sessions that are over, and from which address and program somebody acted; what they did stays."""
    await tx.execute(
        "DELETE FROM sessions WHERE coalesce(revoked_at, expires_at) < %(before)s", before=before
    )
    await erase_origins(tx, key, before)
