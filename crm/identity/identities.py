"""Identities: whom an issuer vouches for, each linked to one person by (issuer, subject) and never by an address alone."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.db import Database, Tx
from core.errors import Conflict, Forbidden, NotFound
from core.ids import uuid7
from crm.identity import actions, mails
from crm.identity.letters import letter
from crm.identity.providers import IdentityProvider, find_provider, require_issuer
from crm.identity.queries import Credentials, get_organization, get_person
from events.ids import MemberId, OrganizationId, UserId
from events.outbox import emit
from events.types import IdentityLinked, IdentityUnlinked, TeamMemberAdded


@dataclass(frozen=True)
class Vouched:
    """What is said of somebody, and by whom: the installation's issuer, or an organization's own."""

    provider_of: OrganizationId | None
    issuer: str
    subject: str
    email: str
    name: str = ""


@dataclass(frozen=True)
class LinkedIdentity:
    """An identity of the person who asks, as their profile shows it."""

    id: UUID
    issuer: str
    email: str
    is_organizations: bool
    created_at: datetime


async def find_account(db: Database, vouched: Vouched) -> tuple[str, Credentials] | None:
    """Who is linked to this identity, with their address; None for an identity that nobody here has."""
    rows = await db.look_up(
        """
        SELECT email, user_id, password_hash, organization_id
          FROM identity_account(%(provider_of)s, %(issuer)s, %(subject)s)
        """,
        provider_of=vouched.provider_of,
        issuer=vouched.issuer,
        subject=vouched.subject,
    )
    if not rows:
        return None
    found, is_confined = rows[0], vouched.provider_of is not None
    email = found.pop("email")
    return email, Credentials(**found, issuer=vouched.issuer, is_confined=is_confined)


async def list_identities(tx: Tx, user_id: UserId) -> list[LinkedIdentity]:
    """By what somebody can sign in besides a password: anywhere, or to this organization."""
    return await tx.all(
        LinkedIdentity,
        """
        SELECT id, issuer, email, provider_of IS NOT NULL AS is_organizations, created_at
          FROM identities
         WHERE user_id = %(user_id)s
         ORDER BY created_at, id
        """,
        user_id=user_id,
    )


async def link(tx: Tx, user_id: UserId, vouched: Vouched, *, provider: str, site: str, key: str) -> None:
    """Let an identity open this person's account; they hear of it by mail. A second call changes nothing.

    Raises: Conflict for one that opens somebody else's.
    """
    is_there = await tx.value(
        """
        SELECT true
          FROM identities
         WHERE user_id = %(user_id)s
           AND provider_of IS NOT DISTINCT FROM %(provider_of)s
           AND issuer = %(issuer)s
           AND subject = %(subject)s
        """,
        user_id=user_id,
        provider_of=vouched.provider_of,
        issuer=vouched.issuer,
        subject=vouched.subject,
    )
    if is_there:
        return
    # without naming the conflict: a row of somebody else's cannot be seen from here
    inserted = await tx.execute(
        """
        INSERT INTO identities (user_id, id, provider_of, issuer, subject, email)
        VALUES (%(user_id)s, %(id)s, %(provider_of)s, %(issuer)s, %(subject)s, %(email)s)
            ON CONFLICT DO NOTHING
        """,
        user_id=user_id,
        id=uuid7(),
        provider_of=vouched.provider_of,
        issuer=vouched.issuer,
        subject=vouched.subject,
        email=vouched.email,
    )
    if not inserted:
        raise Conflict("This sign-in belongs to somebody else here.")
    await emit(tx, IdentityLinked(user_id), {"issuer": (None, vouched.issuer)})
    person = await get_person(tx, user_id)
    news = letter("identity_linked", person.locale, provider=provider, link=f"{site}/profile")
    await mails.queue_mail(tx, person.email, news, key=key)


async def unlink(tx: Tx, user_id: UserId, identity_id: UUID, *, has_password: bool) -> None:
    """Take an identity away. Raises: NotFound; Conflict for the last way in."""
    await tx.execute("SELECT FROM identities WHERE user_id = %(user_id)s FOR UPDATE", user_id=user_id)
    linked = await list_identities(tx, user_id)
    gone = next((one for one in linked if one.id == identity_id), None)
    if gone is None:
        raise NotFound("No such sign-in of yours; your profile shows those that are linked.")
    if not has_password and len(linked) == 1:
        raise Conflict("This is your only way in; set a password first.")
    await tx.execute(
        "DELETE FROM identities WHERE user_id = %(user_id)s AND id = %(id)s", user_id=user_id, id=identity_id
    )
    await emit(tx, IdentityUnlinked(user_id), {"issuer": (gone.issuer, None)})


@dataclass(frozen=True)
class _Member:
    user_id: UserId
    is_out: bool


async def require_welcome(tx: Tx, email: str, issuer: str) -> None:
    """Raises: Forbidden for whom the organization's own issuer may not bring; NotFound; Conflict for another issuer."""
    await _welcome(tx, email, issuer)


async def _welcome(tx: Tx, email: str, issuer: str) -> tuple[IdentityProvider, _Member | None]:
    """The organization's own issuer, and who is a member with this address; None may join."""
    provider = await find_provider(tx)
    if provider is None:
        raise NotFound("This organization has no sign-in service of its own.")
    require_issuer(provider, issuer)
    # somebody who has left, or is kept out, does not come back by their address
    member = await tx.find(
        _Member,
        """
        SELECT m.user_id, (m.removed_at IS NOT NULL OR m.disabled_at IS NOT NULL) AS is_out
          FROM members m
          JOIN users u ON u.id = m.user_id
         WHERE u.email = %(email)s
        """,
        email=email,
    )
    if member.is_out if member else not provider.admits(email):
        raise Forbidden(
            f"{email} is no member of this organization; ask its administrators for an invitation."
        )
    return provider, member


async def join(tx: Tx, vouched: Vouched, known_as: UserId | None) -> UserId:
    """The member with this address, or a new one with the role that the issuer's people join with.

    `known_as` is who has the address already, in other organizations. Raises: as `require_welcome`.
    """
    provider, member = await _welcome(tx, vouched.email, vouched.issuer)
    if member is not None:
        return member.user_id
    name = vouched.name or vouched.email.partition("@")[0]
    user_id = known_as or await _add_account(tx, vouched.email, name)
    member_id = MemberId(uuid7())
    await tx.execute(
        """
        INSERT INTO members (organization_id, id, user_id, name, role)
        VALUES (%(organization_id)s, %(id)s, %(user_id)s, %(name)s, %(role)s)
        """,
        organization_id=tx.organization_id,
        id=member_id,
        user_id=user_id,
        name=name,
        role=provider.role,
    )
    await emit(tx, TeamMemberAdded(member_id, user_id, None), {"role": (None, provider.role)})
    return user_id


async def _add_account(tx: Tx, email: str, name: str) -> UserId:
    """Somebody who has no password; who reads the mails of the address can set one."""
    user_id, locale = UserId(uuid7()), (await get_organization(tx)).locale
    await actions.add_account(tx, user_id, email=email, name=name, password_hash="no login", locale=locale)
    return user_id
