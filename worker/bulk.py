"""Bulk edits: worked on under the lease of their due work."""

from datetime import timedelta

from core.db import Tx
from crm.bulk import running, steps
from events import leases
from events.ids import BulkEditId
from worker.jobs import Job, LostLease, Postpone

# After so long another job has its turn; an edit goes on where it stopped.
TURN_SECONDS = 30.0


async def work_on_bulk_edit(job: Job) -> Postpone | None:
    """Try, run or undo an edit, whatever it waits for."""

    async def guard(tx: Tx) -> None:
        """Whoever lost the lease writes nothing more."""
        if not await leases.renew(tx, job.lease, job.services.settings.lease_seconds):
            raise LostLease

    is_left = await running.work(job.transaction, guard, BulkEditId(job.subject_id), seconds=TURN_SECONDS)
    return Postpone(timedelta(0), "the edit goes on") if is_left else None


async def fail_bulk_edit(tx: Tx, job: Job, reason: str) -> None:
    """Work that could not be done is said on the page; what was changed can be taken back."""
    await steps.fail(tx, BulkEditId(job.subject_id))
