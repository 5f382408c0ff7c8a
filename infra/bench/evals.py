"""How fast cases are played: with a model that takes no time, through the real runtime, in this process."""

import asyncio
import time

from core import telemetry
from core.settings import Settings
from evals import running
from evals.cases import Case
from evals.planning import plan
from evals.suites import find_suite
from infra.bench import Report
from infra.embedded import Urls
from infra.evaluation.book import OWN_SLUG, open_book
from infra.evaluation.grounds import examiner, grounds

WARM, CASES = 20, 200


def run() -> Report:
    """Measure; takes about half a minute and needs nothing running."""
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
    return report


async def _seconds(settings: Settings, cases: list[Case]) -> float:
    """How long it takes to play these, from the plan to the verdict. The offline model answers at once."""
    async with (
        open_book(settings, OWN_SLUG) as book,
        examiner(settings, Urls(settings.database_url)) as playing,
    ):
        started = time.perf_counter()
        run = await running.start(book.db, book.asker, plan(find_suite("triage"), cases, model="offline"))
        await running.play_waiting(book.db, book.asker, run, playing)
        await running.finish(book.db, book.asker, run.id)
        return time.perf_counter() - started
