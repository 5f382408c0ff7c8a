"""Evaluations in a test: a few cases, and the rows that they leave."""

from core.db import Database
from core.principal import Principal
from crm.evaluations import queries
from crm.evaluations.models import EvalCase, EvalRun
from evals import running
from evals.cases import Case, Expect
from evals.examiner import Examiner
from evals.planning import plan
from evals.suites import find_suite

LINES = (
    ("answer", "What do 30 scanners cost?"),
    ("ignore", "thanks, got it"),
    ("notify", "Get me your manager"),
    ("answer", "Could we have a demo on Thursday?"),
)


def make_cases(number: int = 4) -> list[Case]:
    """Cases of triage, all of them right for the offline model."""
    return [
        Case(id=f"c{n}", world="scanners", burst=(LINES[n % 4][1],), expect=Expect(decision=LINES[n % 4][0]))
        for n in range(number)
    ]


async def evaluate(
    db: Database, asker: Principal, examiner: Examiner, cases: list[Case], *, repeat: int = 1
) -> tuple[EvalRun, list[EvalCase]]:
    """Play cases of triage to their end in this process."""
    run = await running.start(db, asker, plan(find_suite("triage"), cases, model="offline", repeat=repeat))
    await running.play_waiting(db, asker, run, examiner)
    return await running.finish(db, asker, run.id), await cases_of(db, asker, run)


async def cases_of(db: Database, asker: Principal, run: EvalRun) -> list[EvalCase]:
    async with db.transaction(asker, "test") as tx:
        return await queries.list_eval_cases(tx, run.id)


def told(cases: list[EvalCase]) -> list[tuple[object, ...]]:
    """What must be the same whenever and wherever a case is played."""
    return [
        (
            case.key,
            case.is_passed,
            case.scores,
            (case.trace or {}).get("draft"),
            (case.trace or {}).get("state"),
        )
        for case in cases
    ]
