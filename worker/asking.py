"""Tool calls that a person approved are carried out; those that nobody answers are escalated and expire."""

from typing import TYPE_CHECKING

from core.db import Tx
from crm.approvals import turns
from crm.runs import asked_calls
from events.ids import ApprovalId
from events.types import ApprovalDecided
from worker.jobs import Job, Postpone

if TYPE_CHECKING:  # the relay reads the routes too and must not load the agents
    from worker.services import Services


def _decided(job: Job) -> ApprovalId:
    if not isinstance(job.event, ApprovalDecided):
        raise TypeError(
            f"{job.handler} is routed to {type(job.event).__name__}, which it does not understand"
        )
    return job.event.approval_id


async def carry_out_call(job: Job) -> Postpone | None:
    """Make the call once, as the agent, within what the approver may do; a decision about a draft is not for here."""
    await job.services.dispatcher.carry_out(job.principal, _decided(job))
    return None


async def give_up_call(tx: Tx, job: Job, reason: str) -> None:
    """A call that could not be made however often it was tried is shown as failed, with the reason."""
    await asked_calls.give_up_call(tx, _decided(job), reason)


async def expire_approval(services: "Services", tx: Tx, job: Job) -> None:
    await asked_calls.expire_call(tx, ApprovalId(job.subject_id))


async def escalate_approval(services: "Services", tx: Tx, job: Job) -> None:
    await turns.escalate_approval(tx, ApprovalId(job.subject_id))
