"""The search box on pages: results without a script, and the palette's options for records, pages and actions."""

import re
from uuid import UUID

import pytest

from core.db import Database
from core.principal import Principal
from crm.companies.actions import create_company
from crm.companies.models import NewCompany
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.files.actions import add_file
from crm.files.models import NewFile
from crm.identity.models import Role
from crm.notes.actions import create_note
from crm.records.models import RecordRef
from crm.search import actions as index
from crm.search.models import FoundKind
from events.ids import RecordKind
from tests.support.organizations import add_member
from tests.web.conftest import Browser, signed_in


async def _make(database: Database, owner: Principal, name: str) -> UUID:
    async with database.transaction(owner, "test") as tx:
        contact = await create_contact(tx, NewContact(name, note="Спрашивала о ценах."))
        await index.index_records(tx, FoundKind.CONTACT, [contact.id])
    return contact.id


async def test_results_are_marked_and_lead_to_the_record(
    browser: Browser, database: Database, organization: Principal
) -> None:
    anna = await _make(database, organization, "Анна Петрова")

    page = (await browser.get("/search?q=петрова цена")).text

    assert 'Анна <mark class="hit">Петрова</mark>' in page
    assert '<mark class="hit">цена</mark>х' in page
    assert f'data-record="contact:{anna}"' in page


async def test_a_note_and_a_file_lead_to_the_record_that_they_are_on(
    browser: Browser, database: Database, organization: Principal
) -> None:
    anna = RecordRef(RecordKind.CONTACT, await _make(database, organization, "Анна Петрова"))
    async with database.transaction(organization, "test") as tx:
        note = await create_note(tx, anna, "Просила рассрочку.")
        file = await add_file(tx, anna, NewFile("Рассрочка.pdf", "application/pdf", 10, "a key"))
        await index.index_records(tx, FoundKind.NOTE, [note.id])
        await index.index_records(tx, FoundKind.FILE, [file.id])

    page = (await browser.get("/search?q=рассрочка")).text
    places = re.findall(r'href="(/records/[^"]+)"', page)

    assert places == [
        f"/records/contact/{anna.id}/files",
        f"/records/contact/{anna.id}/notes#note-item-{note.id}",
    ]
    notes = (await browser.get(places[1])).text
    assert f'id="note-item-{note.id}"' in notes
    assert f'href="/contacts/{anna.id}" aria-label="Back to the record"' in notes


async def test_the_wrong_layout_is_told(
    browser: Browser, database: Database, organization: Principal
) -> None:
    await _make(database, organization, "Анна Петрова")

    assert "Read as “петрова”." in (await browser.get("/search?q=gtnhjdf")).text


async def test_what_was_typed_is_shown_as_text(browser: Browser) -> None:
    page = (await browser.get("/search?q=%3Cscript%3Ealert(1)%3C/script%3E")).text

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        ("inbox", "/inbox"), ("dark", "dark"), ("темная", "dark"), ("тёмн", "dark"), ("bkju", ""),
        ("ntvyfz", "dark"), ("вфкл", "dark"), ("knowlege", "/knowledge"), ("знания", "/knowledge"),
        ("согласования", "/approvals"), ("aprovals", "/approvals"),
        ("входящее", "/inbox"), ("русский", "ru"), ("english", "en"), ("пощта", "/inbox"),
    ],
)  # fmt: skip
async def test_pages_and_actions_are_found_in_both_languages(
    browser: Browser, typed: str, command: str
) -> None:
    options = (await browser.get("/search/palette", HX_Request="true") if not typed else
               await browser.get(f"/search/palette?q={typed}")).text  # fmt: skip

    places = re.findall(r'(?:data-value| href)="([^"]+)"', options.replace("<use href", "<use"))
    if command:
        assert places[0] == command
    else:
        assert places == [f"/search?q={typed}"]


async def test_pages_that_are_not_there_are_not_offered(browser: Browser) -> None:
    options = (await browser.get("/search/palette")).text

    for href in re.findall(r'href="([^"]+)"', options):
        assert (await browser.get(href)).status_code == 200, href


async def test_what_was_opened_last_is_asked_for_by_its_id_only(
    browser: Browser, database: Database, organization: Principal, other_organization: Principal
) -> None:
    anna = await _make(database, organization, "Анна Петрова")
    foreign = await _make(database, other_organization, "Somebody Else")

    options = (
        await browser.get(f"/search/palette?recent=contact:{foreign},planet:1,contact:{anna},contact:oops")
    ).text

    assert re.findall(r'data-record="([^"]+)"', options) == [f"contact:{anna}"]


async def test_an_action_that_one_may_not_do_is_not_offered(
    site: str, database: Database, organization: Principal
) -> None:
    viewer = await add_member(database, organization, Role.VIEWER)

    async with signed_in(site, database, viewer) as reader:
        options = (await reader.get("/search/palette")).text

    assert re.findall(r'href="([^"]+/new)"', options) == []


async def test_a_field_is_offered_records_that_no_index_knows_yet_and_none_of_others(
    browser: Browser, database: Database, organization: Principal, other_organization: Principal
) -> None:
    for owner, domain in ((organization, "ours.example"), (other_organization, "theirs.example")):
        async with database.transaction(owner, "test") as tx:
            await create_company(tx, NewCompany("Fresh Harbour", domain=domain))

    found = (await browser.get("/search/records?kind=company&q=harb")).text
    nothing = (await browser.get("/search/records?kind=company&q=nobody")).text
    wrong = await browser.get("/search/records?kind=message&q=harb")

    assert (found.count('role="option"'), nothing.count('role="option"'), wrong.status_code) == (1, 0, 422)
