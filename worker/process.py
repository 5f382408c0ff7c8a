"""The worker process: takes claimed work from the queue and carries it out with everything it may need."""

import structlog

from core import telemetry
from core.settings import Settings
from core.settings import load as load_settings
from events.due import DueWork
from events.outbox import Delivery
from worker import health
from worker.jobs import Together, carry_out, carry_out_together
from worker.queue import run_worker
from worker.routes import handler_of
from worker.services import Services, build

log = structlog.get_logger()


async def main(settings: Settings | None = None) -> None:
    """Run one worker until SIGTERM."""
    settings = settings or load_settings()
    telemetry.set_up(settings, "worker")
    async with build(settings) as services, health.serve(settings, "worker", services.db, services.redis):

        async def carry(pieces: list[Delivery | DueWork]) -> None:
            await _carry(services, pieces)

        await run_worker(settings, carry)


async def _carry(services: Services, pieces: list[Delivery | DueWork]) -> None:
    """Carry a job out by its handler; the pieces of one job share it."""
    handler = handler_of(pieces[0])
    match handler:
        case None:
            log.error("job.unroutable", id=str(pieces[0].id))
        case Together():
            deliveries = [piece for piece in pieces if isinstance(piece, Delivery)]
            await carry_out_together(services, deliveries, handler)
        case _:
            for piece in pieces:
                await carry_out(services, piece, handler)
