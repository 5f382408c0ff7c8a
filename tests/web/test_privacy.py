"""Pages of people's own data: consents with their history, and requests from the form to the file."""

import re
from typing import Any

from core.db import Database
from core.principal import Principal
from core.settings import Settings
from crm.contacts.actions import create_contact, record_consent
from crm.contacts.models import ConsentChannel, NewContact
from crm.identity.models import Role
from crm.privacy import actions as privacy
from events.ids import ContactId
from tests.support.organizations import add_member
from tests.support.working import carry_out_due
from tests.web.conftest import Browser, signed_in
from worker import services as worker_services


async def _vera(database: Database, owner: Principal) -> ContactId:
    async with database.transaction(owner, "test") as tx:
        return (await create_contact(tx, NewContact("Vera <Lind>"))).id


def _text(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


async def test_the_history_of_consent_says_who_when_and_what_changed(
    browser: Browser, database: Database, organization: Principal
) -> None:
    vera = await _vera(database, organization)
    async with database.transaction(organization, "test") as tx:
        await record_consent(tx, vera, ConsentChannel.EMAIL, is_given=True, source="Form on the site")
        await record_consent(tx, vera, ConsentChannel.EMAIL, is_given=False, source="A <call>")

    page = (await browser.get(f"/contacts/{vera}/consents")).text

    assert "A &lt;call&gt;" in page
    told = _text(page)
    assert "given → taken back" in told
    assert "not asked → given" in told
    assert told.index("given → taken back") < told.index("not asked → given")
    assert "Olga Owner" in told


async def test_a_request_is_noted_by_the_form_and_an_erasure_waits_for_its_button(
    browser: Browser, database: Database, organization: Principal, settings: Settings
) -> None:
    vera = await _vera(database, organization)
    form: dict[str, Any] = {"kind": "erasure", "contact": "Vera <Lind>", "why": "Asked by mail"}

    made = (await browser.post("/settings/privacy", **form)).headers["location"]
    async with worker_services.build(settings) as services:
        await carry_out_due(services, organization, privacy.WORK)
        waiting = (await browser.get(made)).text
        confirmed = await browser.post(f"{made}/confirmation")
        await carry_out_due(services, organization, privacy.WORK)
    done = (await browser.get(made)).text

    assert "Erase for good" in waiting
    assert str(vera) in waiting
    assert confirmed.status_code == 303
    assert "Nothing of the person is left." in done
    assert "Lind" not in done
    assert "somebody who is erased" in (await browser.get("/settings/privacy")).text


async def test_an_export_is_downloaded_from_its_page(
    browser: Browser, database: Database, organization: Principal, settings: Settings
) -> None:
    vera = await _vera(database, organization)
    form: dict[str, Any] = {"kind": "export", "contact": str(vera), "why": "Asked by mail"}

    made = (await browser.post("/settings/privacy", **form)).headers["location"]
    async with worker_services.build(settings) as services:
        await carry_out_due(services, organization, privacy.WORK)
    page = (await browser.get(made)).text

    assert f"{made}/file" in page
    assert "the file is there until" in page


async def test_a_name_that_several_have_is_asked_about(
    browser: Browser, database: Database, organization: Principal
) -> None:
    first, second = await _vera(database, organization), await _vera(database, organization)

    page = await browser.post("/settings/privacy", kind="export", contact="Vera <Lind>", why="Asked by mail")

    assert page.status_code == 422
    assert {str(first), str(second)} <= set(re.findall(r'name="contact" value="([^"]+)"', page.text))


async def test_a_supervisor_sees_no_requests(database: Database, organization: Principal, site: str) -> None:
    person = await add_member(database, organization, Role.SUPERVISOR)
    async with signed_in(site, database, person) as browser:
        assert (await browser.get("/settings/privacy")).status_code == 403
        assert "/settings/privacy" not in (await browser.get("/settings")).text
