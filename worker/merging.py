"""What a merge, or its undoing, changes elsewhere: the graphs, what can be found, and who may be whom."""

from core.db import Tx
from core.ids import uuid7
from crm.conversations.queries import list_conversations_of_contact
from crm.search import actions as search
from crm.search.models import FoundKind
from events.ids import ContactId
from events.types import CompanyMerged, CompanyUnmerged, ContactMerged, ContactUnmerged
from worker.jobs import Job, Postpone

_MERGING = ContactMerged | ContactUnmerged | CompanyMerged | CompanyUnmerged


async def project_merge(job: Job) -> Postpone | None:
    """Bring the graphs in step with both records and every relation of theirs."""
    if isinstance(job.event, _MERGING):
        await job.services.graph.project(job.principal, job.event)
    return None


async def index_merge(services: object, tx: Tx, job: Job) -> None:
    """Let the record that stays be found by what it has now; the one put away is found no more, or again."""
    if not isinstance(job.event, _MERGING):
        raise TypeError(
            f"{job.handler} is routed to {type(job.event).__name__}, which it does not understand"
        )
    kind = FoundKind(job.event.subject_kind)
    both = [job.event.subject_id, job.event.merged_id]
    await search.index_records(tx, kind, both)
    await search.index_dependents(tx, kind, both)


async def show_merge(job: Job) -> Postpone | None:
    """Tell open pages of the record that went or came back, and of every conversation whose person is another now."""
    event = job.event
    if not isinstance(event, _MERGING):
        return None
    conversations = []
    if isinstance(event, ContactMerged | ContactUnmerged):
        async with job.transaction("conversations") as tx:
            for contact_id in (event.contact_id, event.merged_id):
                conversations += await list_conversations_of_contact(tx, ContactId(contact_id))
    about = [{"conversation_id": str(conversation.id)} for conversation in conversations]
    about.append(
        {"conversation_id": "", "record_kind": event.subject_kind, "record_id": str(event.merged_id)}
    )
    for place in about:
        message = {"event_id": str(uuid7()), "type": event.name, **place}
        await job.services.pubsub.publish(job.principal.organization_id, message)
    return None
