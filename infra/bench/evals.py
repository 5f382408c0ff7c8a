"""How fast cases and past answers are played: with a model that takes no time, by the real runtime, in this process."""

import asyncio
import time

from core import telemetry
from core.settings import Settings
from evals import running
from evals.cases import Case
from evals.past.backtest import cases_of_talks
from evals.planning import plan
from evals.suites import find_suite
from infra.bench import Report
from infra.bench.histories import write_export
from infra.embedded import Urls
from infra.evaluation.book import OWN_SLUG, open_book
from infra.evaluation.grounds import examiner, grounds
from infra.evaluation.talks import read_talks

WARM, CASES, REPLIES = 20, 200, 250


def run() -> Report:
    """Measure; takes about a minute and needs nothing running."""
    with grounds(with_queue=False) as (folder, urls):
        settings = Settings(database_url=urls.database_url, data=folder, log_level="warning")
        telemetry.set_up(settings, "getsale")
        return asyncio.run(_measure(settings))


async def _measure(settings: Settings) -> Report:
    report = Report("evals")
    cases = find_suite("triage").cases()
    await _seconds(settings, cases[:WARM])
    seconds = await _seconds(settings, cases[:CASES])
    report.add("cases_per_second", CASES / seconds, "1/s", CASES, aim=10.0, better="higher")
    begun = time.perf_counter()
    talks = await read_talks(write_export(settings.data, REPLIES), settings)
    points = cases_of_talks(talks)
    reading = time.perf_counter() - begun
    took = reading + await _seconds(settings, points, "backtest")
    report.add(
        "backtest_minutes_per_1000_replies", took / len(points) * 1000 / 60, "min", len(points), aim=10.0
    )
    return report


async def _seconds(settings: Settings, cases: list[Case], suite: str = "triage") -> float:
    """How long it takes to play these, from the plan to the verdict. The offline model answers at once."""
    async with (
        open_book(settings, OWN_SLUG) as book,
        examiner(settings, Urls(settings.database_url)) as playing,
    ):
        started = time.perf_counter()
        run = await running.start(book.db, book.asker, plan(find_suite(suite), cases, model="offline"))
        await running.play_waiting(book.db, book.asker, run, playing)
        await running.finish(book.db, book.asker, run.id)
        return time.perf_counter() - started
