"""New conversations and leads go to seats, and what a paused seat holds to others."""

from typing import TYPE_CHECKING

from core.db import Tx
from crm.assignment import actions as assignment
from events.ids import BidiId, ConversationId, LeadId
from worker.jobs import Job

if TYPE_CHECKING:  # the relay reads the routes too and must not load the agents
    from worker.services import Services


async def assign_lead(services: "Services", tx: Tx, job: Job) -> None:
    await assignment.assign_lead(tx, LeadId(job.subject_id))


async def assign_handed_off(services: "Services", tx: Tx, job: Job) -> None:
    """An agent gave a conversation up: a person of the rules takes it."""
    await assignment.assign_conversation(tx, ConversationId(job.subject_id))


async def reassign_seat(services: "Services", tx: Tx, job: Job) -> None:
    """What a paused seat held goes on elsewhere."""
    await assignment.reassign_seat(tx, BidiId(job.subject_id))


async def assign_waiting(services: "Services", tx: Tx, job: Job) -> None:
    """Somebody is free again, or a rule is another: what nobody could take is looked at once more."""
    await assignment.assign_waiting(tx)
