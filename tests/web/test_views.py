"""Saved views as tabs: kept, counted, changed, put first, shared or not, and brought back; and lists as files."""

import csv
import io
import re

import pytest

from core.db import Database
from core.ids import uuid7
from core.principal import Principal
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.tags.actions import ensure_tag, put_tag
from crm.views.actions import create_view
from crm.views.models import NewView
from crm.views.queries import list_views
from events.ids import RecordKind
from tests.web.conftest import Browser

_CEOS = '{"all":[{"field":"title","op":"is","value":"CEO"}]}'


@pytest.fixture
async def people(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        for name, title in (("Anna", "CEO"), ("Bo", "Buyer"), ("=Vera", "CEO")):
            contact = await create_contact(tx, NewContact(name, title=title))
        await put_tag(tx, RecordKind.CONTACT, contact.id, (await ensure_tag(tx, "vip")).id)


async def _save(browser: Browser, **more: str) -> str:
    form = {"kind": "contact", "name": "Chiefs", "filter": _CEOS, "columns": "name,title", **more}
    return (await browser.post("/views", None, **form)).headers["location"]


def _current(page: str) -> str:
    found = re.search(r'class="table-tab" href="[^"]*" aria-current="true">(.*?)</a>', page, re.DOTALL)
    assert found is not None
    return re.sub(r"<[^>]+>", " ", found[1]).strip()


async def test_a_view_is_a_tab_that_opens_as_it_was_saved_and_is_counted(
    browser: Browser, people: None
) -> None:
    place = await _save(browser)

    page = (await browser.get(place)).text
    tabs = (await browser.get(f"{place}&part=tabs")).text

    assert "Chiefs" in _current(page)
    assert "Bo</a>" not in page
    assert "Role contains CEO" not in page
    assert re.search(r"Chiefs</span><span[^>]*>2<", tabs)
    assert re.search(r"All<span[^>]*>3<", tabs)
    assert "Save changes" not in tabs


async def test_what_is_changed_in_a_view_can_be_kept(
    browser: Browser, people: None, database: Database, organization: Principal
) -> None:
    place = await _save(browser)
    view_id = re.search(r"view=([0-9a-f-]{36})", place)
    assert view_id is not None

    changed = (await browser.get(f"{place}&sort=-name")).text
    await browser.post(
        f"/views/{view_id[1]}/content", None, version="1", filter=_CEOS, sort="-name", columns="name,title"
    )

    assert "Save changes" in changed
    async with database.transaction(organization, "test") as tx:
        (view,) = (await list_views(tx)).items
    assert (view.sort, view.columns) == ("-name", ["name", "title"])


async def test_the_view_that_comes_first_opens_by_itself_until_it_is_removed(
    browser: Browser, people: None
) -> None:
    place = await _save(browser)
    view_id = re.search(r"view=([0-9a-f-]{36})", place)
    assert view_id is not None

    await browser.post(f"/views/{view_id[1]}/naming", None, version="1", name="Our chiefs", is_first="true")
    opened = await browser.get("/contacts")
    everybody = (await browser.get("/contacts?view=all")).text
    removed = await browser.post(f"/views/{view_id[1]}/removal")
    page = (await browser.get(removed.headers["location"])).text
    whole = await browser.get("/contacts")
    restored = await browser.post(f"/views/{view_id[1]}/restoration")

    assert opened.status_code == 303
    assert "Our chiefs" in _current((await browser.get(opened.headers["location"])).text)
    assert _current(everybody) == "All"
    assert "Removed: Our chiefs" in page
    assert whole.status_code == 200
    assert "Our chiefs" in (await browser.get(restored.headers["location"])).text


async def test_what_somebody_keeps_for_themselves_is_no_tab_of_others(
    browser: Browser, database: Database, organization: Principal
) -> None:
    colleague = Principal(organization.kind, uuid7(), organization.organization_id, scopes=frozenset({"*"}))
    async with database.transaction(colleague, "test") as tx:
        await create_view(tx, NewView(RecordKind.CONTACT, "Mine alone"))
        await create_view(tx, NewView(RecordKind.CONTACT, "For everybody", is_shared=True))

    page = (await browser.get("/contacts")).text

    assert ("For everybody" in page, "Mine alone" in page) == (True, False)


async def test_a_list_leaves_as_it_is_seen(browser: Browser, people: None) -> None:
    query = f"filter={_CEOS}&columns=name,title,tags&sort=-name"

    as_csv = (await browser.get(f"/exports/contact.csv?{query}")).content.decode("utf-8-sig")
    as_json = (await browser.get(f"/exports/contact.json?{query}")).json()

    assert list(csv.reader(io.StringIO(as_csv))) == [
        ["Name", "Role", "Tags"],
        ["Anna", "CEO", ""],
        ["'=Vera", "CEO", "vip"],
    ]
    assert as_json == [
        {"Name": "Anna", "Role": "CEO", "Tags": ""},
        {"Name": "=Vera", "Role": "CEO", "Tags": "vip"},
    ]
