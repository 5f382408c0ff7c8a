"""The agents beside the inbox's that read what comes from outside, and how each is sent to a conversation.

The memory writer reads a conversation that has come to rest, the follow-up agent one in which a promise falls due.
"""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from core.db import Tx
from crm.bidi.actions import ensure_seat, update_bidi
from crm.bidi.models import Autonomy, BidiEdit
from crm.conversations.queries import list_messages
from crm.promises.actions import note_promise
from crm.promises.models import NewPromise
from crm.suggestions import watching
from evals.redteam.cases import Carrier
from evals.redteam.world import World
from evals.scene import NOW
from events.ids import PromiseId, RunId

_REST = timedelta(minutes=10)


class Reader(StrEnum):
    """Who reads the text: the agents by their names."""

    INBOX = "inbox"
    MEMORY_WRITER = "memory_writer"
    FOLLOW_UP = "follow_up"


_IN_THREAD = frozenset(
    {
        Carrier.MAIL_BODY,
        Carrier.MAIL_SUBJECT,
        Carrier.TELEGRAM_TEXT,
        Carrier.ATTACHMENT_NAME,
        Carrier.VCARD,
    }
)
# By which carriers a text gets before whom: these agents look at the conversation, and the writer at what is known.
# What is hidden in a page, and the name in a forward, is kept from every model; the inbox agent is told of it without
# policy.
REACHES: Mapping[Reader, frozenset[Carrier]] = {
    Reader.INBOX: frozenset(Carrier),
    Reader.MEMORY_WRITER: _IN_THREAD | {Carrier.MEMORY},
    Reader.FOLLOW_UP: _IN_THREAD,
}


async def send(tx: Tx, reader: Reader, world: World, autonomy: Autonomy) -> RunId:
    """Send the agent, in a seat of this level, to the conversation as due work does; the run that is asked for."""
    await _take_seat(tx, reader, autonomy)
    match reader:
        case Reader.MEMORY_WRITER:
            run_id = await watching.read_at_rest(tx, world.conversation_id, rest=_REST)
        case Reader.FOLLOW_UP:
            run_id = await watching.follow_promise(tx, await _promise(tx, world))
        case Reader.INBOX:
            raise ValueError("The inbox agent is sent by the rules that hear messages.")
    if run_id is None:
        raise ValueError(f"The seat of {reader} is paused, or works already.")
    return run_id


async def _take_seat(tx: Tx, reader: Reader, autonomy: Autonomy) -> None:
    """The agent's own seat, of this level."""
    seat = await ensure_seat(tx, reader.value)
    if seat.autonomy is not autonomy:
        await update_bidi(tx, seat.id, BidiEdit(autonomy=autonomy), version=seat.version)


async def _promise(tx: Tx, world: World) -> PromiseId:
    """The honest request was a promise as well, which is due by now."""
    said = (await list_messages(tx, world.conversation_id, last=1))[0]
    quote = said.body.strip().splitlines()[0][:200]
    return (await note_promise(tx, NewPromise(said.id, quote, NOW - timedelta(seconds=1)))).id
