"""A person takes a conversation: whatever agents were doing in it ends in the same transaction.

Lock order: conversation, then draft, approval, message and run.
"""

from core.db import Tx
from crm.conversations import actions as conversations
from crm.conversations.models import Message
from crm.conversations.queries import lock_conversation
from crm.drafts import actions as drafts
from crm.runs.actions import cancel_open_runs
from events.ids import ConversationId, MemberId

TAKEN = "a person took the conversation over"
ANSWERED = "a person answered"


async def take_over(tx: Tx, conversation_id: ConversationId) -> None:
    """Make a conversation one's own; agents are silent in it from now on.

    Raises: NotFound; Forbidden.
    """
    await conversations.take_over(tx, conversation_id)
    await yield_to_person(tx, conversation_id, TAKEN)


async def give_to_person(tx: Tx, conversation_id: ConversationId, member_id: MemberId) -> None:
    """Let a colleague hold a conversation; agents are silent in it from now on.

    Raises: NotFound; Unprocessable for somebody who cannot hold it; Forbidden.
    """
    await lock_conversation(tx, conversation_id)
    # before it is theirs, for whoever sees only what is their own sees nothing of it afterwards
    await yield_to_person(tx, conversation_id, TAKEN)
    await conversations.give_to_person(tx, conversation_id, member_id)


async def write(tx: Tx, conversation_id: ConversationId, *, body: str) -> Message:
    """Write oneself: the conversation becomes one's own. Raises: as `compose_message`."""
    message = await conversations.compose_message(tx, conversation_id, body=body)
    await yield_to_person(tx, conversation_id, ANSWERED)
    return message


async def yield_to_person(tx: Tx, conversation_id: ConversationId, reason: str) -> None:
    """Runs are cancelled, an open draft is put aside, and what no person approved does not go out any more.

    What has begun to leave cannot be held. A change that an agent asked about stays: it is the person who decides it.
    """
    await cancel_open_runs(tx, conversation_id, reason)
    await drafts.discard_for_person(tx, conversation_id, reason)
