"""A promise that is due and the next step that is suggested because of it, as the follow-up agent leaves them."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from uuid import UUID

from core import clock
from core.db import Tx
from crm.conversations.models import Conversation
from crm.conversations.queries import list_messages
from crm.promises.actions import note_promise
from crm.promises.models import NewPromise
from crm.records.models import RecordRef
from crm.runs.touched import find_touched
from crm.suggestions.actions import make_suggestion
from crm.suggestions.models import Evidence, NewSuggestion, ProposedCall, SuggestionKind
from events.ids import BidiId, RecordKind, RunId


async def suggest_to_keep(
    tx: Tx, run_id: RunId, bidi_id: BidiId, conversation: Conversation, *, say: Callable[[str], str] = str
) -> dict[str, UUID]:
    """The last message is taken for a promise; an agent would note down a task for it."""
    (message,) = await list_messages(tx, conversation.id, last=1)
    promise = await note_promise(tx, NewPromise(message.id, message.body, clock.now() + timedelta(days=1)))
    arguments: dict[str, object] = {
        "title": say("Send Vera the offer"),
        "contact_id": str(conversation.contact_id),
    }
    records, _ = await find_touched(tx, arguments)
    call = ProposedCall(
        tool="create_task",
        arguments=arguments,
        risk="write",
        scope="tasks:write",
        only_adds=True,
        records=[asdict(record) for record in records],
        marks=[{"kind": "untrusted_value", "path": "title", "value": say("Send"), "source_kind": "message",
                "source_id": str(message.id), "quote": say("an offer")}],
    )  # fmt: skip
    suggestion = await make_suggestion(
        tx,
        NewSuggestion(
            kind=SuggestionKind.PROMISE,
            record=RecordRef(RecordKind.CONTACT, conversation.contact_id),
            title=say("Send the offer"),
            why=say("It was promised for Friday."),
            calls=(call,),
            evidence=(Evidence("message", message.id, say("Vera"), say("on Friday"), conversation.id),),
            run_id=run_id,
            bidi_id=bidi_id,
            is_tainted=True,
            promise_id=promise.id,
            conversation_id=conversation.id,
        ),
    )
    return {"promise_id": promise.id, "suggestion_id": suggestion.id}
