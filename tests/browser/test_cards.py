"""A company and a person of it, made and changed as a rep does."""

import asyncio

from playwright.async_api import Browser, Route, expect

from core.filters import ValueKind
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.custom_fields.actions import create_custom_field
from crm.custom_fields.models import NewCustomField
from events.ids import RecordKind
from tests.support.browser import Person, Watch
from tests.support.stage import Stage


async def test_a_company_and_a_contact_are_made_changed_trashed_and_restored(
    chromium: Browser, stage: Stage
) -> None:
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        await create_custom_field(tx, NewCustomField(RecordKind.CONTACT, "Headcount", ValueKind.NUMBER))
    page = await Person(chromium, stage).sign_in()
    watch = Watch.over(page)

    await page.goto(f"{stage.fleet.base}/companies/new")
    await page.get_by_label("Name", exact=True).fill("Nordlicht Lager")
    await page.get_by_label("Web domain").fill("nordlicht.example")
    await page.get_by_role("button", name="Add", exact=True).click()
    await page.get_by_role("link", name="Add a person").click()
    await expect(page.get_by_label("Company", exact=True)).to_have_value("Nordlicht Lager")
    await page.get_by_label("Name", exact=True).fill("Hildur Berg")
    await page.get_by_label("Headcount").fill("12")
    await page.get_by_role("button", name="Add", exact=True).click()

    headcount = page.locator("#field-custom-headcount")
    await headcount.get_by_role("link").click()
    await expect(page.get_by_label("Headcount")).to_be_focused()
    await page.keyboard.press("Control+A")
    await page.keyboard.type("many")
    await page.keyboard.press("Enter")
    await expect(headcount.get_by_text("Write a number")).to_be_visible()
    await page.get_by_label("Headcount").fill("48")
    await page.keyboard.press("Enter")
    await expect(headcount).to_contain_text("48")
    await page.get_by_text("Add an address").click()
    await page.get_by_label("Address or number").fill("hildur@nordlicht.example")
    await page.locator("#card-handles").get_by_role("button", name="Add", exact=True).click()
    await expect(page.get_by_role("link", name="hildur@nordlicht.example")).to_be_visible()
    await page.get_by_text("Record consent").click()
    await page.get_by_label("Where it comes from").fill("Call")
    await page.get_by_role("button", name="Given", exact=True).click()
    await expect(page.locator("#card-consents dl")).to_contain_text("Call")
    await page.get_by_role("button", name="Put into the trash").click()
    await page.get_by_role("button", name="Restore").click()

    await expect(page.get_by_role("button", name="Put into the trash")).to_be_visible()
    assert (watch.outside, [one for one in watch.complaints if "422" not in one]) == ([], [])


async def test_an_answer_to_one_form_leaves_what_is_typed_in_another(chromium: Browser, stage: Stage) -> None:
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        made = await create_contact(tx, NewContact("Slow Answer", title="Buyer"))
    page = await Person(chromium, stage).sign_in()
    watch = Watch.over(page)
    await page.goto(f"{stage.fleet.base}/contacts/{made.id}")
    answers = asyncio.Event()

    async def hold(route: Route) -> None:
        await answers.wait()
        await route.continue_()

    await page.route(
        "**/fields/title", lambda route: hold(route) if route.request.method == "POST" else route.continue_()
    )
    await page.locator("#field-title .card-edit").click()
    await page.get_by_label("Role").fill("Head of buying")
    await page.keyboard.press("Enter")
    await page.locator("#field-note .card-edit").click()
    await page.locator("#input-note").fill("Half a sentence")
    await page.get_by_text("Add an address").click()
    await page.get_by_label("Address or number").fill("slow@answer.exa")
    answers.set()

    await expect(page.locator("#field-title .card-value")).to_have_text("Head of buying")
    await expect(page.locator("#card-consents details[open]")).to_have_count(0)
    await expect(page.locator("#input-note")).to_have_value("Half a sentence")
    await expect(page.get_by_label("Address or number")).to_be_focused()
    await expect(page.get_by_label("Address or number")).to_have_value("slow@answer.exa")
    await page.locator("#field-note").get_by_role("button", name="Save").click()
    await expect(page.locator("#field-note .card-value")).to_have_text("Half a sentence")
    await expect(page.get_by_label("Address or number")).to_have_value("slow@answer.exa")
    assert (watch.outside, watch.complaints) == ([], [])
