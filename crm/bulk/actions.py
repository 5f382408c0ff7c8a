"""Choosing many records, saying what is to change in them, running that, stopping and taking it back."""

from collections.abc import Sequence
from typing import LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb
from pydantic import JsonValue

from core import clock
from core.db import Tx
from core.errors import Conflict, Forbidden, NotFound, Unprocessable
from core.filters import Every
from core.ids import uuid7
from core.principal import PrincipalKind
from core.sql import fetch_ids
from crm.bidi.queries import require_bidi
from crm.bulk.kinds import KINDS, Kind, typed
from crm.bulk.models import MOST_RECORDS, SMALL, BulkEdit, BulkStatus, Changes, NewBulkEdit
from crm.bulk.queries import get_bulk_edit
from crm.bulk.steps import take_chunk
from crm.companies.queries import get_company
from crm.custom_fields.links import require_linked
from crm.custom_fields.models import EXTENSIBLE
from crm.custom_fields.queries import custom_fields_of
from crm.identity.queries import require_member
from crm.records.lists import read_filter, searching
from crm.tags.queries import list_tags
from events import due
from events.ids import BulkEditId, CompanyId, RecordKind
from events.outbox import emit
from events.types import BulkEditCreated, BulkEditProgressed

WORK: LiteralString = "bulk.work"
_UNDOABLE = (BulkStatus.RUNNING, BulkStatus.CANCELLED, BulkStatus.FAILED, BulkStatus.FINISHED)


async def create_bulk_edit(tx: Tx, new: NewBulkEdit, changes: Changes | None = None) -> BulkEdit:
    """Choose the records of an edit; they stay the same ones whatever the filter keeps later. With changes it is tried.

    Raises: Forbidden; Unprocessable for a filter that means nothing, for no record, or for too many.
    """
    _require(tx, new.record_kind)
    ids = list(dict.fromkeys(new.ids)) or await _matching(tx, new)
    if not ids:
        raise Unprocessable("No record is chosen; select some, or widen the filter.", field="ids")
    if len(ids) > MOST_RECORDS:
        raise Unprocessable(
            f"More than {MOST_RECORDS} records are chosen; narrow the filter and edit them in parts.",
            field="filter",
        )
    edit_id = BulkEditId(uuid7())
    await tx.execute(
        """
        INSERT INTO bulk_edits (organization_id, id, record_kind, status, total, made_by_kind, made_by)
        VALUES (%(organization_id)s, %(id)s, %(record_kind)s, 'draft', %(total)s, %(kind)s, %(made_by)s)
        """,
        organization_id=tx.organization_id,
        id=edit_id,
        record_kind=new.record_kind,
        total=len(ids),
        kind=tx.principal.kind,
        made_by=tx.principal.id,
    )
    await tx.execute(
        """
        INSERT INTO bulk_edit_records (organization_id, bulk_edit_id, position, record_id)
        SELECT %(organization_id)s, %(id)s, position, record_id
          FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS chosen (record_id, position)
        """,
        organization_id=tx.organization_id,
        id=edit_id,
        ids=sorted(
            ids
        ),  # everybody locks records in the order of their ids, so that nobody waits in a circle
    )
    await emit(tx, BulkEditCreated(edit_id))
    return await change(tx, edit_id, changes) if changes else await get_bulk_edit(tx, edit_id)


def _require(tx: Tx, record_kind: RecordKind) -> Kind:
    kind = KINDS[record_kind]
    tx.principal.require(f"{kind.noun}:read")
    tx.principal.require(f"{kind.noun}:write")
    tx.principal.require_full_sight()
    return kind


async def _matching(tx: Tx, new: NewBulkEdit) -> list[UUID]:
    if new.filter is None and not new.text:
        return []
    listing, kept = await read_filter(tx, new.record_kind, new.filter or {})
    wanted = Every((kept, searching(new.record_kind, new.text)))
    return await fetch_ids(tx, listing, wanted, limit=MOST_RECORDS + 1)


async def change(tx: Tx, edit_id: BulkEditId, changes: Changes) -> BulkEdit:
    """Say what is to change, and have that tried without changing anything; few records are tried at once.

    Raises: NotFound; Forbidden; Conflict when it runs already; Unprocessable for a change that cannot be.
    """
    edit = await get_bulk_edit(tx, edit_id, lock=True)
    kind = _require(tx, edit.record_kind)
    if edit.status not in (BulkStatus.DRAFT, BulkStatus.CHECKING, BulkStatus.CHECKED):
        raise Conflict(f"This edit is {edit.status}; choose the records again to change something else.")
    await _check(tx, edit.record_kind, kind, changes)
    await tx.execute(
        "UPDATE bulk_edits SET changes = %(changes)s WHERE id = %(id)s",
        changes=Jsonb(changes.as_json()),
        id=edit_id,
    )
    return await _begin(tx, edit, BulkStatus.CHECKING)


async def _check(tx: Tx, record_kind: RecordKind, kind: Kind, changes: Changes) -> None:
    """Raises: Unprocessable for what no record could take."""
    if not changes:
        raise Unprocessable(
            "Nothing is to change; give a field a value, choose tags, or the trash.", field="changes"
        )
    custom: dict[str, JsonValue] = {}
    for name, value in changes.set.items():
        if name.startswith("custom.") and record_kind in EXTENSIBLE:
            custom[name.removeprefix("custom.")] = value
        else:
            await _check_link(tx, name, typed(kind, name, value))
    fields = await custom_fields_of(tx, record_kind)
    await require_linked(tx, fields, fields.check(custom))
    known = {tag.id for tag in await list_tags(tx)}
    for tag in (*changes.add_tags, *changes.remove_tags):
        if tag not in known:
            raise Unprocessable(f"There is no tag {tag}; choose one that is there.", field="tags")


async def _check_link(tx: Tx, name: str, value: object) -> None:
    if not isinstance(value, UUID):
        return
    match name:
        case "owner_id":
            await require_member(tx, value)
        case "bidi_id":
            await require_bidi(tx, value)
        case _:
            try:
                await get_company(tx, CompanyId(value))
            except NotFound as err:
                raise Unprocessable(f"There is no company {value}; make it first.", field=name) from err


async def run(tx: Tx, edit_id: BulkEditId) -> BulkEdit:
    """Change the records; a person says so, whoever prepared it. Few are done at once, more by a worker.

    Raises: NotFound; Forbidden; Conflict before it was tried, and when it was run already.
    """
    edit = await _asked_for(tx, edit_id, (BulkStatus.CHECKED,), "run")
    return await _begin(tx, edit, BulkStatus.RUNNING)


async def cancel(tx: Tx, edit_id: BulkEditId) -> BulkEdit:
    """Stop for good; what is changed stays until it is taken back. Raises: NotFound; Forbidden; Conflict."""
    may = (BulkStatus.DRAFT, BulkStatus.CHECKING, BulkStatus.CHECKED, BulkStatus.RUNNING)
    edit = await _asked_for(tx, edit_id, may, "stopped")
    await tx.execute("UPDATE bulk_edits SET status = 'cancelled' WHERE id = %(id)s", id=edit.id)
    await due.cancel(tx, WORK, edit_id)
    await emit(tx, BulkEditProgressed(edit_id))
    return await get_bulk_edit(tx, edit_id)


async def undo(tx: Tx, edit_id: BulkEditId) -> BulkEdit:
    """Give the records back what they held before; those that somebody has changed since stay, and are told.

    Raises: NotFound; Forbidden; Conflict when nothing was changed.
    """
    edit = await _asked_for(tx, edit_id, _UNDOABLE, "taken back")
    if not edit.changed or edit.restored or edit.kept:
        raise Conflict("Nothing that this edit changed is left to take back.")
    return await _begin(tx, edit, BulkStatus.UNDOING)


async def _asked_for(tx: Tx, edit_id: BulkEditId, may: Sequence[BulkStatus], what: str) -> BulkEdit:
    """The locked edit, for a person who may edit its records."""
    edit = await get_bulk_edit(tx, edit_id, lock=True)
    _require(tx, edit.record_kind)
    if tx.principal.kind is not PrincipalKind.USER:
        raise Forbidden("Only a person runs, stops or takes back an edit of many records; propose it to one.")
    if edit.status not in may:
        raise Conflict(f"This edit is {edit.status} and cannot be {what} now; reload to see how it stands.")
    return edit


async def _begin(tx: Tx, edit: BulkEdit, status: BulkStatus) -> BulkEdit:
    """Back to the first record, for the next step."""
    is_undo = status is BulkStatus.UNDOING
    await tx.execute(
        """
        UPDATE bulk_edits
           SET status = %(status)s, position = 0, run_by = %(run_by)s,
               changed = CASE WHEN %(is_undo)s THEN changed ELSE 0 END,
               unchanged = CASE WHEN %(is_undo)s THEN unchanged ELSE 0 END,
               refused = CASE WHEN %(is_undo)s THEN refused ELSE 0 END
         WHERE id = %(id)s
        """,
        status=status.value,
        run_by=tx.principal.id if tx.principal.kind is PrincipalKind.USER else None,
        is_undo=is_undo,
        id=edit.id,
    )
    if edit.total <= SMALL:
        while await take_chunk(tx, edit.id):
            pass
    else:
        await due.schedule(tx, WORK, edit.id, clock.now())
        await emit(tx, BulkEditProgressed(edit.id))
    return await get_bulk_edit(tx, edit.id)
