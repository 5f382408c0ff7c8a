"""Turns what the inbox queries return into what its templates show: days, groups, citations, links."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from core import clock
from core.db import Tx
from core.errors import NotFound
from crm.conversations import inbox, queries
from crm.conversations.models import Attachment
from crm.conversations.subjects import plain_subject
from crm.identity.queries import Member, list_members
from crm.runs import yielding
from crm.tasks.models import TaskLine
from crm.tasks.queries import list_open_tasks
from events.ids import ContactId
from web.i18n import Words

FOLDERS = ("mine", "waiting", "unassigned", "all")
# Messages of one author closer together than this form one group.
_GROUP_GAP = timedelta(minutes=10)


@dataclass(frozen=True)
class RowGroup:
    """Rows under one heading; the first group of a list has none."""

    label: str
    rows: list[inbox.InboxRow]


@dataclass(frozen=True)
class Bubble:
    """A message with its files; `is_last` closes a group, `is_first` opens one and names its author.

    The subject of a mail is shown where it is another than that of the mail before.
    """

    message: inbox.ThreadMessage
    files: list[Attachment]
    is_first: bool
    is_last: bool
    shows_subject: bool = False


@dataclass(frozen=True)
class Day:
    label: str
    bubbles: list[Bubble]


@dataclass(frozen=True)
class Segment:
    """A piece of a draft's text: flagged or not, and the citations that follow it."""

    text: str
    is_flagged: bool = False
    cites: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class DraftView:
    card: inbox.DraftCard
    segments: list[Segment]
    evidence: list[inbox.EvidenceLine]
    is_stale: bool

    @property
    def needs_check(self) -> bool:
        return bool(self.card.flags) and not self.card.checker_name

    @property
    def is_pending(self) -> bool:
        return self.card.status == "pending"

    @property
    def is_snoozed(self) -> bool:
        until = self.card.snoozed_until
        return until is not None and until > clock.now()


@dataclass(frozen=True)
class ThreadView:
    """A conversation with its messages and the draft that answers them, if any."""

    head: inbox.Thread
    days: list[Day]
    draft: DraftView | None
    # who could hold it instead
    colleagues: list[Member] = field(default_factory=list)


@dataclass(frozen=True)
class AboutView:
    person: inbox.Person
    handles: list[inbox.Handle]
    deals: list[inbox.DealLine]
    tasks: list[TaskLine]
    facts: list[inbox.FactLine]


@dataclass(frozen=True)
class ListView:
    folder: str
    search: str
    groups: list[RowGroup]
    counts: inbox.FolderCounts
    ids: list[UUID]


async def load_list(tx: Tx, words: Words, folder: str, search: str) -> ListView:
    """The conversations of a folder, grouped by how long ago they moved."""
    ids = await inbox.list_conversation_ids(tx, folder, search)
    rows = await inbox.list_rows(tx, ids)
    return ListView(folder, search, _group(rows, words), await inbox.count_folders(tx), ids)


async def load_thread(tx: Tx, words: Words, conversation_id: UUID) -> ThreadView:
    """Raises: NotFound."""
    head = await inbox.get_thread(tx, conversation_id)
    messages = await inbox.list_thread_messages(tx, conversation_id)
    files = await queries.list_attachments(tx, [message.id for message in messages])
    colleagues = [
        one for one in await list_members(tx) if one.may("messages:send") and one.user_id != head.holder_id
    ]
    return ThreadView(head, days(messages, files, words), await _load_draft(tx, head, messages), colleagues)


async def load_about(tx: Tx, contact_id: UUID) -> AboutView:
    """Raises: NotFound."""
    person = await inbox.get_person(tx, contact_id)
    deals = await inbox.list_deals(tx, contact_id, person.company_id)
    subjects = [contact_id, *[deal.id for deal in deals]]
    return AboutView(
        person,
        await inbox.list_handles(tx, contact_id),
        deals,
        await list_open_tasks(tx, ContactId(contact_id)),
        await inbox.list_known_facts(tx, subjects + ([person.company_id] if person.company_id else [])),
    )


def snooze_choices(words: Words) -> list[tuple[str, str, str]]:
    """Times to come back at: (value, label, hint), in the reader's working day."""
    now = words.local(clock.now())
    morning = now.replace(hour=9, minute=0, second=0, microsecond=0)
    times: list[tuple[str, datetime]] = [
        (words.gettext("In an hour"), now + timedelta(hours=1)),
        (words.gettext("Tomorrow"), morning + timedelta(days=1)),
        (words.gettext("Next Monday"), morning + timedelta(days=7 - now.weekday())),
    ]
    return [(at.isoformat(timespec="seconds"), label, words.when(at)) for label, at in times]


async def load_changes(
    tx: Tx, words: Words, conversation_id: UUID, folder: str, *, is_open: bool = True
) -> dict[str, Any]:
    """What the fragments of one conversation need: its row, the counters and, when it is open, its thread.

    Raises: NotFound.
    """
    rows = await inbox.list_rows(tx, [conversation_id])
    if not rows:
        raise NotFound("No such conversation in this organization.")
    return {
        "row": rows[0],
        "folder": folder,
        "in_folder": conversation_id in await inbox.list_conversation_ids(tx, folder),
        "counts": await inbox.count_folders(tx),
        "thread": await load_thread(tx, words, conversation_id) if is_open else None,
        "conversation_id": conversation_id,
        "snooze_choices": snooze_choices(words),
    }


async def _load_draft(tx: Tx, head: inbox.Thread, messages: list[inbox.ThreadMessage]) -> DraftView | None:
    """The draft that waits, or one that was turned down or put aside and nothing was said since."""
    card = await inbox.find_draft_card(tx, head.id)
    is_put_aside = card is not None and (card.status, card.reason) == ("superseded", yielding.TAKEN)
    if card is None or not (is_put_aside or card.status in ("pending", "rejected", "expired")):
        return None
    if card.status != "pending" and messages and messages[-1].occurred_at > card.created_at:
        return None
    evidence = await inbox.list_evidence(tx, card.id)
    flagged = [flag["value"] for flag in card.flags if flag.get("value")]
    return DraftView(
        card,
        segments(card.body, {line.position: line.statement for line in evidence}, flagged),
        evidence,
        is_stale=card.status == "pending" and head.last_inbound_seq > card.based_on_seq,
    )


def segments(body: str, statements: dict[int, str], flagged: list[str]) -> list[Segment]:
    """Cut a text where a flagged value begins or ends and where a statement with a source ends."""
    marked = sorted({(at, at + len(value)) for value in flagged if (at := body.find(value)) >= 0})
    cites: dict[int, list[int]] = {}
    for position, statement in sorted(statements.items()):
        at = body.find(statement) if statement else -1
        if at >= 0:
            cites.setdefault(_after_sentence(body, at + len(statement), marked), []).append(position)
    cuts = sorted({0, len(body), *cites, *[edge for span in marked for edge in span]})
    pieces = [Segment("", cites=cites[0])] if 0 in cites else []
    for start, end in pairwise(cuts):
        is_flagged = any(low <= start and end <= high for low, high in marked)
        pieces.append(Segment(body[start:end], is_flagged, cites.get(end, [])))
    return pieces


def _after_sentence(body: str, end: int, marked: list[tuple[int, int]]) -> int:
    """Where a number goes: behind the full stop, and never inside a flagged value."""
    for low, high in marked:
        if low < end < high:
            end = high
    while end < len(body) and body[end] in '.!?…»”"':
        end += 1
    return end


def _group(rows: list[inbox.InboxRow], words: Words) -> list[RowGroup]:
    groups: list[RowGroup] = []
    for row in rows:
        label = _age(row.last_message_at, words)
        if not groups or groups[-1].label != label:
            groups.append(RowGroup(label, []))
        groups[-1].rows.append(row)
    return groups


def _age(at: datetime, words: Words) -> str:
    today = words.today()
    days = (today - words.local(at).date()).days
    if days <= 0:
        return ""
    if days == 1:
        return words.gettext("Yesterday")
    if days <= today.weekday():
        return words.gettext("Earlier this week")
    return words.gettext("Last week") if days <= today.weekday() + 7 else words.gettext("Earlier")


def days(messages: list[inbox.ThreadMessage], files: list[Attachment], words: Words) -> list[Day]:
    days: list[Day] = []
    for index, message in enumerate(messages):
        label = words.day(message.occurred_at)
        if not days or days[-1].label != label:
            days.append(Day(label, []))
        before = messages[index - 1] if index else None
        after = messages[index + 1] if index + 1 < len(messages) else None
        bubble = Bubble(
            message,
            [file for file in files if file.message_id == message.id],
            is_first=not _same_group(before, message, words),
            is_last=not _same_group(message, after, words),
            shows_subject=_is_new_subject(before, message),
        )
        days[-1].bubbles.append(bubble)
    return days


def _is_new_subject(before: inbox.ThreadMessage | None, message: inbox.ThreadMessage) -> bool:
    plain = plain_subject(message.subject)
    return bool(plain) and (before is None or plain_subject(before.subject) != plain)


def _same_group(one: inbox.ThreadMessage | None, two: inbox.ThreadMessage | None, words: Words) -> bool:
    if one is None or two is None:
        return False
    same_author = (one.author_kind, one.author_id, one.approved_by) == (
        two.author_kind,
        two.author_id,
        two.approved_by,
    )
    return (
        same_author
        and two.occurred_at - one.occurred_at < _GROUP_GAP
        and words.day(one.occurred_at) == words.day(two.occurred_at)
    )
