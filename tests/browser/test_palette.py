"""Find or do, in Chromium and by keyboard only."""

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, expect

from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.search.models import Hit
from crm.search.queries import search
from tests.support.browser import PHONE, Person, Watch
from tests.support.stage import Stage
from tests.support.until import until


async def test_a_person_typed_in_the_wrong_layout_is_opened_by_keyboard_and_remembered(
    chromium: Browser, stage: Stage
) -> None:
    await _make(stage, "Зинаида Кораблёва")
    page = await Person(chromium, stage).sign_in()
    watch = Watch.over(page)
    box, option = page.locator("#palette [role=combobox]"), page.locator("#palette [aria-selected=true]")

    await page.keyboard.press("Control+KeyK")
    await expect(box).to_be_focused()
    await page.keyboard.type("pbyfblf rjhf,k")
    await expect(option).to_contain_text("Зинаида Кораблёва")
    assert await box.get_attribute("aria-activedescendant") == await option.get_attribute("id")
    async with page.expect_navigation():
        await page.keyboard.press("Enter")
    await page.goto(f"{stage.fleet.base}/preferences")
    await page.keyboard.press("Control+KeyK")

    await expect(option).to_contain_text("Зинаида Кораблёва")
    assert (watch.outside, watch.complaints) == ([], [])


async def test_the_theme_is_changed_by_saying_so(chromium: Browser, stage: Stage) -> None:
    page = await Person(chromium, stage).sign_in()

    await page.keyboard.press("Control+KeyK")
    await page.keyboard.type("dakr theme")
    await expect(page.locator("#palette [aria-selected=true]")).to_contain_text("Dark theme")
    await page.keyboard.press("Enter")

    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")


async def test_axe_finds_nothing_in_the_open_palette_and_the_results(chromium: Browser, stage: Stage) -> None:
    await _make(stage, "Hildur Vestergaard")
    page = await Person(chromium, stage, size=PHONE, theme="dark").sign_in()

    await page.goto(f"{stage.fleet.base}/search?q=hildur")
    results = await Axe().run(page)
    await page.keyboard.press("Control+KeyK")
    await page.keyboard.type("hildur")
    await expect(page.locator("#option-everywhere")).to_be_visible()
    palette = await Axe().run(page)

    assert (results.violations_count, palette.violations_count) == (0, 0), (
        results.generate_report() + palette.generate_report()
    )


async def _make(stage: Stage, name: str) -> None:
    """A contact that the worker has indexed by its event."""
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        await create_contact(tx, NewContact(name))

    async def found() -> list[Hit]:
        async with stage.world.db.transaction(stage.world.owner, "test") as tx:
            return (await search(tx, name)).hits

    await until(found)
