"""What a language model as a judge said about the cases of an evaluation."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core import clock
from core.db import Tx
from core.ids import uuid7
from core.jsons import dumps
from crm.evaluations.actions import WRITE
from crm.evaluations.models import Json
from crm.evaluations.queries import READ, get_eval_run
from events.ids import EvalCaseId, EvalJudgingId, EvalRunId
from events.outbox import emit
from events.types import EvaluationJudged


@dataclass(frozen=True)
class Judgement:
    """One metric of one case: a value from 0 to 1, or in `failure` why the judge came to none."""

    case_id: EvalCaseId
    metric: str
    value: float | None
    failure: str = ""


@dataclass(frozen=True)
class NewJudging:
    """`model` judged with the metrics of `library`; `seed` chose the cases and was given to the model."""

    model: str
    library: str
    prompts: Json
    seed: int
    judgements: Sequence[Judgement]
    cost_usd_micros: int = 0


@dataclass(frozen=True)
class Judging:
    """`figures` say of each metric: `value`, the mean of `n` judgements, and `failed`, how many there are not."""

    id: EvalJudgingId
    run_id: EvalRunId
    model: str
    library: str
    prompts: Json
    seed: int
    cases: int
    figures: Json
    is_passed: bool
    cost_usd_micros: int
    judged_by: UUID
    judged_at: datetime


async def record_judging(tx: Tx, run_id: EvalRunId, new: NewJudging) -> Judging:
    """Keep what a judge said; one failure of the judge is enough not to pass. Raises: NotFound."""
    tx.principal.require(WRITE)
    await get_eval_run(tx, run_id)
    judging_id = EvalJudgingId(uuid7())
    await tx.execute(
        """
        INSERT INTO eval_judgings (organization_id, id, run_id, model, library, prompts, seed, cases, figures, is_passed,
                                   cost_usd_micros, judged_by, judged_at)
        VALUES (%(organization_id)s, %(id)s, %(run_id)s, %(model)s, %(library)s, %(prompts)s::jsonb, %(seed)s, %(cases)s,
                %(figures)s::jsonb, %(is_passed)s, %(cost_usd_micros)s, %(judged_by)s, %(now)s)
        """,
        organization_id=tx.organization_id,
        id=judging_id,
        run_id=run_id,
        model=new.model,
        library=new.library,
        prompts=dumps(new.prompts),
        seed=new.seed,
        cases=len({one.case_id for one in new.judgements}),
        figures=dumps(_figures(new.judgements)),
        is_passed=not any(one.failure for one in new.judgements),
        cost_usd_micros=new.cost_usd_micros,
        judged_by=tx.principal.id,
        now=clock.now(),
    )
    await tx.execute_many(
        """
        INSERT INTO eval_judgements (organization_id, judging_id, case_id, metric, value, failure)
        VALUES (%(organization_id)s, %(judging_id)s, %(case_id)s, %(metric)s, %(value)s, %(failure)s)
        """,
        [
            {
                "organization_id": tx.organization_id,
                "judging_id": judging_id,
                "case_id": one.case_id,
                "metric": one.metric,
                "value": one.value,
                "failure": one.failure,
            }
            for one in new.judgements
        ],
    )
    await emit(tx, EvaluationJudged(run_id))
    return (await list_judgings(tx, run_id))[0]


def _figures(judgements: Sequence[Judgement]) -> Json:
    figures: Json = {}
    for metric in dict.fromkeys(one.metric for one in judgements):
        mine = [one for one in judgements if one.metric == metric]
        values = [one.value for one in mine if one.value is not None]
        figures[metric] = {
            "value": round(sum(values) / len(values), 4) if values else None,
            "n": len(values),
            "failed": len(mine) - len(values),
        }
    return figures


async def list_judgings(tx: Tx, run_id: EvalRunId) -> list[Judging]:
    """What judges said about a run, the newest first."""
    tx.principal.require(READ)
    return await tx.all(
        Judging,
        """
        SELECT id, run_id, model, library, prompts, seed, cases, figures, is_passed, cost_usd_micros, judged_by,
               judged_at
          FROM eval_judgings
         WHERE run_id = %(run_id)s
         ORDER BY judged_at DESC, id DESC
        """,
        run_id=run_id,
    )


async def list_judgements(tx: Tx, judging_id: EvalJudgingId) -> list[Judgement]:
    """Every judgement of one judging, in the order of the run's cases."""
    tx.principal.require(READ)
    return await tx.all(
        Judgement,
        """
        SELECT judged.case_id, judged.metric, judged.value, judged.failure
          FROM eval_judgements AS judged
          JOIN eval_cases AS played ON played.id = judged.case_id
         WHERE judged.judging_id = %(judging_id)s
         ORDER BY played.position, judged.metric
        """,
        judging_id=judging_id,
    )
