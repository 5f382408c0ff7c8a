"""What an organization's people decided and wrote, brought into its book, and played again with another model or prompt."""

from collections.abc import Sequence
from pathlib import Path

from core.errors import Unprocessable
from core.settings import Settings
from crm.evaluations import actions, queries
from crm.evaluations.models import EvalCase, EvalRun, NewEvalRun
from evals.cases import Case, digest
from evals.past.backtest import cases_of_conversations, cases_of_talks
from evals.past.decisions import as_it_was, decided_cases
from evals.planning import case_of, code_version, plan
from evals.scene import Paper
from evals.suites import decisions, find_suite
from evals.verdict import verdict
from infra.evaluation.book import Book, open_book
from infra.evaluation.playing import Read, play, read_run
from infra.evaluation.talks import read_talks
from prompts.library import Prompt

# What stands for the model in the run that holds what people decided: several models may have written those drafts.
AS_DECIDED = "as decided"


async def read_decisions(settings: Settings, slug: str) -> list[Case]:
    """Every decision of the organization as a case. Raises: Unprocessable when there is none."""
    async with open_book(settings, slug) as book, book.db.transaction(book.asker, "eval.decisions") as tx:
        cases = await decided_cases(tx)
    if not cases:
        raise Unprocessable(f"Nobody in {slug} has decided about a draft yet; there is nothing to import.")
    return cases


async def import_decisions(settings: Settings, slug: str) -> tuple[Read, bool]:
    """Keep what was decided as a run of its organization, and whether that is news since the last one."""
    cases = await read_decisions(settings, slug)
    async with open_book(settings, slug) as book:
        known = await _find_imported(book)
        if known is not None and known.dataset_sha256 == digest(cases):
            return await read_run(settings, slug, known.id), False
        return await _keep(book, cases), True


async def _find_imported(book: Book) -> EvalRun | None:
    """The newest run that holds what was decided."""
    cursor = None
    while True:
        async with book.db.transaction(book.asker, "eval.imported") as tx:
            page = await queries.list_eval_runs(tx, suite=decisions.SUITE.name, cursor=cursor)
        found = next((run for run in page.items if run.model == AS_DECIDED), None)
        if found is not None or page.next_cursor is None:
            return found
        cursor = page.next_cursor


async def _keep(book: Book, cases: Sequence[Case]) -> Read:
    """All of it or nothing."""
    new = NewEvalRun(
        decisions.SUITE.name,
        AS_DECIDED,
        {},
        code_version(),
        digest(cases),
        0,
        plan(decisions.SUITE, cases, model=AS_DECIDED).cases,
    )
    async with book.db.transaction(book.asker, "eval.import") as tx:
        run = await actions.start_eval_run(tx, new)
        for row in await queries.list_eval_cases(tx, run.id):
            await actions.record_case(tx, row.id, as_it_was(case_of(row)))
        rows = await queries.list_eval_cases(tx, run.id)
        figures, _ = verdict(decisions.SUITE, rows)
        return await actions.finish_eval_run(tx, run.id, figures, is_passed=True), rows


async def replay(
    settings: Settings,
    slug: str,
    *,
    model: str,
    prompts: Sequence[Prompt] = (),
    n: int | None = None,
    seed: int = 0,
    workers: int = 0,
) -> tuple[Read, Read]:
    """What was decided, and the same cases played with a model and prompts: nothing of it leaves the grounds.

    Raises: Unprocessable when nothing was imported yet.
    """
    async with open_book(settings, slug) as book:
        known = await _find_imported(book)
    if known is None:
        raise Unprocessable(
            f"No decision of {slug} was imported; run `getsale eval import-decisions --organization {slug}` first."
        )
    before = await read_run(settings, slug, known.id)
    cases = [case_of(row) for row in before[1]]
    new = plan(decisions.SUITE, cases, model=model, prompts=prompts, n=n, seed=seed)
    return before, await play(settings, slug, new, workers=workers)


async def points(
    settings: Settings, slug: str, place: Path | None, *, me: str = "", papers: Sequence[Path] = ()
) -> list[Case]:
    """Every point at which one of us answered, of a file or of the organization's own conversations.

    Raises: Unprocessable when there is none.
    """
    known = [Paper(name=path.name, text=path.read_text(encoding="utf-8")) for path in papers]
    if place is not None:
        cases = cases_of_talks(await read_talks(place, settings, me), known)
    else:
        async with open_book(settings, slug) as book, book.db.transaction(book.asker, "eval.points") as tx:
            cases = await cases_of_conversations(tx, known)
    if not cases:
        raise Unprocessable(f"Nobody of us answers anybody in {place or slug}; there is nothing to test on.")
    return cases


async def backtest(
    settings: Settings,
    slug: str,
    cases: Sequence[Case],
    *,
    model: str,
    prompts: Sequence[Prompt] = (),
    n: int | None = None,
    seed: int = 0,
    workers: int = 0,
) -> Read:
    """Let an agent draft at each point, time standing still there, and keep it as a run of the organization."""
    new = plan(find_suite("backtest"), cases, model=model, prompts=prompts, n=n, seed=seed)
    return await play(settings, slug, new, workers=workers)


def counts(cases: Sequence[EvalCase]) -> dict[str, int]:
    """How many were accepted, edited, rejected and returned."""
    found: dict[str, int] = dict.fromkeys(("accepted", "edited", "rejected", "returned"), 0)
    for case in cases:
        decided = case_of(case).decided
        if decided is not None:
            found[decided.outcome] += 1
    return found
