"""What an organization keeps for a number of days only, forgotten once it is older."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from core import clock
from core.db import Tx
from crm.audit.chain import key_of
from crm.bidi.workspace import KEPT, TIDIED_EVERY, get_workspace
from crm.copilot.actions import forget_chats
from crm.imports.tables.actions import UPLOADS
from crm.notifications.actions import forget_notifications
from crm.privacy import erasing, keeping
from crm.privacy.models import Person
from worker.jobs import Job, Postpone

Forget = Callable[[Job, datetime], Awaitable[None]]


async def tidy_organization(job: Job) -> Postpone | None:
    """Forget what is over, and look again tomorrow, unless everything is kept without an end."""
    async with job.transaction("look") as tx:
        workspace = await get_workspace(tx)
    kept = {name: days for name in KEPT if (days := getattr(workspace, name)) is not None}
    for name, days in kept.items():
        await FORGETTING[name](job, clock.now() - timedelta(days=days))
    return Postpone(TIDIED_EVERY, "tomorrow") if kept else None


async def _messages(job: Job, before: datetime) -> None:
    await _while_there(job, before, keeping.find_old_talks)


async def _trash(job: Job, before: datetime) -> None:
    await _while_there(job, before, keeping.find_old_contacts)
    await _while_there(job, before, keeping.find_old_sales)
    async with job.transaction("trash") as tx:
        files = await keeping.forget_trash(tx, before)
    for key in files:
        await job.services.blobs.remove(job.principal.organization_id, key)


async def _while_there(
    job: Job, before: datetime, find: Callable[[Tx, datetime], Awaitable[Person | None]]
) -> None:
    """A batch a transaction, files before the rows that name them; each batch leads on to the next."""
    key = key_of(job.services.settings.sealing_key, job.principal.organization_id)
    while True:
        async with job.transaction("find") as tx:
            old = await find(tx, before)
            files = await erasing.list_files(tx, old) if old else []
        if old is None:
            return
        for folder, name in files:
            await job.services.blobs.apart(folder).remove(job.principal.organization_id, name)
        async with job.transaction("remove") as tx:
            await erasing.remove_rows(tx, key, old)
            await keeping.remove_sales(tx, old)


async def _traces(job: Job, before: datetime) -> None:
    async with job.transaction("traces") as tx:
        await keeping.forget_traces(tx, before)


async def _imports(job: Job, before: datetime) -> None:
    async with job.transaction("imports") as tx:
        files = await keeping.forget_imports(tx, before)
    for key in files:
        await job.services.blobs.apart(UPLOADS).remove(job.principal.organization_id, key)


async def _sign_ins(job: Job, before: datetime) -> None:
    key = key_of(job.services.settings.sealing_key, job.principal.organization_id)
    async with job.transaction("sign_ins") as tx:
        await keeping.forget_sign_ins(tx, key, before)


async def _chats(job: Job, before: datetime) -> None:
    async with job.transaction("chats") as tx:
        await forget_chats(tx, before)


async def _notifications(job: Job, before: datetime) -> None:
    async with job.transaction("notifications") as tx:
        await forget_notifications(tx, before)


async def _deliveries(job: Job, before: datetime) -> None:
    async with job.transaction("deliveries") as tx:
        await keeping.forget_deliveries(tx, before)


# One for each kind that crm/bidi/workspace.py lists.
FORGETTING: Mapping[str, Forget] = {
    "messages_kept_days": _messages,
    "traces_kept_days": _traces,
    "chats_kept_days": _chats,
    "notifications_kept_days": _notifications,
    "deliveries_kept_days": _deliveries,
    "imports_kept_days": _imports,
    "trash_kept_days": _trash,
    "sign_ins_kept_days": _sign_ins,
}
