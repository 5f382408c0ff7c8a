"""Reading suggestions."""

from typing import LiteralString
from uuid import UUID

from core import clock
from core.db import Tx
from core.pagination import Page, decode_id, encode_cursor, page_of, page_size
from crm.records.models import RecordRef
from crm.suggestions.models import REST, Suggestion, SuggestionKind, SuggestionStatus
from events.ids import SuggestionId

_SUGGESTION: LiteralString = """
        SELECT s.id, s.kind, s.record_kind, s.record_id, coalesce(c.name, o.name, d.name, lc.name, '') AS record_name,
               s.promise_id, s.conversation_id, s.title, s.why, s.evidence, s.calls, s.is_tainted, s.run_id, s.bidi_id,
               b.name AS bidi_name, s.status, s.expires_at, s.decided_by, m.name AS decider_name, s.decided_at,
               s.reason, s.created_at
          FROM suggestions s
          JOIN bidi b ON (b.organization_id, b.id) = (s.organization_id, s.bidi_id)
          LEFT JOIN members m ON (m.organization_id, m.user_id) = (s.organization_id, s.decided_by)
          LEFT JOIN contacts c ON s.record_kind = 'contact' AND (c.organization_id, c.id) = (s.organization_id, s.record_id)
          LEFT JOIN companies o ON s.record_kind = 'company' AND (o.organization_id, o.id) = (s.organization_id, s.record_id)
          LEFT JOIN deals d ON s.record_kind = 'deal' AND (d.organization_id, d.id) = (s.organization_id, s.record_id)
          LEFT JOIN leads l ON s.record_kind = 'lead' AND (l.organization_id, l.id) = (s.organization_id, s.record_id)
          LEFT JOIN contacts lc ON (lc.organization_id, lc.id) = (l.organization_id, l.contact_id)
"""


async def get_suggestion(tx: Tx, suggestion_id: SuggestionId, *, lock: bool = False) -> Suggestion:
    """Raises: NotFound."""
    tx.principal.require("conversations:read")
    if lock:
        await tx.execute(
            "SELECT FROM suggestions WHERE id = %(suggestion_id)s FOR UPDATE", suggestion_id=suggestion_id
        )
    return await tx.one(
        Suggestion, _SUGGESTION + " WHERE s.id = %(suggestion_id)s", suggestion_id=suggestion_id
    )


async def list_suggestions(
    tx: Tx,
    *,
    status: SuggestionStatus | None = None,
    kind: SuggestionKind | None = None,
    record: RecordRef | None = None,
    cursor: str | None = None,
    limit: int = 25,
) -> Page[Suggestion]:
    """Suggestions, the newest first; those of a record are also those of the deals with a contact or a company, and of
    a company's people."""
    tx.principal.require("conversations:read")
    size = page_size(limit)
    found = await tx.all(
        Suggestion,
        _SUGGESTION
        + """
         WHERE (%(status)s::text IS NULL OR s.status = %(status)s)
           AND (%(kind)s::text IS NULL OR s.kind = %(kind)s)
           AND (%(record_id)s::uuid IS NULL
                OR (s.record_kind, s.record_id) = (%(record_kind)s, %(record_id)s)
                OR s.record_kind = 'deal' AND d.contact_id = %(record_id)s
                OR s.record_kind = 'deal' AND d.company_id = %(record_id)s
                OR s.record_kind = 'contact' AND c.company_id = %(record_id)s)
           AND (%(before)s::uuid IS NULL OR s.id < %(before)s)
         ORDER BY s.id DESC
         LIMIT %(limit)s
        """,
        status=status,
        kind=kind,
        record_kind=record.kind.value if record else None,
        record_id=record.id if record else None,
        before=decode_id(cursor) if cursor else None,
        limit=size + 1,
    )
    return page_of(found, size, after=lambda suggestion: encode_cursor(suggestion.id))


async def find_standing(tx: Tx, kind: SuggestionKind, target_id: UUID) -> SuggestionStatus | None:
    """Why the same is not suggested again now: one is open, or was decided about a short while ago."""
    found = await tx.value(
        """
        SELECT status
          FROM suggestions
         WHERE kind = %(kind)s
           AND coalesce(promise_id, record_id) = %(target_id)s
           AND (status = 'open'
                OR status = 'dismissed' AND decided_at > %(dismissed_since)s
                OR status = 'accepted' AND decided_at > %(accepted_since)s)
         ORDER BY status = 'open' DESC, decided_at DESC
         LIMIT 1
        """,
        kind=kind,
        target_id=target_id,
        dismissed_since=clock.now() - REST[SuggestionStatus.DISMISSED],
        accepted_since=clock.now() - REST[SuggestionStatus.ACCEPTED],
    )
    return SuggestionStatus(found) if found else None
