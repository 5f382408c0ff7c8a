"""Has a judge look at a run: which cases, by which metrics, and what is kept of it."""

import asyncio
from collections.abc import Callable, Sequence
from random import Random

from core.errors import Unprocessable
from crm.evaluations.judgings import Judgement, NewJudging
from crm.evaluations.models import EvalCase
from crm.runs.model_calls import ModelCall
from evals.judging.judge import RAGAS, Judge, Judged, Sample
from evals.judging.samples import METRICS, samples_of

# A judge on two cores answers one question at a time; a remote one has its own limits.
AT_ONCE = 4
Told = Callable[[Sample, Judged], None]


def known_metrics(names: Sequence[str]) -> tuple[str, ...]:
    """The metrics of these names, all of them for none. Raises: Unprocessable for a name that is none."""
    unknown = [name for name in names if name not in METRICS]
    if unknown:
        raise Unprocessable(f"There is no metric {unknown[0]!r}; there are: {', '.join(METRICS)}.")
    return tuple(dict.fromkeys(names)) or METRICS


def chosen_cases(cases: Sequence[EvalCase], n: int | None, seed: int) -> list[EvalCase]:
    """`n` of the cases that were played, chosen by the seed alone, in their own order; all without an `n`."""
    played = [case for case in cases if case.trace]
    if n is None or n >= len(played):
        return played
    chosen = {case.id for case in Random(seed).sample(played, n)}
    return [case for case in played if case.id in chosen]


async def judge_cases(
    judge: Judge, cases: Sequence[EvalCase], metrics: Sequence[str], told: Told
) -> list[Judgement]:
    """Every metric of every case that has what it takes. Raises: JudgeFailed."""
    waiting = iter([(case, sample) for case in cases for sample in samples_of(case, metrics)])
    judgements: list[Judgement] = []

    async def work() -> None:
        for case, sample in waiting:
            judged = await judge.judge(sample)
            told(sample, judged)
            judgements.append(Judgement(case.id, sample.metric, judged.value, judged.failure))

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(work())
    return judgements


def judging_of(
    judge: Judge, judgements: Sequence[Judgement], calls: Sequence[ModelCall], metrics: Sequence[str]
) -> NewJudging:
    """What is kept: the judge with its prompts and seed, and all that it said."""
    return NewJudging(
        model=judge.model.label,
        library=RAGAS,
        prompts={name: told for name, told in judge.prompts.items() if name in metrics},
        seed=judge.seed,
        judgements=judgements,
        cost_usd_micros=sum(call.cost_usd_micros for call in calls),
    )
