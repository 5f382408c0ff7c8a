"""What holds for the whole organization: name, language, time zone, hours, holidays, how long things are kept."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import LiteralString
from zoneinfo import available_timezones

from psycopg import sql

from core import clock
from core.db import Tx
from core.edits import KEEP, Keep, assignments, differences, given
from core.errors import Stale, Unprocessable
from crm.bidi.checks import require_hours
from crm.bidi.models import WorkingHours
from crm.identity.founding import require_name
from crm.identity.profiles import LOCALES
from events import due
from events.ids import OrganizationId
from events.outbox import emit
from events.types import OrganizationUpdated

# What is older than it is kept is looked for once a day, and at once when that changes.
TIDY = "organization.tidy"
TIDIED_EVERY = timedelta(days=1)
MAX_HOLIDAYS = 400
MAX_DAYS = 3650
# What is kept for a number of days; None is as long as the organization is there.
KEPT = (
    "messages_kept_days",
    "traces_kept_days",
    "chats_kept_days",
    "notifications_kept_days",
    "deliveries_kept_days",
    "imports_kept_days",
    "trash_kept_days",
    "sign_ins_kept_days",
)


@dataclass(frozen=True)
class Workspace:
    """The settings of an organization; a seat without hours of its own works in these."""

    organization_id: OrganizationId
    slug: str
    name: str
    locale: str
    time_zone: str
    working_hours: WorkingHours
    holidays: list[date]
    messages_kept_days: int | None
    traces_kept_days: int | None
    chats_kept_days: int | None
    notifications_kept_days: int | None
    deliveries_kept_days: int | None
    imports_kept_days: int | None
    trash_kept_days: int | None
    sign_ins_kept_days: int | None
    version: int


@dataclass(frozen=True)
class WorkspaceEdit:
    """What is to change; what is left out stays."""

    name: str | Keep = KEEP
    locale: str | Keep = KEEP
    time_zone: str | Keep = KEEP
    working_hours: WorkingHours | Keep = KEEP
    holidays: list[date] | Keep = KEEP
    messages_kept_days: int | Keep | None = KEEP
    traces_kept_days: int | Keep | None = KEEP
    chats_kept_days: int | Keep | None = KEEP
    notifications_kept_days: int | Keep | None = KEEP
    deliveries_kept_days: int | Keep | None = KEEP
    imports_kept_days: int | Keep | None = KEEP
    trash_kept_days: int | Keep | None = KEEP
    sign_ins_kept_days: int | Keep | None = KEEP


_WORKSPACE: LiteralString = """
        SELECT organization_id, slug, name, locale, time_zone, working_hours, holidays, messages_kept_days,
               traces_kept_days, chats_kept_days, notifications_kept_days, deliveries_kept_days, imports_kept_days,
               trash_kept_days, sign_ins_kept_days, version
          FROM organizations
"""


async def get_workspace(tx: Tx, *, lock: bool = False) -> Workspace:
    tx.principal.require("organization:read")
    if lock:
        await tx.execute("SELECT FROM organizations FOR UPDATE")
    return await tx.one(Workspace, _WORKSPACE)


async def update_workspace(tx: Tx, edit: WorkspaceEdit, *, version: int) -> Workspace:
    """Change what holds for everybody; it holds from the next question that is asked.

    Raises: Forbidden; Stale when it was changed since `version` was read; Unprocessable, naming the field.
    """
    workspace = await get_workspace(tx, lock=True)
    tx.principal.require("organization:write")
    if workspace.version != version:
        raise Stale("The settings were changed meanwhile; reload and try again.")
    wanted = _checked(edit)
    changes = differences(workspace, wanted)
    if not changes:
        return workspace
    values = {name: after for name, (_, after) in changes.items()} | {"version": version + 1}
    await tx.execute(sql.SQL("UPDATE organizations SET {values}").format(values=assignments(values)))
    if changes.keys() & set(KEPT):
        await due.schedule(tx, TIDY, workspace.organization_id, clock.now())
    await emit(tx, OrganizationUpdated(workspace.organization_id), changes=changes)
    return await get_workspace(tx)


def _checked(edit: WorkspaceEdit) -> dict[str, object]:
    wanted = given(edit)
    if edit.name is not KEEP:
        wanted["name"] = require_name(edit.name)
    if edit.locale is not KEEP and edit.locale not in LOCALES:
        raise Unprocessable(f"The language {edit.locale} is not one of {', '.join(LOCALES)}.", field="locale")
    if edit.time_zone is not KEEP and edit.time_zone not in available_timezones():
        raise Unprocessable("There is no such time zone; write one as Europe/Berlin.", field="time_zone")
    if edit.working_hours is not KEEP:
        require_hours(edit.working_hours)
    if edit.holidays is not KEEP:
        wanted["holidays"] = _days(edit.holidays)
    for name in KEPT:
        days = wanted.get(name)
        if isinstance(days, int) and not 1 <= days <= MAX_DAYS:
            raise Unprocessable(f"Keep it for 1 to {MAX_DAYS} days, or without an end.", field=name)
    return wanted


def _days(holidays: list[date]) -> list[date]:
    if len(holidays) > MAX_HOLIDAYS:
        raise Unprocessable(
            f"At most {MAX_HOLIDAYS} holidays fit; leave out those that are over.", field="holidays"
        )
    return sorted(set(holidays))
