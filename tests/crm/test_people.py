"""Members and invitations: who may change whom, what ends at once, and what an invitation is good for."""

import asyncio
from datetime import timedelta

import pytest

from core import clock
from core.db import Database
from core.errors import AppError, Conflict, Forbidden, NotFound, Unprocessable
from core.ids import uuid7
from core.principal import Principal, PrincipalKind
from crm.api_keys.actions import create_api_key
from crm.api_keys.queries import find_key_holder
from crm.assignment import leaving
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.contacts.queries import get_contact
from crm.identity import actions as identity
from crm.identity import invitations, members, sessions
from crm.identity.invitations import Joining, Sent
from crm.identity.models import Role
from crm.identity.queries import find_member_id, find_session, list_members, list_memberships
from events.ids import MemberId, UserId
from tests.support.organizations import add_member, make_organization

TOMAS = "tomas@lind.example"


async def _member(db: Database, owner: Principal, role: Role) -> tuple[Principal, MemberId]:
    person = await add_member(db, owner, role)
    return person, await _id_of(db, person)


async def _id_of(db: Database, person: Principal) -> MemberId:
    async with db.transaction(person, "test") as tx:
        member_id = await find_member_id(tx, person.id)
    assert member_id is not None
    return member_id


async def _account(db: Database, owner: Principal, email: str = TOMAS) -> Joining:
    """Somebody with an account and no membership; `owner` only lends the transaction."""
    joining = Joining(UserId(uuid7()), f"{uuid7().hex}.{email}", "Tomas Ferreira")
    async with db.transaction(owner, "test") as tx:
        await identity.add_account(
            tx,
            joining.user_id,
            email=joining.email,
            name=joining.name,
            password_hash="no login",
            locale="en",
        )
    return joining


async def _invite(db: Database, person: Principal, email: str | None, role: Role = Role.BIDI) -> Sent:
    async with db.transaction(person, "test") as tx:
        return await invitations.invite(tx, email=email, role=role)


async def _accept(db: Database, owner: Principal, sent: Sent, joining: Joining) -> MemberId:
    newcomer = Principal(PrincipalKind.USER, joining.user_id, owner.organization_id)
    async with db.transaction(newcomer, "test") as tx:
        return await invitations.accept(tx, sent.invitation.id, joining)


async def test_who_accepts_an_invitation_is_a_member_with_its_role(
    database: Database, organization: Principal
) -> None:
    tomas = await _account(database, organization)
    sent = await _invite(database, organization, tomas.email.upper(), Role.SUPERVISOR)

    member_id = await _accept(database, organization, sent, tomas)

    async with database.transaction(organization, "test") as tx:
        colleague = await members.get_colleague(tx, member_id)
    assert (colleague.name, colleague.email, colleague.role) == (tomas.name, tomas.email, Role.SUPERVISOR)
    assert await invitations.find_offer(database, sent.secret) is None


async def test_an_invitation_by_mail_is_for_its_address_only(
    database: Database, organization: Principal
) -> None:
    sent, other = await _invite(database, organization, TOMAS), await _account(database, organization)

    with pytest.raises(Forbidden, match=TOMAS):
        await _accept(database, organization, sent, other)


async def test_a_link_works_once_though_two_use_it_at_the_same_moment(
    database: Database, organization: Principal
) -> None:
    sent = await _invite(database, organization, None)
    both = [await _account(database, organization), await _account(database, organization)]

    outcomes = await asyncio.gather(
        *(_accept(database, organization, sent, one) for one in both), return_exceptions=True
    )

    assert sorted(type(one).__name__ for one in outcomes) == ["Conflict", "UUID"]


async def test_one_address_has_one_open_invitation(database: Database, organization: Principal) -> None:
    outcomes = await asyncio.gather(
        *(_invite(database, organization, TOMAS) for _ in range(4)), return_exceptions=True
    )

    assert sorted(type(one).__name__ for one in outcomes) == ["Conflict"] * 3 + ["Sent"]


async def test_a_member_is_not_invited_again(database: Database, organization: Principal) -> None:
    tomas = await _account(database, organization)
    await _accept(database, organization, await _invite(database, organization, tomas.email), tomas)

    with pytest.raises(Conflict, match="member already"):
        await _invite(database, organization, tomas.email)


async def test_an_old_invitation_and_one_that_was_taken_back_let_nobody_in(
    database: Database, organization: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    tomas = await _account(database, organization)
    taken_back, old = await _invite(database, organization, None), await _invite(database, organization, None)
    async with database.transaction(organization, "test") as tx:
        await invitations.revoke(tx, taken_back.invitation.id)
    later = clock.now() + timedelta(days=7, seconds=1)
    monkeypatch.setattr(clock, "now", lambda: later)

    with pytest.raises(Conflict, match="taken back"):
        await _accept(database, organization, taken_back, tomas)
    with pytest.raises(Conflict, match="too old"):
        await _accept(database, organization, old, tomas)


async def test_sending_again_ends_the_old_link(database: Database, organization: Principal) -> None:
    sent = await _invite(database, organization, TOMAS)

    async with database.transaction(organization, "test") as tx:
        again = await invitations.resend(tx, sent.invitation.id)

    assert await invitations.find_offer(database, sent.secret) is None
    offer = await invitations.find_offer(database, again.secret)
    assert offer is not None
    assert (offer.email, offer.organization_name, offer.inviter) == (TOMAS, "Test", "Olga Owner")


@pytest.mark.parametrize("email", ["", "tomas", "tomas@", "a b@lind.example"])
async def test_what_is_no_address_is_refused(database: Database, organization: Principal, email: str) -> None:
    with pytest.raises(Unprocessable, match="no mail address"):
        await _invite(database, organization, email)


RANKS = [
    # who, whom, what they should become, and whether that is done
    (Role.OWNER, Role.ADMIN, Role.OWNER, None),
    (Role.OWNER, Role.VIEWER, Role.ADMIN, None),
    (Role.ADMIN, Role.SUPERVISOR, Role.ADMIN, None),
    (Role.ADMIN, Role.ADMIN, Role.VIEWER, None),
    (Role.ADMIN, Role.ADMIN, Role.OWNER, Forbidden),
    (Role.ADMIN, Role.OWNER, Role.VIEWER, Forbidden),
    (Role.SUPERVISOR, Role.BIDI, Role.VIEWER, Forbidden),
    (Role.SUPERVISOR, Role.SUPERVISOR, Role.ADMIN, Forbidden),
    (Role.BIDI, Role.VIEWER, Role.BIDI, Forbidden),
    (Role.VIEWER, Role.VIEWER, Role.OWNER, Forbidden),
]


@pytest.mark.parametrize(("who", "whom", "wanted", "refusal"), RANKS)
async def test_nobody_raises_or_touches_anybody_above_themselves(
    database: Database,
    organization: Principal,
    who: Role,
    whom: Role,
    wanted: Role,
    refusal: type[AppError] | None,
) -> None:
    changer = organization if who is Role.OWNER else await add_member(database, organization, who)
    _, member_id = await _member(database, organization, whom)

    async def change() -> Role:
        async with database.transaction(changer, "test") as tx:
            return (await members.change_role(tx, member_id, wanted)).role

    if refusal is None:
        assert await change() is wanted
    else:
        with pytest.raises(refusal):
            await change()


async def test_two_owners_cannot_leave_it_to_each_other(database: Database, organization: Principal) -> None:
    other, other_id = await _member(database, organization, Role.OWNER)
    own_id = await _id_of(database, organization)

    async def step_down(person: Principal, member_id: MemberId) -> None:
        async with database.transaction(person, "test") as tx:
            await members.change_role(tx, member_id, Role.VIEWER)

    outcomes = await asyncio.gather(
        step_down(organization, own_id), step_down(other, other_id), return_exceptions=True
    )

    assert sorted(type(one).__name__ for one in outcomes) == ["Conflict", "NoneType"]


async def test_whoever_is_kept_out_is_out_at_once_and_comes_back_without_old_sessions(
    database: Database, organization: Principal
) -> None:
    person, member_id = await _member(database, organization, Role.BIDI)
    async with database.transaction(person, "test") as tx:
        token = await sessions.open_session(tx)
        key = await create_api_key(tx, UserId(person.id))
    assert await find_session(database, token) is not None

    async with database.transaction(organization, "test") as tx:
        await members.disable_member(tx, member_id)
    assert await find_session(database, token) is None
    assert await find_key_holder(database, key.secret) is None
    assert await list_memberships(database, UserId(person.id)) == []

    async with database.transaction(organization, "test") as tx:
        await members.enable_member(tx, member_id)
    assert await find_session(database, token) is None
    assert len(await list_memberships(database, UserId(person.id))) == 1


async def test_what_somebody_held_goes_to_their_successor(
    database: Database, organization: Principal
) -> None:
    _, member_id = await _member(database, organization, Role.BIDI)
    _, successor_id = await _member(database, organization, Role.BIDI)
    async with database.transaction(organization, "test") as tx:
        contact = await create_contact(tx, NewContact("Vera Lind", owner_id=member_id))
        held = await leaving.count_held(tx, member_id)

        await leaving.remove_member(tx, member_id, to=successor_id)

        after = await get_contact(tx, contact.id)
        people = [one.id for one in await list_members(tx)]
    assert held == {"contacts": 1}
    assert (after.owner_id, after.version) == (successor_id, contact.version + 1)
    assert member_id not in people


async def test_who_has_left_can_be_invited_again_and_is_the_same_member(
    database: Database, organization: Principal
) -> None:
    tomas = await _account(database, organization)
    member_id = await _accept(
        database, organization, await _invite(database, organization, tomas.email), tomas
    )
    async with database.transaction(organization, "test") as tx:
        await leaving.remove_member(tx, member_id, to=None)
        with pytest.raises(NotFound):
            await members.get_colleague(tx, member_id)

    sent = await _invite(database, organization, tomas.email, Role.VIEWER)

    assert await _accept(database, organization, sent, tomas) == member_id


async def test_nobody_removes_or_keeps_out_themselves(database: Database, organization: Principal) -> None:
    await _member(database, organization, Role.OWNER)
    own_id = await _id_of(database, organization)

    async with database.transaction(organization, "test") as tx:
        with pytest.raises(Conflict):
            await leaving.remove_member(tx, own_id, to=None)
        with pytest.raises(Conflict):
            await members.disable_member(tx, own_id)


async def test_a_member_of_another_organization_is_not_there(
    database: Database, organization: Principal
) -> None:
    stranger = await make_organization(database, name="Other")
    strange_id = await _id_of(database, stranger)

    async with database.transaction(organization, "test") as tx:
        for change in (
            members.change_role(tx, strange_id, Role.VIEWER),
            members.disable_member(tx, strange_id),
            leaving.remove_member(tx, strange_id, to=None),
        ):
            with pytest.raises(NotFound):
                await change
