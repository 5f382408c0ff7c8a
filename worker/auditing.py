"""How the audit chain grows: what was committed is sealed, and where the chain ends is written down outside."""

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from core import clock
from core.db import Tx
from core.ids import uuid7
from crm.audit import actions as audit
from crm.audit import sealing
from crm.audit.anchors import Anchors
from crm.audit.chain import key_of
from crm.audit.verifying import verify
from events import due
from events.outbox import SEAL
from worker.jobs import Job, Postpone

if TYPE_CHECKING:  # the relay reads the routes too and must not load the agents
    from worker.services import Services

ANCHOR = "audit.anchor"
ANCHOR_EVERY = timedelta(seconds=60)


async def seal_events(services: "Services", tx: Tx, job: Job) -> None:
    """Seal what waits; the rest comes next when there is more than fits into one transaction."""
    key = key_of(services.settings.sealing_key, tx.organization_id)
    sealed = await sealing.seal_events(tx, key)
    if sealed == sealing.BATCH:
        await due.schedule(tx, SEAL, uuid7(), clock.now())
    if sealed:
        await due.schedule_sweep(tx, ANCHOR, keep=timedelta(0), every=ANCHOR_EVERY)


async def anchor_chain(job: Job) -> Postpone | None:
    """Only a committed end is written down, so the file never knows of a link that the database does not."""
    async with job.transaction("head") as tx:
        head = await sealing.find_head(tx)
    settings = job.services.settings
    organization_id = job.principal.organization_id
    await Anchors(settings.data).append(organization_id, key_of(settings.sealing_key, organization_id), head)
    return None


async def verify_chain(job: Job) -> Postpone | None:
    """Walk over the whole chain for somebody who asked."""
    settings, organization_id = job.services.settings, job.principal.organization_id
    verdict = await verify(
        partial(job.transaction, "walk"),
        key_of(settings.sealing_key, organization_id),
        organization_id,
        Anchors(settings.data),
    )
    async with job.transaction("keep") as tx:
        await audit.keep_verdict(tx, job.subject_id, verdict)
    return None


async def give_up_verification(tx: Tx, job: Job, reason: str) -> None:
    await audit.give_up_verification(tx, job.subject_id)
