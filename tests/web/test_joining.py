"""Coming into an organization by its link, and going from one to another, without a script."""

import re
from dataclasses import replace
from urllib.parse import urlsplit

import httpx2
import pytest

from core.db import Database
from core.principal import Principal
from crm.identity.invitations import invite
from crm.identity.models import ALL_SCOPES, Role
from crm.identity.queries import find_credentials
from crm.identity.sessions import open_session
from tests.support.organizations import add_member, give_password
from tests.web.conftest import Browser, signed_in
from web import roles_view

MEMBERS = "/settings/members"


async def _link(browser: Browser, **fields: str) -> str:
    """The path of a new invitation, as the page that answers shows it once."""
    form: dict[str, str] = {"role": "bidi", "by": "link", **fields}
    page = await browser.post(f"{MEMBERS}/invitations", None, **form)
    found = re.search(r'value="(http[^"]+/join/[^"]+)"', page.text)
    assert found, page.text
    return urlsplit(found.group(1)).path


async def _sign_up(site: str, link: str, **fields: str) -> httpx2.Response:
    async with httpx2.AsyncClient(base_url=site, timeout=20) as client:
        page = await client.get(link)
        token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        assert token, page.text
        form = {"csrf_token": token.group(1), "name": "Tomas Ferreira", "password": "correct horse", **fields}
        answer = await client.post(f"{link}/account", data=form)
        return await client.get(answer.headers["Location"]) if answer.is_redirect else answer


async def test_somebody_new_comes_in_by_a_link_and_is_in_the_list(site: str, browser: Browser) -> None:
    inside = await _sign_up(site, await _link(browser), email="tomas@lind.example")

    assert inside.status_code == 200
    assert "Tomas Ferreira" in inside.text
    assert "tomas@lind.example" in (await browser.get(MEMBERS)).text


async def test_an_invitation_by_mail_is_mailed_and_its_link_not_shown(
    browser: Browser, database: Database, organization: Principal
) -> None:
    page = await browser.post(
        f"{MEMBERS}/invitations", None, role="bidi", by="mail", email="Vera@Lind.example"
    )

    async with database.transaction(organization, "test") as tx:
        mail = await tx.value("SELECT recipient || ' ' || kind FROM system_mails")
    assert "on its way to vera@lind.example" in page.text
    assert "/join/" not in page.text
    assert mail == "vera@lind.example invitation"


async def test_a_used_link_leads_nowhere(site: str, browser: Browser) -> None:
    link = await _link(browser)
    await _sign_up(site, link, email="tomas.twice@lind.example")

    assert (await browser.get(link)).status_code == 404


async def test_a_refused_sign_up_keeps_what_was_written(site: str, browser: Browser) -> None:
    refused = await _sign_up(site, await _link(browser), email="tomas.short@lind.example", password="short")

    assert refused.status_code == 422
    assert "at least 10 characters" in refused.text
    assert 'value="Tomas Ferreira"' in refused.text


async def test_a_member_of_another_organization_joins_as_themselves_and_is_there(
    site: str, database: Database, browser: Browser, other_organization: Principal
) -> None:
    link = await _link(browser, role="viewer")
    async with signed_in(site, database, other_organization) as stranger:
        joined = await stranger.post(link)
        place = await stranger.get("/organizations")

    assert joined.status_code == 303
    assert re.search(r"Test</span><span class=\"chip\">Viewer", place.text)
    assert place.text.count("you are here") == 1
    assert "Go to Other" in place.text


async def test_an_invitation_by_mail_is_not_for_whoever_is_signed_in(
    site: str, database: Database, organization: Principal, other_organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        sent = await invite(tx, email="tomas@lind.example", role=Role.BIDI)
    link = f"/join/{sent.secret}"
    async with signed_in(site, database, other_organization) as stranger:
        shown, joined = await stranger.get(link), await stranger.post(link)

    assert "Sign out to go on" in shown.text
    assert joined.status_code == 403


async def test_going_to_another_organization_ends_the_session_here(
    site: str, database: Database, browser: Browser, other_organization: Principal
) -> None:
    async with signed_in(site, database, other_organization) as person:
        _carry(person, await person.post(await _link(browser)))
        old = dict(person.client.cookies)
        person.token = _token(await person.get("/organizations"))
        back = await person.post(f"/organizations/{other_organization.organization_id}/entry")
        _carry(person, back)
        here = await person.get("/organizations")
        async with httpx2.AsyncClient(base_url=site, cookies=old) as copy:
            ended = await copy.get("/inbox")

    assert back.status_code == 303
    assert "Go to Test" in here.text
    assert ended.headers["Location"].startswith("/session/new")


async def test_nobody_goes_where_they_are_no_member(browser: Browser, other_organization: Principal) -> None:
    answer = await browser.post(f"/organizations/{other_organization.organization_id}/entry")

    assert answer.status_code == 404
    assert (await browser.get("/organizations")).status_code == 200


async def test_whoever_makes_an_organization_owns_it(browser: Browser) -> None:
    await browser.post("/organizations", name="  Second   firm ")

    page = await browser.get("/organizations")
    assert re.search(r"Second firm</span><span class=\"chip\">The owner", page.text)
    assert (await browser.get("/contacts")).status_code == 200


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.BIDI, Role.VIEWER])
async def test_who_does_not_manage_the_team_sees_it_and_no_forms(
    site: str, database: Database, organization: Principal, role: Role
) -> None:
    person = await add_member(database, organization, role)
    async with signed_in(site, database, person) as reader:
        page, roles = await reader.get(MEMBERS), await reader.get("/settings/roles")

    assert "Olga Owner" in page.text
    assert "/settings/members/invitations" not in page.text
    assert roles.text.count("<tr>") > 45


async def test_a_member_is_given_a_role_kept_out_and_removed(
    browser: Browser, database: Database, organization: Principal
) -> None:
    await add_member(database, organization, Role.BIDI)
    place = re.findall(r'href="(/settings/members/[0-9a-f-]{36})"', (await browser.get(MEMBERS)).text)[1]

    await browser.post(f"{place}/role", role="supervisor")
    await browser.post(f"{place}/disabling")
    page = await browser.get(place)
    removed = await browser.post(f"{place}/removal")

    assert "kept out" in page.text
    assert re.search(r'<span class="chip">Supervisor</span>', page.text)
    assert removed.headers["Location"] == MEMBERS
    assert (await browser.get(place)).status_code == 404


def test_every_permission_is_called_something() -> None:
    assert roles_view.PERMISSIONS.keys() == ALL_SCOPES


def _carry(person: Browser, answer: httpx2.Response) -> None:
    """Go on with the session that an answer gave, and with no other."""
    person.client.cookies.clear()
    for name, value in answer.cookies.items():
        person.client.cookies.set(name, value)


def _token(page: httpx2.Response) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found
    return found.group(1)


async def test_a_sign_in_leads_to_the_organization_that_was_used_last(
    database: Database, organization: Principal, other_organization: Principal
) -> None:
    """Not to the one that somebody was a member of first."""
    email = await give_password(database, organization)
    async with database.transaction(other_organization, "test") as tx:
        await tx.execute(
            """
            INSERT INTO members (organization_id, id, user_id, name, role)
            VALUES (%(organization_id)s, gen_random_uuid(), %(user_id)s, 'Olga', 'bidi')
            """,
            organization_id=other_organization.organization_id,
            user_id=organization.id,
        )
    first = await find_credentials(database, email)
    there = replace(organization, organization_id=other_organization.organization_id)
    for place in (organization, there):
        async with database.transaction(place, "test") as tx:
            await open_session(tx)

    then = await find_credentials(database, email)
    async with database.transaction(organization, "test") as tx:
        await open_session(tx)
    last = await find_credentials(database, email)

    assert first is not None
    assert then is not None
    assert last is not None
    assert [one.organization_id for one in (first, then, last)] == [
        organization.organization_id,
        other_organization.organization_id,
        organization.organization_id,
    ]
