"""Fields that lead to another record, or choose from a long list, by typing: in Chromium, on a phone, by keyboard."""

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, expect

from core.ids import uuid7
from crm.companies.actions import create_company
from crm.companies.models import NewCompany
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.identity.actions import create_user
from crm.identity.models import Role
from tests.support.browser import PHONE, Person, Watch
from tests.support.stage import Stage
from tests.support.visitor import PASSWORD


async def test_one_of_two_companies_of_one_name_is_chosen_by_keyboard_on_a_phone(
    chromium: Browser, stage: Stage
) -> None:
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        twins = [
            await create_company(tx, NewCompany("Quillhafen", domain=f"{city}{uuid7().hex}.example"))
            for city in ("kiel", "riga")
        ]
        person = await create_contact(tx, NewContact("Pia Picker"))
    page = await Person(chromium, stage, size=PHONE).sign_in()
    watch = Watch.over(page)
    await page.goto(f"{stage.fleet.base}/contacts/{person.id}")

    await page.locator("#field-company_id .card-edit").click()
    box = page.get_by_role("combobox", name="Company")
    await box.press_sequentially("quillh")
    options = page.locator("#field-company_id [role=option]")
    await expect(options).to_have_count(2)
    seen = await box.bounding_box()
    axe = await Axe().run(page)
    fits = await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.keyboard.press("Escape")
    await expect(options.first).to_be_hidden()
    await expect(box).to_have_value("quillh")
    await page.keyboard.press("ArrowDown")
    await expect(options.first).to_be_visible()
    await page.keyboard.press("ArrowDown")
    await expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    chosen = await options.nth(1).get_attribute("data-id")
    await page.keyboard.press("Enter")
    await expect(box).to_have_value("Quillhafen")
    await page.keyboard.press("Enter")

    await expect(page.locator("#field-company_id .card-value")).to_have_text("Quillhafen")
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        kept = await tx.value("SELECT company_id FROM contacts WHERE id = %(id)s", id=person.id)
    assert str(kept) == chosen
    assert kept in {twin.id for twin in twins}
    assert seen is not None
    assert seen["width"] > 200
    assert (axe.violations_count, fits) == (0, True), axe.generate_report()
    assert (watch.outside, watch.complaints) == ([], [])


async def test_what_is_typed_after_a_choice_counts_more_than_the_choice(
    chromium: Browser, stage: Stage
) -> None:
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        first, second = [await create_company(tx, NewCompany(name)) for name in ("Erstwerk", "Zweitwerk")]
        person = await create_contact(tx, NewContact("Paul Picker"))
    page = await Person(chromium, stage).sign_in()
    await page.goto(f"{stage.fleet.base}/contacts/{person.id}/fields/company_id")

    box = page.locator("#input-company_id")
    await box.press_sequentially("erstw")
    await page.locator(f"[role=option][data-id='{first.id}']").click()
    await expect(box).to_have_value("Erstwerk")
    await box.fill("Zweitwerk")
    # the list comes a moment later, and lies over the button
    await expect(page.locator(f"[role=option][data-id='{second.id}']")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Save").click()

    await expect(page.locator("#field-company_id .card-value")).to_have_text("Zweitwerk")
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        assert await tx.value("SELECT company_id FROM contacts WHERE id = %(id)s", id=person.id) == second.id


async def test_an_owner_of_many_is_chosen_by_typing(chromium: Browser, stage: Stage) -> None:
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        for number in range(10):
            email = f"{number}.{uuid7().hex}@picker.example"
            await create_user(
                tx, email=email, name=f"Colleague {number}", password=PASSWORD, role=Role.BIDI, locale="en"
            )
        person = await create_contact(tx, NewContact("Petra Picker"))
    page = await Person(chromium, stage).sign_in()
    await page.goto(f"{stage.fleet.base}/contacts/{person.id}")

    await page.locator("#field-owner_id .card-edit").click()
    await expect(page.get_by_role("combobox", name="Owner")).to_be_focused()
    await page.keyboard.type("league 7")
    await expect(page.locator("#field-owner_id [role=option]")).to_have_count(1)
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")

    await expect(page.locator("#field-owner_id .card-value")).to_have_text("Colleague 7")
