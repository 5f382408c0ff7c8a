"""How what changes is found: the search index follows the events, many at a time."""

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from core.db import Tx
from core.principal import system
from crm.search import actions as search
from crm.search.models import FoundKind
from events import types as e
from events.ids import ConversationId
from events.outbox import Delivery
from worker.jobs import Job, Postpone

if TYPE_CHECKING:  # the relay reads the routes too and must not load the agents
    from worker.services import Services

# Events after which what shows the record's name is looked at again too.
_RENAMING = frozenset(kind.name for kind in (e.ContactUpdated, e.CompanyUpdated))


async def index_records(services: "Services", deliveries: Sequence[Delivery]) -> None:
    """Bring the search index in line with what the events are about; it looks at how things are now."""
    changed: dict[tuple[UUID, FoundKind], set[UUID]] = defaultdict(set)
    renamed: dict[tuple[UUID, FoundKind], set[UUID]] = defaultdict(set)
    for delivery in deliveries:
        key = (delivery.organization_id, FoundKind(delivery.subject_kind))
        changed[key].add(delivery.subject_id)
        if delivery.event_type in _RENAMING:
            renamed[key].add(delivery.subject_id)
    for (organization_id, kind), ids in changed.items():
        async with services.db.transaction(system(organization_id), "index_records.commit") as tx:
            await search.index_records(tx, kind, list(ids))
            await search.index_dependents(tx, kind, list(renamed[organization_id, kind]))


async def index_messages(services: "Services", tx: Tx, job: Job) -> None:
    """Bring the messages that an event is about in line: one of them, or all of their conversation."""
    message_id = getattr(job.event, "message_id", None)
    if message_id is not None:
        await search.index_records(tx, FoundKind.MESSAGE, [message_id])
    else:
        await search.index_conversation(tx, ConversationId(job.subject_id))


async def catch_up_search(job: Job) -> Postpone | None:
    """Index what is not found yet, a batch a transaction; a bulk import and an older installation ask for it."""
    for kind in FoundKind:
        batch: search.Batch | None = search.Batch(0, search.FIRST)
        while batch is not None:
            async with job.transaction("batch") as tx:
                batch = await search.catch_up(tx, kind, batch.last)
    return None


async def tidy_search(services: "Services", tx: Tx, job: Job) -> None:
    """Forget the words that nothing uses any more."""
    await search.tidy_words(tx)
