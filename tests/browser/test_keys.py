"""Each key that the dialog names does what it says, on the pages of the CRM."""

import re

import pytest
from playwright.async_api import Browser, Page, expect

from core import clock
from core.db import Tx
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.contacts.suggestions import look_for_matches
from crm.deals.actions import create_deal
from crm.deals.models import NewDeal
from crm.pipelines.actions import create_pipeline
from crm.pipelines.queries import list_stages
from crm.tasks.actions import create_task
from crm.tasks.models import NewTask
from events.ids import ContactId
from tests.support.browser import Person
from tests.support.stage import Stage

GOES_TO = {
    "I": "/inbox", "A": "/approvals", "D": "/deals", "L": "/leads", "C": "/contacts", "O": "/companies",
    "T": "/tasks", "M": "/meetings", "N": "/notifications", "K": "/knowledge", "S": "/segments",
}  # fmt: skip


async def _two_people(tx: Tx) -> list[ContactId]:
    return [
        (await create_contact(tx, NewContact(name, title="Buyer"))).id for name in ("Ines Key", "Inez Key")
    ]


async def _in_hand(page: Page) -> str:
    """The text of what has the focus."""
    text: str = await page.evaluate("document.activeElement.textContent.trim()")
    return text


@pytest.fixture
async def page(chromium: Browser, stage: Stage) -> Page:
    return await Person(chromium, stage).sign_in()


async def test_g_and_a_letter_go_where_the_dialog_says(page: Page, stage: Stage) -> None:
    await page.goto(f"{stage.fleet.base}/preferences")
    await page.keyboard.press("Shift+Slash")
    await expect(page.locator("#keys")).to_be_visible()
    named = await page.locator("#keys dt").filter(has_text=re.compile("^G ")).all_text_contents()
    await page.keyboard.press("Escape")
    await expect(page.locator("#keys")).to_be_hidden()

    assert {text.split()[1] for text in named} == set(GOES_TO)
    for letter, place in GOES_TO.items():
        await page.keyboard.press("g")
        await page.keyboard.press(letter.lower())
        await page.wait_for_url(re.compile(place))


async def test_the_keys_of_a_table(page: Page, stage: Stage) -> None:
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        await _two_people(tx)
    await page.goto(f"{stage.fleet.base}/contacts?q=Key")

    await page.keyboard.press("j")
    first = await _in_hand(page)
    await page.keyboard.press("j")
    second = await _in_hand(page)
    await page.keyboard.press("k")
    assert (await _in_hand(page), {first, second}) == (first, {"Ines Key", "Inez Key"})

    await page.keyboard.press("x")
    await expect(page.locator("[data-pick]:checked")).to_have_count(1)
    await page.keyboard.press("Shift+J")
    await expect(page.locator("[data-pick]:checked")).to_have_count(2)
    await page.keyboard.press("Escape")
    await expect(page.locator("[data-pick]:checked")).to_have_count(0)
    await page.keyboard.press("e")
    await expect(page.locator("[data-cell] [name=value]")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.locator("[data-cell]")).to_have_count(0)
    await page.keyboard.press("/")
    await expect(page.locator("[data-filter]")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("n")
    await page.wait_for_url("**/contacts/new")


async def test_the_keys_of_a_record_and_of_its_tasks(page: Page, stage: Stage) -> None:
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        deal_of, _ = await _two_people(tx)
        await create_task(tx, NewTask("Call Ines", due_at=clock.now()))
    await page.goto(f"{stage.fleet.base}/contacts/{deal_of}")

    await page.keyboard.press("e")
    await expect(page.locator("[data-field] [name=name]")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.locator("[data-field]")).to_have_count(0)
    await page.goto(f"{stage.fleet.base}/tasks")
    await page.keyboard.press("n")
    await expect(page.locator("[data-new]")).to_be_focused()


async def test_the_keys_of_a_board(page: Page, stage: Stage) -> None:
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        pipeline = await create_pipeline(tx, "Keys")
        stages = [one for one in await list_stages(tx, pipeline.id) if one.is_open]
        for name, at in (("First", 0), ("Below", 0), ("Beside", 1)):
            await create_deal(tx, NewDeal(name, stages[at].id))
    await page.goto(f"{stage.fleet.base}/deals?pipeline={pipeline.id}")

    seen = []
    for key in ("j", "ArrowDown", "ArrowUp", "ArrowRight", "ArrowLeft", "k"):
        await page.keyboard.press(key)
        seen.append(await _in_hand(page))
    assert set(seen[:2]) == {"First", "Below"}
    assert (seen[2], seen[3], seen[4], seen[5]) == (seen[0], "Beside", seen[0], seen[0])
    await page.keyboard.press("n")
    await page.wait_for_url(f"**/deals/new?pipeline={pipeline.id}")


async def test_the_keys_of_duplicates_lead_to_the_merge(page: Page, stage: Stage) -> None:
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        await look_for_matches(tx, await _two_people(tx))
    await page.goto(f"{stage.fleet.base}/duplicates")

    await page.keyboard.press("j")
    await page.keyboard.press("Enter")

    await page.wait_for_url("**/merges/new*")


async def test_the_keys_of_the_palette(page: Page, stage: Stage) -> None:
    await page.keyboard.press("Control+k")
    chosen = page.locator("#palette [aria-selected=true]")
    await expect(chosen).to_have_count(1)
    options = page.locator("#palette [role=option]:visible")

    await page.keyboard.press("ArrowDown")
    await expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("PageDown")
    await expect(options.nth(7)).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("PageUp")
    await page.keyboard.press("ArrowUp")
    await expect(options.nth(0)).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("Escape")

    await expect(page.locator("#palette")).to_be_hidden()
