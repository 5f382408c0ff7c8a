"""Teams: who is in them, who leads, and what becomes of them when somebody leaves."""

import pytest

from core.db import Database
from core.errors import Conflict, Forbidden, Stale, Unprocessable
from core.principal import Principal
from crm.analytics import first_steps
from crm.assignment.leaving import remove_member
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.identity import teams
from crm.identity.invitations import invite
from crm.identity.models import Role
from crm.identity.queries import find_member_id
from crm.identity.teams import Team, TeamEdit
from events.ids import MemberId
from tests.support.organizations import add_member


async def _member(db: Database, owner: Principal, role: Role = Role.BIDI) -> MemberId:
    person = await add_member(db, owner, role)
    async with db.transaction(owner, "test") as tx:
        member_id = await find_member_id(tx, person.id)
    assert member_id is not None
    return member_id


async def _team(db: Database, owner: Principal, *member_ids: MemberId, lead: MemberId | None = None) -> Team:
    async with db.transaction(owner, "test") as tx:
        return await teams.create_team(tx, "North", member_ids=member_ids, lead_id=lead)


async def test_a_team_has_the_members_and_the_lead_it_was_given(
    database: Database, organization: Principal
) -> None:
    lead, other = await _member(database, organization), await _member(database, organization)

    team = await _team(database, organization, other, lead, lead=lead)

    assert (set(team.member_ids), team.lead_id, team.version) == ({lead, other}, lead, 1)


async def test_who_leaves_the_organization_leaves_its_teams(
    database: Database, organization: Principal
) -> None:
    lead, other = await _member(database, organization), await _member(database, organization)
    team = await _team(database, organization, lead, other, lead=lead)

    async with database.transaction(organization, "test") as tx:
        await remove_member(tx, lead, to=None)
        left = await teams.get_team(tx, team.id)

    assert (left.member_ids, left.lead_id) == ([other], None)


async def test_a_change_keeps_what_it_does_not_name(database: Database, organization: Principal) -> None:
    lead = await _member(database, organization)
    team = await _team(database, organization, lead, lead=lead)

    async with database.transaction(organization, "test") as tx:
        changed = await teams.update_team(tx, team.id, TeamEdit(name="South"), version=1)
        with pytest.raises(Stale):
            await teams.update_team(tx, team.id, TeamEdit(name="East"), version=1)

    assert (changed.name, changed.member_ids, changed.lead_id, changed.version) == ("South", [lead], lead, 2)


async def test_who_leads_is_a_member_and_names_are_not_shared(
    database: Database, organization: Principal
) -> None:
    inside, outside = await _member(database, organization), await _member(database, organization)
    await _team(database, organization, inside)

    async with database.transaction(organization, "test") as tx:
        with pytest.raises(Unprocessable, match="leads"):
            await teams.create_team(tx, "East", member_ids=[inside], lead_id=outside)
        with pytest.raises(Conflict, match="already"):
            await teams.create_team(tx, " north ")


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.BIDI, Role.VIEWER])
async def test_others_see_teams_and_change_none(
    database: Database, organization: Principal, role: Role
) -> None:
    team = await _team(database, organization)
    person = await add_member(database, organization, role)

    async with database.transaction(person, "test") as tx:
        assert [one.id for one in await teams.list_teams(tx)] == [team.id]
        with pytest.raises(Forbidden):
            await teams.delete_team(tx, team.id)


async def test_first_steps_tick_themselves_and_can_be_put_away(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        before = await first_steps.get_first_steps(tx)
        await create_contact(tx, NewContact("Vera Lind"))
        await invite(tx, email="tomas@lind.example", role=Role.VIEWER)
        after = await first_steps.get_first_steps(tx)
        await first_steps.put_first_steps_away(tx)
        away = await first_steps.get_first_steps(tx)

    assert (before.done, before.are_over) == (0, False)
    assert (after.done, after.has_contacts, after.has_colleague, after.are_over) == (2, True, True, False)
    assert away.are_over
