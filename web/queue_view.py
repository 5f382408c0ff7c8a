"""The queue of approvals as its page shows it: groups of rows, and the one that is open with what it rests on."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from core.db import Tx
from crm.approvals.models import Approval, ApprovalKind
from crm.approvals.queries import get_approval, get_tool_approval
from crm.approvals.queue import QueueRow, count_queue, list_queue
from crm.drafts.queries import get_draft
from crm.identity.queries import Member, list_members
from events.ids import ApprovalId
from web import inbox_view
from web.i18n import Words
from web.phrases import N_
from web.tool_cards import doing, tool_card

_GROUPS = {ApprovalKind.DRAFT: N_("Replies"), ApprovalKind.TOOL_CALL: N_("Changes in the CRM")}
# How many of the contact's lines stand above the draft that answers them.
_LINES = 4


@dataclass(frozen=True)
class Row:
    """One line of the list. Drafts that are decided lead to where they were said."""

    row: QueueRow
    title: str
    text: str
    href: str


@dataclass(frozen=True)
class Group:
    label: str
    rows: list[Row]


async def load_rows(tx: Tx, words: Words, queue: str) -> list[Group]:
    """The rows of a queue under what they are about."""
    rows = [_row(row, queue, words) for row in await list_queue(tx, queue)]
    groups = [
        Group(words.gettext(label), [row for row in rows if row.row.kind is kind])
        for kind, label in _GROUPS.items()
    ]
    return [group for group in groups if group.rows]


def _row(row: QueueRow, queue: str, words: Words) -> Row:
    suffix = "" if queue == "waiting" else f"?queue={queue}"
    href = f"/approvals/{row.id}{suffix}"
    if row.kind is ApprovalKind.DRAFT and queue == "decided":
        href = f"/inbox/{row.conversation_id}?folder=all"
    names = ", ".join(str(record.get("name", "")) for record in row.records)
    is_draft = row.kind is ApprovalKind.DRAFT
    return Row(row, row.contact_name if is_draft else names or row.contact_name or row.bidi_name,
               row.text if is_draft else doing(row.tool, words), href)  # fmt: skip


async def find_next(tx: Tx, words: Words, decided: ApprovalId | None) -> ApprovalId | None:
    """What comes after it in the queue, else the first that waits; None when nothing does."""
    rows = await list_queue(tx, "waiting")
    this = await get_approval(tx, decided) if decided else None
    later = [row.id for row in rows if this and (row.kind, row.id) > (this.kind, this.id)]
    return next(iter([*later, *(row.id for row in rows if row.id != decided)]), None)


async def load(tx: Tx, words: Words, queue: str, approval_id: ApprovalId | None) -> dict[str, Any]:
    """The list of a queue with one of it open: the given one, else the first that has a place here.

    Raises: NotFound.
    """
    groups = await load_rows(tx, words, queue)
    ids = [row.row.id for group in groups for row in group.rows if row.href.startswith("/approvals/")]
    chosen = approval_id or next(iter(ids), None)
    context: dict[str, Any] = {
        "rows": groups,
        "queue": queue,
        "totals": await count_queue(tx),
        "selected_id": str(chosen or ""),
        "thread": None,
        "card": None,
        "place": "queue",
    }
    return context | (await _open(tx, words, chosen) if chosen else {"approval": None})


async def _open(tx: Tx, words: Words, approval_id: ApprovalId) -> dict[str, Any]:
    approval = await get_approval(tx, approval_id)
    shown: dict[str, Any] = {"approval": approval, "deciders": await _deciders(tx, approval)}
    if approval.draft_id is None:
        return shown | {
            "card": tool_card(await get_tool_approval(tx, approval_id), words),
            "snooze_choices": _choices(approval, words),
        }
    draft = await get_draft(tx, approval.draft_id)
    thread = await inbox_view.load_thread(tx, words, UUID(str(draft.conversation_id)))
    is_here = thread.draft is not None and str(thread.draft.card.id) == str(draft.id)
    return shown | {
        "thread": thread,
        "is_here": is_here and thread.draft is not None and thread.draft.is_pending,
        "lines": _asked(thread),
        "folder": "queue",
        "queue_href": f"/approvals/{approval_id}",
        "snooze_choices": inbox_view.snooze_choices(words),
    }


async def _deciders(tx: Tx, approval: Approval) -> list[Member]:
    """The members who may decide about it."""
    members = await list_members(tx)
    return [one for one in members if one.may("drafts:approve") and one.may(approval.scope)]


def _choices(approval: Approval, words: Words) -> list[tuple[str, str, str]]:
    """The times to come back at before it expires."""
    choices = inbox_view.snooze_choices(words)
    return [one for one in choices if not approval.due_at or datetime.fromisoformat(one[0]) < approval.due_at]


def _asked(thread: inbox_view.ThreadView) -> list[Any]:
    """The contact's lines that the draft answers, the last of them."""
    said = [bubble.message for day in thread.days for bubble in day.bubbles]
    lines: list[Any] = []
    for message in reversed(said):
        if message.direction != "in" or len(lines) == _LINES:
            break
        lines.append(message)
    return list(reversed(lines))
