"""Duplicates in Chromium: two suggested people are compared, merged, and the merge is undone; also without JavaScript."""

import pytest
from playwright.async_api import Browser, expect

from core.db import Tx
from crm.companies.actions import create_company
from crm.companies.models import NewCompany
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.contacts.suggestions import look_for_matches
from events.ids import ContactId
from tests.support.browser import Person
from tests.support.stage import Stage


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
