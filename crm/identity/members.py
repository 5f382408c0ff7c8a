"""The people of an organization: what role each has, and who is disabled for now."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from core import clock
from core.db import Tx
from core.errors import Conflict, Forbidden, NotFound
from core.principal import PrincipalKind
from crm.identity.roles import Role
from events.ids import MemberId, UserId
from events.outbox import emit
from events.types import MemberUpdated

SCOPE = "team:manage"


@dataclass(frozen=True)
class Colleague:
    """A member as the list of members shows them."""

    id: MemberId
    user_id: UserId
    name: str
    email: str
    role: Role
    created_at: datetime
    disabled_at: datetime | None


_COLLEAGUE: LiteralString = """
        SELECT m.id, m.user_id, m.name, u.email, m.role, m.created_at, m.disabled_at
          FROM members m
          JOIN users u ON u.id = m.user_id
         WHERE m.removed_at IS NULL
"""


async def list_colleagues(tx: Tx) -> list[Colleague]:
    """Everybody who has not left, the first one first."""
    tx.principal.require("team:read")
    return await tx.all(Colleague, _COLLEAGUE + "         ORDER BY m.created_at, m.id")


async def get_colleague(tx: Tx, member_id: MemberId, *, lock: bool = False) -> Colleague:
    """Raises: NotFound, also for somebody who has left."""
    tx.principal.require("team:read")
    if lock:
        await tx.execute("SELECT FROM members WHERE id = %(id)s FOR NO KEY UPDATE", id=member_id)
    return await tx.one(Colleague, _COLLEAGUE + "           AND m.id = %(id)s", id=member_id)


async def change_role(tx: Tx, member_id: MemberId, role: Role) -> Colleague:
    """Give somebody another role; the database ends their sessions, so that none goes on with the old one.

    Raises:
        NotFound: nobody here has this id.
        Forbidden: the role, or the person, is above the one who asks.
        Conflict: an organization needs an owner.
    """
    await lock_owners(tx)
    member = await get_colleague(tx, member_id, lock=True)
    await require_rank(tx, member.role, role)
    if role is member.role:
        return member
    await require_another_owner(tx, member)
    await tx.execute("UPDATE members SET role = %(role)s WHERE id = %(id)s", role=role, id=member_id)
    await emit(tx, MemberUpdated(member_id), changes={"role": (member.role, role)})
    return await get_colleague(tx, member_id)


async def disable_member(tx: Tx, member_id: MemberId) -> Colleague:
    """Keep somebody out: their sessions and keys end at once, what they hold stays theirs.

    Raises: NotFound; Forbidden; Conflict for oneself and for the last owner.
    """
    await lock_owners(tx)
    member = await get_colleague(tx, member_id, lock=True)
    await require_rank(tx, member.role)
    if member.user_id == tx.principal.id:
        raise Conflict("You cannot keep yourself out; ask another administrator.")
    if member.disabled_at is not None:
        return member
    await require_another_owner(tx, member)
    now = clock.now()
    await tx.execute("UPDATE members SET disabled_at = %(now)s WHERE id = %(id)s", now=now, id=member_id)
    await end_access(tx, member.user_id)
    await emit(tx, MemberUpdated(member_id), changes={"disabled_at": (None, now)})
    return await get_colleague(tx, member_id)


async def enable_member(tx: Tx, member_id: MemberId) -> Colleague:
    """Let somebody sign in again. Raises: NotFound; Forbidden."""
    member = await get_colleague(tx, member_id, lock=True)
    await require_rank(tx, member.role)
    if member.disabled_at is None:
        return member
    await tx.execute("UPDATE members SET disabled_at = NULL WHERE id = %(id)s", id=member_id)
    await emit(tx, MemberUpdated(member_id), changes={"disabled_at": (member.disabled_at, None)})
    return await get_colleague(tx, member_id)


async def lock_owners(tx: Tx) -> None:
    """Let nobody else change who owns the organization meanwhile: two owners could leave it to each other."""
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('owners ' || %(id)s, 0))", id=str(tx.organization_id)
    )


async def require_rank(tx: Tx, *roles: Role) -> None:
    """Nobody changes somebody above themselves, nor makes anybody so. Raises: Forbidden."""
    tx.principal.require(SCOPE)
    own = await find_own_role(tx)
    if own is not None and any(role.is_above(own) for role in roles):
        raise Forbidden(f"This is above your own role, {own}; ask somebody who has it.", scope=SCOPE)


async def find_own_role(tx: Tx) -> Role | None:
    """The role of whoever acts; None for the product itself."""
    if tx.principal.kind is not PrincipalKind.USER:
        return None
    role = await tx.value("SELECT role FROM members WHERE user_id = %(id)s", id=tx.principal.id)
    if role is None:
        raise NotFound("There is no such member in this organization.")
    return Role(role)


async def require_another_owner(tx: Tx, member: Colleague) -> None:
    """Raises: Conflict when the organization would be left without an owner."""
    others = await tx.value(
        """
        SELECT count(*)
          FROM members
         WHERE role = 'owner'
           AND id <> %(id)s
           AND disabled_at IS NULL
           AND removed_at IS NULL
        """,
        id=member.id,
    )
    if member.role is Role.OWNER and not others:
        raise Conflict(f"{member.name} is the only owner; hand the organization over first.")


async def end_access(tx: Tx, user_id: UserId) -> None:
    """End every session and key of somebody in this organization."""
    for statement in (
        "UPDATE sessions SET revoked_at = now() WHERE user_id = %(user_id)s AND revoked_at IS NULL",
        "UPDATE api_keys SET revoked_at = now() WHERE user_id = %(user_id)s AND revoked_at IS NULL",
    ):
        await tx.execute(statement, user_id=user_id)
