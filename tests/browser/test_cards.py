"""A company and a person of it, made and changed as a rep does."""

from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, ViewportSize, expect

from core.filters import ValueKind
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.custom_fields.actions import create_custom_field
from crm.custom_fields.models import NewCustomField
from events.ids import RecordKind
from tests.support.browser import PHONE, WIDE, Person, Watch
from tests.support.stage import Stage, make_person


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


@pytest.mark.parametrize(
    ("size", "theme", "locale"),
    [(WIDE, "light", "en"), (WIDE, "dark", "ru"), (PHONE, "light", "ru"), (PHONE, "dark", "en")],
)
async def test_axe_finds_nothing_on_the_pages_of_records(
    chromium: Browser, stage: Stage, size: ViewportSize, theme: Literal["light", "dark"], locale: str
) -> None:
    email = await make_person(stage.world.db, stage.world.owner, locale)
    page = await Person(chromium, stage, size=size, theme=theme, locale=locale).sign_in(email)
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        made = await create_contact(tx, NewContact("Hildur Vestergaard", title="Buyer"))
    contact = f"/contacts/{made.id}"

    found = {}
    for path in (contact, f"{contact}/fields/note", "/contacts/new", "/companies/new"):
        await page.goto(stage.fleet.base + path)
        results = await Axe().run(page)
        found[path] = results.generate_report() if results.violations_count else ""

    assert {path: text for path, text in found.items() if text} == {}
