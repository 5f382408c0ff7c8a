"""A judge's look at a run that was kept, from the command line."""

import sys
from collections.abc import Sequence
from uuid import UUID

from agents.llm.models import ModelChoice, Models
from core.errors import Unprocessable
from core.settings import Settings
from crm.evaluations import judgings, queries
from crm.evaluations.judgings import Judging, NewJudging
from crm.evaluations.models import EvalCase
from crm.runs.model_calls import ModelCall
from evals.judging.judge import Judged, Sample, judging
from evals.judging.passing import chosen_cases, judge_cases, judging_of
from events.ids import EvalRunId
from infra.evaluation.book import open_book
from infra.evaluation.ragas import interpreter
from memory.embeddings.remote import connect

NEEDS_A_MODEL = "The offline model judges nothing; name a judge with --judge: local, or a model that OPENAI_BASE_URL knows."


async def judge_run(
    settings: Settings,
    organization: str,
    run_id: UUID,
    *,
    judge: str,
    metrics: Sequence[str],
    n: int | None,
    seed: int,
) -> Judging:
    """Judge `n` cases of a run and keep what was said. Raises: NotFound, Unprocessable, ServerFailed, JudgeFailed."""
    if judge == "offline":
        raise Unprocessable(NEEDS_A_MODEL)
    async with open_book(settings, organization) as book:
        async with book.db.transaction(book.asker, "eval.judge.read") as tx:
            run = await queries.get_eval_run(tx, EvalRunId(run_id))
            cases = chosen_cases(await queries.list_eval_cases(tx, run.id), n, seed)
        if not cases:
            raise Unprocessable(f"No case of the run {run_id} was played, so there is nothing to judge.")
        print(f"{run.suite}: {len(cases)} cases", file=sys.stderr)
        new = await _judged(settings, cases, judge=judge, metrics=metrics, seed=seed)
        async with book.db.transaction(book.asker, "eval.judge.record") as tx:
            return await judgings.record_judging(tx, run.id, new)


async def _judged(
    settings: Settings, cases: Sequence[EvalCase], *, judge: str, metrics: Sequence[str], seed: int
) -> NewJudging:
    calls: list[ModelCall] = []
    models, embedder = Models(settings), connect(settings)
    try:
        model = models(ModelChoice(judge))
        async with judging(interpreter(), model, embedder, seed=seed, record=calls.append) as at_work:
            judgements = await judge_cases(at_work, cases, metrics, _tell)
        return judging_of(at_work, judgements, calls, metrics)
    finally:
        await embedder.close()
        await models.close()


def _tell(sample: Sample, judged: Judged) -> None:
    said = f"failed: {judged.failure}" if judged.value is None else f"{judged.value:.2f}"
    print(f"  {sample.case_key} {sample.metric} {said}", file=sys.stderr)
