"""Beginning an evaluation, recording its cases, and closing it."""

from collections.abc import Mapping

from pydantic import JsonValue

from core import clock
from core.db import Tx
from core.errors import Conflict, Unprocessable
from core.ids import uuid7
from core.jsons import dumps
from crm.evaluations import queries
from crm.evaluations.models import CaseResult, CaseStatus, EvalRun, EvalStatus, NewEvalRun
from events import due
from events.ids import EvalCaseId, EvalRunId
from events.outbox import emit
from events.types import EvaluationFinished, EvaluationStarted

WRITE = "evaluations:write"
PLAY = "eval.case"


async def start_eval_run(tx: Tx, new: NewEvalRun) -> EvalRun:
    """Write down what is going to be measured, with every case of it.

    Raises: Unprocessable when there is no case.
    """
    tx.principal.require(WRITE)
    if not new.cases:
        raise Unprocessable("There is no case to play; name a data set that has some.", field="cases")
    run_id = EvalRunId(uuid7())
    await tx.execute(
        """
        INSERT INTO eval_runs (organization_id, id, suite, model, prompts, code_version, dataset_sha256, seed, cases,
                               started_by, started_at)
        VALUES (%(organization_id)s, %(id)s, %(suite)s, %(model)s, %(prompts)s::jsonb, %(code_version)s,
                %(dataset_sha256)s, %(seed)s, %(cases)s, %(started_by)s, %(now)s)
        """,
        organization_id=tx.organization_id,
        id=run_id,
        suite=new.suite,
        model=new.model,
        prompts=dumps(new.prompts),
        code_version=new.code_version,
        dataset_sha256=new.dataset_sha256,
        seed=new.seed,
        cases=len(new.cases),
        started_by=tx.principal.id,
        now=clock.now(),
    )
    await tx.execute_many(
        """
        INSERT INTO eval_cases (organization_id, id, run_id, position, key, language, definition)
        VALUES (%(organization_id)s, %(id)s, %(run_id)s, %(position)s, %(key)s, %(language)s, %(definition)s::jsonb)
        """,
        [
            {
                "organization_id": tx.organization_id,
                "id": uuid7(),
                "run_id": run_id,
                "position": position,
                "key": case.key,
                "language": case.language,
                "definition": dumps(case.definition),
            }
            for position, case in enumerate(new.cases)
        ],
    )
    await emit(tx, EvaluationStarted(run_id))
    return await queries.get_eval_run(tx, run_id)


async def queue_cases(tx: Tx, run_id: EvalRunId) -> None:
    """Let workers play every case of the run that waits."""
    tx.principal.require(WRITE)
    cases = await queries.list_eval_cases(tx, run_id)
    waiting = [case.id for case in cases if case.status is CaseStatus.WAITING]
    await due.schedule_missing(tx, PLAY, waiting, clock.now())


async def record_case(tx: Tx, case_id: EvalCaseId, result: CaseResult) -> bool:
    """Keep what became of a case; False when it was recorded before, and stays as it was."""
    tx.principal.require(WRITE)
    recorded = await tx.execute(
        """
        UPDATE eval_cases
           SET status = 'done', is_passed = %(is_passed)s, scores = %(scores)s::jsonb, trace = %(trace)s::jsonb,
               agent_run_id = %(agent_run_id)s, error = %(error)s, cost_usd_micros = %(cost_usd_micros)s,
               latency_ms = %(latency_ms)s
         WHERE id = %(case_id)s
           AND status = 'waiting'
        """,
        case_id=case_id,
        is_passed=result.is_passed,
        scores=dumps(dict(result.scores)),
        trace=dumps(dict(result.trace)),
        agent_run_id=result.agent_run_id,
        error=result.error[:2000],
        cost_usd_micros=result.cost_usd_micros,
        latency_ms=result.latency_ms,
    )
    return recorded == 1


async def finish_eval_run(
    tx: Tx, run_id: EvalRunId, figures: Mapping[str, JsonValue], *, is_passed: bool
) -> EvalRun:
    """Close a run whose cases have all been played.

    Raises:
        NotFound: no such run.
        Conflict: a case still waits, or the run is finished.
    """
    tx.principal.require(WRITE)
    run = await queries.get_eval_run(tx, run_id)
    if run.status is EvalStatus.FINISHED:
        raise Conflict(f"The evaluation {run_id} is finished already.")
    done = await queries.count_done(tx, run_id)
    if done < run.cases:
        raise Conflict(
            f"The evaluation {run_id} is not finished: {run.cases - done} of its cases still wait."
        )
    await tx.execute(
        """
        UPDATE eval_runs
           SET status = 'finished', figures = %(figures)s::jsonb, is_passed = %(is_passed)s, finished_at = %(now)s,
               cost_usd_micros = (SELECT coalesce(sum(cost_usd_micros), 0) FROM eval_cases WHERE run_id = %(run_id)s)
         WHERE id = %(run_id)s
        """,
        run_id=run_id,
        figures=dumps(dict(figures)),
        is_passed=is_passed,
        now=clock.now(),
    )
    await emit(tx, EvaluationFinished(run_id))
    return await queries.get_eval_run(tx, run_id)
