"""Sight over one's own work, and partners, who see addresses once they talk with somebody."""

import pytest

from core.db import Database
from core.errors import Forbidden
from core.principal import Principal
from crm.bidi.actions import create_bidi
from crm.bidi.models import BidiEdit, BidiKind, NewBidi
from crm.bulk.actions import create_bulk_edit
from crm.bulk.models import Changes, NewBulkEdit
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.contacts.queries import list_handles, list_handles_of
from crm.conversations.inbox import list_handles as list_handles_beside
from crm.deals.actions import create_deal
from crm.deals.models import NewDeal
from crm.identity.models import Role
from crm.identity.queries import find_member_id
from crm.imports.models import Exported
from crm.imports.tables import export
from crm.pipelines.actions import create_pipeline
from crm.pipelines.queries import list_stages
from events.ids import RecordKind, UserId
from tests.support.organizations import add_member, give_contacts
from tests.support.world import make_world

_HANDLES = (("email", "anna@acme.example"), ("phone", "+4640123456"), ("telegram_username", "anna_acme"))
_MASKED = {"a•••@acme.example", "+46 ••• 56", "a•••"}


async def _sitting(database: Database, owner: Principal, kind: BidiKind) -> Principal:
    person = await add_member(database, owner, Role.BIDI)
    async with database.transaction(owner, "test") as tx:
        await create_bidi(tx, NewBidi(kind, "Petra", user_id=UserId(person.id)), BidiEdit())
    return person


async def test_a_partner_sees_how_addresses_look_until_they_hold_a_conversation(
    database: Database, organization: Principal
) -> None:
    world = await make_world(database, organization)
    await world.receive("Hello")
    conversation = await world.conversation()
    partner = await _sitting(database, organization, BidiKind.EXTERNAL)
    await give_contacts(database, organization, partner)
    async with database.transaction(organization, "test") as tx:
        whole = {handle.value for handle in await list_handles(tx, conversation.contact_id)}

    async with database.transaction(partner, "test") as tx:
        before = {handle.value for handle in await list_handles(tx, conversation.contact_id)}
        rows = await tx.value("SELECT count(*) FROM contact_handles")
        messages = await tx.value("SELECT count(*) FROM messages")
    async with database.transaction(organization, "test") as tx:
        await tx.execute("UPDATE conversations SET holder_kind = 'person', holder_id = %(id)s", id=partner.id)
    async with database.transaction(partner, "test") as tx:
        after = {handle.value for handle in await list_handles(tx, conversation.contact_id)}

    assert before
    assert before & whole == set()
    assert all("•••" in value for value in before)
    assert (rows, messages) == (0, 0)
    assert after == whole


@pytest.mark.parametrize("kind", [BidiKind.EXTERNAL, BidiKind.INTERNAL])
async def test_addresses_are_masked_for_partners_only(
    database: Database, organization: Principal, kind: BidiKind
) -> None:
    person = await _sitting(database, organization, kind)
    async with database.transaction(organization, "test") as tx:
        own = await find_member_id(tx, person.id)
        anna = await create_contact(tx, NewContact("Anna", handles=_HANDLES, owner_id=own))

    async with database.transaction(person, "test") as tx:
        shown = {handle.value for handle in await list_handles(tx, anna.id)}
        listed = {handle.value for handle in await list_handles_of(tx, [anna.id])}
        beside = {handle.value for handle in await list_handles_beside(tx, anna.id)}

    expected = _MASKED if kind is BidiKind.EXTERNAL else {value for _, value in _HANDLES}
    assert shown == listed == beside == expected


async def test_a_partner_knows_whom_they_brought_themselves(
    database: Database, organization: Principal
) -> None:
    partner = await _sitting(database, organization, BidiKind.EXTERNAL)

    async with database.transaction(partner, "test") as tx:
        anna = await create_contact(tx, NewContact("Anna", handles=_HANDLES))
        shown = {handle.value for handle in await list_handles(tx, anna.id)}

        assert anna.owner_id == await find_member_id(tx, partner.id)
        assert shown == {value for _, value in _HANDLES}


async def test_a_partner_takes_no_lists_and_edits_none_at_once(
    database: Database, organization: Principal
) -> None:
    partner = await _sitting(database, organization, BidiKind.EXTERNAL)

    async with database.transaction(partner, "test") as tx:
        for kind in Exported:
            with pytest.raises(Forbidden, match="records:export"):
                await export.sheet_of(tx, kind)
        with pytest.raises(Forbidden, match="beyond what is assigned"):
            await create_bulk_edit(
                tx, NewBulkEdit(RecordKind.CONTACT, filter={}), Changes(set={"title": "CEO"})
            )


async def test_what_is_given_away_is_out_of_sight(database: Database, organization: Principal) -> None:
    rep, other = [await add_member(database, organization, Role.BIDI) for _ in range(2)]
    async with database.transaction(organization, "test") as tx:
        stage = (await list_stages(tx, (await create_pipeline(tx, "Sales")).id))[0]
        theirs = await find_member_id(tx, other.id)

    async with database.transaction(rep, "test") as tx:
        deal = await create_deal(tx, NewDeal("40 scanners", stage.id))
        given = await tx.execute(
            "UPDATE deals SET owner_id = %(id)s WHERE id = %(deal)s", id=theirs, deal=deal.id
        )
        left = await tx.value("SELECT count(*) FROM deals")
        again = await tx.execute("UPDATE deals SET name = 'Mine' WHERE id = %(deal)s", deal=deal.id)
    async with database.transaction(other, "test") as tx:
        found = await tx.value("SELECT name FROM deals WHERE id = %(deal)s", deal=deal.id)

    assert (given, left, again, found) == (1, 0, 0, "40 scanners")


async def test_nobody_makes_what_only_somebody_else_would_see(
    database: Database, organization: Principal
) -> None:
    rep, other = [await add_member(database, organization, Role.BIDI) for _ in range(2)]
    async with database.transaction(organization, "test") as tx:
        theirs = await find_member_id(tx, other.id)

    with pytest.raises(Forbidden, match="assigned to you"):
        async with database.transaction(rep, "test") as tx:
            await create_contact(tx, NewContact("Anna", owner_id=theirs))
