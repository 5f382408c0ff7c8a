"""Imports of tables: worked on under the lease of their due work, and brought into the graphs chunk by chunk."""

from datetime import timedelta
from pathlib import Path

from core.db import Tx
from crm.contacts import erased
from crm.imports.tables import running, steps
from crm.imports.tables.actions import UPLOADS
from crm.imports.tables.queries import list_chunk
from crm.imports.tables.running import Desk
from crm.search import actions as search
from crm.search.models import FoundKind
from events import leases
from events.ids import ImportId
from events.types import ImportProgressed
from worker.jobs import Job, LostLease, Postpone

# After so long another job has its turn; a run goes on where it stopped.
TURN_SECONDS = 60.0


async def work_on_import(job: Job) -> Postpone | None:
    """Check, run or undo an import, whatever it waits for."""
    files = job.services.blobs.apart(UPLOADS)

    async def guard(tx: Tx) -> None:
        """Whoever lost the lease writes nothing more."""
        if not await leases.renew(tx, job.lease, job.services.settings.lease_seconds):
            raise LostLease

    def find_file(key: str) -> Path:
        return files.path(job.principal.organization_id, key)

    key = erased.key_of(job.services.settings.sealing_key, job.principal.organization_id)
    desk = Desk(job.transaction, guard, find_file, key)
    is_left = await running.work(desk, ImportId(job.subject_id), seconds=TURN_SECONDS)
    return Postpone(timedelta(0), "the import goes on") if is_left else None


async def fail_import(tx: Tx, job: Job, reason: str) -> None:
    """Work that could not be done is said on the page; what was taken over can be taken back."""
    await steps.fail(tx, ImportId(job.subject_id), None)


async def forget_file(job: Job) -> Postpone | None:
    """An uploaded file goes some days after its import was done."""
    async with job.transaction("forget") as tx:
        key = await steps.forget_file(tx, ImportId(job.subject_id))
    if key is not None:
        await job.services.blobs.apart(UPLOADS).remove(job.principal.organization_id, key)
    return None


async def project_chunk(job: Job) -> Postpone | None:
    """Bring the graphs in step with a chunk of an import at once."""
    if isinstance(job.event, ImportProgressed) and job.event.chunk_id is not None:
        await job.services.graph.project(job.principal, job.event)
    return None


async def index_chunk(job: Job) -> Postpone | None:
    """Let the records of a chunk be found; those that were taken back are found no more."""
    if not isinstance(job.event, ImportProgressed) or job.event.chunk_id is None:
        return None
    async with job.transaction("list") as tx:
        records = await list_chunk(tx, job.event.import_id, job.event.chunk_id)
    for kind in {record.kind for record in records}:
        ids = [record.record_id for record in records if record.kind == kind]
        for start in range(0, len(ids), search.BATCH):
            async with job.transaction("batch") as tx:
                await search.index_records(tx, FoundKind(kind), ids[start : start + search.BATCH])
    return None
