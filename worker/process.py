"""The worker process: takes claimed work from the queue and carries it out with everything it may need."""

import structlog

from core import telemetry
from core.settings import Settings
from core.settings import load as load_settings
from events.due import DueWork
from events.outbox import Delivery
from worker import health
from worker.jobs import carry_out
from worker.queue import run_worker
from worker.routes import handler_of
from worker.services import build

log = structlog.get_logger()


async def main(settings: Settings | None = None) -> None:
    """Run one worker until SIGTERM."""
    settings = settings or load_settings()
    telemetry.set_up(settings, "worker")
    async with build(settings) as services, health.serve(settings, "worker", services.db, services.redis):

        async def carry(work: Delivery | DueWork) -> None:
            handler = handler_of(work)
            if handler is None:
                log.error("job.unroutable", id=str(work.id))
                return
            await carry_out(services, work, handler)

        await run_worker(settings, carry)
