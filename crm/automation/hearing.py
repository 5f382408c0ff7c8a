"""What a received message sets off, before and by the organization's rules."""

from core.db import Tx
from crm.assignment import actions as assignment
from crm.automation import actions as automation
from crm.contacts import actions as contacts
from crm.contacts.consent import asks_to_stop
from crm.conversations import actions as conversations
from crm.conversations import queries as conversation_queries
from crm.conversations.models import HandoffReason
from crm.drafts import actions as drafts
from crm.runs import actions as runs
from crm.runs.actions import QuietWindow
from events.ids import ConversationId
from events.types import MessageReceived


async def hear_message(tx: Tx, event: MessageReceived, quiet: QuietWindow) -> None:
    """A draft that does not know the new message is discarded, then the organization's rules decide what happens.

    Somebody who asks us to stop is heard before any rule or agent. What nobody holds is given to a seat first: the
    rules then call its agent, or leave it to a person.
    """
    await assignment.assign_conversation(tx, event.conversation_id)
    await drafts.supersede_outdated(tx, event.conversation_id)
    message = await conversation_queries.get_message(tx, event.message_id)
    if asks_to_stop(message.body):
        await _stop_writing(tx, event.conversation_id, message.body)
    else:
        await automation.evaluate(tx, event, quiet)


async def _stop_writing(tx: Tx, conversation_id: ConversationId, words: str) -> None:
    conversation = await conversation_queries.get_conversation(tx, conversation_id)
    contact = await contacts.suppress_contact(tx, conversation.contact_id, words)
    await runs.cancel_open_runs(tx, conversation_id, "the contact asked us to stop")
    await conversations.hand_off(
        tx,
        conversation_id,
        reason=HandoffReason.CUSTOMER_REQUEST,
        summary=f"{contact.name}: «{words}»",
        next_step="",
    )
