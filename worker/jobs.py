"""How leased rows are carried out: begin, handle, settle; postpone on failure, bury after too many.

Three kinds of handlers: `InTx`, rows only, whose effect commits together with the settlement; `Outside`, which may
leave the process and opens short transactions itself while its lease is renewed; `Together`, which needs nothing but
the deliveries themselves, so that many are carried out and settled as one.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, replace
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
from worker.holding import hold

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
TogetherFunction = Callable[["Services", Sequence[Delivery]], Awaitable[None]]
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


@dataclass(frozen=True)
class Together:
    """A handler of whole batches; repeating it does no harm, and neither does another order."""

    function: TogetherFunction

    @property
    def name(self) -> str:
        return getattr(self.function, "__name__", "")


Handler = InTx | Outside | Together

# Claims without an end: no worker was there for as long, or the job kills its worker before the attempt is counted.
# From then on the attempt is counted before the work, so that the latter is found out and the former costs nothing.
SUSPECT_CLAIMS = 5


async def carry_out_together(services: "Services", deliveries: Sequence[Delivery], handler: Together) -> None:
    """Do a batch and settle it in one statement; when it fails, find out one by one which delivery it was."""
    try:
        with _seconds.labels(handler.name).time():
            await handler.function(services, deliveries)
    except Exception as err:  # the worker loop: whatever a handler raises is counted and tried again
        if len(deliveries) > 1:
            for delivery in deliveries:
                await carry_out_together(services, [delivery], handler)
            return
        log.exception("job.failed", handler=handler.name)
        await _fail(services, deliveries[0], handler, f"{type(err).__name__}: {err}")
        _jobs.labels(handler.name, "failed").inc()
        return
    async with services.db.across_tenants(f"{handler.name}.settle") as connection:
        await outbox.settle_together(connection, deliveries)
    _jobs.labels(handler.name, "done").inc(len(deliveries))


async def carry_out(services: "Services", work: Delivery | DueWork, handler: InTx | Outside) -> None:
    """Do one claimed piece of work to its end; a lost lease makes it a no-op."""
    with (
        structlog.contextvars.bound_contextvars(
            organization_id=str(work.organization_id), handler=handler.name
        ),
        _seconds.labels(handler.name).time(),
    ):
        try:
            match handler:
                case InTx():
                    outcome = await _in_one_transaction(services, work, handler)
                case Outside():
                    outcome = await _outside(services, work, handler)
        except LostLease:
            log.debug("job.lease_lost")
            outcome = "lost"
        except Exception as err:  # the worker loop: whatever a handler raises is counted and tried again
            log.exception("job.failed", attempt=work.attempts + 1)
            await _fail(services, work, handler, f"{type(err).__name__}: {err}")
            outcome = "failed"
    _jobs.labels(handler.name, outcome).inc()


class LostLease(Exception):
    """Somebody else has the row by now; this process must write nothing more."""


async def _in_one_transaction(services: "Services", work: Delivery | DueWork, handler: InTx) -> str:
    is_counted = _is_counted_first(work, handler)
    if is_counted:
        async with services.db.transaction(system(work.organization_id), f"{handler.name}.begin") as tx:
            await _begin(tx, services, work, handler.name)
    async with services.db.transaction(system(work.organization_id), f"{handler.name}.commit") as tx:
        job = await _begin(tx, services, work, handler.name, is_counted=is_counted)
        if _is_hopeless(services, work):
            await _bury(tx, job, handler, f"given up after {work.attempts} attempts")
            return "buried"
        with _span(job):
            await handler.function(services, replace(tx, principal=job.principal), job)
        if not await leases.settle(tx, work.lease):
            raise LostLease
    return "done"


async def _outside(services: "Services", work: Delivery | DueWork, handler: Outside) -> str:
    # The attempt is counted before the work, so that a job that kills its worker is found out.
    async with services.db.transaction(system(work.organization_id), f"{handler.name}.begin") as tx:
        job = await _begin(tx, services, work, handler.name)
        if _is_hopeless(services, work):
            await _bury(tx, job, handler, f"given up after {work.attempts} attempts")
            return "buried"
    with _span(job):
        postponed = await _while_leased(job, handler.function)
    async with job.transaction("settle") as tx:
        if postponed is not None:
            await leases.postpone(tx, job.lease, postponed.delay, postponed.reason, counts=postponed.counts)
            return "postponed"
        if not await leases.settle(tx, job.lease):
            raise LostLease
    return "done"


async def _begin(
    tx: Tx, services: "Services", work: Delivery | DueWork, name: str, *, is_counted: bool = False
) -> Job:
    """Count the attempt, unless it is, and load what the work is about. Raises: LostLease."""
    hold = leases.renew if is_counted else leases.begin
    if not await hold(tx, work.lease, services.settings.lease_seconds):
        raise LostLease
    principal = system(work.organization_id)
    if isinstance(work, DueWork):
        return Job(services, work.lease, name, work.subject_id, None, principal, {})
    event = await outbox.get_event(tx, work.event_id)
    principal = principal.caused_by(event.id, event.correlation_id)
    return Job(services, work.lease, name, event.subject_id, event.event(), principal, event.trace)


def _is_counted_first(work: Delivery | DueWork, handler: Handler) -> bool:
    """Whether the attempt is counted, and that committed, before the work begins."""
    return isinstance(handler, Outside) or (isinstance(handler, InTx) and work.fence > SUSPECT_CLAIMS)


def _is_hopeless(services: "Services", work: Delivery | DueWork) -> bool:
    return work.attempts >= services.settings.max_attempts


def _span(job: Job) -> AbstractContextManager[trace.Span]:
    """A span that goes on with the trace of the process that emitted the event."""
    return _tracer.start_as_current_span(job.handler, context=propagate.extract(job.origin))


async def _while_leased(job: Job, function: OutsideFunction) -> Postpone | None:
    """Run the handler and renew the lease meanwhile. Raises: LostLease."""
    work = asyncio.create_task(function(job))
    renewal = asyncio.create_task(_keep_lease(job, work))
    try:
        return await work
    except asyncio.CancelledError:
        if renewal.done() and not renewal.cancelled():
            raise LostLease from None
        work.cancel()
        raise
    finally:
        renewal.cancel()


async def _keep_lease(job: Job, work: asyncio.Task[Postpone | None]) -> None:
    """Renew the lease while the work goes on; when it is lost, stop the work."""
    await hold(job.lease, lambda: job.transaction("renew"), job.services.settings.lease_seconds)
    work.cancel()


async def _fail(services: "Services", work: Delivery | DueWork, handler: Handler, reason: str) -> None:
    async with services.db.transaction(system(work.organization_id), f"{handler.name}.fail") as tx:
        if not _is_counted_first(work, handler) and not await leases.begin(tx, work.lease, 0):
            return
        if work.attempts + 1 < services.settings.max_attempts:
            await leases.postpone(tx, work.lease, backoff(work.attempts), reason, counts=True)
            return
        await _bury(tx, await _begin(tx, services, work, handler.name), handler, reason)


async def _bury(tx: Tx, job: Job, handler: Handler, reason: str) -> None:
    log.error("job.buried", handler=handler.name, reason=reason)
    if isinstance(handler, Outside) and handler.give_up is not None:
        await handler.give_up(tx, job, reason)
    await leases.bury(tx, job.lease, reason)


def backoff(attempts: int) -> timedelta:
    """Exponential from half a second to a minute, with jitter so that failures do not march in step."""
    return timedelta(seconds=min(60.0, 0.5 * 2**attempts) * random.uniform(0.7, 1.3))


def patience(pause_seconds: float, pauses: int, *, most_seconds: float = 3600.0) -> timedelta:
    """Twice as long after every pause before, with jitter so that what waits does not come back all at once."""
    return timedelta(
        seconds=min(most_seconds, pause_seconds * 2.0 ** min(pauses, 30)) * random.uniform(0.9, 1.1)
    )
