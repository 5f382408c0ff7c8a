"""Taking one part of a run back, as far as nothing newer stands in the way; what stays is told with its reason."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

from core.db import Tx
from core.errors import AppError, NotFound
from crm.contacts import actions as contacts
from crm.contacts.queries import list_handles
from crm.deals import actions as deals
from crm.deals.conversion import undo_conversion
from crm.deals.queries import get_deal, list_stakeholders
from crm.drafts import actions as drafts
from crm.drafts.models import DraftStatus
from crm.drafts.queries import get_draft
from crm.facts import actions as facts
from crm.facts.queries import get_fact
from crm.leads import actions as leads
from crm.meetings import actions as meetings
from crm.meetings.models import MeetingStatus
from crm.records.models import RecordRef
from crm.reverts.kinds import KINDS, Kind, is_built_on, typed, value_in
from crm.reverts.models import Fate, Line, Why
from crm.reverts.parts import Part
from crm.tags.actions import put_tag, take_tag
from crm.tags.queries import list_tags, list_tags_of
from crm.tasks import actions as tasks
from events.ids import ContactId, DealId, DraftId, FactId, LeadId, RecordKind

_REMOVAL = "deleted_at", "removed_at"


class _Kept(Exception):
    """It stays as it is."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why = why


async def undo_part(tx: Tx, part: Part) -> list[Line]:
    """Give back what a part held before; nothing of a refusal stays."""
    match part.kind:
        case "draft" if part.is_new:
            return await _attempt(tx, part, Fate.REMOVED, lambda: _withdraw(tx, part))
        case "fact" if part.is_new:
            return await _attempt(tx, part, Fate.REMOVED, lambda: _retract(tx, part))
        case kind if kind in KINDS:
            if part.is_new:
                return await _attempt(tx, part, Fate.REMOVED, lambda: _remove(tx, KINDS[kind], part))
            return await _undo_fields(tx, KINDS[kind], part)
        case _:
            return [_line(part, Fate.KEPT, why=Why.FINAL)]


async def _attempt(
    tx: Tx,
    part: Part,
    fate: Fate,
    verb: Callable[[], Awaitable[object]],
    field: str = "",
) -> list[Line]:
    """Try it; a line says how it went, none that there was nothing to do."""
    before, after = part.fields.get(field, (None, None))
    try:
        async with tx.savepoint():
            done = await verb()
    except _Kept as err:
        return [_line(part, Fate.KEPT, field, after, before, why=err.why)]
    except NotFound:
        return [_line(part, Fate.KEPT, field, after, before, why=Why.GONE)]
    except AppError as err:
        return [_line(part, Fate.KEPT, field, after, before, why=Why.REFUSED, detail=err.detail)]
    return [] if done is False else [_line(part, fate, field, after, before)]


def _line(
    part: Part,
    fate: Fate,
    field: str = "",
    now: Any = None,
    to: Any = None,
    *,
    why: Why | None = None,
    detail: str = "",
) -> Line:
    return Line(part.kind, part.id, part.name, fate, field, now, to, why, detail)


async def _withdraw(tx: Tx, part: Part) -> bool:
    draft = await get_draft(tx, DraftId(part.id))
    match draft.status:
        case DraftStatus.PENDING if draft.edited_by or draft.checked_by:
            raise _Kept(Why.CHANGED_SINCE)
        case DraftStatus.PENDING:
            await drafts.withdraw_draft(tx, DraftId(part.id), reason="A person took the run back.")
            return True
        case DraftStatus.APPROVED:
            raise _Kept(Why.FINAL)
        case _:
            return False


async def _retract(tx: Tx, part: Part) -> bool:
    fact = await get_fact(tx, FactId(part.id), lock=True)
    if fact.is_retracted:
        return False
    if part.is_newer:
        raise _Kept(Why.CHANGED_SINCE)
    if "corrects_id" in part.fields:
        raise _Kept(Why.FINAL)
    await facts.retract_fact(tx, FactId(part.id))
    return True


async def _remove(tx: Tx, kind: Kind, part: Part) -> bool:
    record = await kind.get(tx, part.id, lock=True)
    if any(getattr(record, name, None) is not None for name in _REMOVAL):
        return False
    if part.is_newer:
        raise _Kept(Why.CHANGED_SINCE)
    if part.kind in tuple(RecordKind) and await is_built_on(tx, part.kind, part.id):
        raise _Kept(Why.IN_USE)
    await kind.remove(tx, part.id)
    return True


async def _undo_fields(tx: Tx, kind: Kind, part: Part) -> list[Line]:
    """The stage goes back first: one that holds fields still is left before they are given back."""
    lines: list[Line] = []
    names = [name for name, (before, after) in part.fields.items() if before != after]
    for name in sorted(names, key=lambda name: name != "stage_id"):
        verb = _SPECIAL.get(name.partition(":")[0])
        if verb is not None:
            lines += await _attempt(tx, part, Fate.RESTORED, _bound(verb, tx, part, name), name)
        elif not kind.takes(name):
            before, after = part.fields[name]
            lines.append(_line(part, Fate.KEPT, name, after, before, why=Why.FINAL))
    values = [name for name in names if name not in _SPECIAL and ":" not in name and kind.takes(name)]
    return lines + (await _undo_values(tx, kind, part, values) if values else [])


Special = Callable[[Tx, Part, str], Awaitable[object]]


def _bound(verb: Special, tx: Tx, part: Part, name: str) -> Callable[[], Awaitable[object]]:
    return lambda: verb(tx, part, name)


async def _undo_values(tx: Tx, kind: Kind, part: Part, names: list[str]) -> list[Line]:
    """Those that still hold what the run wrote get what they held before, in one edit."""
    try:
        async with tx.savepoint():
            record = await kind.get(tx, part.id, lock=True)
            mine = [name for name in names if _holds(record, name, part)]
            if mine:
                edit = _edit(kind, part, record, mine)
                await kind.update(tx, part.id, edit, version=record.version)
    except NotFound:
        return [_kept(part, name, Why.GONE) for name in names]
    except AppError as err:
        return [_kept(part, name, Why.REFUSED, err.detail) for name in names]
    return [
        _line(part, Fate.RESTORED, name, part.fields[name][1], part.fields[name][0])
        if name in mine
        else _kept(part, name, Why.CHANGED_SINCE)
        for name in names
    ]


def _kept(part: Part, name: str, why: Why, detail: str = "") -> Line:
    before, after = part.fields[name]
    return _line(part, Fate.KEPT, name, after, before, why=why, detail=detail)


def _holds(record: Any, name: str, part: Part) -> bool:
    """Whether a field holds what the run left in it."""
    return bool(value_in(record, name) == typed(part.kind, name, part.fields[name][1]))


def _edit(kind: Kind, part: Part, record: Any, names: list[str]) -> Any:
    values = {name: typed(part.kind, name, part.fields[name][0]) for name in names}
    custom = {
        name.removeprefix("custom."): value for name, value in values.items() if name.startswith("custom.")
    }
    plain = {name: value for name, value in values.items() if not name.startswith(("custom.", "record_"))}
    if custom:
        plain["custom"] = custom
    if values.keys() & {"record_kind", "record_id"}:
        record_kind = values.get("record_kind", record.record_kind)
        record_id = values.get("record_id", record.record_id)
        plain["record"] = RecordRef(record_kind, record_id) if record_kind and record_id else None
    return kind.edit(**plain) if kind.edit else plain


async def _move_back(tx: Tx, part: Part, name: str) -> None:
    before, after = (UUID(stage) for stage in part.fields[name])
    kind = KINDS[part.kind]
    record = await kind.get(tx, part.id, lock=True)
    if record.stage_id != after:
        raise _Kept(Why.CHANGED_SINCE)
    move = deals.move_stage if part.kind == "deal" else leads.move_lead
    await move(tx, record.id, before, version=record.version)


async def _reopen(tx: Tx, part: Part, name: str) -> None:
    before, after = part.fields[name]
    task = await KINDS["task"].get(tx, part.id, lock=True)
    if task.done_at != typed("task", name, after):
        raise _Kept(Why.CHANGED_SINCE)
    await (tasks.reopen_task if before is None else tasks.complete_task)(tx, task.id)


async def _plan_again(tx: Tx, part: Part, name: str) -> None:
    before, after = part.fields[name]
    meeting = await KINDS["meeting"].get(tx, part.id, lock=True)
    if meeting.status != after:
        raise _Kept(Why.CHANGED_SINCE)
    await meetings.set_status(tx, meeting.id, MeetingStatus(before))


async def _unconvert(tx: Tx, part: Part, name: str) -> bool:
    """A lead is one again once the deal that was made of it is gone."""
    deal_id = part.fields.get("deal_id", (None, None))[1]
    if name == "deal_id" or deal_id is None:
        return False
    if (await get_deal(tx, DealId(UUID(deal_id)))).deleted_at is None:
        raise _Kept(Why.IN_USE)
    await undo_conversion(tx, LeadId(part.id))
    return True


async def _undo_tag(tx: Tx, part: Part, name: str) -> bool:
    was_there, is_there = part.fields[name]
    kind, text = RecordKind(part.kind), name.partition(":")[2]
    standing = {tag.name for tag in await list_tags_of(tx, kind, [part.id])}
    if (text in standing) != is_there:
        raise _Kept(Why.CHANGED_SINCE)
    tag = next((tag for tag in await list_tags(tx) if tag.name == text), None)
    if tag is None:
        raise _Kept(Why.GONE)
    return await (put_tag if was_there else take_tag)(tx, kind, part.id, tag.id)


async def _undo_handle(tx: Tx, part: Part, name: str) -> None:
    """An address by which somebody has written since stays: their next message must find them."""
    was_there, _ = part.fields[name]
    kind, _, value = name.partition(":")[2].partition(":")
    contact_id = ContactId(part.id)
    handle = next(
        (one for one in await list_handles(tx, contact_id) if (one.kind, one.value) == (kind, value)), None
    )
    if was_there and handle is None:
        await contacts.add_handle(tx, contact_id, kind, value)
    elif was_there or handle is None:
        raise _Kept(Why.CHANGED_SINCE)
    elif await tx.value(
        "SELECT true FROM conversations WHERE contact_id = %(id)s AND external_id = %(value)s",
        id=part.id,
        value=value,
    ):
        raise _Kept(Why.IN_USE)
    else:
        await contacts.remove_handle(tx, contact_id, handle.id)


async def _undo_stakeholder(tx: Tx, part: Part, name: str) -> None:
    was_there, is_there = part.fields[name]
    who, _, role = name.partition(":")[2].partition(":")
    deal_id, contact_id = DealId(part.id), ContactId(UUID(who))
    standing = {(one.contact_id, str(one.role)) for one in await list_stakeholders(tx, deal_id)}
    if ((contact_id, role) in standing) != is_there:
        raise _Kept(Why.CHANGED_SINCE)
    await (deals.add_stakeholder if was_there else deals.remove_stakeholder)(tx, deal_id, contact_id, role)


# Fields that an edit does not take, by how each is given back.
_SPECIAL: Mapping[str, Special] = {
    "stage_id": _move_back,
    "done_at": _reopen,
    "status": _plan_again,
    "converted_at": _unconvert,
    "deal_id": _unconvert,
    "tag": _undo_tag,
    "handle": _undo_handle,
    "stakeholder": _undo_stakeholder,
}
