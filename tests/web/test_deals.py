"""The board: columns with sums, moves by form, and what a refused move is missing."""

from dataclasses import dataclass
from uuid import UUID

import pytest

from core.db import Database
from core.principal import Principal
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.deals.actions import create_deal
from crm.deals.board import CARDS
from crm.deals.models import Deal, NewDeal
from crm.deals.queries import get_deal, list_stakeholders
from crm.pipelines.actions import create_pipeline, update_stage
from crm.pipelines.models import Stage, StageEdit
from crm.pipelines.queries import list_stages
from crm.pipelines.rules import Rule
from tests.web.conftest import Browser


@dataclass
class Sales:
    """A pipeline whose Proposal asks for a close date and a decision maker, and a deal in Meeting."""

    database: Database
    owner: Principal
    stages: dict[str, Stage]
    deal: Deal

    def stage(self, name: str) -> str:
        return str(self.stages[name].id)

    async def reload(self) -> Deal:
        async with self.database.transaction(self.owner, "test") as tx:
            return await get_deal(tx, self.deal.id)

    async def add(self, name: str, stage: str, amount_minor: int, currency: str) -> None:
        async with self.database.transaction(self.owner, "test") as tx:
            new = NewDeal(name, UUID(self.stage(stage)), amount_minor=amount_minor, currency=currency)
            await create_deal(tx, new)


@pytest.fixture
async def sales(database: Database, organization: Principal) -> Sales:
    async with database.transaction(organization, "test") as tx:
        pipeline = await create_pipeline(tx, "Sales")
        stages = {stage.name: stage for stage in await list_stages(tx, pipeline.id)}
        rules = (Rule("field", field="close_date"), Rule("stakeholder", role="decision_maker"))
        await update_stage(tx, stages["Proposal"].id, StageEdit(entry_rules=rules))
        anna = await create_contact(tx, NewContact("Anna Lind"))
        new = NewDeal("40 scanners", stages["Meeting"].id, contact_id=anna.id, amount_minor=816000)
        deal = await create_deal(tx, new)
    return Sales(database, organization, stages, deal)


async def test_without_a_pipeline_the_board_offers_to_make_one(browser: Browser) -> None:
    page = await browser.get("/deals")

    assert page.status_code == 200
    assert "Make a pipeline" in page.text


async def test_the_board_shows_stages_with_their_sums_in_every_currency(
    browser: Browser, sales: Sales
) -> None:
    await sales.add("Yen", "Meeting", 5000, "JPY")
    await sales.add("Dinars", "Meeting", 8160500, "KWD")

    page = await browser.get("/deals")

    assert [name for name in sales.stages if f">{name}</h2>" in page.text] == list(sales.stages)
    for amount in ("€8,160", "¥5,000", "KWD\u00a08,160.500"):
        assert amount in page.text


async def test_a_card_moves_by_a_form_without_scripts(browser: Browser, sales: Sales) -> None:
    answer = await browser.post(
        f"/deals/{sales.deal.id}/stage", stage_id=sales.stage("Qualified"), version="1"
    )

    assert answer.status_code == 303
    assert (await sales.reload()).stage == "Qualified"


async def test_a_refused_move_is_explained_beside_the_card_and_mended_there(
    browser: Browser, sales: Sales
) -> None:
    path, to = f"/deals/{sales.deal.id}/stage", sales.stage("Proposal")

    refused = await browser.post(path, stage_id=to, version="1")
    filled = {"close_date": "2026-12-24", "stakeholder.decision_maker": "Anna Lind"}
    moved = await browser.client.post(
        path, data={"csrf_token": browser.token, "stage_id": to, "version": "1", **filled}
    )

    assert refused.status_code == 422
    assert "Not moved to Proposal" in refused.text
    assert "a close date; a person as decision maker" in refused.text
    assert 'name="close_date"' in refused.text
    assert moved.status_code == 303
    deal = await sales.reload()
    assert (deal.stage, str(deal.close_date)) == ("Proposal", "2026-12-24")
    async with sales.database.transaction(sales.owner, "test") as tx:
        assert [one.name for one in await list_stakeholders(tx, deal.id)] == ["Anna Lind"]


async def test_what_was_filled_in_is_kept_when_more_is_missing(browser: Browser, sales: Sales) -> None:
    await browser.post(
        f"/deals/{sales.deal.id}/stage",
        stage_id=sales.stage("Proposal"),
        version="1",
        close_date="2026-12-24",
    )

    deal = await sales.reload()
    assert (deal.stage, str(deal.close_date)) == ("Meeting", "2026-12-24")


async def test_a_script_gets_the_board_as_it_is_now(browser: Browser, sales: Sales) -> None:
    answer = await browser.post(
        f"/deals/{sales.deal.id}/stage",
        headers={"HX-Request": "true"},
        stage_id=sales.stage("Qualified"),
        version="1",
    )

    assert answer.status_code == 200
    assert answer.text.lstrip().startswith('<div class="board"')
    column = answer.text.split(f'id="cards-{sales.stage("Qualified")}"')[1].split("</ul>")[0]
    assert f'id="deal-{sales.deal.id}"' in column


async def test_a_stale_card_says_so_and_moves_nothing(browser: Browser, sales: Sales) -> None:
    answer = await browser.post(f"/deals/{sales.deal.id}/stage", stage_id=sales.stage("Won"), version="7")

    assert answer.status_code == 412
    assert (await sales.reload()).stage == "Meeting"


async def test_a_full_stage_shows_its_cards_by_the_page(browser: Browser, sales: Sales) -> None:
    for number in range(CARDS + 3):
        await sales.add(f"Deal {number}", "Cold", 100, "EUR")

    page = await browser.get("/deals")
    more = page.text.split('hx-get="/deals?')[1].split('"')[0].replace("&amp;", "&")
    rest = await browser.get(f"/deals?{more}", HX_Request="true")

    assert page.text.count("data-deal=") == CARDS + 1
    assert rest.text.count("data-deal=") == 3
    assert "Show more" not in rest.text


async def test_cards_that_were_asked_for_stay_when_the_board_is_drawn_anew(
    browser: Browser, sales: Sales
) -> None:
    cold = sales.stage("Cold")
    for number in range(CARDS + 3):
        await sales.add(f"Deal {number}", "Cold", 100, "EUR")

    anew = await browser.get(f"/deals?part=board&shown={cold}:{CARDS + 2}", HX_Request="true")
    moved = await browser.post(
        f"/deals/{sales.deal.id}/stage",
        headers={"HX-Request": "true"},
        stage_id=sales.stage("Qualified"),
        version="1",
        shown=f"{cold}:{CARDS + 3}",
    )

    assert anew.text.count("data-deal=") == CARDS + 2 + 1
    assert moved.text.count("data-deal=") == CARDS + 3 + 1
    assert "Show more" not in moved.text
    assert (await browser.get("/deals?shown=much")).status_code == 422


async def test_a_deal_shows_how_long_it_stood_where(browser: Browser, sales: Sales) -> None:
    await browser.post(f"/deals/{sales.deal.id}/stage", stage_id=sales.stage("Qualified"), version="1")

    page = await browser.get(f"/deals/{sales.deal.id}")

    assert page.text.count("0 minutes") == 2
