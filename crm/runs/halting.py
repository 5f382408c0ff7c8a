"""Stopping seats: the row of the seat says that it is paused, and in the same transaction its runs lose their fences.

Lock order: seat, then conversation, then run. Whoever begins a run reads the seat under a lock first (`claim_run`), so
that none begins beside a pause.
"""

from core.db import Tx
from crm.bidi import actions as bidi
from crm.conversations.queries import lock_conversation
from crm.runs import queries
from crm.runs.actions import cancel_run
from events.ids import BidiId

PAUSED = "the seat was paused"


async def pause_seat(tx: Tx, bidi_id: BidiId) -> None:
    """Pause a seat and stop what it does: a running process notices within two seconds, what is queued never begins.

    Raises: NotFound; Forbidden; Conflict for an archived seat.
    """
    await bidi.pause_bidi(tx, bidi_id)
    await _stop_runs(tx, bidi_id)


async def archive_seat(tx: Tx, bidi_id: BidiId) -> None:
    """Close a seat for good, and stop what it does. Raises: as `pause_seat`."""
    await bidi.archive_bidi(tx, bidi_id)
    await _stop_runs(tx, bidi_id)


async def pause_agents(tx: Tx) -> list[BidiId]:
    """The kill switch: pause every AI seat of the organization and stop all that they do; those that were at work."""
    tx.principal.require("bidi:manage")
    seats: list[BidiId] = await tx.value(
        """
        SELECT coalesce(array_agg(id ORDER BY id), '{}')
          FROM bidi
         WHERE kind = 'ai'
           AND archived_at IS NULL
        """
    )
    stopped = [seat for seat in seats if await bidi.pause_bidi(tx, seat)]
    for seat in seats:
        await _stop_runs(tx, seat)
    return stopped


async def _stop_runs(tx: Tx, bidi_id: BidiId) -> None:
    for run in await queries.list_open_runs_of(tx, bidi_id):
        if run.conversation_id is not None:
            await lock_conversation(tx, run.conversation_id)
        await cancel_run(tx, run, PAUSED)
