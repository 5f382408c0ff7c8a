"""Removing an organization whose time has come, from every store there is, in one readable place.

Each step can be done again, and the record is written before the first: whatever ends this process, the next one begins anew.
The tables come last, for the piece of work that says what is to be done is one of their rows.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from redis.asyncio import Redis

from core import clock
from core.deletions import Deletions, Removed
from core.errors import Unavailable
from core.mail_folder import MailFolder
from core.principal import system
from crm.audit.anchors import Anchors
from crm.identity import deletion
from crm.identity.mails import list_mail_ids
from crm.identity.queries import list_organization_ids
from crm.privacy.journal import Journal
from events.ids import OrganizationId
from worker.jobs import Job, Postpone

if TYPE_CHECKING:  # the relay reads the routes too and must not load the agents
    from worker.services import Services

log = structlog.get_logger()
_PAUSE = timedelta(seconds=30)


async def remove_organization(job: Job) -> Postpone | None:
    """Nothing of it stays but the record that it was removed: id, time, and who asked."""
    services, organization_id = job.services, OrganizationId(job.principal.organization_id)
    data = services.settings.data
    async with job.transaction("look") as tx:
        asked = await deletion.is_due(tx)
        mail_ids = await list_mail_ids(tx) if asked else []
    if asked is None:
        return None
    await Deletions(data).append(Removed(organization_id, clock.now(), asked.asked_by))

    # the projection of the graph; the copies in PostgreSQL, search, vectors and checkpoints are tables
    try:
        await services.graph.erase(job.principal)
    except Unavailable as err:
        return Postpone(_PAUSE, err.detail)

    # files: attachments, knowledge, uploads, mails that were kept for want of a server, anchors of the audit,
    # journal of erasures
    await services.blobs.remove_organization(organization_id)
    for mail_id in mail_ids:
        await MailFolder(data).remove(mail_id)
    await Anchors(data).remove(organization_id)
    await Journal(data).remove(organization_id)

    # every table; what a request that was under way has put there meanwhile goes with the next round
    rows = 0
    while True:
        async with job.transaction("tables") as tx:
            removed = await deletion.remove_rows(tx)
        rows += removed
        if not removed:
            break

    # Redis last: a request that was under way may have left a key until its session was gone
    await _remove_keys(services.redis, organization_id)
    log.info("organization.removed", organization_id=str(organization_id), rows=rows)
    return None


async def _remove_keys(redis: Redis, organization_id: OrganizationId) -> None:
    """Every key names the organization that it belongs to."""
    for name in (str(organization_id), organization_id.hex):
        async for key in redis.scan_iter(f"*{name}*"):
            await redis.delete(key)


async def remove_again(services: "Services") -> None:
    """What a restored backup has brought back is closed and removed once more."""
    there = set(await list_organization_ids(services.db))
    for removed in await Deletions(services.settings.data).read_all():
        organization_id = OrganizationId(removed.organization_id)
        if organization_id in there:
            async with services.db.transaction(system(organization_id), "organization.remove_again") as tx:
                await deletion.delete_again(tx, removed.by, removed.at)
            log.warning("organization.came_back", organization_id=str(organization_id))
