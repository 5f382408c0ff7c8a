"""Duplicates in Chromium: two suggested people are compared, merged, and the merge is undone; also without JavaScript."""

import os
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from core.db import Tx
from crm.companies.actions import create_company
from crm.companies.models import NewCompany
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.contacts.suggestions import look_for_matches
from crm.merges.actions import merge_records
from events.ids import ContactId, RecordKind
from tests.support.browser import PHONE, WIDE, Person
from tests.support.stage import Stage, make_person


async def _twins(tx: Tx, number: int) -> tuple[ContactId, ContactId]:
    """One woman in two alphabets, at one company."""
    company = await create_company(tx, NewCompany(f"Ромашка {number}", domain=f"romashka{number}.example"))
    one = await create_contact(
        tx,
        NewContact(
            "Жанна Щербинина",
            title="Закупки",
            company_id=company.id,
            note="Любит чай",
            handles=(("email", f"z.shcherbinina@romashka{number}.example"),),
        ),
    )
    other = await create_contact(
        tx, NewContact("Zhanna Shcherbinina", title="Head of procurement", company_id=company.id)
    )
    await look_for_matches(tx, [one.id, other.id])
    return one.id, other.id


async def _violations(page: Page) -> str:
    results = await Axe().run(page)
    return "" if results.violations_count == 0 else str(results.generate_report())


@pytest.mark.parametrize("has_scripts", [True, False], ids=["with scripts", "without scripts"])
async def test_two_people_are_merged_and_the_merge_is_undone(
    chromium: Browser, stage: Stage, has_scripts: bool
) -> None:
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        kept, merged = await _twins(tx, 1 + has_scripts)
    page = await Person(chromium, stage, has_scripts=has_scripts).sign_in()
    await page.goto(f"{stage.fleet.base}/duplicates")
    pair = page.locator(".duplicate", has_text="Zhanna Shcherbinina").first
    await pair.get_by_role("link", name="Compare and merge").click()
    await expect(page.get_by_role("heading", name="Merge", level=1)).to_be_visible()
    await page.goto(f"{stage.fleet.base}/merges/new?kept_id={kept}&merged_id={merged}")
    await page.get_by_label("Head of procurement").check()
    await page.get_by_role("button", name="Merge", exact=True).click()
    await expect(page.get_by_role("status").first).to_contain_text("Zhanna Shcherbinina was merged")
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        title = await tx.value("SELECT title FROM contacts WHERE id = %(id)s", id=kept)

    await page.get_by_role("button", name="Undo").click()

    await expect(page.get_by_role("status").first).to_contain_text("undone")
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        back = await tx.value("SELECT title FROM contacts WHERE id = %(id)s", id=kept)
        there = await tx.value("SELECT deleted_at IS NULL FROM contacts WHERE id = %(id)s", id=merged)
    assert (title, back, there) == ("Head of procurement", "Закупки", True)


LOOKS = [
    pytest.param(WIDE["width"], "light", "en", id="1280-light-en"),
    pytest.param(WIDE["width"], "dark", "ru", id="1280-dark-ru"),
    pytest.param(PHONE["width"], "light", "ru", id="360-light-ru"),
    pytest.param(PHONE["width"], "dark", "en", id="360-dark-en"),
]


@pytest.mark.parametrize(("width", "theme", "locale"), LOOKS)
async def test_axe_finds_nothing_on_the_pages_of_duplicates(
    chromium: Browser, stage: Stage, width: int, theme: Literal["light", "dark"], locale: str
) -> None:
    number = [look.values for look in LOOKS].index((width, theme, locale)) + 10
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        kept, merged = await _twins(tx, number)
        ann, anna = [await create_contact(tx, NewContact(name)) for name in ("Ann Berg", "Anna Berg")]
        merge = await merge_records(tx, RecordKind.CONTACT, ann.id, anna.id)
    email = await make_person(stage.world.db, stage.world.owner, locale)
    size = WIDE if width == WIDE["width"] else PHONE
    page = await Person(chromium, stage, size=size, theme=theme, locale=locale).sign_in(email)

    found = {}
    for name, path in {
        "duplicates": "/duplicates",
        "merge": f"/merges/new?kept_id={kept}&merged_id={merged}",
        "merged": f"/merges/{merge.id}",
        "merges": "/merges",
    }.items():
        await page.goto(stage.fleet.base + path)
        found[name] = await _violations(page)
        found[f"{name} is too wide"] = (
            ""
            if await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            else "scrolls sideways"
        )
        if folder := os.environ.get("MERGE_SHOTS"):
            await page.screenshot(path=Path(folder) / f"{name}-{width}-{theme}-{locale}.png")

    assert {name: text for name, text in found.items() if text} == {}
