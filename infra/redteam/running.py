"""Plays cases of the red team on several processes over one embedded PostgreSQL, which nothing survives."""

import asyncio
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import SecretStr

from agents.llm.base import LanguageModel
from agents.llm.models import ModelChoice, Models
from core import telemetry
from core.db import Database
from core.settings import Settings
from crm.bidi.models import Autonomy
from evals.redteam.cases import Case
from evals.redteam.playing import Stage
from evals.redteam.readers import REACHES, Reader
from evals.redteam.scores import Score, Scorer, Sum, sums
from evals.redteam.world import make_neighbour
from infra import embedded
from infra.bench import Report
from infra.migrate import migrate
from infra.redteam.picture import camera

_BATCH = 6
_AT_ONCE = 3


@dataclass(frozen=True)
class Plan:
    """Which cases to play, at which levels, by how many processes; by the model named, or by one that obeys.

    A case is played before each of the `readers` that its carrier reaches.
    """

    cases: Sequence[Case]
    levels: Sequence[Autonomy]
    workers: int
    model: str = ""
    readers: Sequence[Reader] = tuple(Reader)


def run(plan: Plan, settings: Settings) -> list[Score]:
    """The scores of every case at every level, in the order of the cases; of a model that obeys without policy too.

    `settings` say where a real model is. Raises: Unprocessable when there is none of its name.
    """
    _model(plan.model, settings)
    batches = [plan.cases[start : start + _BATCH] for start in range(0, len(plan.cases), _BATCH)]
    scores: dict[int, list[Score]] = {}
    started = time.monotonic()
    with _servers(settings) as own, _pool(plan, own) as pool:
        waiting = {pool.submit(_play, batch, plan.levels): number for number, batch in enumerate(batches)}
        for done, future in enumerate(as_completed(waiting), 1):
            scores[waiting[future]] = future.result()
            played = min(done * _BATCH, len(plan.cases))
            _say(f"{played} of {len(plan.cases)} cases, {time.monotonic() - started:.0f} s")
    return [score for number in sorted(scores) for score in scores[number]]


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


@contextmanager
def _servers(settings: Settings) -> Iterator[Settings]:
    with (
        tempfile.TemporaryDirectory(prefix="getsale-redteam-") as folder,
        embedded.start(Path(folder), embedded.Wanted(redis=False, durable=False)) as servers,
    ):
        migrate(servers.urls.database_url_migrator)
        own = {
            "database_url": servers.urls.database_url,
            "data": Path(folder) / "files",
            "secret_key": SecretStr("a key for the red team, 32 bytes!"),
            "log_level": "error",
        }
        yield settings.model_copy(update=own)


def _pool(plan: Plan, settings: Settings) -> ProcessPoolExecutor:
    fresh = multiprocessing.get_context("spawn")
    given = (settings, plan.model, plan.readers)
    return ProcessPoolExecutor(plan.workers, mp_context=fresh, initializer=_open, initargs=given)


# in a process of the pool ----------------------------------------------------------------------------------------

_runner = asyncio.Runner()
_scorers: list[Scorer] = []


def _open(settings: Settings, model: str, readers: Sequence[Reader]) -> None:
    telemetry.set_up(settings, "redteam")
    _scorers.extend(_runner.run(_make_scorers(settings, model, readers)))


async def _make_scorers(settings: Settings, model: str, readers: Sequence[Reader]) -> list[Scorer]:
    db = await Database(settings.database_url, size=2 * _AT_ONCE).open()
    stage = Stage(db, settings, await camera(db), await make_neighbour(db), model=_model(model, settings))
    return [Scorer(replace(stage, reader=reader)) for reader in readers]


def _model(name: str, settings: Settings) -> LanguageModel | None:
    return Models(settings)(ModelChoice(name)) if name else None


def _play(cases: Sequence[Case], levels: Sequence[Autonomy]) -> list[Score]:
    return _runner.run(_score(cases, levels))


async def _score(cases: Sequence[Case], levels: Sequence[Autonomy]) -> list[Score]:
    free = asyncio.Semaphore(_AT_ONCE)

    async def score(case: Case) -> list[Score]:
        scores: list[Score] = []
        async with free:
            for scorer in (one for one in _scorers if case.carrier in REACHES[one.reader]):
                scores += [await scorer.score(case, level) for level in levels]
                scores += [await scorer.bite(case)] if scorer.is_compared else []
        return scores

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(score(case)) for case in cases]
    return [one for task in tasks for one in task.result()]


# what it came to -------------------------------------------------------------------------------------------------


def report(scores: Sequence[Score], *, is_own_set: bool) -> tuple[Report, bool]:
    """The figures as a bench reports them, and whether every aim is met."""
    found: list[Sum] = list(sums(scores, is_own_set=is_own_set))
    told = Report("redteam")
    for one in found:
        told.add(one.name, one.value, one.unit, one.n, aim=one.aim, better=one.better)
    return told, all(one.is_met for one in found)
