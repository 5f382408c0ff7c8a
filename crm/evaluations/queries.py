"""Reading evaluation runs and their cases."""

from collections.abc import Sequence
from uuid import UUID

from core.db import Tx
from core.pagination import Page, decode_time, encode_cursor, page_size
from crm.evaluations.models import EvalCase, EvalRun
from events.ids import EvalCaseId, EvalRunId

READ = "evaluations:read"


async def get_eval_run(tx: Tx, run_id: EvalRunId) -> EvalRun:
    """Raises: NotFound."""
    tx.principal.require(READ)
    return await tx.one(
        EvalRun,
        """
        SELECT id, suite, status, model, prompts, code_version, dataset_sha256, seed, cases, figures, is_passed,
               cost_usd_micros, started_by, started_at, finished_at
          FROM eval_runs
         WHERE id = %(run_id)s
        """,
        run_id=run_id,
    )


async def list_eval_runs(
    tx: Tx, *, suite: str = "", cursor: str | None = None, limit: int = 25
) -> Page[EvalRun]:
    """The runs of the organization, the newest first; of one suite, if it is named."""
    tx.principal.require(READ)
    size = page_size(limit)
    after_at, after_id = decode_time(cursor) if cursor else ("infinity", UUID(int=0))
    found = await tx.all(
        EvalRun,
        """
        SELECT id, suite, status, model, prompts, code_version, dataset_sha256, seed, cases, figures, is_passed,
               cost_usd_micros, started_by, started_at, finished_at
          FROM eval_runs
         WHERE (started_at, id) < (%(after_at)s::timestamptz, %(after_id)s::uuid)
           AND (%(suite)s = '' OR suite = %(suite)s)
         ORDER BY started_at DESC, id DESC
         LIMIT %(limit)s
        """,
        after_at=after_at,
        after_id=after_id,
        suite=suite,
        limit=size + 1,
    )
    page = found[:size]
    more = len(found) > size
    return Page(page, encode_cursor(page[-1].started_at.isoformat(), page[-1].id) if more else None)


async def list_eval_cases(tx: Tx, run_id: EvalRunId) -> list[EvalCase]:
    """Every case of a run, in the order of its data set."""
    tx.principal.require(READ)
    return await tx.all(
        EvalCase,
        """
        SELECT id, run_id, position, key, language, definition, status, is_passed, scores, trace, agent_run_id, error,
               cost_usd_micros, latency_ms
          FROM eval_cases
         WHERE run_id = %(run_id)s
         ORDER BY position
        """,
        run_id=run_id,
    )


async def get_eval_case(tx: Tx, case_id: EvalCaseId) -> EvalCase:
    """Raises: NotFound."""
    tx.principal.require(READ)
    return await tx.one(
        EvalCase,
        """
        SELECT id, run_id, position, key, language, definition, status, is_passed, scores, trace, agent_run_id, error,
               cost_usd_micros, latency_ms
          FROM eval_cases
         WHERE id = %(case_id)s
        """,
        case_id=case_id,
    )


async def count_done(tx: Tx, run_id: EvalRunId) -> int:
    """How many cases of a run have been played."""
    tx.principal.require(READ)
    count = await tx.value(
        "SELECT count(*) FROM eval_cases WHERE run_id = %(run_id)s AND status = 'done'", run_id=run_id
    )
    return int(count)


async def list_newly_done(tx: Tx, run_id: EvalRunId, known: Sequence[EvalCaseId]) -> list[EvalCase]:
    """The cases of a run that have been played, but for those that are known already."""
    tx.principal.require(READ)
    return await tx.all(
        EvalCase,
        """
        SELECT id, run_id, position, key, language, definition, status, is_passed, scores, trace, agent_run_id, error,
               cost_usd_micros, latency_ms
          FROM eval_cases
         WHERE run_id = %(run_id)s
           AND status = 'done'
           AND id <> ALL(%(known)s)
         ORDER BY position
        """,
        run_id=run_id,
        known=list(known),
    )
