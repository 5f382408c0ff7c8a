"""Lists by team: what belongs to somebody of a team, whoever that is by now."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from pydantic import JsonValue

from core.db import Database, Tx
from core.pagination import Page
from core.principal import Principal
from core.sql import FIRST_PAGE
from crm.companies.actions import create_company
from crm.companies.models import NewCompany
from crm.companies.queries import list_companies
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.contacts.queries import list_contacts
from crm.deals.actions import create_deal
from crm.deals.models import NewDeal
from crm.deals.queries import list_deals
from crm.identity import teams
from crm.identity.models import Role
from crm.identity.queries import find_member_id
from crm.identity.teams import Team, TeamEdit
from crm.leads.actions import create_lead
from crm.leads.models import NewLead
from crm.leads.queries import list_leads
from crm.pipelines.actions import create_pipeline
from crm.pipelines.queries import list_stages
from crm.records.lists import read_filter
from events.ids import MemberId, RecordKind
from tests.support.organizations import add_member

LISTS: dict[RecordKind, Callable[..., Awaitable[Page[Any]]]] = {
    RecordKind.CONTACT: list_contacts,
    RecordKind.COMPANY: list_companies,
    RecordKind.LEAD: list_leads,
    RecordKind.DEAL: list_deals,
}


async def _records(tx: Tx, owner_id: MemberId | None, name: str) -> None:
    stage = (await list_stages(tx, (await create_pipeline(tx, f"Of {name}")).id))[0]
    company = await create_company(tx, NewCompany(name, owner_id=owner_id))
    contact = await create_contact(tx, NewContact(name, owner_id=owner_id))
    await create_lead(tx, NewLead(contact.id, stage_id=stage.id, owner_id=owner_id))
    await create_deal(tx, NewDeal(name, stage.id, company_id=company.id, owner_id=owner_id))


async def _listed(tx: Tx, kind: RecordKind, op: str, team: Team) -> int:
    tree: dict[str, JsonValue] = {"field": "owner_team", "op": op, "value": [str(team.id)]}
    listing, kept = await read_filter(tx, kind, tree)
    page = await LISTS[kind](tx, replace(FIRST_PAGE, filter=kept), listing=listing)
    return len(page.items)


@pytest.mark.parametrize("kind", list(LISTS))
async def test_a_list_holds_what_a_teams_members_own(
    database: Database, organization: Principal, kind: RecordKind
) -> None:
    person = await add_member(database, organization, Role.BIDI)
    async with database.transaction(organization, "test") as tx:
        found: UUID | None = await find_member_id(tx, person.id)
        assert found is not None
        member_id = MemberId(found)
        for owner_id, name in ((member_id, "Theirs"), (None, "Nobody's")):
            await _records(tx, owner_id, name)
        team = await teams.create_team(tx, "North", member_ids=[member_id])

        inside, outside = [await _listed(tx, kind, op, team) for op in ("any_of", "none_of")]
        await teams.update_team(tx, team.id, TeamEdit(member_ids=[]), version=team.version)
        left = await _listed(tx, kind, "any_of", team)

    assert (inside, outside, left) == (1, 1, 0)
