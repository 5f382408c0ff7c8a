"""A table in Chromium, as a rep would bring it: wrong columns put right, the run watched, its worker killed, all undone."""

import re

from playwright.async_api import Browser, Page, expect

from infra.seed.tables import Mess, header, people
from tests.support.browser import PHONE, Person, Watch
from tests.support.stage import Stage
from tests.support.tables import csv_bytes
from tests.support.until import until

ROWS = 5000
MESS = Mess(bad_emails=0.01, bad_phones=0.01, repeated=0.03, unnamed=0.002)


async def _upload(page: Page, base: str, name: str, content: bytes) -> None:
    await page.goto(f"{base}/imports")
    await page.set_input_files("#file", {"name": name, "mimeType": "text/csv", "buffer": content})
    await page.wait_for_url(re.compile(r"/imports/[0-9a-f-]{36}$"))


async def test_a_table_of_5000_rows_comes_in_though_its_worker_is_killed(
    chromium: Browser, stage: Stage
) -> None:
    rows = [header("ru"), *people(ROWS, "ru", seed=31, mess=MESS)]
    content = csv_bytes(rows, encoding="cp1251", delimiter=";")
    page = await Person(chromium, stage).sign_in()
    watch = Watch.over(page)

    await _upload(page, stage.fleet.base, "Контакты отдела.csv", content)
    await expect(page.locator("main")).to_contain_text("Windows-1251, semicolon")
    city = page.get_by_label("Город")
    await expect(city).to_have_value("")
    await city.select_option("note")
    await page.get_by_label("Бюджет").select_option("new:money")
    await page.get_by_label("Phones without a country code").select_option("RU")
    await page.get_by_label("Amounts without a currency").select_option("RUB")
    await page.get_by_role("button", name="Try it").click()

    state = page.locator("#state")
    await expect(state).to_have_attribute("data-status", "checked", timeout=120_000)
    await expect(state).to_contain_text("This is no email address")
    made = await state.locator(".import-number").nth(0).text_content()
    stage.fleet.arm("commit.work_on_import.chunk.after")
    await page.get_by_role("button", name="Import", exact=True).click()
    await expect(state.locator("progress")).to_be_visible()
    await until(lambda: _is_killed(stage))

    await expect(state).to_have_attribute("data-status", "finished", timeout=90_000)
    assert await state.locator(".import-number").nth(0).text_content() == made
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        imported = await tx.value("SELECT count(*) FROM contacts WHERE custom ? 'byudzhet'")
    assert f"{imported:,}" == made
    assert (watch.outside, watch.complaints) == ([], [])

    await page.get_by_role("button", name="Undo the import").click()
    await expect(state).to_have_attribute("data-status", "undone", timeout=90_000)


async def _is_killed(stage: Stage) -> bool:
    return not stage.fleet.armed()


async def test_a_file_that_cannot_be_read_says_why_on_a_phone(chromium: Browser, stage: Stage) -> None:
    page = await Person(chromium, stage, size=PHONE).sign_in()
    await page.goto(f"{stage.fleet.base}/imports")

    await page.set_input_files(
        "#file", {"name": "cut.xlsx", "mimeType": "text/csv", "buffer": b"PK\x03\x04 cut"}
    )

    await expect(page.get_by_role("alert")).to_contain_text(
        "The workbook is damaged or was cut off on its way."
    )
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
