"""Reading a run whole: who worked on what, each step of it, and what it changed."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from core.db import Tx
from core.errors import Forbidden
from core.pagination import Page, decode_id, encode_cursor, page_of, page_size
from crm.runs.models import Run, RunStatus
from crm.runs.tool_calls import ToolCall
from events.ids import BidiId, ConversationId, RunId


@dataclass(frozen=True)
class RunLine(Run):
    """A run with the names a reader wants beside it.

    `contact_name` is whom its conversation is with; `asker_name` the colleague whose question it answers or whose
    program calls, and `asker_id` that colleague's user.
    """

    bidi_name: str
    contact_name: str | None
    asker_name: str | None
    asker_id: UUID | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    reverted_at: datetime | None
    reverted_by: UUID | None


@dataclass(frozen=True)
class RunFilter:
    """Which runs are wanted; what is None keeps all."""

    status: RunStatus | None = None
    conversation_id: ConversationId | None = None
    bidi_id: BidiId | None = None
    agent: str | None = None


_LINE: LiteralString = """
        SELECT r.id, r.bidi_id, r.agent, r.conversation_id, r.trigger_id, r.status, r.generation, r.based_on_seq,
               r.due_at, r.feedback, r.again, r.fence, r.steps, r.tokens_in, r.tokens_out, r.cost_usd_micros, r.model,
               r.outcome, r.reason, r.about_kind, r.about_id, b.name AS bidi_name, p.name AS contact_name, m.name AS asker_name,
               m.user_id AS asker_id, r.created_at, r.started_at, r.finished_at, r.reverted_at, r.reverted_by
          FROM runs r
          JOIN bidi b ON (b.organization_id, b.id) = (r.organization_id, r.bidi_id)
          LEFT JOIN conversations c ON (c.organization_id, c.id) = (r.organization_id, r.conversation_id)
          LEFT JOIN contacts p ON (p.organization_id, p.id) = (c.organization_id, c.contact_id)
          LEFT JOIN copilot_questions q ON (q.organization_id, q.run_id) = (r.organization_id, r.id)
          LEFT JOIN copilot_chats h ON (h.organization_id, h.id) = (q.organization_id, q.chat_id)
          LEFT JOIN tool_visits v ON (v.organization_id, v.run_id) = (r.organization_id, r.id)
          LEFT JOIN members m ON m.organization_id = r.organization_id
                             AND (m.id = h.member_id OR m.user_id = v.user_id)
"""


async def list_run_lines(
    tx: Tx, wanted: RunFilter, *, cursor: str | None = None, limit: int = 50
) -> Page[RunLine]:
    """Runs with their names, the newest first."""
    tx.principal.require("conversations:read")
    size = page_size(limit)
    found = await tx.all(
        RunLine,
        _LINE
        + """
         WHERE (%(bidi_id)s::uuid IS NULL OR r.bidi_id = %(bidi_id)s)
           AND (%(agent)s::text IS NULL OR r.agent = %(agent)s)
           AND (%(status)s::text IS NULL OR r.status = %(status)s)
           AND (%(conversation_id)s::uuid IS NULL OR r.conversation_id = %(conversation_id)s)
           AND (%(before)s::uuid IS NULL OR r.id < %(before)s)
         ORDER BY r.id DESC
         LIMIT %(limit)s
        """,
        bidi_id=wanted.bidi_id,
        agent=wanted.agent,
        status=wanted.status,
        conversation_id=wanted.conversation_id,
        before=decode_id(cursor) if cursor else None,
        limit=size + 1,
    )
    return page_of(found, size, after=lambda run: encode_cursor(run.id))


async def get_run_line(tx: Tx, run_id: RunId, *, lock: bool = False) -> RunLine:
    """One run with its names.

    Raises:
        NotFound: no such run.
        Forbidden: it answers a colleague, whose questions are theirs.
    """
    tx.principal.require("conversations:read")
    if lock:
        await tx.execute("SELECT FROM runs WHERE id = %(run_id)s FOR UPDATE", run_id=run_id)
    run = await tx.one(
        RunLine,
        _LINE
        + """
         WHERE r.id = %(run_id)s
        """,
        run_id=run_id,
    )
    is_private = run.asker_id is not None and run.asker_id != tx.principal.id
    if is_private and not tx.principal.may("bidi:manage"):
        raise Forbidden("This run answers a colleague's question; only they and administrators look into it.")
    return run


@dataclass(frozen=True)
class TracedCall(ToolCall):
    """A tool call with its place in time. `duration_ms` is None until it ended; `approval_id` is what asked for it."""

    risk: str
    started_at: datetime
    duration_ms: int | None
    approval_id: UUID | None


async def list_traced_calls(tx: Tx, run_id: RunId) -> list[TracedCall]:
    """Every tool call of a run, in order."""
    return await tx.all(
        TracedCall,
        """
        SELECT t.id, t.run_id, t.call_key, t.tool, t.arguments, t.decision, t.is_tainted, t.status, t.result, t.error,
               t.risk, t.started_at, t.duration_ms, a.id AS approval_id
          FROM tool_calls t
          LEFT JOIN approvals a ON (a.organization_id, a.tool_call_id) = (t.organization_id, t.id)
         WHERE t.run_id = %(run_id)s
         ORDER BY t.started_at, t.id
        """,
        run_id=run_id,
    )


async def list_visited_nodes(tx: Tx, run_id: RunId) -> list[str]:
    """The nodes of its graph that a run went through, as its newest checkpoint knows them."""
    nodes: list[str] | None = await tx.value(
        """
        SELECT ARRAY(SELECT jsonb_object_keys(checkpoint -> 'versions_seen'))
          FROM checkpoints
         WHERE thread_id = %(thread_id)s
           AND checkpoint_ns = ''
         ORDER BY checkpoint_id DESC
         LIMIT 1
        """,
        thread_id=str(run_id),
    )
    return [node for node in nodes or () if not node.startswith("__")]


@dataclass(frozen=True)
class RunChange:
    """One event of a run: what it is about, and field -> [before, after] where it changed values."""

    event_id: UUID
    at: datetime
    type: str
    seq: int
    subject_kind: str
    subject_id: UUID
    name: str | None
    data: dict[str, Any]
    changes: dict[str, list[Any]]

    @property
    def noun(self) -> str:
        """`ai.draft.generated` tells of a draft."""
        return self.type.removeprefix("ai.").partition(".")[0]

    @property
    def about(self) -> tuple[str, UUID]:
        """What it is about: a draft and a message have their place in the order of a conversation."""
        if self.noun in ("draft", "message") and f"{self.noun}_id" in self.data:
            return self.noun, UUID(self.data[f"{self.noun}_id"])
        return self.subject_kind, self.subject_id


async def list_run_changes(tx: Tx, run_id: RunId) -> list[RunChange]:
    """What a run did to the rows of the organization, in order; its tool calls are among it."""
    return await tx.all(
        RunChange,
        """
        SELECT e.id AS event_id, e.occurred_at AS at, e.type, e.seq, e.subject_kind, e.subject_id,
               coalesce(c.name, o.name, d.name, lc.name, t.title, m.title, left(n.body, 120), left(f.text, 120),
                        left(g.body, 120)) AS name,
               e.data, coalesce(v.changes, '{}') AS changes
          FROM events e
          LEFT JOIN event_changes v ON (v.organization_id, v.event_id) = (e.organization_id, e.id)
          LEFT JOIN contacts c ON e.subject_kind = 'contact' AND c.id = e.subject_id
          LEFT JOIN companies o ON e.subject_kind = 'company' AND o.id = e.subject_id
          LEFT JOIN deals d ON e.subject_kind = 'deal' AND d.id = e.subject_id
          LEFT JOIN leads l ON e.subject_kind = 'lead' AND l.id = e.subject_id
          LEFT JOIN contacts lc ON lc.id = l.contact_id
          LEFT JOIN tasks t ON e.subject_kind = 'task' AND t.id = e.subject_id
          LEFT JOIN meetings m ON e.subject_kind = 'meeting' AND m.id = e.subject_id
          LEFT JOIN notes n ON e.subject_kind = 'note' AND n.id = e.subject_id
          LEFT JOIN facts f ON e.subject_kind = 'fact' AND f.id = e.subject_id
          LEFT JOIN drafts g ON g.id = (e.data ->> 'draft_id')::uuid
         WHERE e.run_id = %(run_id)s
         ORDER BY e.id
        """,
        run_id=run_id,
    )


@dataclass(frozen=True)
class _Named:
    id: UUID
    name: str


async def find_names(tx: Tx, ids: Collection[UUID]) -> dict[str, str]:
    """What people call the records, people, seats and stages that changes name by their ids."""
    if not ids:
        return {}
    found = await tx.all(
        _Named,
        """
        SELECT id, name FROM contacts WHERE id = ANY(%(ids)s)
         UNION ALL
        SELECT id, name FROM companies WHERE id = ANY(%(ids)s)
         UNION ALL
        SELECT id, name FROM deals WHERE id = ANY(%(ids)s)
         UNION ALL
        SELECT id, name FROM stages WHERE id = ANY(%(ids)s)
         UNION ALL
        SELECT id, name FROM bidi WHERE id = ANY(%(ids)s)
         UNION ALL
        SELECT id, name FROM members WHERE id = ANY(%(ids)s)
         UNION ALL
        SELECT user_id, name FROM members WHERE user_id = ANY(%(ids)s)
        """,
        ids=list(ids),
    )
    return {str(one.id): one.name for one in found}
