"""How much a seat has in hand, and how it did in a period: counted from messages, drafts and runs, kept nowhere."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rapidfuzz.distance import Levenshtein

from core.db import Tx
from events.ids import BidiId

# Bodies of this many of the latest edited drafts are compared.
MOST_COMPARED = 500


@dataclass(frozen=True)
class Load:
    """What a seat has in hand now."""

    bidi_id: BidiId
    open_conversations: int
    open_runs: int
    waiting_drafts: int


@dataclass(frozen=True)
class Performance:
    """How a seat did in a period. `replied` of the `conversations` in which it wrote had an answer after that.

    `decided` drafts were approved or rejected by people, `accepted` of them approved as they were written;
    `edit_distance` is the mean share of an edited draft's letters that were changed, 0 to 1. What there is none of is
    None.
    """

    bidi_id: BidiId
    sent: int
    conversations: int
    replied: int
    median_response_seconds: float | None
    decided: int
    accepted: int
    edit_distance: float | None = None

    @property
    def accepted_share(self) -> float | None:
        return self.accepted / self.decided if self.decided else None


async def list_loads(tx: Tx, bidi_ids: Sequence[BidiId]) -> dict[BidiId, Load]:
    """What each of the seats has in hand."""
    tx.principal.require("crm:read")
    found = await tx.all(
        Load,
        """
        SELECT b.id AS bidi_id,
               (SELECT count(*)
                  FROM conversations v
                 WHERE v.holder_id = coalesce(b.user_id, b.id)
                   AND v.status = 'open') AS open_conversations,
               (SELECT count(*)
                  FROM runs r
                 WHERE r.bidi_id = b.id
                   AND r.status IN ('queued', 'running', 'waiting')) AS open_runs,
               (SELECT count(*)
                  FROM drafts d
                 WHERE d.bidi_id = b.id
                   AND d.status = 'pending') AS waiting_drafts
          FROM bidi b
         WHERE b.id = ANY(%(bidi_ids)s)
        """,
        bidi_ids=list(bidi_ids),
    )
    return {load.bidi_id: load for load in found}


async def list_performances(
    tx: Tx, bidi_ids: Sequence[BidiId], *, since: datetime, until: datetime
) -> dict[BidiId, Performance]:
    """How each of the seats did between two moments."""
    tx.principal.require("crm:read")
    found = await tx.all(
        Performance,
        """
        WITH seats AS (
            SELECT id, coalesce(user_id, id) AS author_id
              FROM bidi
             WHERE id = ANY(%(bidi_ids)s)
        ), written AS (
            SELECT s.id AS bidi_id, m.conversation_id, m.seq, m.occurred_at, coalesce(m.sent_at, m.occurred_at) AS left_at
              FROM seats s
              JOIN messages m ON m.author_id = s.author_id
             WHERE m.direction = 'out'
               AND m.status IN ('sent', 'delivered', 'read')
               AND m.occurred_at >= %(since)s
               AND m.occurred_at < %(until)s
        ), answered AS (
            -- how long the first line that was still unanswered waited
            SELECT w.bidi_id, extract(epoch FROM w.left_at - min(i.occurred_at)) AS seconds
              FROM written w
              JOIN messages i ON i.conversation_id = w.conversation_id
                             AND i.direction = 'in'
                             AND i.kind = 'ordinary'
                             AND i.seq < w.seq
                             AND i.seq > coalesce((SELECT max(o.seq)
                                                     FROM messages o
                                                    WHERE o.conversation_id = w.conversation_id
                                                      AND o.direction = 'out'
                                                      AND o.status <> 'cancelled'
                                                      AND o.seq < w.seq), 0)
             GROUP BY w.bidi_id, w.conversation_id, w.seq, w.left_at
        ), talks AS (
            SELECT w.bidi_id, w.conversation_id,
                   EXISTS (SELECT FROM messages i
                            WHERE i.conversation_id = w.conversation_id
                              AND i.direction = 'in'
                              AND i.kind = 'ordinary'
                              AND i.seq > min(w.seq)) AS has_reply
              FROM written w
             GROUP BY w.bidi_id, w.conversation_id
        ), decisions AS (
            SELECT d.bidi_id, count(*) AS decided,
                   count(*) FILTER (WHERE d.status = 'approved' AND d.original_body IS NULL) AS accepted
              FROM drafts d
              JOIN approvals a ON a.draft_id = d.id
             WHERE d.bidi_id = ANY(%(bidi_ids)s)
               AND d.status IN ('approved', 'rejected')
               AND a.decided_by IS NOT NULL
               AND a.decided_by <> d.bidi_id
               AND a.decided_at >= %(since)s
               AND a.decided_at < %(until)s
             GROUP BY d.bidi_id
        )
        SELECT s.id AS bidi_id,
               (SELECT count(*) FROM written w WHERE w.bidi_id = s.id) AS sent,
               (SELECT count(*) FROM talks t WHERE t.bidi_id = s.id) AS conversations,
               (SELECT count(*) FROM talks t WHERE t.bidi_id = s.id AND t.has_reply) AS replied,
               (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a.seconds)
                  FROM answered a WHERE a.bidi_id = s.id)::float AS median_response_seconds,
               coalesce(d.decided, 0) AS decided,
               coalesce(d.accepted, 0) AS accepted
          FROM seats s
          LEFT JOIN decisions d ON d.bidi_id = s.id
        """,
        bidi_ids=list(bidi_ids),
        since=since,
        until=until,
    )
    return {one.bidi_id: one for one in found}


@dataclass(frozen=True)
class _Edited:
    before: str
    after: str


async def get_performance(tx: Tx, bidi_id: BidiId, *, since: datetime, until: datetime) -> Performance:
    """How one seat did between two moments, and how much people changed of what it wrote."""
    performance = (await list_performances(tx, [bidi_id], since=since, until=until))[bidi_id]
    edited = await tx.all(
        _Edited,
        """
        SELECT d.original_body AS before, d.body AS after
          FROM drafts d
          JOIN approvals a ON a.draft_id = d.id
         WHERE d.bidi_id = %(bidi_id)s
           AND d.status = 'approved'
           AND d.original_body IS NOT NULL
           AND a.decided_at >= %(since)s
           AND a.decided_at < %(until)s
         ORDER BY a.decided_at DESC
         LIMIT %(limit)s
        """,
        bidi_id=bidi_id,
        since=since,
        until=until,
        limit=MOST_COMPARED,
    )
    if not edited:
        return performance
    shares = [Levenshtein.normalized_distance(one.before, one.after) for one in edited]
    return replace(performance, edit_distance=sum(shares) / len(shares))
