"""One evaluation from the command line: planned, played, summed up; and what was kept, read again."""

import sys
from collections.abc import Callable, Sequence
from uuid import UUID

from core.errors import Conflict
from core.settings import Settings
from crm.evaluations import queries
from crm.evaluations.comparison import Comparison, compare
from crm.evaluations.models import EvalCase, EvalRun, EvalStatus, NewEvalRun
from evals import running
from events.ids import EvalRunId
from infra.evaluation.book import Book, open_book
from infra.evaluation.grounds import examiner, grounds
from infra.evaluation.workers import play_by_workers

Read = tuple[EvalRun, list[EvalCase]]


async def play(
    settings: Settings, organization: str, new: NewEvalRun, *, workers: int = 0, resume: UUID | None = None
) -> Read:
    """Play a run to its end, in this process or by workers. Raises: NotFound, Unprocessable, Conflict."""
    async with open_book(settings, organization) as book:
        run = await _begin(book, new, resume)
        print(f"{run.suite}: {run.cases} cases, run {run.id}", file=sys.stderr)
        tell = _progress(run)
        with grounds(with_queue=workers > 0) as (folder, urls):
            if workers:
                await play_by_workers(book, run, (folder, urls), settings, workers=workers, told=tell)
            else:
                async with examiner(settings, urls) as playing:
                    await running.play_waiting(book.db, book.asker, run, playing, tell)
        await running.finish(book.db, book.asker, run.id)
        return await _read(book, run.id)


async def _begin(book: Book, new: NewEvalRun, resume: UUID | None) -> EvalRun:
    if resume is None:
        return await running.start(book.db, book.asker, new)
    run, _ = await _read(book, EvalRunId(resume))
    if run.status is EvalStatus.FINISHED:
        raise Conflict(f"The evaluation {run.id} is finished already; `getsale eval report` shows it.")
    return run


def _progress(run: EvalRun) -> Callable[[EvalCase], None]:
    played = 0

    def tell(case: EvalCase) -> None:
        nonlocal played
        played += 1
        if not case.is_passed:
            print(f"  failed {case.key}: {why(case)}", file=sys.stderr)
        if played % 25 == 0 or played == run.cases:
            print(f"  {played} of {run.cases}", file=sys.stderr)

    return tell


def why(case: EvalCase) -> str:
    """What was wrong with a case, in a few words."""
    if case.error:
        return case.error
    told = [score for score in case.scores.values() if isinstance(score, dict) and not score.get("is_passed")]
    return "; ".join(str(score.get("why")) for score in told)


async def _read(book: Book, run_id: EvalRunId) -> Read:
    async with book.db.transaction(book.asker, "eval.read") as tx:
        return await queries.get_eval_run(tx, run_id), await queries.list_eval_cases(tx, run_id)


async def read_run(settings: Settings, organization: str, run_id: UUID) -> Read:
    """A run that was kept. Raises: NotFound, Unprocessable."""
    async with open_book(settings, organization) as book:
        return await _read(book, EvalRunId(run_id))


async def read_runs(settings: Settings, organization: str, run_ids: Sequence[UUID]) -> list[EvalRun]:
    """Runs that were kept, in the order asked for. Raises: NotFound, Unprocessable."""
    async with open_book(settings, organization) as book, book.db.transaction(book.asker, "eval.read") as tx:
        return [await queries.get_eval_run(tx, EvalRunId(id)) for id in run_ids]


async def read_two(
    settings: Settings, organization: str, before: UUID, after: UUID
) -> tuple[tuple[EvalRun, EvalRun], Comparison]:
    """Two runs that were kept, set side by side. Raises: NotFound, Unprocessable."""
    async with open_book(settings, organization) as book:
        one, earlier = await _read(book, EvalRunId(before))
        other, later = await _read(book, EvalRunId(after))
    return (one, other), compare(earlier, later)
