"""Documents of the stage's organization, added as the page does and read by the real worker."""

from core.blobs import Blobs
from crm.knowledge import actions, queries
from crm.knowledge.models import Document, File, VersionStatus
from tests.support.stage import Stage
from tests.support.until import until


async def read_document(stage: Stage, name: str, content: bytes) -> Document:
    """A document whose newest file has been read or refused."""
    world = stage.world
    key = await Blobs(stage.fleet.folder).put(world.owner.organization_id, content)
    async with world.db.transaction(world.owner, "test") as tx:
        document_id, _ = await actions.add_document(tx, File(name, key, len(content)))

    async def look() -> Document | None:
        async with world.db.transaction(world.owner, "test") as tx:
            newest = await queries.newest_version(tx, document_id)
            is_read = newest.status is not VersionStatus.PENDING
            return await queries.get_document(tx, document_id) if is_read else None

    return await until(look)
