"""Bulk edits as pages: rows are ticked, the change is shown, made and taken back, all by plain forms."""

import re
from html import escape

from core.db import Database
from core.filters import ValueKind
from core.principal import Principal
from crm.contacts.actions import create_contact, delete_contact
from crm.contacts.models import Contact, NewContact
from crm.contacts.queries import get_contact
from crm.custom_fields.actions import create_custom_field
from crm.custom_fields.models import NewCustomField
from crm.tags.actions import ensure_tag
from crm.tags.queries import list_tags_of
from events.ids import RecordKind
from tests.web.conftest import Browser


async def _people(database: Database, owner: Principal, *names: str) -> list[Contact]:
    async with database.transaction(owner, "test") as tx:
        await create_custom_field(tx, NewCustomField(RecordKind.CONTACT, "Region", ValueKind.TEXT))
        return [await create_contact(tx, NewContact(name, title="Buyer")) for name in names]


async def _read(database: Database, owner: Principal, person: Contact) -> Contact:
    async with database.transaction(owner, "test") as tx:
        return await get_contact(tx, person.id)


async def test_ticked_rows_are_changed_after_a_look_and_given_back(
    browser: Browser, database: Database, organization: Principal
) -> None:
    anna, bo = await _people(database, organization, "Anna", "Bo")
    async with database.transaction(organization, "test") as tx:
        vip = await ensure_tag(tx, "vip")

    table = (await browser.get("/contacts")).text
    chosen = await browser.post("/bulk-edits", kind="contact", id=str(anna.id))
    place = chosen.headers["location"]
    form = (await browser.get(place)).text
    tried = await browser.post(
        f"{place}/changes",
        None,
        change="custom.region",
        **{"custom.region": "North", "title": "Ignored, for it is not ticked", "add_tag": str(vip.id)},
    )
    preview = (await browser.get(tried.headers["location"])).text
    assert (await _read(database, organization, anna)) == anna
    await browser.post(f"{place}/run")
    done = (await browser.get(place)).text

    assert f'name="id" value="{anna.id}" form="chosen"' in table
    assert 'name="change" value="custom.region"' in form
    assert re.search(r"would change</dt><dd[^>]*>1<", preview)
    assert "North</ins>" in preview
    assert "+ vip" in preview
    assert re.search(r">changed</dt><dd[^>]*>1<", done)
    changed = await _read(database, organization, anna)
    assert (changed.title, changed.custom) == ("Buyer", {"region": "North"})
    assert (await _read(database, organization, bo)) == bo

    await browser.post(f"{place}/undo")
    assert "given back" in (await browser.get(place)).text
    assert (await _read(database, organization, anna)).custom == {}
    async with database.transaction(organization, "test") as tx:
        assert await list_tags_of(tx, RecordKind.CONTACT, [anna.id]) == []


async def test_all_that_match_go_into_the_trash_with_their_reasons(
    browser: Browser, database: Database, organization: Principal
) -> None:
    anna, _, vera = await _people(database, organization, "Anna", "Bo", "Annabel")

    chosen = await browser.post("/bulk-edits", kind="contact", every="true", q="anna", fate="trash")
    place = chosen.headers["location"]
    async with database.transaction(organization, "test") as tx:
        await delete_contact(tx, vera.id, version=1)
    await browser.post(f"{place}/run")
    page = (await browser.get(place)).text

    assert (await _read(database, organization, anna)).deleted_at is not None
    assert re.search(r">changed</dt><dd[^>]*>1<", page)
    assert "It is in the trash. Restore it first." in page
    assert f"{place}" in (await browser.get("/bulk-edits")).text


async def test_what_cannot_be_stays_in_the_form_with_the_reason(
    browser: Browser, database: Database, organization: Principal
) -> None:
    (anna,) = await _people(database, organization, "Anna")
    place = (await browser.post("/bulk-edits", kind="contact", id=str(anna.id))).headers["location"]

    nothing = await browser.post(f"{place}/changes")
    nobody = await browser.post(f"{place}/changes", change="company_id", company_id="Nowhere Ltd")

    assert (nothing.status_code, nobody.status_code) == (422, 422)
    assert "Choose what is to change." in nothing.text
    assert "There is no such record." in nobody.text
    assert 'value="Nowhere Ltd"' in nobody.text


async def test_nothing_ticked_is_said(browser: Browser) -> None:
    assert (await browser.post("/bulk-edits", kind="contact")).status_code == 422


async def test_the_pages_speak_russian(browser: Browser, database: Database, organization: Principal) -> None:
    (anna,) = await _people(database, organization, "Анна")
    await browser.post("/preferences", locale="ru")
    place = (await browser.post("/bulk-edits", kind="contact", id=str(anna.id))).headers["location"]
    form = (await browser.get(place)).text
    await browser.post(f"{place}/changes", change="title", title="Директор")
    page = (await browser.get(place)).text

    assert "Показать, что будет" in form
    for words in ("изменится", "До и после", "1 запись"):
        assert words in page


async def test_an_edit_leads_back_to_the_list_that_its_records_were_chosen_in(
    browser: Browser, database: Database, organization: Principal
) -> None:
    (anna,) = await _people(database, organization, "Anna")
    listed = "/contacts?q=Anna&sort=-created_at"

    table = (await browser.get(listed)).text
    chosen = (await browser.post("/bulk-edits", kind="contact", id=str(anna.id), back=listed)).headers[
        "location"
    ]
    place, _, carried = chosen.partition("?")
    tried = await browser.post(f"{place}/changes?{carried}", change="title", title="CEO")
    run = await browser.post(f"{place}/run?{carried}")
    done = (await browser.get(run.headers["location"])).text
    elsewhere = (await browser.get(f"{place}?back=https://evil.example/contacts?")).text

    assert f'name="back" value="{escape(listed)}"' in table
    assert tried.headers["location"] == run.headers["location"] == chosen
    assert done.count(f'href="{escape(listed)}"') == 2
    assert f"/undo?{escape(carried)}" in done
    assert 'href="https://evil' not in elsewhere
