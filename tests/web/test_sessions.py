"""Sessions end at once, wherever they are open, and people see their own."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import httpx2
import pytest

from api.cookies import SESSION_COOKIE
from core.db import Database
from core.principal import Principal
from core.settings import Settings
from crm.identity.models import Role
from crm.identity.queries import find_session
from crm.identity.sessions import open_session
from tests.support.organizations import PASSWORD, add_member, give_password
from tests.support.site import running_site
from tests.support.sockets import Line, dialled
from tests.web.conftest import Browser, signed_in

WITHIN_SECONDS = 5
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


async def test_sessions_are_listed_with_device_address_and_last_use(
    site: str, browser: Browser, database: Database, organization: Principal
) -> None:
    email = await give_password_quietly(database, organization)
    async with httpx2.AsyncClient(base_url=site, headers={"User-Agent": AGENT}) as other:
        await _sign_in(other, email)
        page = await other.get("/sessions")

    assert "Firefox, Linux" in page.text
    assert "127.0.0.1" in page.text
    assert page.text.count("this page") == 1


async def test_one_session_is_ended_from_another(
    site: str, browser: Browser, database: Database, organization: Principal
) -> None:
    async with signed_in(site, database, organization) as other:
        page = await browser.get("/sessions")
        found = re.search(r'action="(/sessions/[0-9a-f-]+/revocation)"', page.text)
        assert found

        await browser.post(found.group(1))

        assert (await other.get("/inbox")).status_code == 303
        assert (await browser.get("/inbox")).status_code == 200


async def test_somebody_elses_session_is_not_there(
    site: str, browser: Browser, database: Database, organization: Principal
) -> None:
    colleague = await add_member(database, organization, Role.ADMIN)
    async with signed_in(site, database, colleague) as other:
        account = await find_session(database, str(other.client.cookies[SESSION_COOKIE]))
        assert account is not None

        answer = await browser.post(f"/sessions/{account.session_id}/revocation")

        assert answer.status_code == 404
        assert (await other.get("/inbox")).status_code == 200


async def test_a_new_password_ends_every_other_session_and_this_page_goes_on(
    site: str, database: Database, organization: Principal
) -> None:
    email = await give_password(database, organization)
    async with (
        signed_in(site, database, organization) as other,
        signed_in(site, database, organization) as page,
    ):
        before = page.client.cookies[SESSION_COOKIE]
        answer = await page.post("/profile/password", old=PASSWORD, password="another horse battery")

        assert answer.status_code == 303
        assert answer.cookies[SESSION_COOKIE] != before
        page.client.cookies = answer.cookies
        assert (await page.get("/inbox")).status_code == 200
        assert (await other.get("/inbox")).status_code == 303
    async with httpx2.AsyncClient(base_url=site) as fresh:
        await _sign_in(fresh, email, "another horse battery")


@pytest.mark.parametrize(
    ("old", "new"), [("not the old one", "another horse battery"), (PASSWORD, "short"), (PASSWORD, "x" * 201)]
)
async def test_a_password_is_changed_only_by_who_knows_it_and_to_one_that_will_do(
    site: str, database: Database, organization: Principal, old: str, new: str
) -> None:
    email = await give_password(database, organization)
    async with signed_in(site, database, organization) as page:
        answer = await page.post("/profile/password", old=old, password=new)

        assert answer.status_code == 422
        assert (await page.get("/inbox")).status_code == 200
    async with httpx2.AsyncClient(base_url=site) as fresh:
        await _sign_in(fresh, email)


async def test_name_and_time_zone_are_ones_own(browser: Browser) -> None:
    saved = await browser.post("/profile", name="Olga Ohm", time_zone="Asia/Tokyo")
    refused = await browser.post("/profile", name="Olga", time_zone="Mars/Olympus")

    assert saved.status_code == 303
    assert refused.status_code == 422
    page = (await browser.get("/profile")).text
    assert 'value="Olga Ohm"' in page
    assert "<option selected>Asia/Tokyo</option>" in page


async def test_by_https_cookies_carry_the_prefix(
    settings: Settings, database: Database, organization: Principal
) -> None:
    email = await give_password(database, organization)
    secure = settings.model_copy(update={"public_url": "https://sales.example"})
    async with running_site(secure) as site, httpx2.AsyncClient(base_url=site) as client:
        page = await client.get("/session/new")
        seed = page.headers["Set-Cookie"]
        token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        assert token
        sent = {"Cookie": seed.partition(";")[0], "Origin": "https://sales.example"}
        fields = {"csrf_token": token.group(1), "email": email, "password": PASSWORD}
        answer = await client.post("/session", data=fields, headers=sent)

    for cookie in (seed, answer.headers["Set-Cookie"]):
        name, _, marks = cookie.partition("=")
        assert name.startswith("__Host-getsale_")
        assert {"HttpOnly", "Secure", "Path=/"} <= {mark.strip() for mark in marks.split(";")}
        assert "Domain" not in marks


# the end of a session, on everything that it may have open ---------------------------------------------------------
End = Callable[[Database, Principal, Principal], Awaitable[None]]


async def _disable(database: Database, owner: Principal, person: Principal) -> None:
    """By the operator of the installation: the product's own logins may not."""
    operator = await Database(database.url.replace("getsale_app", "getsale_migrator"), size=1).open()
    await _execute(operator, owner, "UPDATE users SET disabled_at = now() WHERE id = %(id)s", person)
    await operator.close()


async def _demote(database: Database, owner: Principal, person: Principal) -> None:
    await _execute(database, owner, "UPDATE members SET role = 'viewer' WHERE user_id = %(id)s", person)


async def _change_password(database: Database, owner: Principal, person: Principal) -> None:
    await _execute(database, owner, "UPDATE users SET password_hash = 'x' WHERE id = %(id)s", person)


async def _revoke(database: Database, owner: Principal, person: Principal) -> None:
    await _execute(database, owner, "UPDATE sessions SET revoked_at = now() WHERE user_id = %(id)s", person)


async def _execute(database: Database, owner: Principal, statement: str, person: Principal) -> None:
    async with database.transaction(owner, "test") as tx:
        await tx.connection.execute(statement.encode(), {"id": person.id})


ENDS: dict[str, End] = {
    "revoked": _revoke,
    "disabled": _disable,
    "another role": _demote,
    "another password": _change_password,
}


@pytest.mark.parametrize("end", ENDS)
async def test_page_token_stream_and_socket_end_within_five_seconds(
    site: str, database: Database, organization: Principal, end: str
) -> None:
    person = await add_member(database, organization, Role.ADMIN)
    async with _everything_open(site, database, person) as opened:
        await ENDS[end](database, organization, person)

        async with asyncio.timeout(WITHIN_SECONDS):
            assert (await opened.page.get("/inbox")).status_code == 303
            assert (await opened.call()).status_code == 401
            await asyncio.gather(opened.until_stream_ends(), opened.until_sockets_end())


class _Opened:
    """All that one person has open: a page, its stream, its socket, a program and the program's socket."""

    def __init__(self, page: Browser, token: str, lines: list[Line], stream: httpx2.Response) -> None:
        self.page, self._token, self._lines, self._stream = page, token, lines, stream

    async def call(self) -> httpx2.Response:
        return await self.page.client.get(
            "/api/v1/contacts", headers={"Authorization": f"Bearer {self._token}"}
        )

    async def until_stream_ends(self) -> None:
        lines = [line async for line in self._stream.aiter_lines()]
        assert "event: end" in lines

    async def until_sockets_end(self) -> None:
        assert [await line.until_closed() for line in self._lines] == [4401, 4401]


@asynccontextmanager
async def _everything_open(site: str, database: Database, person: Principal) -> AsyncIterator[_Opened]:
    email = await give_password(database, person)
    async with AsyncExitStack() as stack:
        page = await stack.enter_async_context(signed_in(site, database, person))
        tokens = await page.client.post("/api/v1/auth/tokens", json={"email": email, "password": PASSWORD})
        bearer = {"Authorization": f"Bearer {tokens.json()['access_token']}"}
        stream = await stack.enter_async_context(page.client.stream("GET", "/live/changes?noun=task"))
        assert stream.status_code == 200
        lines = []
        for headers in ({"X-CSRF-Token": page.token}, bearer):
            ticket = await page.client.post("/api/v1/ws-tickets", headers=headers)
            line = await stack.enter_async_context(dialled(site))
            await line.say(type="login", ticket=ticket.json()["ticket"])
            await line.hear("welcome")
            lines.append(line)
        opened = _Opened(page, tokens.json()["access_token"], lines, stream)
        assert (await opened.call()).status_code == 200
        yield opened


async def give_password_quietly(database: Database, person: Principal) -> str:
    """A password for somebody who has a session already, which goes on."""
    email = await give_password(database, person)
    async with database.transaction(person, "test") as tx:
        await open_session(tx)
    return email


async def _sign_in(client: httpx2.AsyncClient, email: str, password: str = PASSWORD) -> None:
    page = await client.get("/session/new")
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token
    answer = await client.post(
        "/session", data={"csrf_token": token.group(1), "email": email, "password": password}
    )
    assert answer.status_code == 303, answer.text
