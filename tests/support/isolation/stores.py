"""What is kept outside the database: Redis keys and files carry the organization, and pooled connections forget it."""

import asyncio
import random
from collections.abc import Iterator
from functools import partial

import psycopg

from core.blobs import Blobs
from core.db import Database
from core.errors import NotFound
from core.principal import Principal
from tests.support.isolation.probes import Probe
from tests.support.isolation.theatre import Theatre

# Redis keys that belong to no organization, and why.
SHARED_KEYS = {
    "getsale:alive:": "a process says that it lives",
    "arq:": "a job names a delivery; ids only",
    "getsale:lockout:": "how many passwords were wrong, of accounts and addresses that only their hash names",
}


def store_probes(theatre: Theatre) -> Iterator[Probe]:
    """Redis, files, and a pool that two organizations share."""
    yield Probe("store", "redis", "every key and value", partial(_look_through_redis, theatre))
    for place, kept in enumerate(_files(theatre)):
        yield Probe("store", "files", f"file {place}", partial(_take_file, theatre, kept))
    yield Probe("store", "pool", "interleaved requests", partial(_share_pool, theatre))


async def _look_through_redis(theatre: Theatre) -> list[str]:
    found = []
    async for key in theatre.redis.scan_iter():
        name = key.decode()
        owners = [
            tenant
            for tenant in (theatre.attacker, theatre.victim)
            if str(tenant.id) in name or tenant.id.hex in name
        ]
        if not owners and not name.startswith(tuple(SHARED_KEYS)):
            found.append(f"the key {name} names no organization")
        if theatre.victim not in owners:
            found += [
                f"the key {name}: {leak}" for leak in theatre.leaks(f"{name} {await _value(theatre, name)}")
            ]
    return found


async def _value(theatre: Theatre, key: str) -> str:
    redis = theatre.redis
    match (await redis.type(key)).decode():
        case "string":
            return repr(await redis.get(key))
        case "hash":
            return repr(await redis.hgetall(key))  # type: ignore[misc]  # the client's types say both
        case "list":
            return repr(await redis.lrange(key, 0, -1))  # type: ignore[misc]
        case "set":
            return repr(await redis.smembers(key))  # type: ignore[misc]
        case _:
            return repr(await redis.zrange(key, 0, -1, withscores=True))


def _files(theatre: Theatre) -> list[str]:
    folder = theatre.settings.data / "blobs" / str(theatre.victim.id)
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


async def _take_file(theatre: Theatre, key: str) -> list[str]:
    """The key of the victim's file, and ways to climb to its folder, under our own organization."""
    blobs, found = Blobs(theatre.settings.data), []
    for name in (key, f"../../{theatre.victim.id}/{key[:2]}/{key}"):
        try:
            content = await blobs.get(theatre.attacker.id, name)
        except (NotFound, OSError):
            continue
        found += theatre.leaks(content.decode(errors="replace")) or ["the victim's file was given out"]
    return found


async def _share_pool(theatre: Theatre) -> list[str]:
    owners = [theatre.attacker.owner, theatre.victim.owner]
    return await interleave(theatre.db, owners, requests=150, seed=7)


async def interleave(db: Database, owners: list[Principal], *, requests: int, seed: int) -> list[str]:
    """Requests of many organizations over one small pool, some cancelled, some failing; what each wrongly saw."""
    chance, wrong = random.Random(seed), []
    gate = asyncio.Semaphore(16)

    async def request(owner: Principal, fate: float) -> None:
        async with gate:
            try:
                async with asyncio.timeout(0.002 if fate < 0.1 else 30):
                    wrong.extend(await _request(db, owner, fate))
            except (TimeoutError, psycopg.errors.DivisionByZero, _Broken):
                pass

    async with asyncio.TaskGroup() as group:
        for _ in range(requests):
            group.create_task(request(chance.choice(owners), chance.random()))
    return wrong


class _Broken(Exception):
    """A request that fails half way."""


async def _request(db: Database, owner: Principal, fate: float) -> list[str]:
    """Cancelled below 0.1, breaks below 0.2, a failing statement below 0.3, no tenant below 0.4, else a session or reads."""
    query = "SELECT DISTINCT organization_id FROM members"
    if 0.3 <= fate < 0.4:
        async with db.across_tenants("probe") as connection:
            seen = {row["organization_id"] for row in await (await connection.execute(query)).fetchall()}
        return [f"a request without a tenant saw {len(seen)}"] if seen else []
    if 0.4 <= fate < 0.5:
        async with db.session(owner) as connection:
            seen = {row["organization_id"] for row in await (await connection.execute(query)).fetchall()}
    else:
        async with db.transaction(owner, "probe") as tx:
            seen = {row["organization_id"] for row in await (await tx.connection.execute(query)).fetchall()}
            if fate < 0.1:
                await tx.connection.execute("SELECT pg_sleep(0.01)")
            elif fate < 0.2:
                raise _Broken
            elif fate < 0.3:
                await tx.connection.execute("SELECT 1 / 0")
    return [] if seen == {owner.organization_id} else [f"{owner.organization_id} saw {seen}"]
