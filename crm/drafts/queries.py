"""Reading drafts and their evidence."""

from core.db import Tx
from core.pagination import Page, decode_id, encode_cursor, page_of, page_size
from crm.drafts.models import Draft, DraftStatus, Evidence
from events.ids import ConversationId, DraftId, RunId


async def get_draft(tx: Tx, draft_id: DraftId) -> Draft:
    """Raises: NotFound."""
    return await tx.one(
        Draft,
        """
        SELECT id, conversation_id, contact_id, bidi_id, run_id, status, version, body, original_body, language,
               based_on_seq, answers, content_hash, flags, model, reason, checked_by, edited_by, created_at
          FROM drafts
         WHERE id = %(draft_id)s
        """,
        draft_id=draft_id,
    )


async def lock_draft(tx: Tx, draft_id: DraftId) -> Draft:
    """The draft under a row lock: deciders take turns. Raises: NotFound."""
    return await tx.one(
        Draft,
        """
        SELECT id, conversation_id, contact_id, bidi_id, run_id, status, version, body, original_body, language,
               based_on_seq, answers, content_hash, flags, model, reason, checked_by, edited_by, created_at
          FROM drafts
         WHERE id = %(draft_id)s
           FOR UPDATE
        """,
        draft_id=draft_id,
    )


async def find_pending_draft(tx: Tx, conversation_id: ConversationId) -> Draft | None:
    """The open proposal of a conversation, under a row lock, or None."""
    return await tx.find(
        Draft,
        """
        SELECT id, conversation_id, contact_id, bidi_id, run_id, status, version, body, original_body, language,
               based_on_seq, answers, content_hash, flags, model, reason, checked_by, edited_by, created_at
          FROM drafts
         WHERE conversation_id = %(conversation_id)s
           AND status = 'pending'
           FOR UPDATE
        """,
        conversation_id=conversation_id,
    )


async def list_drafts(
    tx: Tx,
    *,
    status: DraftStatus | None = None,
    conversation_id: ConversationId | None = None,
    cursor: str | None = None,
    limit: int = 25,
) -> Page[Draft]:
    """Drafts, the newest first."""
    tx.principal.require("conversations:read")
    size = page_size(limit)
    found = await tx.all(
        Draft,
        """
        SELECT id, conversation_id, contact_id, bidi_id, run_id, status, version, body, original_body, language,
               based_on_seq, answers, content_hash, flags, model, reason, checked_by, edited_by, created_at
          FROM drafts
         WHERE (%(status)s::text IS NULL OR status = %(status)s)
           AND (%(conversation_id)s::uuid IS NULL OR conversation_id = %(conversation_id)s)
           AND (%(before)s::uuid IS NULL OR id < %(before)s)
         ORDER BY id DESC
         LIMIT %(limit)s
        """,
        status=status,
        conversation_id=conversation_id,
        before=decode_id(cursor) if cursor else None,
        limit=size + 1,
    )
    return page_of(found, size, after=lambda draft: encode_cursor(draft.id))


async def find_draft_of_run(tx: Tx, run_id: RunId) -> Draft | None:
    """The draft that a run wrote last, or None."""
    return await tx.find(
        Draft,
        """
        SELECT id, conversation_id, contact_id, bidi_id, run_id, status, version, body, original_body, language,
               based_on_seq, answers, content_hash, flags, model, reason, checked_by, edited_by, created_at
          FROM drafts
         WHERE run_id = %(run_id)s
         ORDER BY id DESC
         LIMIT 1
        """,
        run_id=run_id,
    )


async def list_evidence(tx: Tx, draft_id: DraftId) -> list[Evidence]:
    """What the draft rests on, in the order of its numbers."""
    return await tx.all(
        Evidence,
        """
        SELECT kind, source_id, label, quote, statement, occurred_at, trust, is_used
          FROM draft_evidence
         WHERE draft_id = %(draft_id)s
         ORDER BY position
        """,
        draft_id=draft_id,
    )
