"""Carries an evaluation from its plan to its verdict, over the rows in which it is kept."""

import asyncio
from collections.abc import Callable

from core.db import Database
from core.principal import Principal
from crm.evaluations import actions, queries
from crm.evaluations.models import CaseStatus, EvalCase, EvalRun, NewEvalRun
from evals.examiner import Examiner
from evals.suites import find_suite
from evals.verdict import verdict
from events.ids import EvalRunId

AT_ONCE = 4
Told = Callable[[EvalCase], None]


def _say_nothing(_: EvalCase) -> None:
    """Nobody watches."""


async def start(book: Database, asker: Principal, new: NewEvalRun) -> EvalRun:
    """Write the plan down."""
    async with book.transaction(asker, "eval.start") as tx:
        return await actions.start_eval_run(tx, new)


async def play_waiting(
    book: Database, asker: Principal, run: EvalRun, examiner: Examiner, told: Told = _say_nothing
) -> None:
    """Play every case that still waits in this process, several at once, and record each as it ends."""
    async with book.transaction(asker, "eval.waiting") as tx:
        cases = await queries.list_eval_cases(tx, run.id)
    waiting = iter([case for case in cases if case.status is CaseStatus.WAITING])

    async def work() -> None:
        for case in waiting:
            result = await examiner.play(run, case)
            async with book.transaction(asker, "eval.record") as tx:
                await actions.record_case(tx, case.id, result)
                recorded = await queries.get_eval_case(tx, case.id)
            told(recorded)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(work())


async def finish(book: Database, asker: Principal, run_id: EvalRunId) -> EvalRun:
    """Sum up and close a run of which every case was played. Raises: Conflict."""
    async with book.transaction(asker, "eval.finish") as tx:
        run = await queries.get_eval_run(tx, run_id)
        figures, is_passed = verdict(find_suite(run.suite), await queries.list_eval_cases(tx, run_id))
        return await actions.finish_eval_run(tx, run_id, figures, is_passed=is_passed)
