"""Each night all records of an organization are compared with each other, batch by batch."""

from datetime import timedelta

from crm.companies import suggestions as company_suggestions
from crm.companies import sweeps
from crm.contacts import suggestions
from worker.jobs import Job, Postpone


async def match_contacts(job: Job) -> Postpone:
    """Compare the next batch of contacts; the same row of work comes back for the one after it, or next night."""
    async with job.transaction("batch") as tx:
        has_more = await suggestions.look_at_batch(tx)
    return _again(has_more=has_more)


async def match_companies(job: Job) -> Postpone:
    """Compare the next batch of companies."""
    async with job.transaction("batch") as tx:
        has_more = await company_suggestions.look_at_batch(tx)
    return _again(has_more=has_more)


def _again(*, has_more: bool) -> Postpone:
    if has_more:
        return Postpone(timedelta(0), "there are more to compare")
    return Postpone(sweeps.until_next_night(), "all have been compared; again next night")
