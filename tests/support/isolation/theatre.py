"""The two organizations, the doors to them, and what the victim must keep for itself."""

from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row
from redis.asyncio import Redis

from core.db import Database
from core.ids import uuid7
from core.settings import Settings
from infra.embedded import Urls
from tests.support.isolation.canaries import Canaries, ids_in
from tests.support.isolation.catalogue import Admin, Catalogue, read_catalogue
from tests.support.isolation.completion import complete
from tests.support.isolation.tenants import Tenant, build_tenant, contents, ids_by_table
from tests.support.servers import migrated_servers

# The logins that meet tenants' rows; what each may do differs, whose rows it sees may not.
POOL = 4
ROLES = ("getsale_app", "getsale_worker", "getsale_support")


@dataclass
class Theatre:
    """Everything a probe needs; `spoken` is what the victim remembers. `admin` is above the policies: it looks and repairs, the attacker never has it."""

    urls: Urls
    settings: Settings
    admin: Admin
    redis: Redis
    databases: dict[str, Database]
    catalogue: Catalogue
    canaries: Canaries
    attacker: Tenant
    victim: Tenant
    canary_rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    spoken: list[str] = field(default_factory=list)

    @property
    def db(self) -> Database:
        return self.databases["getsale_app"]

    async def victims_rows(self) -> dict[str, str]:
        return await contents(self.admin, self.catalogue, self.victim.id)

    async def sweep(self) -> None:
        """Forget what the attacker asked for: its own words in the record of its calls are no leak."""
        run = self.attacker.ctx.run_id if self.attacker.ctx else None
        for statement in (
            "DELETE FROM approvals WHERE run_id = %s",
            "DELETE FROM tool_calls WHERE run_id = %s",
        ):
            await self.admin.execute(statement, (run,))

    async def forget_wrong_passwords(self) -> None:
        """Nobody has to wait any more; whoever is told to wait learns nothing."""
        if keys := [key async for key in self.redis.scan_iter("getsale:lockout:*")]:
            await self.redis.delete(*keys)

    async def welcome_back(self) -> None:
        """Let the attacker's spare member be one again: who has left proves nothing further."""
        await self.admin.execute(
            """
            UPDATE members
               SET role = 'viewer', disabled_at = NULL, removed_at = NULL
             WHERE name LIKE 'Spare Member%%'
               AND organization_id = %s
               AND (role, disabled_at, removed_at) IS DISTINCT FROM ('viewer', NULL, NULL)
            """,
            (self.attacker.id,),
        )

    async def revive(self) -> None:
        """Let the attacker's seat, run and spare member be as they were, whatever it did to them: calls of a run that
        has ended prove nothing."""
        await self.welcome_back()
        ctx = self.attacker.ctx
        if ctx is None:
            return
        await self.admin.execute(
            "UPDATE bidi SET is_paused = false, archived_at = NULL WHERE id = %s AND is_paused",
            (ctx.bidi.id,),
        )
        await self.admin.execute(
            "UPDATE runs SET status = 'running', fence = %s WHERE id = %s AND status <> 'running'",
            (ctx.run.fence, ctx.run_id),
        )

    def leaks(self, text: str, given: Collection[str] = ()) -> list[str]:
        """What of the victim's stands in a text, apart from what the attacker brought."""
        return self.canaries.found_in(text, given)

    def unknown_id(self, key: str) -> str:
        """An id that nobody has; the same one for the same key."""
        return self.unknown.setdefault(key, str(uuid7()))

    async def take_stock(self) -> None:
        """Learn the ids of both organizations anew."""
        for tenant in (self.attacker, self.victim):
            rows = await contents(self.admin, self.catalogue, tenant.id)
            tenant.ids = ids_by_table(rows) | {"organizations": [str(tenant.id)]}
        query = "SELECT text FROM memories WHERE organization_id = %s ORDER BY id"
        found = await (await self.admin.execute(query, (self.victim.id,))).fetchall()
        self.spoken = [row["text"] for row in found]
        theirs = ids_in("\n".join((await self.victims_rows()).values()))
        ours = ids_in("\n".join((await contents(self.admin, self.catalogue, self.attacker.id)).values()))
        self.canaries.add_ids(theirs - ours)


@asynccontextmanager
async def open_theatre(folder: Path) -> AsyncIterator[Theatre]:
    """Servers of its own, both organizations, and canaries in every text column of the victim."""
    with migrated_servers(folder / "servers") as servers:
        async with AsyncExitStack() as stack:
            yield await _build(stack, servers.urls, folder)


async def _build(stack: AsyncExitStack, urls: Urls, folder: Path) -> Theatre:
    settings = Settings(
        database_url=urls.database_url,
        database_url_worker=urls.database_url_worker,
        database_url_migrator=urls.database_url_migrator,
        redis_url=urls.redis_url,
        data=folder,
        secret_key="a key for tests only, 32 bytes long",
        # a probe that is told to wait has learnt nothing
        api_key_per_minute=10**6,
        api_person_per_minute=10**6,
        api_organization_per_minute=10**6,
    )
    admin = await psycopg.AsyncConnection.connect(
        as_role(urls, "postgres"), autocommit=True, row_factory=dict_row
    )
    stack.push_async_callback(admin.close)
    databases = {role: await Database(as_role(urls, role), size=POOL).open() for role in ROLES}
    for database in databases.values():
        stack.push_async_callback(database.close)
    redis = Redis.from_url(urls.redis_url)
    stack.push_async_callback(redis.aclose)
    canaries = Canaries()
    db = databases["getsale_app"]
    theatre = Theatre(
        urls=urls,
        settings=settings,
        admin=admin,
        redis=redis,
        databases=databases,
        catalogue=await read_catalogue(admin),
        canaries=canaries,
        attacker=await build_tenant(db, settings, "attacker", lambda text: text),
        victim=await build_tenant(
            db,
            settings,
            "victim",
            lambda text: f"{text} {canaries.make(f'what the product was told: {text}')}",
        ),
    )
    theatre.canary_rows = await complete(admin, theatre.catalogue, theatre.victim.id, canaries)
    await theatre.take_stock()
    return theatre


def as_role(urls: Urls, role: str) -> str:
    """The address of the same database for another login."""
    return urls.database_url.replace("getsale_app", role)
