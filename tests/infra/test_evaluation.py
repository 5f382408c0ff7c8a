"""Evaluations by worker processes come to the same as in one process, also when workers are killed."""

import asyncio
from pathlib import Path

import pytest

from agents.llm.models import Models
from core.db import Database
from core.principal import Principal
from core.settings import Settings
from crm.evaluations.models import EvalCase, EvalRun
from evals import running
from evals.examiner import Examiner
from evals.planning import plan
from evals.suites import find_suite
from infra.embedded import Urls
from infra.evaluation.book import Book
from infra.evaluation.workers import play_by_fleet, worker_fleet
from tests.support.evaluating import cases_of, evaluate, make_cases, told

pytestmark = pytest.mark.xdist_group("fleet")


async def _by_workers(
    book: Book, settings: Settings, urls: Urls, folder: Path, *, workers: int, kills: int = 0
) -> tuple[EvalRun, list[EvalCase]]:
    """A run of two dozen cases; some of the workers die with a case in their hands."""
    run = await running.start(
        book.db, book.asker, plan(find_suite("triage"), make_cases(24), model="offline")
    )
    async with worker_fleet((folder, urls), settings, workers) as fleet:
        left = [f"worker.{number}" if number > 1 else "worker" for number in range(1, kills + 1)]

        def told_of(case: EvalCase) -> None:
            if left:
                fleet.kill(left.pop())

        await play_by_fleet(book, run, fleet, urls, settings, told_of)
        assert fleet.deaths == kills
    finished = await running.finish(book.db, book.asker, run.id)
    return finished, await cases_of(book.db, book.asker, run)


@pytest.mark.full
@pytest.mark.parametrize(("workers", "kills"), [(1, 1), (4, 0), (4, 3)])
async def test_many_workers_and_dying_ones_come_to_the_same(
    database: Database,
    organization: Principal,
    settings: Settings,
    migrated: Urls,
    tmp_path: Path,
    workers: int,
    kills: int,
) -> None:
    here = Examiner(database, settings, Models(settings))
    _, expected = await evaluate(database, organization, here, make_cases(24))

    async with asyncio.timeout(120):
        run, cases = await _by_workers(
            Book(database, organization), settings, migrated, tmp_path, workers=workers, kills=kills
        )

    assert run.is_passed
    assert told(cases) == told(expected)
