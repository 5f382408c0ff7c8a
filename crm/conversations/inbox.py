"""What the inbox shows: rows, the thread with its draft, and the panel about the contact."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from core.db import Tx


@dataclass(frozen=True)
class InboxRow:
    """One conversation as a line of the list; `unread` counts inbound messages nobody has opened."""

    id: UUID
    channel: str
    contact_id: UUID
    contact_name: str
    language: str
    company_name: str
    status: str
    snoozed_until: datetime | None
    holder_kind: str | None
    holder_id: UUID | None
    holder_name: str
    handoff_reason: str | None
    last_message_at: datetime
    unread: int
    text: str
    direction: str | None
    author_kind: str | None
    author_id: UUID | None
    author_name: str
    message_status: str | None
    failure: str
    file_name: str
    draft_id: UUID | None
    draft_snoozed_until: datetime | None
    writing_name: str
    subject: str = ""


@dataclass(frozen=True)
class FolderCounts:
    """Open conversations by folder; `approvals` counts what waits for a decision, drafts and tool calls."""

    mine: int
    waiting: int
    unassigned: int
    approvals: int


@dataclass(frozen=True)
class Thread:
    """The conversation around its messages: who it is with, who holds it, what an agent handed over."""

    id: UUID
    channel: str
    account_name: str
    account_status: str
    contact_id: UUID
    contact_name: str
    language: str
    address: str
    status: str
    snoozed_until: datetime | None
    holder_kind: str | None
    holder_id: UUID | None
    holder_name: str
    last_inbound_seq: int
    handoff_reason: str | None
    handoff_summary: str
    handoff_next_step: str
    handoff_agent: str
    writing_name: str
    writing_since: datetime | None
    account_reason: str = ""
    can_send: bool = True


@dataclass(frozen=True)
class ThreadMessage:
    id: UUID
    seq: int
    direction: str
    status: str
    body: str
    author_kind: str
    author_id: UUID | None
    author_name: str
    was_edited: bool
    approved_by: UUID | None
    approver_name: str
    failure: str
    occurred_at: datetime
    edited_at: datetime | None
    sent_at: datetime | None
    scheduled_at: datetime | None
    kind: str = "ordinary"
    subject: str = ""
    has_more: bool = False  # the mail is longer than what stands here
    draft_id: UUID | None = None
    incident: str | None = None  # what befell a reply of an agent: recalled or complained


@dataclass(frozen=True)
class DraftCard:
    """A draft with its approval, as the card shows it."""

    id: UUID
    conversation_id: UUID
    status: str
    version: int
    body: str
    original_body: str | None
    language: str
    based_on_seq: int
    answers: int
    flags: Any
    model: str
    reason: str
    bidi_name: str
    is_paused: bool
    autonomy: str
    checker_name: str
    editor_id: UUID | None
    editor_name: str
    why: list[str]
    snoozed_until: datetime | None
    due_at: datetime | None
    decided_by: UUID | None
    decider_name: str
    decided_at: datetime | None
    created_at: datetime
    run_id: UUID | None = None


@dataclass(frozen=True)
class EvidenceLine:
    position: int
    kind: str
    source_id: UUID
    label: str
    quote: str
    occurred_at: datetime | None
    trust: str
    statement: str


@dataclass(frozen=True)
class Person:
    id: UUID
    name: str
    title: str
    language: str
    time_zone: str | None
    note: str
    suppressed_at: datetime | None
    company_id: UUID | None
    company_name: str
    company_city: str
    company_employees: int | None


@dataclass(frozen=True)
class Handle:
    kind: str
    value: str
    is_closed: bool = False  # what we send there comes back


@dataclass(frozen=True)
class DealLine:
    """A deal with how far it is: `step` of `steps` open stages."""

    id: UUID
    name: str
    amount_minor: int
    currency: str
    close_date: date | None
    next_step: str
    stage_name: str
    outcome: str
    step: int
    steps: int


@dataclass(frozen=True)
class FactLine:
    id: UUID
    subject_kind: str
    text: str
    trust: str
    source_kind: str
    source_id: UUID | None
    source_label: str
    source_conversation_id: UUID | None
    recorded_at: datetime


@dataclass(frozen=True)
class Change:
    conversation_id: UUID
    event_id: UUID


# Which folders an open conversation stands in, for one user. A person's conversation is nobody else's; an agent's
# belongs to the person who answers for it.
_FOLDERS = """
    WITH work AS (
        SELECT c.id,
               c.last_message_at,
               c.status = 'open'
                   AND (c.holder_id = %(user_id)s
                        OR c.holder_kind IS DISTINCT FROM 'person' AND EXISTS (
                           SELECT
                             FROM bidi b
                            WHERE b.organization_id = c.organization_id
                              AND b.responsible_user_id = %(user_id)s
                              AND (b.id = c.holder_id
                                   OR EXISTS (SELECT FROM drafts d
                                               WHERE (d.organization_id, d.conversation_id) = (c.organization_id, c.id)
                                                 AND d.bidi_id = b.id AND d.status = 'pending')
                                   OR EXISTS (SELECT FROM runs r
                                               WHERE (r.organization_id, r.conversation_id) = (c.organization_id, c.id)
                                                 AND r.bidi_id = b.id
                                                 AND (r.status IN ('queued', 'running', 'waiting')
                                                      OR r.id = c.handoff_run_id))))) AS is_mine,
               c.status = 'open'
                   AND (c.handoff_reason IS NOT NULL
                        OR EXISTS (SELECT
                                     FROM drafts d
                                     JOIN approvals a
                                       ON (a.organization_id, a.draft_id) = (d.organization_id, d.id)
                                    WHERE (d.organization_id, d.conversation_id) = (c.organization_id, c.id)
                                      AND d.status = 'pending'
                                      AND (a.snoozed_until IS NULL OR a.snoozed_until <= now()))
                        OR EXISTS (SELECT FROM messages m
                                    WHERE (m.organization_id, m.conversation_id, m.seq)
                                          = (c.organization_id, c.id, c.last_seq)
                                      AND m.direction = 'out'
                                      AND m.status IN ('failed', 'unknown'))) AS is_waiting,
               c.status = 'open' AND c.holder_kind IS NULL AS is_unassigned,
               p.name || ' ' || coalesce(f.name, '') AS words
          FROM conversations c
          JOIN contacts p ON (p.organization_id, p.id) = (c.organization_id, c.contact_id)
          LEFT JOIN companies f ON (f.organization_id, f.id) = (p.organization_id, p.company_id)
    )
"""


async def list_conversation_ids(tx: Tx, folder: str, search: str = "", limit: int = 100) -> list[UUID]:
    """Conversations of a folder (mine, waiting, unassigned, all) for this user, the latest first."""
    ids: list[UUID] = await tx.value(
        _FOLDERS
        + """
        SELECT coalesce(array_agg(id ORDER BY last_message_at DESC, id), '{}')
          FROM (SELECT id, last_message_at
                  FROM work
                 WHERE CASE %(folder)s
                           WHEN 'mine' THEN is_mine
                           WHEN 'waiting' THEN is_waiting
                           WHEN 'unassigned' THEN is_unassigned
                           ELSE true
                       END
                   AND (%(search)s = '' OR position(lower(%(search)s) IN lower(words)) > 0)
                 ORDER BY last_message_at DESC, id
                 LIMIT %(limit)s) AS page
        """,
        user_id=tx.principal.id,
        folder=folder,
        search=search,
        limit=limit,
    )
    return ids


async def count_folders(tx: Tx) -> FolderCounts:
    """How many open conversations stand in each folder, for this user."""
    return await tx.one(
        FolderCounts,
        _FOLDERS
        + """
        SELECT count(*) FILTER (WHERE is_mine) AS mine,
               count(*) FILTER (WHERE is_waiting) AS waiting,
               count(*) FILTER (WHERE is_unassigned) AS unassigned,
               (SELECT count(*)
                  FROM approvals
                 WHERE status = 'open'
                   AND (snoozed_until IS NULL OR snoozed_until <= now())) AS approvals
          FROM work
        """,
        user_id=tx.principal.id,
    )


async def list_rows(tx: Tx, ids: list[UUID]) -> list[InboxRow]:
    """The lines of these conversations, the latest first."""
    return await tx.all(
        InboxRow,
        """
        SELECT c.id, c.channel, c.contact_id, p.name AS contact_name, p.language,
               coalesce(f.name, '') AS company_name, c.status, c.snoozed_until,
               c.holder_kind, c.holder_id, coalesce(hm.name, hb.name, '') AS holder_name,
               c.handoff_reason, c.last_message_at,
               (SELECT count(*)
                  FROM messages u
                 WHERE (u.organization_id, u.conversation_id) = (c.organization_id, c.id)
                   AND u.direction = 'in'
                   AND u.seq > c.read_seq) AS unread,
               coalesce(left(m.body, 200), '') AS text, m.direction, m.author_kind, m.author_id,
               coalesce(mm.name, mb.name, '') AS author_name,
               m.status AS message_status, coalesce(m.failure, '') AS failure,
               coalesce((SELECT min(a.name)
                           FROM attachments a
                          WHERE (a.organization_id, a.message_id) = (m.organization_id, m.id)), '') AS file_name,
               d.id AS draft_id, da.snoozed_until AS draft_snoozed_until,
               coalesce(wb.name, '') AS writing_name, c.subject
          FROM conversations c
          JOIN contacts p ON (p.organization_id, p.id) = (c.organization_id, c.contact_id)
          LEFT JOIN companies f ON (f.organization_id, f.id) = (p.organization_id, p.company_id)
          LEFT JOIN members hm ON (hm.organization_id, hm.user_id) = (c.organization_id, c.holder_id)
          LEFT JOIN bidi hb ON (hb.organization_id, hb.id) = (c.organization_id, c.holder_id)
          LEFT JOIN messages m
                 ON (m.organization_id, m.conversation_id, m.seq) = (c.organization_id, c.id, c.last_seq)
          LEFT JOIN members mm ON (mm.organization_id, mm.user_id) = (m.organization_id, m.author_id)
          LEFT JOIN bidi mb ON (mb.organization_id, mb.id) = (m.organization_id, m.author_id)
          LEFT JOIN drafts d ON (d.organization_id, d.conversation_id, d.contact_id, d.kind, d.status)
                                = (c.organization_id, c.id, c.contact_id, 'reply', 'pending')
          LEFT JOIN approvals da ON (da.organization_id, da.draft_id) = (d.organization_id, d.id)
          LEFT JOIN LATERAL (
               SELECT r.organization_id, r.bidi_id
                 FROM runs r
                WHERE (r.organization_id, r.conversation_id) = (c.organization_id, c.id)
                  AND r.status IN ('queued', 'running')
                ORDER BY r.created_at DESC
                LIMIT 1) AS w ON true
          LEFT JOIN bidi wb ON (wb.organization_id, wb.id) = (w.organization_id, w.bidi_id)
         WHERE c.id = ANY(%(ids)s)
         ORDER BY c.last_message_at DESC, c.id
        """,
        ids=ids,
    )


async def get_thread(tx: Tx, conversation_id: UUID) -> Thread:
    """Raises: NotFound."""
    return await tx.one(
        Thread,
        """
        SELECT c.id, c.channel, ca.name AS account_name, ca.status AS account_status,
               ca.status_reason AS account_reason, ca.delivery <> 'import' AS can_send, c.contact_id, p.name AS contact_name, p.language,
               coalesce(NULLIF(c.address, ''),
                        (SELECT h.value
                           FROM contact_handles h
                          WHERE (h.organization_id, h.contact_id) = (p.organization_id, p.id)
                            AND h.kind = 'telegram_username'
                          ORDER BY h.created_at
                          LIMIT 1), '') AS address,
               c.status, c.snoozed_until, c.holder_kind, c.holder_id,
               coalesce(hm.name, hb.name, '') AS holder_name, c.last_inbound_seq,
               c.handoff_reason, c.handoff_summary, c.handoff_next_step,
               coalesce(ab.name, '') AS handoff_agent,
               coalesce(wb.name, '') AS writing_name, w.first_at AS writing_since
          FROM conversations c
          JOIN channel_accounts ca ON (ca.organization_id, ca.id) = (c.organization_id, c.channel_account_id)
          JOIN contacts p ON (p.organization_id, p.id) = (c.organization_id, c.contact_id)
          LEFT JOIN members hm ON (hm.organization_id, hm.user_id) = (c.organization_id, c.holder_id)
          LEFT JOIN bidi hb ON (hb.organization_id, hb.id) = (c.organization_id, c.holder_id)
          LEFT JOIN runs ar ON (ar.organization_id, ar.id) = (c.organization_id, c.handoff_run_id)
          LEFT JOIN bidi ab ON (ab.organization_id, ab.id) = (ar.organization_id, ar.bidi_id)
          LEFT JOIN LATERAL (
               SELECT r.organization_id, r.bidi_id, r.first_at
                 FROM runs r
                WHERE (r.organization_id, r.conversation_id) = (c.organization_id, c.id)
                  AND r.status IN ('queued', 'running')
                ORDER BY r.created_at DESC
                LIMIT 1) AS w ON true
          LEFT JOIN bidi wb ON (wb.organization_id, wb.id) = (w.organization_id, w.bidi_id)
         WHERE c.id = %(conversation_id)s
        """,
        conversation_id=conversation_id,
    )


async def list_thread_messages(tx: Tx, conversation_id: UUID, limit: int = 200) -> list[ThreadMessage]:
    """The newest messages of a conversation, oldest first, with who wrote and who approved them."""
    return await tx.all(
        ThreadMessage,
        """
        SELECT m.id, m.seq, m.direction, m.status, m.body, m.author_kind, m.author_id,
               coalesce(mm.name, mb.name, '') AS author_name, d.original_body IS NOT NULL AS was_edited,
               m.approved_by, coalesce(am.name, '') AS approver_name, m.failure,
               m.occurred_at, m.edited_at, m.sent_at, m.scheduled_at, m.kind, m.subject, m.has_more,
               m.draft_id, ri.kind AS incident
          FROM (SELECT organization_id, id, seq, direction, status, body, author_kind, author_id, draft_id,
                       approved_by, failure, occurred_at, edited_at, sent_at, scheduled_at, kind, subject,
                       full_text IS NOT NULL AS has_more
                  FROM messages
                 WHERE conversation_id = %(conversation_id)s
                   AND status <> 'cancelled'
                 ORDER BY seq DESC
                 LIMIT %(limit)s) AS m
          LEFT JOIN members mm ON (mm.organization_id, mm.user_id) = (m.organization_id, m.author_id)
          LEFT JOIN bidi mb ON (mb.organization_id, mb.id) = (m.organization_id, m.author_id)
          LEFT JOIN members am ON (am.organization_id, am.user_id) = (m.organization_id, m.approved_by)
          LEFT JOIN drafts d ON (d.organization_id, d.id) = (m.organization_id, m.draft_id)
          LEFT JOIN reply_incidents ri ON (ri.organization_id, ri.draft_id) = (m.organization_id, m.draft_id)
         ORDER BY m.seq
        """,
        conversation_id=conversation_id,
        limit=limit,
    )


async def find_draft_card(tx: Tx, conversation_id: UUID) -> DraftCard | None:
    """The latest draft of a conversation, whatever became of it."""
    return await tx.find(
        DraftCard,
        """
        SELECT d.id, d.conversation_id, d.status, d.version, d.body, d.original_body, d.language, d.based_on_seq,
               d.answers, d.flags, d.model, CASE WHEN a.reason = '' THEN d.reason ELSE a.reason END AS reason,
               d.run_id, b.name AS bidi_name, b.is_paused, b.autonomy,
               coalesce(cm.name, '') AS checker_name, d.edited_by AS editor_id, coalesce(em.name, '') AS editor_name,
               a.why, a.snoozed_until, a.due_at, a.decided_by, coalesce(dm.name, '') AS decider_name, a.decided_at,
               d.created_at
          FROM drafts d
          JOIN approvals a ON (a.organization_id, a.draft_id) = (d.organization_id, d.id)
          JOIN bidi b ON (b.organization_id, b.id) = (d.organization_id, d.bidi_id)
          LEFT JOIN members cm ON (cm.organization_id, cm.user_id) = (d.organization_id, d.checked_by)
          LEFT JOIN members em ON (em.organization_id, em.user_id) = (d.organization_id, d.edited_by)
          LEFT JOIN members dm ON (dm.organization_id, dm.user_id) = (a.organization_id, a.decided_by)
         WHERE d.conversation_id = %(conversation_id)s
         ORDER BY d.status = 'pending' DESC, d.created_at DESC, d.id DESC
         LIMIT 1
        """,
        conversation_id=conversation_id,
    )


async def list_evidence(tx: Tx, draft_id: UUID) -> list[EvidenceLine]:
    """What a draft rests on, in the order of its citations."""
    return await tx.all(
        EvidenceLine,
        """
        SELECT position, kind, source_id, label, quote, occurred_at, trust, statement
          FROM draft_evidence
         WHERE draft_id = %(draft_id)s
           AND is_used
         ORDER BY position
        """,
        draft_id=draft_id,
    )


async def get_person(tx: Tx, contact_id: UUID) -> Person:
    """Raises: NotFound."""
    return await tx.one(
        Person,
        """
        SELECT p.id, p.name, p.title, p.language, p.time_zone, p.note, p.suppressed_at,
               p.company_id, coalesce(f.name, '') AS company_name, coalesce(f.city, '') AS company_city,
               f.employees AS company_employees
          FROM contacts p
          LEFT JOIN companies f ON (f.organization_id, f.id) = (p.organization_id, p.company_id)
         WHERE p.id = %(contact_id)s
        """,
        contact_id=contact_id,
    )


async def list_handles(tx: Tx, contact_id: UUID) -> list[Handle]:
    return await tx.all(
        Handle,
        """
        SELECT h.kind, h.value, h.is_closed
          FROM (SELECT kind, value, suppressed_at IS NOT NULL AS is_closed, created_at
                  FROM contact_handles
                 WHERE contact_id = %(contact_id)s
                 UNION ALL
                SELECT kind, value, false, created_at
                  FROM masked_handles(ARRAY[%(contact_id)s::uuid])) AS h
         WHERE h.kind <> 'telegram_id'
         ORDER BY h.kind DESC, h.created_at
        """,
        contact_id=contact_id,
    )


async def list_deals(tx: Tx, contact_id: UUID, company_id: UUID | None) -> list[DealLine]:
    """Deals of the contact or of the contact's company, open ones first."""
    return await tx.all(
        DealLine,
        """
        SELECT d.id, d.name, d.amount_minor, d.currency, d.close_date, d.next_step, s.name AS stage_name, s.outcome,
               (SELECT count(*) FROM stages e
                 WHERE (e.organization_id, e.pipeline_id) = (s.organization_id, s.pipeline_id)
                   AND e.outcome <> 'lost' AND e.position <= s.position) AS step,
               (SELECT count(*) FROM stages e
                 WHERE (e.organization_id, e.pipeline_id) = (s.organization_id, s.pipeline_id)
                   AND e.outcome <> 'lost') AS steps
          FROM deals d
          JOIN stages s ON (s.organization_id, s.id) = (d.organization_id, d.stage_id)
         WHERE (d.contact_id = %(contact_id)s OR d.company_id = %(company_id)s)
           AND d.deleted_at IS NULL
         ORDER BY s.outcome = 'open' DESC, d.updated_at DESC, d.id
         LIMIT 5
        """,
        contact_id=contact_id,
        company_id=company_id,
    )


async def list_known_facts(tx: Tx, subject_ids: list[UUID]) -> list[FactLine]:
    """Current statements in words about these subjects, confirmed ones first; relations are the graph's."""
    return await tx.all(
        FactLine,
        """
        SELECT f.id, f.subject_kind, f.text, f.trust, f.source_kind, f.source_id, f.source_label,
               m.conversation_id AS source_conversation_id, f.recorded_at
          FROM facts f
          LEFT JOIN messages m ON (m.organization_id, m.id) = (f.organization_id, f.source_id)
         WHERE f.subject_id = ANY(%(subject_ids)s)
           AND f.object_id IS NULL
           AND f.text <> ''
           AND f.valid_to IS NULL
           AND f.retracted_at IS NULL
         ORDER BY f.trust, f.recorded_at DESC, f.id
         LIMIT 20
        """,
        subject_ids=subject_ids,
    )


async def latest_event_id(tx: Tx) -> UUID | None:
    """Where a live stream that starts now has to continue from."""
    latest: UUID | None = await tx.value("SELECT id FROM events ORDER BY id DESC LIMIT 1")
    return latest


async def list_changed_conversations(tx: Tx, since: datetime, limit: int = 50) -> list[Change]:
    """Conversations that anything happened to since a time, each with its newest event, oldest change first.

    Event ids begin with their time, so the primary key finds the range.
    """
    return await tx.all(
        Change,
        """
        SELECT conversation_id, event_id
          FROM (SELECT DISTINCT ON (conversation_id) conversation_id, id AS event_id
                  FROM (SELECT e.id,
                               CASE e.subject_kind
                                   WHEN 'conversation' THEN e.subject_id
                                   ELSE NULLIF(e.data ->> 'conversation_id', '')::uuid
                               END AS conversation_id
                          FROM events e
                         WHERE e.id > %(floor)s) AS recent
                 WHERE conversation_id IS NOT NULL
                 ORDER BY conversation_id, id DESC) AS newest
         ORDER BY event_id
         LIMIT %(limit)s
        """,
        floor=UUID(int=int(since.timestamp() * 1000) << 80),
        limit=limit,
    )
