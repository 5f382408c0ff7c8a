"""Builds the search index of every organization, or of one, anew from the records."""

from uuid import UUID

from core.db import Database
from core.principal import system
from core.settings import Settings
from crm.identity.queries import list_organization_ids
from crm.search import actions as search
from crm.search.models import FoundKind


async def run(settings: Settings) -> dict[str, int]:
    """How many records of each kind can be found now. An organization finds nothing while its turn lasts."""
    found: dict[str, int] = dict.fromkeys((kind.value for kind in FoundKind), 0)
    db = await Database(settings.database_url_worker, size=2).open()
    try:
        for organization_id in await list_organization_ids(db):
            async with db.transaction(system(organization_id), "search.forget") as tx:
                await search.forget_all(tx)
            for kind in FoundKind:
                found[kind.value] += await _fill(db, organization_id, kind)
    finally:
        await db.close()
    return found


async def _fill(db: Database, organization_id: UUID, kind: FoundKind) -> int:
    count, after = 0, search.FIRST
    while True:
        async with db.transaction(system(organization_id), "search.fill") as tx:
            batch = await search.index_next(tx, kind, after)
        if batch is None:
            return count
        count, after = count + batch.found, batch.last
