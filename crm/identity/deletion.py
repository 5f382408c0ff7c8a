"""Deleting an organization: it is closed at once, its owner may take that back for a while, and then all of it is removed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from core import clock
from core.db import Tx
from core.errors import Conflict, Unprocessable
from crm.identity import mails
from crm.identity.letters import letter
from crm.identity.queries import Person, get_organization
from events import due
from events.due import EVEN_WHEN_CLOSED
from events.ids import OrganizationId
from events.outbox import emit
from events.types import OrganizationClosed, OrganizationKept

SCOPE = "organization:delete"
REMOVE = "organization.remove"


@dataclass(frozen=True)
class Deletion:
    """Since when an organization is closed, by whom, and when it is removed."""

    due_at: datetime
    asked_at: datetime
    asked_by: UUID


async def find_deletion(tx: Tx) -> Deletion | None:
    """None for an organization that is not closed."""
    return await tx.find(
        Deletion,
        """
        SELECT deletion_due_at AS due_at, deletion_asked_at AS asked_at, deletion_asked_by AS asked_by
          FROM organizations
         WHERE deletion_due_at IS NOT NULL
        """,
    )


async def close_organization(
    tx: Tx, *, confirmed_name: str, grace: timedelta, site: str, key: str
) -> Deletion:
    """Close it to everybody but its owner and stop all that it does; it is removed after the `grace`.

    Whoever asks has shown a moment ago that it is them. Raises: Forbidden; Unprocessable for another name; Conflict.
    """
    tx.principal.require(SCOPE)
    await tx.execute("SELECT FROM organizations FOR UPDATE")
    organization = await get_organization(tx)
    if confirmed_name.strip() != organization.name:
        raise Unprocessable("Type the organization's name as it is written, to confirm.", field="name")
    if await find_deletion(tx) is not None:
        raise Conflict("The organization is to be deleted already.")
    deletion = Deletion(clock.now() + grace, clock.now(), tx.principal.id)
    await tx.execute(
        """
        UPDATE organizations
           SET deletion_due_at = %(due_at)s, deletion_asked_at = %(asked_at)s, deletion_asked_by = %(asked_by)s
        """,
        due_at=deletion.due_at,
        asked_at=deletion.asked_at,
        asked_by=deletion.asked_by,
    )
    await _take_leases(tx)
    await due.schedule(tx, REMOVE, organization.organization_id, deletion.due_at)
    await emit(
        tx, OrganizationClosed(organization.organization_id), {"deletion_due_at": (None, deletion.due_at)}
    )
    day = f"{deletion.due_at:%Y-%m-%d}"
    for person in await _list_people(tx):
        told = letter(
            "organization_closed",
            person.locale,
            organization=organization.name,
            day=day,
            link=f"{site}/settings/organization",
        )
        await mails.queue_mail(tx, person.email, told, key=key)
    return deletion


async def _take_leases(tx: Tx) -> None:
    """Whatever is being worked on loses its lease, and writes nothing more; nobody claims it anew."""
    await tx.execute(
        """
        UPDATE due_work
           SET fence = fence + 1, lease_until = NULL
         WHERE lease_until IS NOT NULL
           AND kind <> ALL(%(kept)s)
        """,
        kept=list(EVEN_WHEN_CLOSED),
    )
    await tx.execute(
        """
        UPDATE event_deliveries
           SET fence = fence + 1, lease_until = NULL
         WHERE lease_until IS NOT NULL
           AND handler <> ALL(%(kept)s)
        """,
        kept=list(EVEN_WHEN_CLOSED),
    )


async def keep_organization(tx: Tx, *, site: str, key: str) -> None:
    """Take the deletion back: everybody is let in again, and work goes on where it stopped. Raises: Forbidden; Conflict."""
    tx.principal.require(SCOPE)
    await tx.execute("SELECT FROM organizations FOR UPDATE")
    deletion = await find_deletion(tx)
    if deletion is None:
        raise Conflict("The organization is not to be deleted.")
    if deletion.due_at <= clock.now():
        raise Conflict("Its time has come: the organization is being removed.")
    await tx.execute(
        "UPDATE organizations SET deletion_due_at = NULL, deletion_asked_at = NULL, deletion_asked_by = NULL"
    )
    organization = await get_organization(tx)
    await due.cancel(tx, REMOVE, organization.organization_id)
    await emit(
        tx, OrganizationKept(organization.organization_id), {"deletion_due_at": (deletion.due_at, None)}
    )
    for person in await _list_people(tx):
        told = letter(
            "organization_kept", person.locale, organization=organization.name, link=f"{site}/session/new"
        )
        await mails.queue_mail(tx, person.email, told, key=key)


async def _list_people(tx: Tx) -> Sequence[Person]:
    """Everybody who works here."""
    return await tx.all(
        Person,
        """
        SELECT u.email, u.name, u.locale
          FROM members m
          JOIN users u ON u.id = m.user_id
         WHERE m.removed_at IS NULL
           AND m.disabled_at IS NULL
         ORDER BY m.created_at, m.id
        """,
    )


async def is_due(tx: Tx) -> Deletion | None:
    """The deletion whose time has come; None when it was taken back, or moved."""
    deletion = await find_deletion(tx)
    return deletion if deletion is not None and deletion.due_at <= clock.now() else None


async def remove_rows(tx: Tx) -> int:
    """Take every row of this organization out of every table; returns how many there were."""
    removed: int = await tx.value("SELECT remove_organization_rows()")
    return removed


async def delete_again(tx: Tx, by: UUID, at: datetime) -> OrganizationId:
    """An organization that was removed before has come back with a backup: it goes at once."""
    await tx.execute(
        """
        UPDATE organizations
           SET deletion_due_at = now(), deletion_asked_at = %(at)s, deletion_asked_by = %(by)s
        """,
        at=at,
        by=by,
    )
    organization_id = OrganizationId(tx.organization_id)
    await due.schedule(tx, REMOVE, organization_id, clock.now())
    return organization_id
