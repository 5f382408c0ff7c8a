"""A whole stage for tests: the real processes, the Bot API outside, and one organization with its people."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from core.db import Database
from core.principal import Principal
from crm.identity.actions import create_user
from crm.identity.models import Role
from infra.embedded import Urls
from infra.fleet import TWO_WORKERS, Fleet, running_fleet
from infra.forked import Forked
from tests.support.organizations import make_organization
from tests.support.servers import migrated_servers
from tests.support.telegram_peer import TOKEN, Peer, running_peer
from tests.support.visitor import PASSWORD
from tests.support.world import World, make_world

_people = count(1)


@dataclass(frozen=True)
class Stage:
    """Everything a flow needs: the processes, the outside, and the organization's own view."""

    fleet: Fleet
    peer: Peer
    world: World
    email: str
    urls: Urls


@asynccontextmanager
async def running_stage(folder: Path, **settings: str) -> AsyncIterator[Stage]:
    """A fleet over the local Bot API peer, with one polling bot, on servers of its own.

    Other tests leave work behind in their database that nobody there is meant to do.
    """
    with migrated_servers(folder / "servers") as servers:
        database = await Database(servers.urls.database_url, size=8).open()
        owner = await make_organization(database)
        email = await make_person(database, owner)
        world = await make_world(database, owner, token=TOKEN)
        async with (
            running_peer(token=TOKEN) as peer,
            running_fleet(folder, servers.urls, peer.base, TWO_WORKERS, Forked, **settings) as fleet,
        ):
            yield Stage(fleet, peer, world, email, servers.urls)
        await database.close()


async def make_person(db: Database, owner: Principal, locale: str = "en") -> str:
    """Another owner who can sign in with PASSWORD; returns the email."""
    email = f"{next(_people)}.{owner.id}@flow.example"
    async with db.transaction(owner, "test") as tx:
        await create_user(
            tx, email=email, name="Anna Lisovets", password=PASSWORD, role=Role.OWNER, locale=locale
        )
    return email
