"""Guessing: whoever is wrong too often waits, and the owner on a known device never does for it."""

import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from statistics import median

import httpx2
import pytest
from redis.asyncio import Redis

from api import gate
from core.db import Database
from core.ids import uuid7
from core.principal import Principal
from core.settings import Settings
from tests.support.organizations import PASSWORD, give_password
from tests.support.site import running_site


@dataclass
class Door:
    """A browser at the door."""

    client: httpx2.AsyncClient
    token: str

    async def knock(self, email: str, password: str) -> httpx2.Response:
        fields = {"csrf_token": self.token, "email": email, "password": password}
        return await self.client.post("/session", data=fields)

    async def guess(self, email: str, times: int) -> list[int]:
        return [(await self.knock(email, f"a wrong guess {number}")).status_code for number in range(times)]

    async def leave(self) -> None:
        """Sign out, and come back in the same browser."""
        page = await self.client.get("/preferences")
        await self.client.post("/session/end", data={"csrf_token": _token(page.text)})
        self.token = _token((await self.client.get("/session/new")).text)


def _token(text: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', text)
    assert found, text
    return found.group(1)


async def _door(site: str) -> Door:
    client = httpx2.AsyncClient(base_url=site, timeout=20)
    return Door(client, _token((await client.get("/session/new")).text))


@pytest.fixture
async def site(settings: Settings, redis: Redis) -> AsyncIterator[str]:
    """A web process over an empty Redis."""
    async with running_site(settings) as address:
        yield address


@pytest.fixture
async def door(site: str) -> AsyncIterator[Door]:
    opened = await _door(site)
    yield opened
    await opened.client.aclose()


@pytest.fixture
async def email(database: Database, organization: Principal) -> str:
    return await give_password(database, organization)


async def test_after_ten_wrong_passwords_the_right_one_waits_too(door: Door, email: str) -> None:
    guesses = await door.guess(email, gate.PER_ACCOUNT)
    after = await door.knock(email, PASSWORD)

    assert set(guesses) == {401}
    assert after.status_code == 429


async def test_an_account_that_is_not_there_is_locked_alike(door: Door, email: str) -> None:
    nobody = f"{uuid7()}@nowhere.example"

    known, unknown = [await door.guess(who, gate.PER_ACCOUNT + 2) for who in (email, nobody)]

    assert known == unknown


async def test_guesses_elsewhere_do_not_keep_the_owner_out_of_a_known_browser(
    site: str, door: Door, email: str
) -> None:
    assert (await door.knock(email, PASSWORD)).status_code == 303
    await door.leave()
    attacker = await _door(site)
    await attacker.guess(email, gate.PER_ACCOUNT + 1)

    assert (await attacker.knock(email, PASSWORD)).status_code == 429
    assert (await door.knock(email, PASSWORD)).status_code == 303
    await attacker.client.aclose()


async def test_a_known_browser_is_not_one_for_other_accounts(
    site: str, door: Door, email: str, database: Database, other_organization: Principal
) -> None:
    victim = await give_password(database, other_organization)
    await door.knock(email, PASSWORD)
    await door.leave()

    assert (await door.guess(victim, gate.PER_ACCOUNT + 1))[-1] == 429


async def test_a_browser_does_not_make_itself_known(door: Door, email: str) -> None:
    await door.guess(email, gate.PER_ACCOUNT)
    door.client.cookies.set("getsale_device", f"{'0' * 16}.made-up.{'0' * 32}")

    assert (await door.knock(email, PASSWORD)).status_code == 429


async def test_one_event_tells_of_a_lock_however_many_guesses_come(
    door: Door, email: str, database: Database, organization: Principal
) -> None:
    await door.guess(email, gate.PER_ACCOUNT + 5)

    async with database.transaction(organization, "test") as tx:
        count = await tx.value("SELECT count(*) FROM events WHERE type = 'user.sign_in_locked'")
    assert count == 1


async def test_many_accounts_from_one_address_are_slowed_down(
    door: Door, email: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "PER_ADDRESS", 3)
    for _ in range(3):
        await door.knock(f"{uuid7()}@nowhere.example", "a wrong guess")

    assert (await door.knock(email, PASSWORD)).status_code == 429


async def test_an_organization_under_attack_says_no_more_than_that_the_password_is_wrong(
    site: str, door: Door, email: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await door.knock(email, PASSWORD)
    await door.leave()
    monkeypatch.setattr(gate, "PER_ORGANIZATION", 3)
    attacker = await _door(site)
    await attacker.guess(email, 3)

    assert (await attacker.knock(email, PASSWORD)).status_code == 401
    assert (await door.knock(email, PASSWORD)).status_code == 303
    await attacker.client.aclose()


async def test_a_known_and_an_unknown_account_take_the_same_time(
    door: Door, email: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the decoy hash the unknown one would be several times as fast."""
    monkeypatch.setattr(gate, "PER_ACCOUNT", 1000)
    times: dict[str, list[float]] = {email: [], f"{uuid7()}@nowhere.example": []}
    for _ in range(15):
        for who, taken in times.items():
            began = time.perf_counter()
            await door.knock(who, "a wrong guess")
            taken.append(time.perf_counter() - began)

    known, unknown = (median(taken) for taken in times.values())
    assert 1 / 1.5 < known / unknown < 1.5
