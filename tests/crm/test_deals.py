"""Deals: amounts in minor units, stages of their own pipeline."""

from dataclasses import dataclass, replace

import pytest

from core.db import Database, Tx
from core.errors import Forbidden, NotFound, Stale, Unprocessable
from core.ids import uuid7
from core.principal import Principal
from core.sql import ListQuery
from crm.companies.actions import create_company
from crm.companies.models import Company, NewCompany
from crm.contacts.actions import create_contact
from crm.contacts.models import Contact, NewContact
from crm.deals.actions import create_deal, move_stage, update_deal
from crm.deals.models import DealEdit, NewDeal
from crm.deals.queries import list_deals, list_deals_of_company, list_deals_of_contact
from crm.pipelines.actions import create_pipeline
from crm.pipelines.models import Outcome, Stage
from crm.pipelines.queries import find_stage_by_name, list_pipelines, list_stages
from events.ids import ContactId
from tests.support.changes import changes_of


@dataclass(frozen=True)
class Scene:
    stages: list[Stage]
    company: Company
    contact: Contact


async def scene(tx: Tx) -> Scene:
    pipeline = await create_pipeline(tx, "Sales")
    company = await create_company(tx, NewCompany("Acme"))
    contact = await create_contact(tx, NewContact("Anna", company_id=company.id))
    return Scene(await list_stages(tx, pipeline.id), company, contact)


async def test_a_pipeline_has_its_stages_in_order(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        pipeline = await create_pipeline(tx, "Sales")

        stages = await list_stages(tx, pipeline.id)

        assert [stage.name for stage in stages][:2] == ["Cold", "Replied"]
        assert [stage.outcome for stage in stages][-2:] == [Outcome.WON, Outcome.LOST]
        assert await find_stage_by_name(tx, pipeline.id, " meeting ") == stages[3]
        assert await list_pipelines(tx) == [pipeline]


async def test_a_pipeline_without_an_open_stage_is_refused(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        with pytest.raises(Unprocessable):
            await create_pipeline(tx, "Closed", [("Won", Outcome.WON)])


async def test_an_amount_above_a_million_keeps_every_cent(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        given = await scene(tx)

        deal = await create_deal(
            tx, NewDeal("Big", given.stages[0].id, amount_minor=9_999_999_999_999_99, currency="rub")
        )

        assert (deal.amount_minor, deal.currency, deal.stage) == (9_999_999_999_999_99, "RUB", "Cold")


@pytest.mark.parametrize(
    "wrong", [{"name": " "}, {"amount_minor": -1}, {"currency": "EURO"}, {"currency": "₽₽₽"}]
)
async def test_a_deal_that_cannot_be_is_refused(
    database: Database, organization: Principal, wrong: dict[str, str]
) -> None:
    async with database.transaction(organization, "test") as tx:
        given = await scene(tx)

        with pytest.raises(Unprocessable):
            await create_deal(tx, replace(NewDeal("Deal", given.stages[0].id), **wrong))  # type: ignore[arg-type]


async def test_a_deal_with_somebody_unknown_is_refused(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        given = await scene(tx)
        stranger = ContactId(uuid7())

        with pytest.raises(NotFound):
            await create_deal(tx, NewDeal("Deal", given.stages[0].id, contact_id=stranger))


async def test_the_deals_of_a_contact_include_those_of_the_company(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        given = await scene(tx)
        stage, won = given.stages[0].id, given.stages[-2].id
        old = await create_deal(tx, NewDeal("Won", won, contact_id=given.contact.id))
        own = await create_deal(tx, NewDeal("Own", stage, contact_id=given.contact.id))
        company = await create_deal(tx, NewDeal("Company", stage, company_id=given.company.id))
        both = await create_deal(tx, NewDeal("Both", stage, given.company.id, given.contact.id))
        await create_deal(tx, NewDeal("Unrelated", stage))

        of_contact = await list_deals_of_contact(tx, given.contact.id)
        of_company = await list_deals_of_company(tx, given.company.id)

        assert [deal.id for deal in of_contact] == [both.id, company.id, own.id, old.id]
        assert {deal.id for deal in of_company} == {company.id, both.id}
        assert len((await list_deals(tx, ListQuery(limit=3))).items) == 3


async def test_moving_a_deal_records_both_stages(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        given = await scene(tx)
        cold, replied = given.stages[0].id, given.stages[1].id
        deal = await create_deal(tx, NewDeal("Deal", cold))

        moved = await move_stage(tx, deal.id, replied, version=1)
        again = await move_stage(tx, deal.id, replied, version=2)

        assert (moved.stage, moved.version, again.version) == ("Replied", 2, 2)
        last = (await changes_of(tx, deal.id))[-1]
        assert last.type == "deal.stage.changed"
        assert last.changes == {"stage_id": [str(cold), str(replied)]}
        with pytest.raises(Stale):
            await move_stage(tx, deal.id, cold, version=1)


async def test_a_deal_stays_in_its_pipeline(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        given = await scene(tx)
        other = await list_stages(tx, (await create_pipeline(tx, "Partners")).id)
        deal = await create_deal(tx, NewDeal("Deal", given.stages[0].id))

        with pytest.raises(Unprocessable):
            await move_stage(tx, deal.id, other[0].id, version=1)


async def test_an_update_checks_version_and_scope(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        deal = await create_deal(tx, NewDeal("Deal", (await scene(tx)).stages[0].id))

        updated = await update_deal(tx, deal.id, DealEdit(next_step="Call", amount_minor=5), version=1)

        assert (updated.next_step, updated.amount_minor, updated.version) == ("Call", 5, 2)
        assert (await changes_of(tx, deal.id))[-1].changes == {
            "next_step": ["", "Call"],
            "amount_minor": [0, 5],
        }
        with pytest.raises(Stale):
            await update_deal(tx, deal.id, DealEdit(next_step="Write"), version=1)
    reader = replace(organization, scopes=frozenset({"deals:read"}))
    async with database.transaction(reader, "test") as tx:
        with pytest.raises(Forbidden):
            await update_deal(tx, deal.id, DealEdit(next_step="Write"), version=2)
