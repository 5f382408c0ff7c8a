"""Plays an evaluation by worker processes: each case is due work in the queue, under a lease, as all work is.

The grounds have a run of their own, with the same cases; what becomes of each is carried over into the book as it
ends. A worker that is killed comes back, and whatever it had in hand is played again from the start.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from core.db import Database
from core.ids import uuid7
from core.principal import Principal, system
from core.settings import Settings
from crm.evaluations import actions, queries
from crm.evaluations.models import CaseResult, CaseStatus, EvalCase, EvalRun, NewEvalCase, NewEvalRun
from crm.identity.actions import create_organization
from evals.running import Told
from events.ids import EvalCaseId, EvalRunId
from infra.embedded import Urls
from infra.evaluation.book import Book
from infra.fleet import Fleet, running_fleet
from worker import cron, relay
from worker.queue import Queue

_LOOK_SECONDS = 0.2


async def play_by_workers(
    book: Book, run: EvalRun, grounds: tuple[Path, Urls], settings: Settings, *, workers: int, told: Told
) -> None:
    """Play every case of the run that waits, by `workers` processes."""
    async with worker_fleet(grounds, settings, workers) as fleet:
        await play_by_fleet(book, run, fleet, grounds[1], settings, told)


async def play_by_fleet(
    book: Book, run: EvalRun, fleet: Fleet, urls: Urls, settings: Settings, told: Told
) -> None:
    """Play every case of the run that waits by the workers of a fleet, which may lose some on the way."""
    db = await Database(urls.database_url_worker, size=4).open()
    queue = await Queue.connect(settings.model_copy(update={"redis_url": urls.redis_url}))
    claiming = asyncio.create_task(_claim(db, queue, settings))
    try:
        async with book.db.transaction(book.asker, "eval.waiting") as tx:
            cases = await queries.list_eval_cases(tx, run.id)
        waiting = [case for case in cases if case.status is CaseStatus.WAITING]
        if waiting:
            keeper = system(uuid7())
            await _carry_over(
                book, db, keeper, await _twin(db, keeper, run, waiting), waiting, told, claiming
            )
    finally:
        claiming.cancel()
        await asyncio.gather(claiming, return_exceptions=True)
        await queue.close()
        await db.close()


@asynccontextmanager
async def worker_fleet(grounds: tuple[Path, Urls], settings: Settings, workers: int) -> AsyncIterator[Fleet]:
    """Ordinary workers over the grounds, ready to be given cases."""
    folder, urls = grounds
    names = ("worker", *(f"worker.{number}" for number in range(2, workers + 1)))
    environment = {
        "EMBEDDINGS_URL": settings.embeddings_url,
        "LOCAL_MODEL_URL": settings.local_model_url,
        "AGENT_PATIENCE": str(settings.agent_patience),
        "LOG_LEVEL": "warning",
    }
    async with running_fleet(folder, urls, "http://127.0.0.1:9", names, **environment) as fleet:
        yield fleet


async def _claim(db: Database, queue: Queue, settings: Settings) -> None:
    """Hand out cases and nothing else: what happens in their organizations is not ours to carry on."""

    async def step() -> float:
        return min(0.5, await cron.claim_due(db, queue, settings, (actions.PLAY,)))

    await relay.pump(db, "due_work", step)


async def _twin(db: Database, keeper: Principal, run: EvalRun, waiting: list[EvalCase]) -> EvalRunId:
    """The same run on the grounds, in the same order."""
    new = NewEvalRun(
        run.suite,
        run.model,
        run.prompts,
        run.code_version,
        run.dataset_sha256,
        run.seed,
        [NewEvalCase(case.key, case.language, case.definition) for case in waiting],
    )
    async with db.transaction(keeper, "eval.twin") as tx:
        await create_organization(
            tx, slug=f"eval-{keeper.organization_id}", name="Evaluation", locale="en", time_zone="UTC"
        )
        twin = await actions.start_eval_run(tx, new)
        await actions.queue_cases(tx, twin.id)
    return twin.id


async def _carry_over(
    book: Book,
    db: Database,
    keeper: Principal,
    twin: EvalRunId,
    waiting: list[EvalCase],
    told: Told,
    claiming: "asyncio.Task[None]",
) -> None:
    """Record in the book what was played on the grounds, until all of it has been."""
    known: list[EvalCaseId] = []
    while len(known) < len(waiting):
        if claiming.done():
            claiming.result()
        async with db.transaction(keeper, "eval.look") as tx:
            done = await queries.list_newly_done(tx, twin, known)
        for case in done:
            original = waiting[case.position]
            async with book.db.transaction(book.asker, "eval.record") as tx:
                await actions.record_case(tx, original.id, _result(case))
                told(await queries.get_eval_case(tx, original.id))
            known.append(case.id)
        await asyncio.sleep(0 if done else _LOOK_SECONDS)


def _result(case: EvalCase) -> CaseResult:
    return CaseResult(
        case.is_passed is True,
        case.scores,
        case.trace or {},
        case.agent_run_id,
        case.error,
        case.cost_usd_micros,
        case.latency_ms,
    )
