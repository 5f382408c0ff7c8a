"""How one leased row is carried out: begin, handle, settle; postpone on failure, bury after too many.

A handler is either `in_tx`, rows only, whose effect commits together with the settlement, or `outside`, which may
leave the process: it opens short transactions itself while its lease is renewed.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from opentelemetry import propagate, trace
from prometheus_client import Counter, Histogram

from core.db import Tx
from core.principal import Principal, system
from events import leases, outbox
from events.due import DueWork
from events.leases import Lease
from events.outbox import Delivery
from events.types import Event

if TYPE_CHECKING:  # the relay reads the routes too and must not load the agents
    from worker.services import Services

log = structlog.get_logger()
_tracer = trace.get_tracer("getsale.worker")
_jobs = Counter("getsale_jobs_total", "Jobs carried out", ["handler", "outcome"])
_seconds = Histogram("getsale_job_seconds", "Duration of jobs", ["handler"])


@dataclass(frozen=True)
class Postpone:
    """Not now: give the row back for later without counting a failure, unless `counts`."""

    delay: timedelta
    reason: str
    counts: bool = False


@dataclass(frozen=True)
class Job:
    """One piece of work in hand: whose it is, what it is about and what caused it."""

    services: "Services"
    lease: Lease
    handler: str
    subject_id: UUID
    event: Event | None
    principal: Principal
    origin: Mapping[str, str]  # trace headers of the process that emitted the event

    @asynccontextmanager
    async def transaction(self, step: str) -> AsyncIterator[Tx]:
        """A short transaction of the system inside the job's organization."""
        async with self.services.db.transaction(self.principal, f"{self.handler}.{step}") as tx:
            yield tx


InTxFunction = Callable[["Services", Tx, Job], Awaitable[None]]
OutsideFunction = Callable[[Job], Coroutine[None, None, Postpone | None]]
GiveUpFunction = Callable[[Tx, Job, str], Awaitable[None]]


@dataclass(frozen=True)
class InTx:
    """A handler whose rows commit together with the settlement of its delivery."""

    function: InTxFunction

    @property
    def name(self) -> str:
        return getattr(self.function, "__name__", "")


@dataclass(frozen=True)
class Outside:
    """A handler that may leave the process; `give_up` closes its business when nothing helped."""

    function: OutsideFunction
    give_up: GiveUpFunction | None = None

    @property
    def name(self) -> str:
        return getattr(self.function, "__name__", "")


Handler = InTx | Outside


async def carry_out(services: "Services", work: Delivery | DueWork, handler: Handler) -> None:
    """Do one claimed piece of work to its end; a lost lease makes it a no-op."""
    job = await _begin(services, work, handler)
    if job is None:
        return
    structlog.contextvars.bind_contextvars(organization_id=str(work.organization_id), handler=handler.name)
    try:
        with _seconds.labels(handler.name).time():
            outcome = await _attempt(job, handler)
    finally:
        structlog.contextvars.unbind_contextvars("organization_id", "handler")
    _jobs.labels(handler.name, outcome).inc()


async def _begin(services: "Services", work: Delivery | DueWork, handler: Handler) -> Job | None:
    """Count the attempt before the work, so that a job that kills its worker is found out."""
    principal = system(work.organization_id)
    async with services.db.transaction(principal, f"{handler.name}.begin") as tx:
        if not await leases.begin(tx, work.lease, services.settings.lease_seconds):
            return None
        event = await outbox.get_event(tx, work.event_id) if isinstance(work, Delivery) else None
        if event is not None:
            principal = principal.caused_by(event.id, event.correlation_id)
        subject_id = event.subject_id if event else work.subject_id if isinstance(work, DueWork) else work.id
        typed = event.event() if event else None
        origin = event.trace if event else {}
        job = Job(services, work.lease, handler.name, subject_id, typed, principal, origin)
        if work.attempts < services.settings.max_attempts:
            return job
        await _bury(tx, job, handler, f"given up after {work.attempts} attempts")
    return None


async def _attempt(job: Job, handler: Handler) -> str:
    try:
        with _tracer.start_as_current_span(handler.name, context=propagate.extract(job.origin)):
            match handler:
                case InTx(function):
                    return await _run_in_tx(job, function)
                case Outside(function):
                    return await _run_outside(job, function)
    except LostLease:
        log.warning("job.lease_lost", handler=handler.name)
        return "lost"
    except Exception as err:  # the worker loop: whatever a handler raises is counted and tried again
        log.exception("job.failed", handler=handler.name, attempt=job.lease.attempts + 1)
        await _fail(job, handler, f"{type(err).__name__}: {err}")
        return "failed"


class LostLease(Exception):
    """Somebody else has the row by now; this process must write nothing more."""


async def _run_in_tx(job: Job, function: InTxFunction) -> str:
    async with job.transaction("commit") as tx:
        await function(job.services, tx, job)
        if not await leases.settle(tx, job.lease):
            raise LostLease
    return "done"


async def _run_outside(job: Job, function: OutsideFunction) -> str:
    work = asyncio.create_task(function(job))
    renewal = asyncio.create_task(_keep_lease(job, work))
    try:
        postponed = await work
    except asyncio.CancelledError:
        if renewal.done() and not renewal.cancelled():
            raise LostLease from None
        work.cancel()
        raise
    finally:
        renewal.cancel()
    async with job.transaction("settle") as tx:
        if postponed is not None:
            await leases.postpone(tx, job.lease, postponed.delay, postponed.reason, counts=postponed.counts)
            return "postponed"
        if not await leases.settle(tx, job.lease):
            raise LostLease
    return "done"


async def _keep_lease(job: Job, work: asyncio.Task[Postpone | None]) -> None:
    """Renew the lease while the work goes on; when it is lost, stop the work."""
    seconds = job.services.settings.lease_seconds
    while True:
        await asyncio.sleep(seconds / 3)
        async with job.transaction("renew") as tx:
            held = await leases.renew(tx, job.lease, seconds)
        if not held:
            work.cancel()
            return


async def _fail(job: Job, handler: Handler, reason: str) -> None:
    async with job.transaction("fail") as tx:
        if job.lease.attempts + 1 >= job.services.settings.max_attempts:
            await _bury(tx, job, handler, reason)
        else:
            await leases.postpone(tx, job.lease, backoff(job.lease.attempts), reason, counts=True)


async def _bury(tx: Tx, job: Job, handler: Handler, reason: str) -> None:
    log.error("job.buried", handler=handler.name, reason=reason)
    if isinstance(handler, Outside) and handler.give_up is not None:
        await handler.give_up(tx, job, reason)
    await leases.bury(tx, job.lease, reason)


def backoff(attempts: int) -> timedelta:
    """Exponential from half a second to a minute, with jitter so that failures do not march in step."""
    return timedelta(seconds=min(60.0, 0.5 * 2**attempts) * random.uniform(0.7, 1.3))
