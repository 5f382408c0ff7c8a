"""Joining an organization, founding one, and going from one to another: each ends in a session that begins there."""

from dataclasses import dataclass

from api.deps import Services
from api.origins import sighted
from core.db import Tx
from core.errors import NotFound, Unprocessable
from core.ids import uuid7
from core.principal import Principal, PrincipalKind, Via
from crm.bidi import partners
from crm.identity import actions as identity
from crm.identity import founding, invitations, passwords, sessions
from crm.identity.emails import checked_email
from crm.identity.invitations import Joining, Offer
from crm.identity.models import Account
from crm.identity.queries import list_memberships
from crm.identity.sessions import Sighting
from events.ids import OrganizationId, UserId


@dataclass(frozen=True)
class Newcomer:
    """What somebody without an account says of themselves."""

    email: str
    name: str
    password: str
    locale: str


async def join(services: Services, offer: Offer, account: Account, seen: Sighting) -> str:
    """Accept as somebody who is signed in elsewhere; returns the token of a session in the new organization.

    Raises: Conflict; Forbidden when the invitation is for another address.
    """
    account.require_whole()
    joining = Joining(account.user_id, account.email, account.name)
    async with services.db.transaction(_person(account.user_id, offer.organization_id, seen), "join") as tx:
        await _accept(tx, offer, joining)
        token = await sessions.open_session(tx, seen)
    await _leave(services, account)
    return token


async def sign_up(services: Services, offer: Offer, new: Newcomer, seen: Sighting) -> str:
    """Accept as somebody new; of an invitation by mail the address is the one that it was sent to.

    Raises: Conflict; Unprocessable for an address that has an account, and for a password that is too short.
    """
    if not new.name.strip():
        raise Unprocessable("A person needs a name; write how colleagues call you.", field="name")
    joining = Joining(UserId(uuid7()), offer.email or checked_email(new.email), new.name.strip())
    password_hash = await passwords.hash_new(new.password)
    async with services.db.transaction(_person(joining.user_id, offer.organization_id, seen), "join") as tx:
        await identity.add_account(
            tx,
            joining.user_id,
            email=joining.email,
            name=joining.name,
            password_hash=password_hash,
            locale=new.locale,
        )
        await _accept(tx, offer, joining)
        return await sessions.open_session(tx, seen)


async def _accept(tx: Tx, offer: Offer, joining: Joining) -> None:
    """Make somebody a member, and a partner's seat for whoever was asked in as one."""
    await invitations.accept(tx, offer.invitation_id, joining)
    rate = (await invitations.get_invitation(tx, offer.invitation_id)).commission_basis_points
    if rate is not None:
        await partners.seat_partner(tx, joining.user_id, joining.name, rate)


async def enter(services: Services, account: Account, organization_id: OrganizationId, seen: Sighting) -> str:
    """Go to another organization of one's own; the session here ends. Raises: NotFound where they are no member; Forbidden."""
    account.require_whole()
    if organization_id not in {
        one.organization_id for one in await list_memberships(services.db, account.user_id)
    }:
        raise NotFound("You are a member of no such organization.")
    async with services.db.transaction(_person(account.user_id, organization_id, seen), "sign_in") as tx:
        token = await sessions.open_session(tx, seen)
    await _leave(services, account)
    return token


async def found(services: Services, account: Account, name: str, seen: Sighting) -> str:
    """Make an organization of one's own and go there. Raises: Unprocessable; Forbidden."""
    account.require_whole()
    organization_id = OrganizationId(uuid7())
    async with services.db.transaction(_person(account.user_id, organization_id, seen), "found") as tx:
        await founding.found_organization(tx, account, name)
        token = await sessions.open_session(tx, seen)
    await _leave(services, account)
    return token


async def _leave(services: Services, account: Account) -> None:
    async with services.db.transaction(account.principal, "sign_out") as tx:
        await sessions.close_session(tx, account)


def _person(user_id: UserId, organization_id: OrganizationId, seen: Sighting) -> Principal:
    """Somebody in an organization where no role says yet what they may do."""
    return Principal(PrincipalKind.USER, user_id, organization_id).coming_from(sighted(seen, Via.PAGE))
