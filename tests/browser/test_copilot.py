"""The copilot in Chromium, as a rep asks it beside a deal: answers, sources, and proposals that are approved."""

import re
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from uuid import UUID

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from core import clock
from crm.channel_accounts.actions import keep_imported_account
from crm.channel_accounts.queries import get_channel_account
from crm.companies.actions import create_company
from crm.companies.models import NewCompany
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.conversations.history import PastMessage, import_conversation
from crm.deals.actions import create_deal
from crm.deals.models import NewDeal
from crm.facts.actions import assert_relation
from crm.pipelines.actions import create_pipeline
from crm.pipelines.queries import list_stages
from crm.search.queries import search
from tests.support.browser import PHONE, Person, Watch
from tests.support.stage import Stage
from tests.support.until import until

_numbers = count(1)


@dataclass(frozen=True)
class Sale:
    """A deal with somebody whom a colleague knows and wrote with. Names are of this test alone."""

    deal_id: UUID
    deal: str
    company: str
    person: str


@pytest.fixture
async def sale(stage: Stage) -> Sale:
    number = next(_numbers)
    names = Sale(
        UUID(int=0), f"Quayside gates {number}", f"Vesterbro Quays {number}", f"Hildegard Quist{number}"
    )
    owner = stage.world.owner
    async with stage.world.db.transaction(owner, "test") as tx:
        company = await create_company(tx, NewCompany(names.company))
        person = await create_contact(tx, NewContact(names.person, company_id=company.id))
        stages = await list_stages(tx, (await create_pipeline(tx, f"Quays {number}")).id)
        deal = await create_deal(tx, NewDeal(names.deal, stages[2].id, company.id, person.id))
        user = ("user", UUID(str(owner.id)))
        await assert_relation(
            tx, subject=user, predicate="knows", object=("contact", person.id), strength=0.9
        )
        account = await get_channel_account(
            tx,
            await keep_imported_account(
                tx, channel="telegram", name=f"Before {number}", address=f"before-{number}"
            ),
        )
        said = [
            PastMessage(
                True, "contact", person.id, "When do we get the offer?", clock.now() - timedelta(days=2)
            ),
            PastMessage(
                False,
                "user",
                owner.id,
                "We will send the offer by Thursday.",
                clock.now() - timedelta(days=1),
            ),
        ]
        await import_conversation(tx, account, person.id, chat_id=f"9{number:08}", messages=said)

    async def is_found() -> bool:
        async with stage.world.db.transaction(owner, "test") as tx:
            return all([(await search(tx, name, limit=5)).hits for name in (names.company, names.person)])

    await until(is_found)
    return Sale(deal.id, names.deal, names.company, names.person)


async def _ask(page: Page, words: str) -> None:
    answered = await page.locator(".question[data-status=answered]").count()
    await page.locator("#copilot-question").fill(words)
    await page.keyboard.press("Enter")
    await expect(page.locator(".question[data-status=answered]")).to_have_count(answered + 1)


async def test_a_rep_asks_opens_a_source_and_approves_what_is_proposed(
    chromium: Browser, stage: Stage, sale: Sale
) -> None:
    page = await Person(chromium, stage).sign_in()
    watch = Watch.over(page)
    await page.goto(f"{stage.fleet.base}/deals/{sale.deal_id}")

    await page.keyboard.press("c")
    await expect(page.locator("#copilot-question")).to_be_focused()
    await _ask(page, f"Who can introduce us at {sale.company}, and what was promised last?")
    answer = page.locator(".question").last.locator(".answer")
    await expect(answer).to_contain_text(f"knows {sale.person}")
    await expect(answer).to_contain_text("We will send the offer by Thursday.")

    await answer.locator("a.cite").last.click()
    await expect(page).to_have_url(re.compile(r"/inbox/.+#message-"))
    await expect(page.locator(".msg.is-target")).to_contain_text("We will send the offer by Thursday.")

    await page.goto(f"{stage.fleet.base}/deals/{sale.deal_id}")
    await expect(page.locator(".question")).to_have_count(1)
    await _ask(page, f"Move this deal to Proposal and create a task to call {sale.person} tomorrow at 10:00")
    cards = page.locator("[data-approval]")
    await expect(cards).to_have_count(2)
    for place in range(2):
        await cards.nth(place).locator("[data-verb=approve]").click()
        await expect(cards.nth(place)).to_have_attribute("data-call", "done")

    await page.goto(f"{stage.fleet.base}/deals/{sale.deal_id}")
    timeline = page.locator(".timeline")
    await expect(timeline).to_contain_text("Copilot")
    await expect(timeline).to_contain_text("Proposal")
    await expect(page.locator("#main")).to_contain_text(f"Call {sale.person}")
    assert (watch.outside, watch.complaints) == ([], [])


async def test_everything_works_without_scripts(chromium: Browser, stage: Stage, sale: Sale) -> None:
    page = await Person(chromium, stage, has_scripts=False).sign_in()
    await page.goto(f"{stage.fleet.base}/deals/{sale.deal_id}")

    await page.get_by_role("link", name="Copilot").click()
    await expect(page.locator(".composer .chip")).to_contain_text(sale.deal)
    await page.locator("#copilot-question").fill("Tell me about this deal")
    await page.get_by_role("button", name="Ask", exact=True).click()
    await expect(page.locator(".question")).to_have_count(1)

    async def is_answered() -> bool:
        await page.reload()
        return await page.locator(".question[data-status=answered]").count() == 1

    await until(is_answered)
    await expect(page.locator(".question .answer")).to_contain_text(sale.deal)


@pytest.mark.parametrize("look", ["wide", "phone"])
async def test_axe_finds_nothing_in_a_chat(chromium: Browser, stage: Stage, sale: Sale, look: str) -> None:
    page = await Person(chromium, stage, theme="dark" if look == "phone" else "light").sign_in()
    await page.goto(f"{stage.fleet.base}/copilot")
    await _ask(page, f"Tag {sale.company} as vip, and tell me about {sale.person}")
    if look == "phone":
        await page.set_viewport_size(PHONE)

    results = await Axe().run(page)

    assert results.violations_count == 0, results.generate_report()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_a_chat_is_found_again(chromium: Browser, stage: Stage, sale: Sale) -> None:
    page = await Person(chromium, stage).sign_in()
    await page.goto(f"{stage.fleet.base}/contacts")
    await page.get_by_role("link", name="Copilot").click()
    await _ask(page, f"Tell me about {sale.person}")

    await page.locator("#copilot [data-copilot-new]").click()
    await expect(page.locator(".question")).to_have_count(0)
    await page.locator("#copilot").get_by_role("link", name="Chats").click()
    await page.locator(".chat-list a").first.click()

    await expect(page.locator(".question .answer")).to_contain_text(sale.person)
    await page.keyboard.press("Escape")
