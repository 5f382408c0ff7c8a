"""Many people sign in at once, and what that does to everybody else's requests."""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from redis.asyncio import Redis

from core.db import Database
from core.ids import uuid7
from core.presence import beat
from core.principal import system
from crm.api_keys.actions import create_api_key
from crm.identity.actions import create_organization, create_user
from crm.identity.models import Role
from infra import embedded
from infra.bench import Report, percentile
from infra.embedded import Urls
from infra.fleet import running_fleet
from infra.migrate import migrate

PEOPLE, AT_ONCE, OTHERS = 50, 50, 4
ROUNDS, ROUND_SECONDS = 6, 4.0
# Between two calls of one of the others: a person reads.
_PAUSE_SECONDS = 0.02
_PASSWORD = "a password for a bench"


@dataclass
class _Taken:
    """What was measured: seconds of the others' requests, and how many came in over how long."""

    alone: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)
    sign_ins: int = 0
    seconds: float = 0.0


def run() -> Report:
    """Measure; takes about a minute and needs nothing running."""
    with (
        tempfile.TemporaryDirectory(prefix="getsale-bench-") as folder,
        embedded.start(Path(folder)) as servers,
    ):
        migrate(servers.urls.database_url_migrator)
        return asyncio.run(_measure(Path(folder), servers.urls))


async def _measure(folder: Path, urls: Urls) -> Report:
    secret, taken = await _organization(urls), _Taken()
    wide = {"API_KEY_PER_MINUTE": "1000000", "API_PERSON_PER_MINUTE": "1000000"}
    wide |= {"API_ORGANIZATION_PER_MINUTE": "1000000", "LOG_LEVEL": "warning"}
    redis = Redis.from_url(urls.redis_url)
    # nobody works here, and the web process would call itself unready
    alive = asyncio.create_task(beat(redis, "worker"))
    async with running_fleet(folder, urls, "http://127.0.0.1:1", ("api",), **wide) as fleet:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(fleet.base, connector=connector) as http:
            await _round(http, secret, _Taken(), with_sign_ins=True)
            # side by side, so that whatever else the machine does falls on both
            for _ in range(ROUNDS):
                await _round(http, secret, taken, with_sign_ins=False)
                await _round(http, secret, taken, with_sign_ins=True)
    alive.cancel()
    await redis.aclose()
    alone, beside = percentile(taken.alone, 0.95), percentile(taken.beside, 0.95)
    report = Report("auth")
    report.add("sign_ins", taken.sign_ins / taken.seconds, "1/s", taken.sign_ins)
    report.add("others_p95", 1000 * beside, "ms", len(taken.beside))
    report.add("others_p95_without_sign_ins", 1000 * alone, "ms", len(taken.alone))
    report.add("others_p95_ratio", beside / alone, "x", len(taken.beside), aim=1.5)
    return report


async def _organization(urls: Urls) -> str:
    """An organization with its people; returns a key of one of them."""
    db = await Database(urls.database_url, size=4).open()
    try:
        async with db.transaction(system(uuid7()), "bench") as tx:
            await create_organization(tx, slug="bench", name="Bench", locale="en", time_zone="UTC")
            people = [
                await create_user(
                    tx, email=_email(n), name="Anna", password=_PASSWORD, role=Role.OWNER, locale="en"
                )
                for n in range(PEOPLE)
            ]
            return (await create_api_key(tx, people[0])).secret
    finally:
        await db.close()


def _email(number: int) -> str:
    return f"person{number}@bench.example"


async def _round(http: aiohttp.ClientSession, secret: str, taken: _Taken, *, with_sign_ins: bool) -> None:
    until = time.perf_counter() + ROUND_SECONDS
    times = taken.beside if with_sign_ins else taken.alone
    others = [_repeat(until, lambda: _read(http, secret, times)) for _ in range(OTHERS)]
    people = range(AT_ONCE if with_sign_ins else 0)
    began = time.perf_counter()
    counts = await asyncio.gather(
        *others,
        *(_repeat(until, lambda n=n: _sign_in(http, n)) for n in people),  # type: ignore[misc]
    )
    if with_sign_ins:
        taken.sign_ins += sum(counts[OTHERS:])
        taken.seconds += time.perf_counter() - began


async def _repeat(until: float, do: Callable[[], Awaitable[None]]) -> int:
    """How often it was done before the time was over."""
    done = 0
    while time.perf_counter() < until:
        await do()
        done += 1
    return done


async def _read(http: aiohttp.ClientSession, secret: str, times: list[float]) -> None:
    began = time.perf_counter()
    async with http.get("/api/v1/contacts", headers={"Authorization": f"Bearer {secret}"}) as answer:
        answer.raise_for_status()
        await answer.read()
    times.append(time.perf_counter() - began)
    await asyncio.sleep(_PAUSE_SECONDS)


async def _sign_in(http: aiohttp.ClientSession, number: int) -> None:
    sent = {"email": _email(number), "password": _PASSWORD}
    async with http.post("/api/v1/auth/tokens", json=sent) as answer:
        answer.raise_for_status()
        await answer.read()
