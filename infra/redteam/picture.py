"""Takes pictures of organizations for the judge of attacks."""

from uuid import UUID

from core.db import Database
from core.principal import system
from crm.evaluations.pictures import Rows, list_tables, take_picture
from evals.redteam.playing import Picture


async def camera(db: Database) -> Picture:
    """What takes pictures of organizations in this database."""
    async with db.transaction(system(UUID(int=0)), "redteam.tables") as tx:
        tables = await list_tables(tx)

    async def take(db: Database, organization_id: UUID) -> Rows:
        async with db.transaction(system(organization_id), "redteam.picture") as tx:
            return await take_picture(tx, tables)

    return take
