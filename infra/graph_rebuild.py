"""Builds the graphs of every organization anew from the facts and says what still differs."""

from uuid import UUID

from core.db import Database
from core.principal import system
from core.settings import Settings
from graph.active import ActiveGraph


async def run(settings: Settings) -> dict[str, int]:
    """How many differences are left, by adapter; an adapter that is not there is not named.

    Raises: Unavailable while Neo4j is expected and does not answer, or a worker is at it.
    """
    left: dict[str, int] = {}
    db = await Database(settings.database_url_worker, size=4).open()
    try:
        async with ActiveGraph.open(settings, db) as graph:
            for organization_id in await _organizations(db):
                for adapter, differences in (await graph.rebuild(system(organization_id))).items():
                    left[adapter] = left.get(adapter, 0) + len(differences)
    finally:
        await db.close()
    return left


async def _organizations(db: Database) -> list[UUID]:
    async with db.across_tenants("graph.organizations") as connection:
        cursor = await connection.execute("SELECT all_organizations() AS id")
        return [row["id"] for row in await cursor.fetchall()]
