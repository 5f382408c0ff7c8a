"""Handing an organization over to another member."""

from core.db import Tx
from core.errors import Conflict, Unprocessable
from crm.identity import members
from crm.identity.queries import get_organization, require_member
from crm.identity.roles import Role
from events.ids import MemberId
from events.outbox import emit
from events.types import MemberUpdated, OrganizationTransferred


async def transfer_organization(tx: Tx, member_id: MemberId, *, confirmed_name: str) -> None:
    """Make somebody the owner; the one who hands over is an administrator from then on.

    Raises:
        Forbidden: only an owner hands over.
        Unprocessable: the name is not the organization's, or the member is not here.
        Conflict: the member is an owner already, or oneself.
    """
    tx.principal.require("organization:transfer")
    await members.lock_owners(tx)
    organization = await get_organization(tx)
    if confirmed_name.strip() != organization.name:
        raise Unprocessable("Type the organization's name as it is written, to confirm.", field="name")
    await require_member(tx, member_id, field="member_id")
    successor = await members.get_colleague(tx, member_id, lock=True)
    if successor.role is Role.OWNER:
        raise Conflict(f"{successor.name} is an owner already.")
    own_id: MemberId | None = await tx.value(
        "SELECT id FROM members WHERE user_id = %(user_id)s AND role = 'owner'", user_id=tx.principal.id
    )
    if own_id is None:
        raise Conflict("Only an owner who signs in hands the organization over.")
    for changed, before, after in ((member_id, successor.role, Role.OWNER), (own_id, Role.OWNER, Role.ADMIN)):
        await tx.execute("UPDATE members SET role = %(role)s WHERE id = %(id)s", role=after, id=changed)
        await emit(tx, MemberUpdated(changed), changes={"role": (before, after)})
    await emit(tx, OrganizationTransferred(organization.organization_id, own_id, member_id))
