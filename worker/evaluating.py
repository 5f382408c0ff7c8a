"""Cases of an evaluation: each is one piece of due work, played in an organization of its own and recorded once."""

from core.db import Tx
from crm.evaluations import actions, queries
from crm.evaluations.models import CaseResult, CaseStatus
from events.ids import EvalCaseId
from worker.jobs import Job


async def play_eval_case(job: Job) -> None:
    """Play a case that waits; a worker that dies on the way leaves it to the next, who begins afresh."""
    case_id = EvalCaseId(job.subject_id)
    async with job.transaction("load") as tx:
        case = await queries.get_eval_case(tx, case_id)
        run = await queries.get_eval_run(tx, case.run_id)
    if case.status is CaseStatus.DONE:
        return
    result = await job.services.examiner.play(run, case)
    async with job.transaction("record") as tx:
        await actions.record_case(tx, case_id, result)


async def fail_eval_case(tx: Tx, job: Job, reason: str) -> None:
    """A case that could not be played however often it was tried has failed."""
    await actions.record_case(tx, EvalCaseId(job.subject_id), CaseResult(False, {}, error=reason))
