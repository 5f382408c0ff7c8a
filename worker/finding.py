"""How what changes is found: the search index follows the events, many at a time."""

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from core.db import Tx
from core.filters import ValueKind
from core.principal import system
from crm.custom_fields.queries import get_custom_field
from crm.search import actions as search
from crm.search.models import FoundKind
from events import types as e
from events.ids import ConversationId, CustomFieldId, EventId, TagId
from events.outbox import Delivery, list_changed
from worker.jobs import Job, Postpone

if TYPE_CHECKING:  # the relay reads the routes too and must not load the agents
    from worker.services import Services

# Events after which what shows the record's name is looked at again too.
_RENAMING = frozenset(
    kind.name
    for kind in (
        e.ContactUpdated,
        e.CompanyUpdated,
        e.DealUpdated,
        e.DealDeleted,
        e.DealRestored,
        e.LeadDeleted,
        e.LeadRestored,
    )
)


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


async def index_tagged(job: Job) -> Postpone | None:
    """Let the records that bear a tag, or bore it, be found by the words that it has now."""
    async with job.transaction("list") as tx:
        found = await search.list_once_tagged(tx, TagId(job.subject_id))
    for kind, ids in found.items():
        for start in range(0, len(ids), search.BATCH):
            async with job.transaction("batch") as tx:
                await search.index_records(tx, kind, ids[start : start + search.BATCH])
    return None


async def index_custom_field(services: "Services", tx: Tx, job: Job) -> None:
    """A field that is archived, or back again, takes its texts with it, in however many records they stand."""
    field = await get_custom_field(tx, CustomFieldId(job.subject_id))
    changed = (
        await list_changed(tx, EventId(job.principal.causation_id)) if job.principal.causation_id else []
    )
    if field.kind is ValueKind.TEXT and "archived_at" in changed:
        await search.look_again_later(tx)


async def look_again(job: Job) -> Postpone | None:
    """Index everything again, a batch a transaction; meanwhile it is found as it was."""
    for kind in FoundKind:
        batch: search.Batch | None = search.Batch(0, search.FIRST)
        while batch is not None:
            async with job.transaction("batch") as tx:
                batch = await search.index_next(tx, kind, batch.last)
    return None


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
