"""What partners are owed follows the deals that they win."""

from typing import TYPE_CHECKING

from core.db import Tx
from crm.commissions.actions import follow_deal
from events.ids import DealId
from worker.jobs import Job

if TYPE_CHECKING:  # the relay reads the routes too and must not load the agents
    from worker.services import Services


async def follow_commission(services: "Services", tx: Tx, job: Job) -> None:
    """A deal was won, opened again, lost, put into the trash or brought back."""
    await follow_deal(tx, DealId(job.subject_id))
