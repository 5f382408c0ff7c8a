"""Deals in Chromium, as a rep works with them: by keyboard, by drag and drop, on the board, in the table, on a page."""

from dataclasses import dataclass
from uuid import UUID

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.deals.actions import create_deal
from crm.deals.board import CARDS
from crm.deals.models import NewDeal
from crm.pipelines.actions import create_pipeline, update_stage
from crm.pipelines.models import Stage as PipelineStage
from crm.pipelines.models import StageEdit
from crm.pipelines.queries import list_stages
from crm.pipelines.rules import Rule
from tests.support.browser import Person, Watch
from tests.support.stage import Stage


@dataclass(frozen=True)
class Sales:
    """A pipeline whose stage Meeting may only be left with a close date and somebody who decides."""

    stage: Stage
    stages: dict[str, PipelineStage]
    path: str

    async def deal(self, name: str, stage: str = "Meeting") -> str:
        async with self.stage.world.db.transaction(self.stage.world.owner, "test") as tx:
            return str((await create_deal(tx, NewDeal(name, self.stages[stage].id, amount_minor=816_000))).id)

    async def board(self, chromium: Browser) -> Page:
        page = await Person(chromium, self.stage).sign_in()
        await page.goto(self.stage.fleet.base + self.path)
        return page

    def column(self, page: Page, name: str) -> Locator:
        return page.locator(f"#stage-{self.stages[name].id}")


@pytest.fixture
async def sales(stage: Stage) -> Sales:
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        pipeline = await create_pipeline(tx, "Warehouses")
        stages = {one.name: one for one in await list_stages(tx, pipeline.id)}
        rules = (Rule("field", field="close_date"), Rule("stakeholder", role="decision_maker"))
        await update_stage(tx, stages["Meeting"].id, StageEdit(exit_rules=rules))
        await create_contact(tx, NewContact(f"Hilda Decides {pipeline.id.hex[-6:]}"))
    return Sales(stage, stages, f"/deals?pipeline={pipeline.id}")


def _hilda(sales: Sales) -> str:
    return f"Hilda Decides {UUID(sales.path.partition('=')[2]).hex[-6:]}"


async def test_a_deal_moves_by_keyboard_through_a_stage_whose_exit_rule_refuses_first(
    chromium: Browser, sales: Sales
) -> None:
    deal = await sales.deal("40 scanners")
    page = await sales.board(chromium)
    watch = Watch.over(page)

    await page.keyboard.press("j")
    await expect(page.locator(f"#card-{deal}")).to_be_focused()
    await page.keyboard.press("Shift+ArrowRight")
    refused = page.locator(f"#refused-{deal}")
    await expect(refused).to_contain_text("Not moved to Proposal")
    await expect(refused).to_contain_text("a close date; a person as decision maker")
    await expect(page.get_by_label("Close date")).to_be_focused()
    await page.keyboard.type("12242026")
    await page.get_by_label("Who is the decision maker").focus()
    await page.keyboard.type(_hilda(sales))
    await page.keyboard.press("Enter")

    await expect(sales.column(page, "Proposal").locator(f"#deal-{deal}")).to_be_visible()
    await page.locator(f"#card-{deal}").focus()
    await page.keyboard.press("Shift+ArrowRight")
    await expect(sales.column(page, "Negotiation").locator(f"#deal-{deal}")).to_be_visible()
    await expect(page.locator(f"#card-{deal}")).to_be_focused()
    await page.keyboard.press("Shift+ArrowLeft")
    await expect(sales.column(page, "Proposal").locator(f"#deal-{deal}")).to_be_visible()
    assert (watch.outside, [one for one in watch.complaints if "422" not in one]) == ([], [])


async def test_a_deal_is_dragged_and_others_see_it(chromium: Browser, sales: Sales) -> None:
    deal = await sales.deal("Labels", "Cold")
    page, other = await sales.board(chromium), await sales.board(chromium)

    await page.drag_and_drop(f"#deal-{deal}", f"#stage-{sales.stages['Qualified'].id}")

    for seen in (page, other):
        column = sales.column(seen, "Qualified")
        await expect(column.locator(f"#deal-{deal}")).to_be_visible()
        await expect(column.locator(".column-sum")).to_have_text("€8,160")
        await expect(sales.column(seen, "Cold").locator(".deal")).to_have_count(0)


async def test_cards_that_were_asked_for_do_not_fold_back_when_a_colleague_works(
    chromium: Browser, sales: Sales
) -> None:
    for number in range(CARDS + 3):
        await sales.deal(f"Deal {number}", "Cold")
    page = await sales.board(chromium)
    cold = sales.column(page, "Cold")

    await page.get_by_role("link", name="Show more").click()
    await expect(cold.locator(".deal")).to_have_count(CARDS + 3)
    await sales.deal("The colleague's", "Replied")

    await expect(sales.column(page, "Replied").locator(".deal")).to_have_count(1)
    await expect(cold.locator(".deal")).to_have_count(CARDS + 3)


async def test_a_deal_is_moved_on_its_page_and_left_as_it_is(chromium: Browser, sales: Sales) -> None:
    deal = await sales.deal("Gate")
    page = await Person(chromium, sales.stage).sign_in()
    await page.goto(f"{sales.stage.fleet.base}/deals/{deal}")

    await page.get_by_role("button", name="Move to Proposal").click()
    await expect(page.locator(f"#refused-{deal}")).to_be_visible()
    await page.get_by_role("link", name="Leave it").click()
    await expect(page.locator(f"#refused-{deal}")).to_have_count(0)
    await page.locator("#field-close_date .card-edit").click()
    await page.get_by_label("Close date").fill("2026-12-24")
    await page.keyboard.press("Enter")
    await expect(page.locator("#field-close_date")).to_contain_text("24 Dec")
    await page.get_by_text("Add somebody").click()
    await page.get_by_label("Person", exact=True).last.fill(_hilda(sales))
    await page.locator("#card-stakeholders").get_by_role("button", name="Add", exact=True).click()
    await expect(page.locator("#card-stakeholders li")).to_contain_text("Hilda")
    await page.get_by_role("button", name="Move to Proposal").click()

    await expect(page.locator("[aria-current=step]")).to_have_text("Proposal")
    await expect(page.locator("#card-visits li")).to_have_count(2)
