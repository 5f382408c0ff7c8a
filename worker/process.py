"""The worker process: takes claimed work from the queue and carries it out with everything it may need."""

import asyncio

import psycopg
import structlog

from core import telemetry
from core.errors import AppError
from core.settings import Settings
from core.settings import load as load_settings
from events.due import DueWork
from events.outbox import Delivery
from worker import health, remembering, removing
from worker.jobs import Together, carry_out, carry_out_together
from worker.queue import run_worker
from worker.routes import handler_of
from worker.services import Services, build

log = structlog.get_logger()

CATCH_UP_SECONDS = 2.0


async def main(settings: Settings | None = None) -> None:
    """Run one worker until SIGTERM."""
    settings = settings or load_settings()
    telemetry.set_up(settings, "worker")
    async with build(settings) as services, health.serve(settings, "worker", services.db, services.redis):
        catching_up = [
            asyncio.create_task(_keep_graph_current(services)),
            asyncio.create_task(_embed_what_waits(services)),
            asyncio.create_task(_remove_what_came_back(services)),
        ]

        async def carry(pieces: list[Delivery | DueWork]) -> None:
            await _carry(services, pieces)

        try:
            await run_worker(settings, carry)
        finally:
            for task in catching_up:
                task.cancel()


async def _keep_graph_current(services: Services) -> None:
    """Bring Neo4j up to the facts whenever it has come, or come back; several workers share the work by claims."""
    while True:
        try:
            await services.graph.catch_up()
        except (psycopg.Error, AppError) as err:
            log.warning("graph.catch_up_interrupted", error=type(err).__name__)
        await asyncio.sleep(CATCH_UP_SECONDS)


async def _embed_what_waits(services: Services) -> None:
    """Once, as soon as the database can be asked."""
    while True:
        try:
            return await remembering.catch_up(services)
        except (psycopg.Error, AppError) as err:
            log.warning("memory.catch_up_interrupted", error=type(err).__name__)
        await asyncio.sleep(CATCH_UP_SECONDS)


async def _remove_what_came_back(services: Services) -> None:
    """Once, as soon as the database can be asked: a backup may have been restored."""
    while True:
        try:
            return await removing.remove_again(services)
        except (psycopg.Error, AppError) as err:
            log.warning("removing.interrupted", error=type(err).__name__)
        await asyncio.sleep(CATCH_UP_SECONDS)


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
