"""Asking somebody into the organization: by mail for one address, or by a link for whoever has it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString

from core import clock, crypto
from core.db import Database, Tx
from core.errors import Conflict, Forbidden, NotFound, Unprocessable
from core.ids import uuid7
from crm.identity import mails
from crm.identity.emails import checked_email
from crm.identity.letters import letter
from crm.identity.members import require_rank
from crm.identity.queries import get_organization
from crm.identity.roles import Role
from events.ids import InvitationId, MemberId, OrganizationId, UserId
from events.outbox import emit
from events.types import InvitationRevoked, TeamMemberAdded, TeamMemberInvited

LIFETIME = timedelta(days=7)
_COLUMNS: LiteralString = """
        SELECT id, email, role, commission_basis_points, invited_by, created_at, expires_at, accepted_at, accepted_by, revoked_at
          FROM invitations
"""


@dataclass(frozen=True)
class Invitation:
    """One invitation; without an email it is for whoever has the link."""

    id: InvitationId
    email: str | None
    role: Role
    # whoever accepts is a partner, with this rate in hundredths of a per cent; none: a member like others
    commission_basis_points: int | None
    invited_by: UserId
    created_at: datetime
    expires_at: datetime
    accepted_at: datetime | None
    accepted_by: UserId | None
    revoked_at: datetime | None

    @property
    def is_open(self) -> bool:
        return self.accepted_at is None and self.revoked_at is None

    @property
    def has_expired(self) -> bool:
        return self.expires_at <= clock.now()


@dataclass(frozen=True)
class Sent:
    """An invitation at the only moment when the secret of its link is known."""

    invitation: Invitation
    secret: str


@dataclass(frozen=True)
class Offer:
    """What the holder of a link is asked to join."""

    invitation_id: InvitationId
    organization_id: OrganizationId
    organization_name: str
    email: str | None
    role: Role
    inviter: str
    expires_at: datetime

    @property
    def has_expired(self) -> bool:
        return self.expires_at <= clock.now()


@dataclass(frozen=True)
class Joining:
    """Who accepts."""

    user_id: UserId
    email: str
    name: str


async def list_invitations(tx: Tx) -> list[Invitation]:
    """Those that can still be accepted or sent again, the newest first."""
    tx.principal.require("team:manage")
    return await tx.all(
        Invitation,
        _COLUMNS
        + """
         WHERE accepted_at IS NULL
           AND revoked_at IS NULL
         ORDER BY created_at DESC, id DESC
        """,
    )


async def get_invitation(tx: Tx, invitation_id: InvitationId, *, lock: bool = False) -> Invitation:
    """Raises: NotFound."""
    if lock:
        await tx.execute("SELECT FROM invitations WHERE id = %(id)s FOR UPDATE", id=invitation_id)
    return await tx.one(Invitation, _COLUMNS + "         WHERE id = %(id)s", id=invitation_id)


async def find_offer(db: Database, secret: str) -> Offer | None:
    """What a link offers, or None when it was used, taken back or never was."""
    rows = await db.look_up(
        """
        SELECT invitation_id, organization_id, organization_name, email, role, inviter, expires_at
          FROM invitation_by_token(%(token_hash)s)
        """,
        token_hash=crypto.hash_token(secret),
    )
    return Offer(**(rows[0] | {"role": Role(rows[0]["role"])})) if rows else None


async def invite(
    tx: Tx, *, email: str | None, role: Role, commission_basis_points: int | None = None
) -> Sent:
    """Ask somebody in; of one address there is one open invitation at a time.

    Raises:
        Forbidden: the role is above the inviter's.
        Unprocessable: no address, or the role of an owner, which is handed over and not given.
        Conflict: the address is a member's, or was invited already.
    """
    await require_rank(tx, role)
    if role is Role.OWNER:
        raise Unprocessable(
            "Nobody is invited as an owner; hand the organization over to a member.", field="role"
        )
    if commission_basis_points is not None and role is not Role.BIDI:
        raise Unprocessable("A partner sits on a seat, and has no other role.", field="role")
    address = checked_email(email) if email is not None else None
    if address is not None:
        await _require_new(tx, address)
    secret, now = crypto.new_token(), clock.now()
    invitation = InvitationId(uuid7())
    await tx.execute(
        """
        INSERT INTO invitations (organization_id, id, email, role, commission_basis_points, token_hash, invited_by,
                                 created_at, expires_at)
        VALUES (%(organization_id)s, %(id)s, %(email)s, %(role)s, %(commission_basis_points)s, %(token_hash)s,
                %(invited_by)s, %(now)s, %(expires_at)s)
        """,
        organization_id=tx.organization_id,
        id=invitation,
        email=address,
        role=role,
        commission_basis_points=commission_basis_points,
        token_hash=crypto.hash_token(secret),
        invited_by=tx.principal.id,
        now=now,
        expires_at=now + LIFETIME,
    )
    await emit(tx, TeamMemberInvited(invitation), changes={"email": (None, address), "role": (None, role)})
    return Sent(await get_invitation(tx, invitation), secret)


async def _require_new(tx: Tx, address: str) -> None:
    # one at a time, or two invitations of one address would meet in the unique key
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('invite ' || %(id)s || %(address)s, 0))",
        id=str(tx.organization_id),
        address=address,
    )
    is_member = await tx.value(
        """
        SELECT true
          FROM members m
          JOIN users u ON u.id = m.user_id
         WHERE u.email = %(address)s
           AND m.removed_at IS NULL
        """,
        address=address,
    )
    if is_member:
        raise Conflict(f"{address} is a member already.")
    is_invited = await tx.value(
        "SELECT true FROM invitations WHERE email = %(address)s AND accepted_at IS NULL AND revoked_at IS NULL",
        address=address,
    )
    if is_invited:
        raise Conflict(f"{address} was invited already; send that invitation again or take it back.")


async def resend(tx: Tx, invitation_id: InvitationId) -> Sent:
    """A new link with the whole time ahead of it; the old one ends. Raises: NotFound; Forbidden; Conflict."""
    invitation = await get_invitation(tx, invitation_id, lock=True)
    await require_rank(tx, invitation.role)
    _require_open(invitation)
    secret, until = crypto.new_token(), clock.now() + LIFETIME
    await tx.execute(
        "UPDATE invitations SET token_hash = %(token_hash)s, expires_at = %(until)s WHERE id = %(id)s",
        token_hash=crypto.hash_token(secret),
        until=until,
        id=invitation_id,
    )
    await emit(tx, TeamMemberInvited(invitation_id), changes={"expires_at": (invitation.expires_at, until)})
    return Sent(await get_invitation(tx, invitation_id), secret)


async def revoke(tx: Tx, invitation_id: InvitationId) -> Invitation:
    """Take an invitation back; a second call changes nothing. Raises: NotFound; Forbidden; Conflict once accepted."""
    invitation = await get_invitation(tx, invitation_id, lock=True)
    await require_rank(tx, invitation.role)
    if invitation.revoked_at is not None:
        return invitation
    _require_open(invitation)
    await tx.execute(
        "UPDATE invitations SET revoked_at = %(now)s WHERE id = %(id)s", now=clock.now(), id=invitation_id
    )
    await emit(tx, InvitationRevoked(invitation_id))
    return await get_invitation(tx, invitation_id)


async def mail_link(tx: Tx, sent: Sent, *, site: str, key: str) -> None:
    """Write to the address of an invitation, in the organization's language; one without an address is left alone."""
    if sent.invitation.email is None:
        return
    organization = await get_organization(tx)
    inviter = await tx.value("SELECT name FROM members WHERE user_id = %(id)s", id=sent.invitation.invited_by)
    asked = letter(
        "invitation",
        organization.locale,
        inviter=inviter,
        organization=organization.name,
        link=join_url(site, sent.secret),
    )
    await mails.queue_mail(tx, sent.invitation.email, asked, key=key)


def join_url(site: str, secret: str) -> str:
    """Where the holder of an invitation goes."""
    return f"{site}/join/{secret}"


def _require_open(invitation: Invitation) -> None:
    if not invitation.is_open:
        what = "accepted" if invitation.accepted_at else "taken back"
        raise Conflict(f"This invitation was {what} already; invite them anew.")


async def accept(tx: Tx, invitation_id: InvitationId, joining: Joining) -> MemberId:
    """Make somebody a member with the role they were invited to. It works once, and of a mail for its address only.

    Raises: NotFound; Conflict when it was used or taken back, is too old, or they are a member; Forbidden.
    """
    invitation = await get_invitation(tx, invitation_id, lock=True)
    _require_open(invitation)
    if invitation.has_expired:
        raise Conflict("This invitation is too old; ask for a new one.")
    if invitation.email is not None and invitation.email != joining.email.lower():
        raise Forbidden(f"This invitation is for {invitation.email}; sign in with that address.")
    member_id = await _add(tx, joining, invitation.role)
    await tx.execute(
        "UPDATE invitations SET accepted_at = %(now)s, accepted_by = %(user_id)s WHERE id = %(id)s",
        now=clock.now(),
        user_id=joining.user_id,
        id=invitation_id,
    )
    await emit(
        tx,
        TeamMemberAdded(member_id, joining.user_id, invitation_id),
        changes={"role": (None, invitation.role)},
    )
    return member_id


async def _add(tx: Tx, joining: Joining, role: Role) -> MemberId:
    """A new member, or one who had left and comes back. Raises: Conflict for one who is there."""
    member_id: MemberId | None = await tx.value(
        """
        INSERT INTO members AS m (organization_id, id, user_id, name, role)
        VALUES (%(organization_id)s, %(id)s, %(user_id)s, %(name)s, %(role)s)
            ON CONFLICT (organization_id, user_id)
            DO UPDATE SET role = EXCLUDED.role, name = EXCLUDED.name, removed_at = NULL, disabled_at = NULL
         WHERE m.removed_at IS NOT NULL
        RETURNING id
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        user_id=joining.user_id,
        name=joining.name,
        role=role,
    )
    if member_id is None:
        raise Conflict("You are a member already.")
    return member_id


async def require_offer(db: Database, secret: str) -> Offer:
    """Raises: NotFound, when a link leads nowhere any more."""
    offer = await find_offer(db, secret)
    if offer is None:
        raise NotFound("This invitation was used or taken back; ask for a new one.")
    return offer
