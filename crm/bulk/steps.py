"""The steps of a bulk edit: each tries, changes or takes back the next records, commits with its caller, and is done once."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from psycopg.types.json import Jsonb

from core import clock
from core.db import Tx
from core.principal import Principal, PrincipalKind
from crm.bulk.applying import Outcome, apply, take_back
from crm.bulk.kinds import KINDS
from crm.bulk.models import BulkEdit, BulkStatus, EditedRecord, RecordVerdict
from crm.bulk.queries import get_bulk_edit
from crm.identity.models import member_principal
from events.ids import BulkEditId, OrganizationId
from events.outbox import emit
from events.types import BulkEditFinished, BulkEditProgressed, BulkEditUndone

CHUNK = 100


async def take_chunk(tx: Tx, edit_id: BulkEditId) -> bool:
    """Deal with the next records of whatever the edit waits for; False when nothing is left, or it was stopped."""
    edit = await get_bulk_edit(tx, edit_id, lock=True)
    if edit.status not in (BulkStatus.CHECKING, BulkStatus.RUNNING, BulkStatus.UNDOING):
        return False
    records = await _next(tx, edit)
    if not records:
        await _finish(tx, edit)
        return False
    acting = replace(tx, principal=await _acting(tx, edit))
    outcomes = await _STEPS[edit.status](acting, edit, records)
    await _note(tx, edit, records, outcomes)
    await emit(tx, BulkEditProgressed(edit_id))
    return True


async def _acting(tx: Tx, edit: BulkEdit) -> Principal:
    """Whoever asked for the step, with the permissions that they have now and the edit needs.

    What an agent proposes is tried with those permissions and run by a person.
    """
    needed = KINDS[edit.record_kind].scopes
    if edit.run_by is None:
        return replace(tx.principal, scopes=needed)
    role = await tx.value("SELECT role FROM members WHERE user_id = %(user_id)s", user_id=edit.run_by)
    if role is None:
        return Principal(PrincipalKind.USER, edit.run_by, tx.organization_id, origin=tx.principal.origin)
    acting = member_principal(edit.run_by, OrganizationId(tx.organization_id), role, within=needed)
    # the first steps are taken in the request of whoever asked
    return replace(acting, origin=tx.principal.origin)


async def _next(tx: Tx, edit: BulkEdit) -> list[EditedRecord]:
    return await tx.all(
        EditedRecord,
        """
        SELECT position, record_id, verdict, label, reason, detail, changes, version
          FROM bulk_edit_records
         WHERE bulk_edit_id = %(id)s
           AND position > %(position)s
           AND (NOT %(is_undo)s OR (is_done AND verdict = 'changed'))
         ORDER BY position
         LIMIT %(limit)s
        """,
        id=edit.id,
        position=edit.position,
        is_undo=edit.status is BulkStatus.UNDOING,
        limit=CHUNK,
    )


async def _try(tx: Tx, edit: BulkEdit, records: Sequence[EditedRecord]) -> list[Outcome]:
    """The very edit, rolled back: what it would do, by all rules of the records, and nothing of it done."""
    try:
        async with tx.savepoint():
            outcomes = await _run(tx, edit, records)
            raise _Tried
    except _Tried:
        return outcomes


class _Tried(Exception):
    """Rolls back what was tried."""


async def _run(tx: Tx, edit: BulkEdit, records: Sequence[EditedRecord]) -> list[Outcome]:
    return [await apply(tx, edit.record_kind, record.record_id, edit.changes) for record in records]


async def _undo(tx: Tx, edit: BulkEdit, records: Sequence[EditedRecord]) -> list[Outcome]:
    return [await take_back(tx, edit.record_kind, record) for record in records]


_STEPS: dict[BulkStatus, Callable[[Tx, BulkEdit, Sequence[EditedRecord]], Awaitable[list[Outcome]]]] = {
    BulkStatus.CHECKING: _try,
    BulkStatus.RUNNING: _run,
    BulkStatus.UNDOING: _undo,
}


async def _note(tx: Tx, edit: BulkEdit, records: Sequence[EditedRecord], outcomes: Sequence[Outcome]) -> None:
    await tx.execute_many(
        """
        UPDATE bulk_edit_records
           SET verdict = %(verdict)s, label = %(label)s, reason = %(reason)s, detail = %(detail)s,
               changes = %(changes)s, version = %(version)s, is_done = %(is_done)s
         WHERE bulk_edit_id = %(edit_id)s
           AND position = %(position)s
        """,
        [
            {
                "edit_id": edit.id,
                "position": record.position,
                "verdict": outcome.verdict.value,
                "label": outcome.label,
                "reason": outcome.reason,
                "detail": outcome.detail,
                "changes": Jsonb(outcome.changes),
                "version": outcome.version,
                "is_done": edit.status is not BulkStatus.CHECKING,
            }
            for record, outcome in zip(records, outcomes, strict=True)
        ],
    )
    verdicts = [outcome.verdict for outcome in outcomes]
    await tx.execute(
        """
        UPDATE bulk_edits
           SET position = %(position)s, changed = changed + %(changed)s, unchanged = unchanged + %(unchanged)s,
               refused = refused + %(refused)s, restored = restored + %(restored)s, kept = kept + %(kept)s
         WHERE id = %(id)s
        """,
        id=edit.id,
        position=records[-1].position,
        **{verdict.value: verdicts.count(verdict) for verdict in RecordVerdict},
    )


async def _finish(tx: Tx, edit: BulkEdit) -> None:
    """All records are dealt with: a trial waits for its person, a run or an undo is done."""
    match edit.status:
        case BulkStatus.CHECKING:
            await tx.execute("UPDATE bulk_edits SET status = 'checked' WHERE id = %(id)s", id=edit.id)
            await emit(tx, BulkEditProgressed(edit.id))
        case BulkStatus.RUNNING:
            await tx.execute(
                "UPDATE bulk_edits SET status = 'finished', finished_at = %(now)s WHERE id = %(id)s",
                now=clock.now(),
                id=edit.id,
            )
            await emit(tx, BulkEditFinished(edit.id))
        case _:
            await tx.execute(
                "UPDATE bulk_edits SET status = 'undone', undone_at = %(now)s WHERE id = %(id)s",
                now=clock.now(),
                id=edit.id,
            )
            await emit(tx, BulkEditUndone(edit.id))


async def fail(tx: Tx, edit_id: BulkEditId) -> None:
    """The work could not be done to its end; what is changed can be taken back."""
    await tx.execute("UPDATE bulk_edits SET status = 'failed' WHERE id = %(id)s", id=edit_id)
    await emit(tx, BulkEditProgressed(edit_id))
