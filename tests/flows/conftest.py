"""One fleet of real processes, one Bot API peer and one organization for the flows of this worker."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.db import Database
from core.principal import Principal
from crm.identity.actions import create_user
from crm.identity.models import Role
from infra.embedded import Urls
from infra.fleet import TWO_WORKERS, Fleet, running_fleet
from tests.support.organizations import make_organization
from tests.support.servers import migrated_servers
from tests.support.telegram_peer import TOKEN, Peer, running_peer
from tests.support.visitor import PASSWORD, Visitor, signed_in
from tests.support.world import World, make_world


@dataclass(frozen=True)
class Stage:
    """Everything a flow needs: the processes, the outside, and the organization's own view."""

    fleet: Fleet
    peer: Peer
    world: World
    email: str
    urls: Urls


async def _person(db: Database, owner: Principal) -> str:
    email = f"{owner.id}@flow.example"
    async with db.transaction(owner, "test") as tx:
        await create_user(
            tx, email=email, name="Anna Lisovets", password=PASSWORD, role=Role.OWNER, locale="en"
        )
    return email


@pytest.fixture(scope="session")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """The fleet over the local Bot API peer, with one polling bot, on servers of its own.

    Other tests leave work behind in their database that nobody there is meant to do.
    """
    folder: Path = tmp_path_factory.mktemp("fleet")
    with migrated_servers(folder / "servers") as servers:
        database = await Database(servers.urls.database_url, size=8).open()
        owner = await make_organization(database)
        email = await _person(database, owner)
        world = await make_world(database, owner, token=TOKEN)
        async with (
            running_peer(token=TOKEN) as peer,
            running_fleet(folder, servers.urls, peer.base, TWO_WORKERS) as fleet,
        ):
            yield Stage(fleet, peer, world, email, servers.urls)
        await database.close()


@pytest.fixture
async def anna(stage: Stage) -> AsyncIterator[Visitor]:
    """The owner, signed in over HTTP."""
    async with signed_in(stage.fleet.base, stage.email) as visitor:
        yield visitor


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever needs the fleet runs on one xdist worker, one test after the other."""
    for item in items:
        if "stage" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("fleet"))
