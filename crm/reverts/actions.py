"""Taking back what a run changed: looking first, and doing it."""

from dataclasses import dataclass
from uuid import UUID

from core import clock
from core.db import Tx
from core.errors import AppError, Conflict, Forbidden
from core.principal import PrincipalKind
from crm.reverts.models import Fate, Line, Revert, Why
from crm.reverts.parts import read_parts
from crm.reverts.undoing import undo_part
from crm.runs.asked_calls import reject_call
from crm.runs.models import OPEN
from crm.runs.traces import RunLine, get_run_line
from events.ids import ApprovalId, RunId
from events.outbox import emit
from events.types import RunReverted


class _Tried(Exception):
    """Nothing of a look stays."""


async def preview_revert(tx: Tx, run_id: RunId) -> Revert:
    """What `revert_run` would do now: it is done and undone again, so that the two cannot differ.

    Raises: as `revert_run`, but for a run of which nothing is left to take back.
    """
    run = await _revertible(tx, run_id)
    lines: list[Line] = []
    try:
        async with tx.savepoint():
            lines = await _undo(tx, run_id)
            raise _Tried
    except _Tried:
        return Revert(run, tuple(lines))


async def revert_run(tx: Tx, run_id: RunId) -> Revert:
    """Give back what the run changed, all in this transaction; what is newer or final stays and is told.

    Raises:
        NotFound: no such run.
        Forbidden: only a person takes a run back, and nobody that of a colleague's question.
        Conflict: it still works, was taken back already, or left nothing that can be.
    """
    run = await _revertible(tx, run_id)
    lines = await _undo(tx, run_id)
    if all(line.fate is Fate.KEPT for line in lines):
        raise Conflict("Nothing that this run changed can be taken back.")
    await tx.execute(
        "UPDATE runs SET reverted_at = %(now)s, reverted_by = %(by)s WHERE id = %(run_id)s",
        now=clock.now(),
        by=tx.principal.id,
        run_id=run_id,
    )
    await emit(tx, RunReverted(run.conversation_id, run_id))
    return Revert(await get_run_line(tx, run_id), tuple(lines))


async def _revertible(tx: Tx, run_id: RunId) -> RunLine:
    run = await get_run_line(tx, run_id, lock=True)
    tx.principal.require("conversations:write")
    if tx.principal.kind is not PrincipalKind.USER:
        raise Forbidden("Only a person takes back what a run changed.")
    if run.status in OPEN:
        raise Conflict("This run is still at work; stop it first, or wait until it ends.")
    if run.reverted_at is not None:
        raise Conflict("What this run changed was taken back already.")
    return run


async def _undo(tx: Tx, run_id: RunId) -> list[Line]:
    lines = await _undo_questions(tx, run_id)
    for part in await read_parts(tx, run_id):
        lines += await undo_part(tx, part)
    return lines


@dataclass(frozen=True)
class _Question:
    id: UUID
    tool: str


async def _undo_questions(tx: Tx, run_id: RunId) -> list[Line]:
    """What the run still asks for is not made any more."""
    open_ones = await tx.all(
        _Question,
        """
        SELECT a.id, t.tool
          FROM approvals a
          JOIN tool_calls t ON (t.organization_id, t.id) = (a.organization_id, a.tool_call_id)
         WHERE a.run_id = %(run_id)s
           AND a.status = 'open'
         ORDER BY a.id
        """,
        run_id=run_id,
    )
    lines = []
    for question in open_ones:
        try:
            async with tx.savepoint():
                await reject_call(tx, ApprovalId(question.id), reason="The run was taken back.")
            lines.append(Line("approval", question.id, question.tool, Fate.REMOVED))
        except AppError as err:
            kept = Line("approval", question.id, question.tool, Fate.KEPT, why=Why.REFUSED, detail=err.detail)
            lines.append(kept)
    return lines
