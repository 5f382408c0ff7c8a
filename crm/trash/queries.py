"""Reading the trash."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import LiteralString
from uuid import UUID

from core.db import Tx
from core.pagination import Page, decode_time, encode_cursor, page_of, page_size
from crm.trash.models import Trashed, TrashKind

_END = datetime.max.replace(tzinfo=UTC)
_LAST_ID = UUID(int=2**128 - 1)


def readable_kinds(tx: Tx) -> list[TrashKind]:
    """The kinds whose trash the principal may look into."""
    return [kind for kind in TrashKind if tx.principal.may(f"{kind.plural}:read")]


async def list_trash(
    tx: Tx, kinds: Sequence[TrashKind] = tuple(TrashKind), *, cursor: str | None = None, limit: int = 50
) -> Page[Trashed]:
    """What lies in the trash, deleted last first; kinds that the principal may not read are left out.

    What was merged into another record is not in the trash: its merge is undone instead.
    """
    size = page_size(limit)
    before_at, before_id = decode_time(cursor) if cursor else (_END, _LAST_ID)
    allowed = readable_kinds(tx)
    trashed = await tx.all(
        Trashed,
        _TRASH,
        kinds=[kind.value for kind in kinds if kind in allowed],
        before_at=before_at,
        before_id=before_id,
        limit=size + 1,
    )
    return page_of(trashed, size, after=lambda one: encode_cursor(one.deleted_at.isoformat(), one.id))


# Of every kind no more is read than a page, in the order of its own index. Who deleted something is who caused the
# first that happened to it since.
_TRASH: LiteralString = """
        WITH page AS (
            (SELECT 'contact' AS kind, id, name, NULL AS about_kind, NULL::uuid AS about_id, deleted_at AS at
               FROM contacts
              WHERE 'contact' = ANY(%(kinds)s)
                AND deleted_at IS NOT NULL
                AND merged_into_id IS NULL
                AND (deleted_at, id) < (%(before_at)s, %(before_id)s)
              ORDER BY deleted_at DESC, id DESC
              LIMIT %(limit)s)
            UNION ALL
            (SELECT 'company', id, name, NULL, NULL::uuid, deleted_at
               FROM companies
              WHERE 'company' = ANY(%(kinds)s)
                AND deleted_at IS NOT NULL
                AND merged_into_id IS NULL
                AND (deleted_at, id) < (%(before_at)s, %(before_id)s)
              ORDER BY deleted_at DESC, id DESC
              LIMIT %(limit)s)
            UNION ALL
            (SELECT 'deal', id, name, NULL, NULL::uuid, deleted_at
               FROM deals
              WHERE 'deal' = ANY(%(kinds)s)
                AND deleted_at IS NOT NULL
                AND (deleted_at, id) < (%(before_at)s, %(before_id)s)
              ORDER BY deleted_at DESC, id DESC
              LIMIT %(limit)s)
            UNION ALL
            (SELECT 'lead', id, NULL, 'contact', contact_id, deleted_at
               FROM leads
              WHERE 'lead' = ANY(%(kinds)s)
                AND deleted_at IS NOT NULL
                AND (deleted_at, id) < (%(before_at)s, %(before_id)s)
              ORDER BY deleted_at DESC, id DESC
              LIMIT %(limit)s)
            UNION ALL
            (SELECT 'task', id, title, record_kind, record_id, removed_at
               FROM tasks
              WHERE 'task' = ANY(%(kinds)s)
                AND removed_at IS NOT NULL
                AND (removed_at, id) < (%(before_at)s, %(before_id)s)
              ORDER BY removed_at DESC, id DESC
              LIMIT %(limit)s)
            UNION ALL
            (SELECT 'meeting', id, title, record_kind, record_id, removed_at
               FROM meetings
              WHERE 'meeting' = ANY(%(kinds)s)
                AND removed_at IS NOT NULL
                AND (removed_at, id) < (%(before_at)s, %(before_id)s)
              ORDER BY removed_at DESC, id DESC
              LIMIT %(limit)s)
            UNION ALL
            (SELECT 'note', id, left(body, 200), record_kind, record_id, removed_at
               FROM notes
              WHERE 'note' = ANY(%(kinds)s)
                AND removed_at IS NOT NULL
                AND (removed_at, id) < (%(before_at)s, %(before_id)s)
              ORDER BY removed_at DESC, id DESC
              LIMIT %(limit)s)
            UNION ALL
            (SELECT 'file', id, name, record_kind, record_id, removed_at
               FROM files
              WHERE 'file' = ANY(%(kinds)s)
                AND removed_at IS NOT NULL
                AND (removed_at, id) < (%(before_at)s, %(before_id)s)
              ORDER BY removed_at DESC, id DESC
              LIMIT %(limit)s)
            UNION ALL
            (SELECT 'document', id, name, NULL, NULL::uuid, removed_at
               FROM documents
              WHERE 'document' = ANY(%(kinds)s)
                AND removed_at IS NOT NULL
                AND (removed_at, id) < (%(before_at)s, %(before_id)s)
              ORDER BY removed_at DESC, id DESC
              LIMIT %(limit)s)
             ORDER BY at DESC, id DESC
             LIMIT %(limit)s
        )
        SELECT p.kind, p.id, coalesce(p.name, c.name, '') AS name,
               CASE WHEN p.kind <> 'lead' THEN coalesce(c.name, o.name, d.name, lc.name) END AS about,
               p.at AS deleted_at, e.actor_kind AS deleted_by_kind, coalesce(m.name, b.name) AS deleted_by
          FROM page p
          LEFT JOIN contacts c ON p.about_kind = 'contact' AND c.id = p.about_id
          LEFT JOIN companies o ON p.about_kind = 'company' AND o.id = p.about_id
          LEFT JOIN deals d ON p.about_kind = 'deal' AND d.id = p.about_id
          LEFT JOIN leads l ON p.about_kind = 'lead' AND l.id = p.about_id
          LEFT JOIN contacts lc ON lc.id = l.contact_id
          LEFT JOIN LATERAL (
               SELECT actor_kind, actor_id
                 FROM events
                WHERE subject_kind = p.kind
                  AND subject_id = p.id
                  AND occurred_at >= p.at
                ORDER BY occurred_at, id
                LIMIT 1) AS e ON true
          LEFT JOIN members m ON e.actor_kind = 'user' AND m.user_id = e.actor_id
          LEFT JOIN bidi b ON e.actor_kind = 'bidi' AND b.id = e.actor_id
         ORDER BY p.at DESC, p.id DESC
        """
