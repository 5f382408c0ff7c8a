"""What an organization keeps for a number of days only, forgotten once it is older."""

from datetime import timedelta
from typing import TYPE_CHECKING

from core import clock
from core.db import Tx
from crm.bidi.workspace import TIDIED_EVERY, TIDY, get_workspace
from crm.copilot.actions import forget_chats
from crm.notifications.actions import forget_notifications
from events import due
from worker.jobs import Job

if TYPE_CHECKING:
    from worker.services import Services


async def tidy_organization(services: "Services", tx: Tx, job: Job) -> None:
    """Forget what is over, and look again tomorrow, unless everything is kept without an end."""
    workspace = await get_workspace(tx)
    now = clock.now()
    if workspace.notifications_kept_days is not None:
        await forget_notifications(tx, now - timedelta(days=workspace.notifications_kept_days))
    if workspace.chats_kept_days is not None:
        await forget_chats(tx, now - timedelta(days=workspace.chats_kept_days))
    if (workspace.notifications_kept_days, workspace.chats_kept_days) != (None, None):
        await due.schedule(tx, TIDY, workspace.organization_id, now + TIDIED_EVERY)
