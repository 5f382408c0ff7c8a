"""The page of the audit: who did what and from where, for those who may read it, and as a file."""

import csv
import io
import json
import re

import pytest

from core.db import Database
from core.principal import Principal
from crm.contacts.actions import create_contact, update_contact
from crm.contacts.models import ContactEdit, NewContact
from crm.identity.models import Role
from events.ids import ContactId
from events.types import BY_NAME
from tests.support.organizations import add_member
from tests.web.conftest import Browser, signed_in
from web.happenings import HAPPENINGS


def test_every_event_is_told_in_words() -> None:
    assert BY_NAME.keys() - HAPPENINGS.keys() == set(), "word it in web/happenings.py"


async def _renamed(database: Database, owner: Principal) -> ContactId:
    async with database.transaction(owner, "test") as tx:
        vera = await create_contact(tx, NewContact("Vera <Lind>"))
        edited = await update_contact(tx, vera.id, ContactEdit(title="Head of <sales>"), version=vera.version)
    return edited.id


async def test_it_says_who_did_what_and_shows_before_and_after(
    browser: Browser, database: Database, organization: Principal
) -> None:
    contact_id = await _renamed(database, organization)

    page = (await browser.get("/audit")).text

    assert f'<a href="/contacts/{contact_id}" lang="en">Vera &lt;Lind&gt;</a>' in page
    assert re.findall(r'class="strong">(Contact \w+)<', page) == ["Contact changed", "Contact added"]
    assert "+ Role: Head of &lt;sales&gt;" in page
    assert "Olga Owner" in page


async def test_what_is_done_on_a_page_carries_session_address_and_program(
    browser: Browser, database: Database, organization: Principal
) -> None:
    contact_id = await _renamed(database, organization)
    done = await browser.post(
        f"/contacts/{contact_id}/removal", headers={"User-Agent": "Anna's browser"}, version="2"
    )
    async with database.transaction(organization, "test") as tx:
        row = await (
            await tx.connection.execute(
                """
                SELECT e.via, s.user_id, o.address, o.agent
                  FROM events e
                  JOIN sessions s ON s.id = e.credential_id
                  JOIN event_origins o ON o.event_id = e.id
                 WHERE e.subject_id = %(contact_id)s
                 ORDER BY e.id DESC
                 LIMIT 1
                """,
                {"contact_id": contact_id},
            )
        ).fetchone()

    assert done.status_code < 400
    assert row == {
        "via": "page",
        "user_id": organization.id,
        "address": "127.0.0.1",
        "agent": "Anna's browser",
    }


@pytest.mark.parametrize(
    ("query", "is_there"),
    [
        ("subject_kind=contact", True),
        ("subject_kind=deal", False),
        ("type=contact.updated", True),
        ("type=contact.deleted", False),
        ("via=itself", True),
        ("via=api", False),
        ("since=2020-01-01", True),
        ("until=2020-01-01", False),
    ],
)
async def test_filters_leave_what_fits(
    browser: Browser, database: Database, organization: Principal, query: str, is_there: bool
) -> None:
    contact_id = await _renamed(database, organization)

    page = (await browser.get(f"/audit?{query}")).text

    assert (f"/contacts/{contact_id}" in page) is is_there


async def test_a_filter_that_is_none_is_refused(browser: Browser) -> None:
    assert (await browser.get("/audit?who=nobody")).status_code == 422


async def test_the_file_holds_every_entry_with_its_values(
    browser: Browser, database: Database, organization: Principal
) -> None:
    contact_id = await _renamed(database, organization)

    as_json = json.loads((await browser.get(f"/audit/entries.json?subject_id={contact_id}")).text)
    as_csv = list(
        csv.DictReader(io.StringIO((await browser.get("/audit/entries.csv")).text.removeprefix("\ufeff")))
    )

    assert [row["type"] for row in as_json] == ["contact.updated", "contact.created"]
    assert as_json[0]["changes"]["title"] == ["", "Head of <sales>"]
    assert any(row["subject_id"] == str(contact_id) and "Head of <sales>" in row["changes"] for row in as_csv)


async def test_a_check_can_be_asked_for_and_tells_what_it_found(
    browser: Browser, database: Database, organization: Principal
) -> None:
    asked = await browser.post("/audit/verifications")
    async with database.transaction(organization, "test") as tx:
        await tx.execute(
            "UPDATE audit_verifications SET ended_at = now(), sealed = 12, fault = 'link_deleted', position = 7"
        )
    told = (await browser.get("/audit")).text

    assert asked.status_code == 303
    assert "Broken at place 7: the link is missing." in told


async def test_who_does_not_manage_the_organization_sees_none_of_it(
    site: str, database: Database, organization: Principal
) -> None:
    supervisor = await add_member(database, organization, Role.SUPERVISOR)

    async with signed_in(site, database, supervisor) as browser:
        answers = [(await browser.get(path)).status_code for path in ("/audit", "/audit/entries.json")]

    assert answers == [403, 403]
