"""What is left in a room when a case is over, as places with a value that a case can name."""

from pydantic import JsonValue

from core.db import Tx
from crm.contacts.queries import get_contact
from crm.conversations.models import Conversation, Direction, Message
from crm.deals.queries import list_deals_of_contact
from crm.facts.queries import list_facts
from crm.notes.queries import list_notes
from crm.records.models import RecordRef
from crm.tasks.queries import list_record_tasks
from events.ids import ContactId, RecordKind


async def state_of(
    tx: Tx, contact_id: ContactId, conversation: Conversation, messages: list[Message]
) -> dict[str, JsonValue]:
    """Every place: `conversation.holder`, `contact.is_suppressed`, `deal.stage`, `tasks`, `notes` and so on."""
    contact = await get_contact(tx, contact_id)
    record = RecordRef(RecordKind.CONTACT, contact_id)
    tasks = [task.title for task in await list_record_tasks(tx, record) if task.done_at is None]
    notes = [note.body for note in (await list_notes(tx, record)).items]
    deals = sorted(await list_deals_of_contact(tx, contact_id), key=lambda deal: deal.id)
    state: dict[str, JsonValue] = {
        "conversation.holder": conversation.holder_kind,
        "conversation.handoff": conversation.handoff_reason,
        "contact.name": contact.name,
        "contact.title": contact.title,
        "contact.language": contact.language,
        "contact.is_suppressed": contact.suppressed_at is not None,
        "messages.out": sum(message.direction is Direction.OUT for message in messages),
        "tasks": [*sorted(tasks)],
        "notes": [*sorted(notes)],
        "facts": [*sorted(fact.text for fact in await list_facts(tx, contact_id) if fact.text)],
    }
    for number, deal in enumerate(deals, 1):
        name = "deal" if number == 1 else f"deal {number}"
        state |= {
            f"{name}.stage": deal.stage,
            f"{name}.amount_minor": deal.amount_minor,
            f"{name}.next_step": deal.next_step,
        }
    return state
