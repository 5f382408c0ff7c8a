"""Tables of records: filter, sort, columns and cells work without a script, and say what is wrong."""

import re
from urllib.parse import urlencode
from uuid import UUID

import pytest
from pydantic import JsonValue

from core import jsons
from core.db import Database
from core.filters import ValueKind
from core.principal import Principal
from crm.companies.actions import create_company, delete_company
from crm.companies.models import NewCompany
from crm.contacts.actions import create_contact, update_contact
from crm.contacts.models import ContactEdit, NewContact
from crm.contacts.queries import get_contact
from crm.custom_fields.actions import create_custom_field
from crm.custom_fields.models import Choice, NewCustomField
from events.ids import CompanyId, ContactId, RecordKind
from tests.web.conftest import Browser
from web.tables import ROWS


async def _people(database: Database, owner: Principal, *names: str) -> list[ContactId]:
    async with database.transaction(owner, "test") as tx:
        return [(await create_contact(tx, NewContact(name, title="Director"))).id for name in names]


def _names(page: str) -> list[str]:
    return re.findall(r'class="clip row-link"[^>]*>([^<]+)<', page)


def _address(path: str, *conditions: dict[str, JsonValue], **more: str) -> str:
    return f"{path}?{urlencode({'filter': jsons.dumps({'all': list(conditions)}), **more})}"


async def test_people_are_listed_by_name_and_sorted_by_a_click(
    browser: Browser, database: Database, organization: Principal
) -> None:
    await _people(database, organization, "Bo", "Anna", "Вера")

    page = (await browser.get("/contacts")).text
    turned = (await browser.get("/contacts?sort=-name")).text

    assert _names(page) == ["Anna", "Bo", "Вера"]
    assert _names(turned) == ["Вера", "Bo", "Anna"]
    assert 'href="/contacts?sort=-name"' in page
    assert 'aria-sort="descending"' in turned


async def test_a_condition_is_added_in_two_steps_and_taken_off_by_its_chip(
    browser: Browser, database: Database, organization: Principal
) -> None:
    await _people(database, organization, "Anna", "Bo")

    step = (await browser.get("/contacts?adding=name")).text
    answer = await browser.get("/contacts?field=name&op=contains&value=ann")
    page = (await browser.get(answer.headers["location"])).text

    assert re.search(r'<input type="hidden" name="field" value="name">', step)
    assert answer.status_code == 303
    assert _names(page) == ["Anna"]
    assert "Name contains ann" in page
    chip = re.search(r'class="chip removable" href="([^"]+)"', page)
    assert chip is not None
    assert _names((await browser.get(chip[1])).text) == ["Anna", "Bo"]


async def test_a_custom_field_filters_sorts_and_shows_like_a_built_in_one(
    browser: Browser, database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        choices = (Choice("s", "Малая"), Choice("l", "Большая"))
        await create_custom_field(
            tx, NewCustomField(RecordKind.COMPANY, "Размер", ValueKind.CHOICE, key="size", choices=choices)
        )
        for name, size in (("Acme", "s"), ("Beta", "l"), ("Gamma", None)):
            await create_company(tx, NewCompany(name, custom={"size": size} if size else {}))

    shown = _address(
        "/companies",
        {"field": "custom.size", "op": "not_empty"},
        sort="-custom.size",
        columns="name,custom.size",
    )
    page = (await browser.get(shown)).text

    assert _names(page) == ["Acme", "Beta"]
    assert "Размер" in page
    assert "Большая" in page


async def test_a_long_list_comes_in_pages_that_meet(
    browser: Browser, database: Database, organization: Principal
) -> None:
    await _people(database, organization, *(f"Person {number:03}" for number in range(ROWS + 3)))

    first = (await browser.get("/contacts")).text
    more = re.search(r'hx-get="([^"]+)&amp;part=rows"', first)
    assert more is not None
    second = (await browser.get(more[1].replace("&amp;", "&") + "&part=rows")).text

    assert _names(first) + _names(second) == [f"Person {number:03}" for number in range(ROWS + 3)]
    assert len(second.encode()) < 30_000
    assert 'id="table-count">53</span>' in first


async def test_a_cell_is_changed_by_a_form(
    browser: Browser, database: Database, organization: Principal
) -> None:
    (anna,) = await _people(database, organization, "Anna")

    editor = (await browser.get(f"/contacts/{anna}/cells/title")).text
    answer = await browser.post(
        f"/contacts/{anna}/cells/title", version="1", value="CEO", back="/contacts?sort=name"
    )

    assert 'value="Director"' in editor
    assert (answer.status_code, answer.headers["location"]) == (303, "/contacts?sort=name")
    async with database.transaction(organization, "test") as tx:
        assert (await get_contact(tx, anna)).title == "CEO"


async def test_what_a_colleague_changed_meanwhile_is_shown_and_nothing_typed_is_lost(
    browser: Browser, database: Database, organization: Principal
) -> None:
    (anna,) = await _people(database, organization, "Anna")
    async with database.transaction(organization, "test") as tx:
        await update_contact(tx, anna, ContactEdit(title="CTO"), version=1)

    answer = await browser.post(f"/contacts/{anna}/cells/title", version="1", value="CEO")

    assert answer.status_code == 412
    assert "it is “CTO” now" in answer.text
    assert 'value="CEO"' in answer.text


async def test_a_value_that_cannot_be_is_refused_beside_the_field(
    browser: Browser, database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        acme = await create_company(tx, NewCompany("Acme", employees=5))

    answer = await browser.post(f"/companies/{acme.id}/cells/employees", version="1", value="many")

    assert answer.status_code == 422
    assert "Write a number such as 12.5" in answer.text


@pytest.mark.parametrize(
    "address",
    [
        "/contacts?filter={",
        "/contacts?sort=nothing",
        "/contacts?cursor=abc",
        "/contacts?field=nothing&op=is&value=1",
        "/contacts?field=name&op=like&value=1",
        "/contacts?field=company_employees&op=between&value=1",
    ],
)
async def test_an_address_that_means_nothing_is_refused(browser: Browser, address: str) -> None:
    assert (await browser.get(address)).status_code == 422


async def test_a_form_leads_back_to_its_own_table_only(
    browser: Browser, database: Database, organization: Principal
) -> None:
    (anna,) = await _people(database, organization, "Anna")

    answer = await browser.post(
        f"/contacts/{anna}/cells/title", version="1", value="CEO", back="https://evil.example/contacts"
    )

    assert answer.headers["location"] == "/contacts"


async def test_the_table_speaks_russian(
    browser: Browser, database: Database, organization: Principal
) -> None:
    await _people(database, organization, "Анна")
    await browser.post("/preferences", locale="ru")

    page = (await browser.get("/contacts")).text

    for words in ("Контакты", "Добавить условие", "Столбцы", "Последнее сообщение"):
        assert words in page


async def _partners(database: Database, owner: Principal) -> dict[str, str]:
    """Contacts with a link to a company, and the ids of everybody by name."""
    async with database.transaction(owner, "test") as tx:
        link = NewCustomField(
            RecordKind.CONTACT, "Партнёр", ValueKind.RECORD, key="partner", target_kind=RecordKind.COMPANY
        )
        await create_custom_field(tx, link)
        ids = {name: str((await create_company(tx, NewCompany(name))).id) for name in ("Orbit", "Acme")}
        for name, partner in (("Anna", "Orbit"), ("Bo", "Acme"), ("Vera", None)):
            custom: dict[str, JsonValue] = {"partner": ids[partner]} if partner else {}
            ids[name] = str((await create_contact(tx, NewContact(name, custom=custom))).id)
    return ids


async def test_a_link_shows_and_sorts_by_the_name_of_what_it_leads_to(
    browser: Browser, database: Database, organization: Principal
) -> None:
    ids = await _partners(database, organization)

    page = (await browser.get("/contacts?columns=custom.partner&sort=custom.partner")).text

    assert _names(page) == ["Bo", "Anna", "Vera"]
    assert f'<a class="clip" href="/companies/{ids["Orbit"]}">Orbit</a>' in page
    assert re.search(r'value="custom\.partner" checked', page)


async def test_a_link_is_filtered_by_a_name_that_is_typed_or_by_several_that_are_chosen(
    browser: Browser, database: Database, organization: Principal
) -> None:
    ids = await _partners(database, organization)
    adding = "/contacts?field=custom.partner&op=is"

    step = (await browser.get("/contacts?adding=custom.partner")).text
    typed = await browser.get(f"{adding}&value=orbit")
    several = await browser.get(f"{adding}&value={ids['Orbit']}&value={ids['Acme']}&value=")
    one = (await browser.get(typed.headers["location"])).text
    both = (await browser.get(several.headers["location"])).text

    assert 'data-picker="company"' in step
    assert _names(one) == ["Anna"]
    assert "Партнёр is Orbit" in one
    assert _names(both) == ["Anna", "Bo"]
    assert "Партнёр is one of Orbit – Acme" in both


async def test_a_filter_asks_back_which_record_is_meant(
    browser: Browser, database: Database, organization: Principal
) -> None:
    ids = await _partners(database, organization)
    async with database.transaction(organization, "test") as tx:
        second = await create_company(tx, NewCompany("Acme"))

    answer = await browser.get(f"/contacts?field=custom.partner&op=is_not&value={ids['Orbit']}&value=Acme")

    assert answer.status_code == 422
    assert "Which one is meant?" in answer.text
    assert f'type="radio" name="value" value="{second.id}"' in answer.text
    assert '<option value="is_not" selected>' in answer.text
    assert f'value="{ids["Orbit"]}" checked>Orbit</label>' in answer.text


async def test_a_link_is_changed_in_its_cell(
    browser: Browser, database: Database, organization: Principal
) -> None:
    ids = await _partners(database, organization)
    cell = f"/contacts/{ids['Anna']}/cells/custom.partner"
    given = {"version": "1", "columns": "custom.partner"}

    form = (await browser.get(f"{cell}?columns=custom.partner")).text
    refused = await browser.post(cell, None, **given, value="Nobody Ltd")
    kept = await browser.post(cell, None, **given, value="acme")
    emptied = await browser.post(cell, None, version="2", value="")

    assert 'value="Orbit"' in form
    assert 'data-picker="company"' in form
    assert (refused.status_code, "There is no such record" in refused.text) == (422, True)
    assert (kept.status_code, emptied.status_code) == (303, 303)
    async with database.transaction(organization, "test") as tx:
        assert (await get_contact(tx, ContactId(UUID(ids["Anna"])))).custom == {}


async def test_a_link_to_a_trashed_company_keeps_its_name(
    browser: Browser, database: Database, organization: Principal
) -> None:
    ids = await _partners(database, organization)
    async with database.transaction(organization, "test") as tx:
        await delete_company(tx, CompanyId(UUID(ids["Orbit"])), version=1)

    page = (await browser.get("/contacts?columns=custom.partner")).text

    assert f'href="/companies/{ids["Orbit"]}">Orbit</a>' in page
