"""Who may call the API: a key, or the page's session with the page's rules against forgery."""

import asyncio
from datetime import timedelta

import httpx2
import pytest

from core import clock
from core.db import Database
from core.principal import Principal
from crm.api_keys.actions import note_use, revoke_api_key
from crm.api_keys.models import ApiKey
from crm.api_keys.queries import list_api_keys
from crm.identity.sessions import open_session
from events.ids import UserId
from tests.api.conftest import Callers
from tests.support.callers import Caller


async def _keys(database: Database, person: Principal) -> list[ApiKey]:
    async with database.transaction(person, "test") as tx:
        return await list_api_keys(tx, UserId(person.id))


@pytest.fixture
async def page(callers: Callers, database: Database, organization: Principal) -> httpx2.AsyncClient:
    """A browser with the owner's session; it sends the page's token."""
    async with database.transaction(organization, "test") as tx:
        session = await open_session(tx)
    return await callers.page(session)


async def test_a_key_that_is_revoked_lets_nobody_in(api: Caller, database: Database) -> None:
    before = await api.get("/contacts")
    async with database.transaction(api.person, "test") as tx:
        await revoke_api_key(tx, api.key.id)

    after = await api.get("/contacts")

    assert (before.status_code, after.status_code) == (200, 401)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer gsk_wrong", "Basic Z3NrOg==", "gsk_wrong"])
async def test_a_wrong_key_is_refused_also_beside_a_session(page: httpx2.AsyncClient, header: str) -> None:
    answer = await page.get("/api/v1/contacts", headers={"Authorization": header})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="getsale"'


async def test_only_a_hash_of_a_key_is_kept(api: Caller, database: Database) -> None:
    async with database.transaction(api.person, "test") as tx:
        row = await tx.value("SELECT row_to_json(k)::text FROM api_keys k WHERE id = %(id)s", id=api.key.id)

    assert api.key.prefix == api.secret[:12]
    assert api.secret[12:] not in row


async def test_the_use_of_a_key_is_noted_but_not_at_every_call(api: Caller, database: Database) -> None:
    await api.get("/contacts")
    first = (await _keys(database, api.person))[0].last_used_at
    await asyncio.gather(*(api.get("/contacts") for _ in range(5)))

    again = (await _keys(database, api.person))[0].last_used_at

    assert first is not None
    assert again == first


async def test_the_use_of_a_key_is_noted_again_after_a_while(api: Caller, database: Database) -> None:
    await api.get("/contacts")
    with clock.frozen(clock.now() + timedelta(minutes=6)):
        async with database.transaction(api.person, "test") as tx:
            await note_use(tx, api.key.id)

    noted = (await _keys(database, api.person))[0].last_used_at

    assert noted is not None
    assert noted > clock.now() + timedelta(minutes=5)


async def test_the_pages_session_reads(page: httpx2.AsyncClient) -> None:
    del page.headers["X-CSRF-Token"]

    assert (await page.get("/api/v1/contacts")).status_code == 200


async def test_the_pages_session_acts_with_the_pages_token(page: httpx2.AsyncClient) -> None:
    answer = await page.post(
        "/api/v1/contacts", json={"name": "Vera"}, headers={"Origin": str(page.base_url).rstrip("/")}
    )

    assert answer.status_code == 201


@pytest.mark.parametrize(
    "headers",
    [
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": "0" * 64},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_another_site_cannot_act_in_the_pages_session(
    page: httpx2.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await page.post("/api/v1/contacts", json={"name": "Vera"}, headers=headers)

    assert answer.status_code == 403
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (await page.get("/api/v1/contacts")).json()["items"] == []
