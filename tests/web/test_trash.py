"""The trash on its page: filtered by links, restored by a form that needs no script."""

import re

from core.db import Database
from core.principal import Principal
from crm.companies.actions import create_company, delete_company
from crm.companies.models import NewCompany
from crm.contacts.actions import create_contact, delete_contact
from crm.contacts.models import NewContact
from crm.identity.models import Role
from tests.support.organizations import add_member
from tests.web.conftest import Browser, signed_in


async def _delete(database: Database, owner: Principal) -> tuple[str, str]:
    async with database.transaction(owner, "test") as tx:
        vera = await create_contact(tx, NewContact("Vera <Lind>"))
        await delete_contact(tx, vera.id, version=vera.version)
        firm = await create_company(tx, NewCompany("Ромашка", domain="lind.example"))
        await delete_company(tx, firm.id, version=firm.version)
    return str(vera.id), str(firm.id)


async def test_it_says_what_was_deleted_and_by_whom(
    browser: Browser, database: Database, organization: Principal
) -> None:
    vera, firm = await _delete(database, organization)

    page = (await browser.get("/trash")).text
    companies = (await browser.get("/trash?kind=company")).text

    assert re.findall(r'action="/trash/(\w+)/([^/]+)/restoration"', page) == [
        ("company", firm),
        ("contact", vera),
    ]
    assert "Vera &lt;Lind&gt;" in page
    assert page.count("<span>Olga Owner</span>") == 2
    assert firm in companies
    assert vera not in companies


async def test_one_press_brings_it_back_and_leads_to_it(
    browser: Browser, database: Database, organization: Principal
) -> None:
    vera, _ = await _delete(database, organization)

    answer = await browser.post(f"/trash/contact/{vera}/restoration", only="contact")
    page = (await browser.get(answer.headers["location"])).text

    assert (answer.status_code, answer.headers["location"]) == (
        303,
        f"/trash?kind=contact&back=contact:{vera}",
    )
    assert f'href="/contacts/{vera}"' in page
    assert "Nothing is in the trash" in page
    assert (await browser.get(f"/contacts/{vera}")).status_code == 200


async def test_what_cannot_come_back_says_why(
    browser: Browser, database: Database, organization: Principal
) -> None:
    _, firm = await _delete(database, organization)
    async with database.transaction(organization, "test") as tx:
        await create_company(tx, NewCompany("Другая", domain="lind.example"))

    answer = await browser.post(f"/trash/company/{firm}/restoration")

    assert answer.status_code == 409
    assert 'role="alert"' in answer.text
    assert firm in answer.text


async def test_who_may_only_read_is_offered_no_way_back(
    site: str, database: Database, organization: Principal
) -> None:
    vera, _ = await _delete(database, organization)
    viewer = await add_member(database, organization, Role.VIEWER)

    async with signed_in(site, database, viewer) as reader:
        page = (await reader.get("/trash")).text
        refused = await reader.post(f"/trash/contact/{vera}/restoration")

    assert "Vera &lt;Lind&gt;" in page
    assert "/restoration" not in page
    assert refused.status_code == 403


async def test_it_is_found_from_the_settings_and_the_palette(browser: Browser) -> None:
    assert 'href="/trash"' in (await browser.get("/settings")).text
    assert 'href="/trash"' in (await browser.get("/search/palette?q=корзина")).text
