"""How often one may call: per key, person and organization, and what is said about it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx2
import pytest
from redis.asyncio import Redis

from core.db import Database
from core.principal import Principal
from core.ratelimit import RateLimiter, Rule
from core.settings import Settings
from crm.identity.models import Role
from tests.support.callers import Caller, caller_of
from tests.support.organizations import add_member
from tests.support.site import running_site


@dataclass
class Strict:
    """A web process that allows 3 calls a minute to a key, 5 to a person, 7 to an organization."""

    site: str
    database: Database
    stack: AsyncExitStack

    async def caller(self, person: Principal) -> Caller:
        return await self.stack.enter_async_context(caller_of(self.site, self.database, person))


@pytest.fixture
async def strict(settings: Settings, database: Database) -> AsyncIterator[Strict]:
    limits = {"api_key_per_minute": 3, "api_person_per_minute": 5, "api_organization_per_minute": 7}
    async with AsyncExitStack() as stack:
        site = await stack.enter_async_context(running_site(settings.model_copy(update=limits)))
        yield Strict(site, database, stack)


async def _call(caller: Caller, times: int) -> list[httpx2.Response]:
    return [await caller.get("/contacts") for _ in range(times)]


async def test_a_key_is_limited_and_told_when_to_come_back(strict: Strict, organization: Principal) -> None:
    answers = await _call(await strict.caller(organization), 4)

    refused = answers[-1]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.json()["retry_after_seconds"] == int(refused.headers["Retry-After"])


async def test_every_answer_says_what_is_left(strict: Strict, organization: Principal) -> None:
    answers = await _call(await strict.caller(organization), 4)

    left = [answer.headers["RateLimit"].split(";")[:2] for answer in answers]
    assert left == [['"key"', "r=2"], ['"key"', "r=1"], ['"key"', "r=0"], ['"key"', "r=0"]]
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {'"key";q=3;w=60'}


async def test_a_person_is_limited_over_all_keys(strict: Strict, organization: Principal) -> None:
    keys = [await strict.caller(organization) for _ in range(3)]

    statuses = [answer.status_code for key in keys for answer in await _call(key, 2)]

    assert statuses == [200] * 5 + [429]


async def test_an_organization_is_limited_over_all_people(
    strict: Strict, database: Database, organization: Principal
) -> None:
    people = [organization, *[await add_member(database, organization, Role.BIDI) for _ in range(3)]]
    callers = [await strict.caller(person) for person in people]

    statuses = [answer.status_code for caller in callers for answer in await _call(caller, 2)]

    assert statuses == [200] * 7 + [429]


async def test_another_organization_has_limits_of_its_own(
    strict: Strict, organization: Principal, other_organization: Principal
) -> None:
    await _call(await strict.caller(organization), 4)

    assert (await _call(await strict.caller(other_organization), 1))[0].status_code == 200


async def test_calls_at_once_are_counted_once_each(strict: Strict, organization: Principal) -> None:
    caller = await strict.caller(organization)

    answers = await asyncio.gather(*(caller.get("/contacts") for _ in range(12)))

    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [429] * 9


async def test_the_minute_before_counts_as_far_as_it_lies_within_sixty_seconds(
    redis: Redis, organization: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = Rule("key", organization.organization_id, organization.id, 3)

    async def spend(seconds: float) -> tuple[bool, int, int]:
        monkeypatch.setattr("core.ratelimit.time.time", lambda: 60_000_000 + seconds)
        standing = await RateLimiter(redis).spend((rule,))
        assert standing is not None
        return standing.is_used_up, standing.remaining, standing.reset_seconds

    first = [await spend(57) for _ in range(4)]
    later = [await spend(80), await spend(80), await spend(100)]

    assert first == [(False, 2, 3), (False, 1, 3), (False, 0, 3), (True, 0, 3)]
    assert later == [(False, 0, 40), (True, 0, 20), (False, 0, 20)]


async def test_what_is_counted_is_kept_under_the_organization(
    strict: Strict, redis: Redis, organization: Principal
) -> None:
    await _call(await strict.caller(organization), 1)

    keys = [key.decode() for key in await redis.keys("*limits*")]

    assert keys
    assert all(str(organization.organization_id) in key for key in keys)


async def test_without_redis_calls_are_served(
    settings: Settings, database: Database, organization: Principal
) -> None:
    away = settings.model_copy(update={"redis_url": "redis://127.0.0.1:1"})
    async with running_site(away) as site, caller_of(site, database, organization) as caller:
        answer = await caller.get("/contacts")

    assert answer.status_code == 200
    assert "RateLimit" not in answer.headers


async def test_a_redis_that_hangs_does_not_hold_a_call_up(organization: Principal) -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    redis = Redis.from_url(f"redis://127.0.0.1:{port}")
    rule = Rule("key", organization.organization_id, organization.id, 1)

    async with server, asyncio.timeout(2):
        standing = await RateLimiter(redis).spend((rule,))
        await redis.aclose()

    assert standing is None
