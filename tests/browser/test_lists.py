"""Lists in Chromium, as a rep works in them: a segment is built, rows are chosen by key, changed and given back."""

import re

from playwright.async_api import Browser, expect
from pydantic import JsonValue

from core.filters import ValueKind
from crm.companies.actions import create_company
from crm.companies.models import NewCompany
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.custom_fields.actions import create_custom_field
from crm.custom_fields.models import Choice, NewCustomField
from events.ids import ContactId, RecordKind
from tests.support.browser import Person, Watch
from tests.support.stage import Stage


async def _people(stage: Stage, key: str, count: int) -> list[ContactId]:
    """So many people in the north and one in the south, by a custom field of their own."""
    choices = (Choice("north", "North"), Choice("south", "South"))
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        field = NewCustomField(
            RecordKind.CONTACT, f"Region {key}", ValueKind.CHOICE, key=key, choices=choices
        )
        await create_custom_field(tx, field)
        people = [NewContact(f"{key} {at:03}", title="Buyer", custom={key: "north"}) for at in range(count)]
        made = [
            await create_contact(tx, person)
            for person in (*people, NewContact(f"{key} south", custom={key: "south"}))
        ]
    return [contact.id for contact in made]


async def test_a_segment_with_a_custom_field_is_built_counted_and_opened(
    chromium: Browser, stage: Stage
) -> None:
    await _people(stage, "zone", 3)
    page = await Person(chromium, stage).sign_in()
    watch = Watch.over(page)
    editor, count = page.locator("#segment-editor"), page.locator("#segment-count")

    await page.goto(f"{stage.fleet.base}/segments/new")
    await page.get_by_label("Name", exact=True).fill("The north")
    await editor.get_by_label("Field", exact=True).select_option(label="Region zone")
    await editor.get_by_label("Region zone: value").select_option(label="North")
    await expect(count).to_contain_text("3 in it now")
    await editor.get_by_role("button", name="Group", exact=True).click()
    await expect(editor.get_by_label("Field", exact=True).nth(1)).to_be_focused()
    await page.keyboard.type("Name")
    await page.keyboard.press("Tab")
    await editor.get_by_label("Name: value").fill("zone 002")
    await expect(count).to_contain_text("1 in it now")
    await editor.get_by_label("leave these out").nth(1).check()
    await expect(count).to_contain_text("2 in it now")
    await page.get_by_role("button", name="Save", exact=True).click()
    await page.get_by_role("link", name="Open as a list").click()

    await expect(page.locator("tr:has(.row-link)")).to_have_count(2)
    await expect(page.get_by_text("Segment is The north")).to_be_visible()
    assert (watch.outside, watch.complaints) == ([], [])


async def test_rows_are_chosen_by_key_changed_by_a_worker_and_given_back(
    chromium: Browser, stage: Stage
) -> None:
    people = await _people(stage, "belt", 120)
    page = await Person(chromium, stage).sign_in()
    watch = Watch.over(page)

    await page.goto(f"{stage.fleet.base}/contacts?q=belt&sort=name")
    rows, bar = page.locator(".row-link"), page.locator("#chosen")
    await rows.first.focus()
    await page.keyboard.press("KeyX")
    await page.keyboard.press("Shift+KeyJ")
    await expect(bar).to_contain_text("2 selected")
    await page.locator("[data-pick]").nth(5).click(modifiers=["Shift"])
    await expect(bar).to_contain_text("6 selected")
    await page.keyboard.press("Escape")
    await expect(bar).to_be_hidden()
    await page.keyboard.press("KeyX")
    await bar.get_by_label("All").check()
    await expect(bar).to_contain_text("All 121 selected")
    await bar.get_by_role("button", name="Change").click()

    await page.get_by_label("Role", exact=True).first.check()
    await page.locator("#input-title").fill("Head of the north")
    await page.get_by_role("button", name="Show what happens").click()
    state = page.locator("#bulk-edit")
    await expect(state).to_have_attribute("data-status", "checked", timeout=60_000)
    await expect(state).to_contain_text("Buyer")
    await page.get_by_role("button", name=re.compile("^Change 121$")).click()
    await expect(state).to_have_attribute("data-status", "finished", timeout=60_000)
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        await tx.execute(
            "UPDATE contacts SET note = 'Ours', version = version + 1 WHERE id = %(id)s", id=people[0]
        )
        changed = await tx.value("SELECT count(*) FROM contacts WHERE title = 'Head of the north'")
    await page.keyboard.press("KeyZ")
    await expect(state).to_have_attribute("data-status", "undone", timeout=60_000)

    await expect(state).to_contain_text("Somebody has changed it since.")
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        left = await tx.value("SELECT count(*) FROM contacts WHERE title = 'Head of the north'")
    assert (changed, left) == (121, 1)
    assert (watch.outside, watch.complaints) == ([], [])


async def test_a_link_is_chosen_by_typing_in_a_cell_in_a_filter_and_in_a_segment(
    chromium: Browser, stage: Stage
) -> None:
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        link = NewCustomField(
            RecordKind.CONTACT, "Reseller", ValueKind.RECORD, target_kind=RecordKind.COMPANY
        )
        await create_custom_field(tx, link)
        firms = [await create_company(tx, NewCompany(name)) for name in ("Quartz Trade", "Quill Trade")]
        for at, firm in enumerate((None, *firms)):
            custom: dict[str, JsonValue] = {"reseller": str(firm.id)} if firm else {}
            await create_contact(tx, NewContact(f"Linked {at}", custom=custom))
    page = await Person(chromium, stage).sign_in()
    watch = Watch.over(page)

    await page.goto(f"{stage.fleet.base}/contacts?q=Linked&columns=custom.reseller&sort=name")
    await page.get_by_role("link", name="Linked 0").focus()
    await page.keyboard.press("KeyE")
    cell = page.locator("[data-cell] [data-picker]")
    await expect(cell).to_be_focused()
    await page.keyboard.type("quar")
    await expect(page.get_by_role("option", name="Quartz Trade")).to_be_visible()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("link", name="Quartz Trade")).to_have_count(2)

    await page.get_by_text("Add filter").click()
    await page.get_by_label("Field", exact=True).select_option(label="Reseller")
    value = page.locator("#adding-value")
    for typed in ("quartz", "quill"):
        await value.fill(typed)
        await page.get_by_role("option").filter(has_text=typed.title()).click()
    await page.locator("#table-adding").get_by_role("button", name="Add", exact=True).click()
    await expect(page.get_by_text("Reseller is one of Quartz Trade – Quill Trade")).to_be_visible()
    await expect(page.locator(".row-link")).to_have_count(3)

    await page.goto(f"{stage.fleet.base}/segments/new")
    await page.get_by_label("Name", exact=True).fill("By Quartz")
    await page.locator("#segment-editor").get_by_label("Field", exact=True).select_option(label="Reseller")
    await page.locator("#segment-editor [data-picker]").fill("quartz")
    await page.get_by_role("option", name="Quartz Trade").click()
    await expect(page.locator("#segment-count")).to_contain_text("2 in it now")
    await page.get_by_label("Reseller: comparison").select_option("is_not")
    await page.locator("#segment-editor [data-picker]").fill("quill")
    await page.get_by_role("option", name="Quill Trade").click()
    await page.get_by_role("button", name="Save", exact=True).click()

    await expect(page.get_by_label("Reseller: comparison")).to_have_value("none_of")
    await expect(page.get_by_role("checkbox", name="Quartz Trade")).to_be_checked()
    assert (watch.outside, watch.complaints) == ([], [])
