"""Reading approvals."""

from collections.abc import Sequence
from typing import LiteralString

from core import clock
from core.db import Tx
from core.pagination import Page, decode_id, encode_cursor, page_of, page_size
from crm.approvals.models import Approval, ApprovalKind, ApprovalStatus, Question, ToolApproval
from events.ids import ApprovalId, DraftId, RunId, SuggestionId


async def get_approval(tx: Tx, approval_id: ApprovalId) -> Approval:
    """Raises: NotFound."""
    return await tx.one(
        Approval,
        """
        SELECT id, kind, draft_id, tool_call_id, status, scope, content_hash, why, assignee_id, snoozed_until, due_at,
               decided_by, decided_at, reason
          FROM approvals
         WHERE id = %(approval_id)s
        """,
        approval_id=approval_id,
    )


async def list_approvals(
    tx: Tx,
    *,
    kind: ApprovalKind | None = None,
    status: ApprovalStatus | None = None,
    is_snoozed: bool | None = None,
    cursor: str | None = None,
    limit: int = 25,
) -> Page[Approval]:
    """Approvals, the newest first; `is_snoozed` keeps those that are put off, or those that are not."""
    tx.principal.require("conversations:read")
    size = page_size(limit)
    found = await tx.all(
        Approval,
        """
        SELECT id, kind, draft_id, tool_call_id, status, scope, content_hash, why, assignee_id, snoozed_until, due_at,
               decided_by, decided_at, reason
          FROM approvals
         WHERE (%(kind)s::text IS NULL OR kind = %(kind)s)
           AND (%(status)s::text IS NULL OR status = %(status)s)
           AND (%(is_snoozed)s::bool IS NULL OR coalesce(snoozed_until > %(now)s, false) = %(is_snoozed)s)
           AND (%(before)s::uuid IS NULL OR id < %(before)s)
         ORDER BY id DESC
         LIMIT %(limit)s
        """,
        kind=kind,
        status=status,
        is_snoozed=is_snoozed,
        now=clock.now(),
        before=decode_id(cursor) if cursor else None,
        limit=size + 1,
    )
    return page_of(found, size, after=lambda approval: encode_cursor(approval.id))


async def get_approval_of(tx: Tx, draft_id: DraftId) -> Approval:
    """The approval of a draft, under a row lock. Raises: NotFound."""
    return await tx.one(
        Approval,
        """
        SELECT id, kind, draft_id, tool_call_id, status, scope, content_hash, why, assignee_id, snoozed_until, due_at,
               decided_by, decided_at, reason
          FROM approvals
         WHERE draft_id = %(draft_id)s
           FOR UPDATE
        """,
        draft_id=draft_id,
    )


async def find_approval_id(tx: Tx, draft_id: DraftId) -> ApprovalId | None:
    """Which approval a draft waits for, or waited for."""
    found = await tx.value("SELECT id FROM approvals WHERE draft_id = %(draft_id)s", draft_id=draft_id)
    return ApprovalId(found) if found else None


async def lock_approval(tx: Tx, approval_id: ApprovalId) -> Approval:
    """The approval under a row lock: deciders take turns. Raises: NotFound."""
    return await tx.one(
        Approval,
        """
        SELECT id, kind, draft_id, tool_call_id, status, scope, content_hash, why, assignee_id, snoozed_until, due_at,
               decided_by, decided_at, reason
          FROM approvals
         WHERE id = %(approval_id)s
           FOR UPDATE
        """,
        approval_id=approval_id,
    )


async def get_question(tx: Tx, approval_id: ApprovalId) -> Question:
    """An approval of either kind in short. Raises: NotFound."""
    return await tx.one(
        Question,
        """
        SELECT a.status, coalesce(a.records -> 0 ->> 'name', c.name, b.name, '') AS about, a.assignee_id,
               b.responsible_user_id
          FROM approvals a
          LEFT JOIN drafts d ON (d.organization_id, d.id) = (a.organization_id, a.draft_id)
          LEFT JOIN runs r ON (r.organization_id, r.id) = (a.organization_id, a.run_id)
          LEFT JOIN conversations v
                 ON (v.organization_id, v.id) = (a.organization_id, coalesce(d.conversation_id, r.conversation_id))
          LEFT JOIN contacts c ON (c.organization_id, c.id) = (v.organization_id, v.contact_id)
          LEFT JOIN bidi b ON (b.organization_id, b.id) = (a.organization_id, coalesce(d.bidi_id, a.bidi_id))
         WHERE a.id = %(approval_id)s
        """,
        approval_id=approval_id,
    )


_CARD: LiteralString = """
        SELECT a.id, a.status, a.scope, a.why, a.records, a.marks, a.assignee_id, w.name AS assignee_name,
               a.snoozed_until, a.due_at, a.created_at, a.decided_by, m.name AS decider_name, a.decided_at, a.reason, a.run_id, a.bidi_id, b.name AS bidi_name, b.is_paused,
               a.suggestion_id, r.conversation_id, c.name AS contact_name, t.id AS tool_call_id, t.tool, t.risk, t.arguments,
               t.is_tainted, t.status AS call_status,
               CASE WHEN t.status IN ('refused', 'failed') THEN coalesce(t.result ->> 'code', '') ELSE '' END AS code,
               t.error
          FROM approvals a
          JOIN tool_calls t ON (t.organization_id, t.id) = (a.organization_id, a.tool_call_id)
          JOIN runs r ON (r.organization_id, r.id) = (a.organization_id, a.run_id)
          JOIN bidi b ON (b.organization_id, b.id) = (a.organization_id, a.bidi_id)
          LEFT JOIN conversations v ON (v.organization_id, v.id) = (r.organization_id, r.conversation_id)
          LEFT JOIN contacts c ON (c.organization_id, c.id) = (v.organization_id, v.contact_id)
          LEFT JOIN members m ON (m.organization_id, m.user_id) = (a.organization_id, a.decided_by)
          LEFT JOIN members w ON (w.organization_id, w.user_id) = (a.organization_id, a.assignee_id)
"""


async def get_tool_approval(tx: Tx, approval_id: ApprovalId) -> ToolApproval:
    """The card of a tool call. Raises: NotFound, also for the approval of a draft."""
    tx.principal.require("conversations:read")
    return await tx.one(ToolApproval, _CARD + " WHERE a.id = %(approval_id)s", approval_id=approval_id)


async def list_tool_approvals(
    tx: Tx,
    *,
    run_id: RunId | None = None,
    status: ApprovalStatus | None = None,
    ids: Sequence[ApprovalId] | None = None,
    suggestion_ids: Sequence[SuggestionId] | None = None,
    limit: int = 50,
) -> list[ToolApproval]:
    """Cards of tool calls, the oldest first; of one run, in one state, of a page of approvals, or of suggestions."""
    tx.principal.require("conversations:read")
    return await tx.all(
        ToolApproval,
        _CARD
        + """
         WHERE a.kind = 'tool_call'
           AND (%(run_id)s::uuid IS NULL OR a.run_id = %(run_id)s)
           AND (%(status)s::text IS NULL OR a.status = %(status)s)
           AND (%(ids)s::uuid[] IS NULL OR a.id = ANY(%(ids)s))
           AND (%(suggestion_ids)s::uuid[] IS NULL OR a.suggestion_id = ANY(%(suggestion_ids)s))
         ORDER BY a.id
         LIMIT %(limit)s
        """,
        run_id=run_id,
        status=status,
        ids=None if ids is None else list(ids),
        suggestion_ids=None if suggestion_ids is None else list(suggestion_ids),
        limit=limit,
    )
