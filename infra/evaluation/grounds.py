"""The grounds: servers of their own in a temporary folder, where cases are played and nothing stays."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from agents.llm.models import Models
from core.db import Database
from core.settings import Settings
from evals.examiner import Examiner
from infra import embedded
from infra.embedded import Urls
from infra.migrate import migrate
from memory.embeddings.remote import connect


@contextmanager
def grounds(*, with_queue: bool) -> Iterator[tuple[Path, Urls]]:
    """A migrated database, and Redis where workers need a queue; gone with the block."""
    with tempfile.TemporaryDirectory(prefix="getsale-eval-", ignore_cleanup_errors=True) as folder:
        wanted = embedded.Wanted(redis=with_queue, durable=False)
        with embedded.start(Path(folder), wanted) as servers:
            migrate(servers.urls.database_url_migrator)
            yield Path(folder), servers.urls


@asynccontextmanager
async def examiner(settings: Settings, urls: Urls) -> AsyncIterator[Examiner]:
    """Somebody who plays cases on the grounds in this process, with the models that the settings name."""
    db = await Database(urls.database_url, size=10).open()
    models, embedder = Models(settings), connect(settings)
    try:
        yield Examiner(db, settings, models, embedder=embedder)
    finally:
        await embedder.close()
        await models.close()
        await db.close()
