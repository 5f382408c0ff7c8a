"""Where each kind of record is read from, to be indexed and to be shown: one statement each.

What a statement does not return is not found any more: deleted, merged into another, or out of the reader's sight.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

from core.db import Tx
from crm.search.models import FoundKind, Record


@dataclass(frozen=True)
class Source:
    """`records` are the rows of `ids`; `after` are the ids behind `after`, in order, to walk through all of them."""

    scope: str
    records: LiteralString
    after: LiteralString


# The record that a row of `t` hangs on, unless that is in the trash.
_RECORD: LiteralString = """
          LEFT JOIN LATERAL (
               SELECT c.name FROM contacts c
                WHERE t.record_kind = 'contact'
                  AND (c.organization_id, c.id) = (t.organization_id, t.record_id)
                  AND c.deleted_at IS NULL
                UNION ALL
               SELECT k.name FROM companies k
                WHERE t.record_kind = 'company'
                  AND (k.organization_id, k.id) = (t.organization_id, t.record_id)
                  AND k.deleted_at IS NULL
                UNION ALL
               SELECT d.name FROM deals d
                WHERE t.record_kind = 'deal'
                  AND (d.organization_id, d.id) = (t.organization_id, t.record_id)
                  AND d.deleted_at IS NULL
                UNION ALL
               SELECT c.name FROM leads l
                 JOIN contacts c ON (c.organization_id, c.id) = (l.organization_id, l.contact_id)
                WHERE t.record_kind = 'lead'
                  AND (l.organization_id, l.id) = (t.organization_id, t.record_id)
                  AND l.deleted_at IS NULL
                  AND c.deleted_at IS NULL) AS r ON true
    """

SOURCES: dict[FoundKind, Source] = {
    FoundKind.CONTACT: Source(
        "contacts:read",
        """
        SELECT c.id, c.name AS title, concat_ws(' · ', NULLIF(c.title, ''), k.name) AS detail, c.note AS body,
               ARRAY(SELECT h.value
                       FROM contact_handles h
                      WHERE h.organization_id = c.organization_id
                        AND h.contact_id = c.id
                        AND h.kind <> 'telegram_id'
                      ORDER BY h.created_at, h.id) AS handles,
               ARRAY(SELECT t.name
                       FROM record_tags r
                       JOIN tags t ON (t.organization_id, t.id) = (r.organization_id, r.tag_id)
                      WHERE r.organization_id = c.organization_id
                        AND r.record_kind = 'contact'
                        AND r.record_id = c.id
                      ORDER BY t.plain_name)
               || ARRAY(SELECT c.custom ->> f.key
                          FROM custom_fields f
                         WHERE f.organization_id = c.organization_id
                           AND f.record_kind = 'contact'
                           AND f.kind = 'text'
                           AND f.archived_at IS NULL
                           AND c.custom ? f.key
                         ORDER BY f.position, f.id) AS labels,
               c.updated_at AS at, NULL::uuid AS thread_id
          FROM contacts c
          LEFT JOIN companies k ON (k.organization_id, k.id) = (c.organization_id, c.company_id)
                               AND k.deleted_at IS NULL
         WHERE c.id = ANY(%(ids)s)
           AND c.deleted_at IS NULL
           AND c.merged_into_id IS NULL
        """,
        """
        SELECT id AS value FROM contacts
         WHERE id > %(after)s
         ORDER BY id
         LIMIT %(limit)s
        """,
    ),
    FoundKind.COMPANY: Source(
        "companies:read",
        """
        SELECT c.id, c.name AS title, concat_ws(' · ', NULLIF(c.industry, ''), NULLIF(c.city, '')) AS detail,
               c.about AS body, array_remove(ARRAY[c.domain, NULLIF(c.phone, '')], NULL) AS handles,
               ARRAY(SELECT t.name
                       FROM record_tags r
                       JOIN tags t ON (t.organization_id, t.id) = (r.organization_id, r.tag_id)
                      WHERE r.organization_id = c.organization_id
                        AND r.record_kind = 'company'
                        AND r.record_id = c.id
                      ORDER BY t.plain_name)
               || ARRAY(SELECT c.custom ->> f.key
                          FROM custom_fields f
                         WHERE f.organization_id = c.organization_id
                           AND f.record_kind = 'company'
                           AND f.kind = 'text'
                           AND f.archived_at IS NULL
                           AND c.custom ? f.key
                         ORDER BY f.position, f.id) AS labels,
               c.updated_at AS at, NULL::uuid AS thread_id
          FROM companies c
         WHERE c.id = ANY(%(ids)s)
           AND c.deleted_at IS NULL
           AND c.merged_into_id IS NULL
        """,
        """
        SELECT id AS value FROM companies
         WHERE id > %(after)s
         ORDER BY id
         LIMIT %(limit)s
        """,
    ),
    FoundKind.DEAL: Source(
        "deals:read",
        """
        SELECT d.id, d.name AS title, concat_ws(' · ', k.name, p.name) AS detail, d.next_step AS body,
               '{}'::text[] AS handles,
               ARRAY(SELECT t.name
                       FROM record_tags r
                       JOIN tags t ON (t.organization_id, t.id) = (r.organization_id, r.tag_id)
                      WHERE r.organization_id = d.organization_id
                        AND r.record_kind = 'deal'
                        AND r.record_id = d.id
                      ORDER BY t.plain_name)
               || ARRAY(SELECT d.custom ->> f.key
                          FROM custom_fields f
                         WHERE f.organization_id = d.organization_id
                           AND f.record_kind = 'deal'
                           AND f.kind = 'text'
                           AND f.archived_at IS NULL
                           AND d.custom ? f.key
                         ORDER BY f.position, f.id) AS labels,
               d.updated_at AS at, NULL::uuid AS thread_id
          FROM deals d
          LEFT JOIN companies k ON (k.organization_id, k.id) = (d.organization_id, d.company_id)
          LEFT JOIN contacts p ON (p.organization_id, p.id) = (d.organization_id, d.contact_id)
         WHERE d.id = ANY(%(ids)s)
           AND d.deleted_at IS NULL
        """,
        """
        SELECT id AS value FROM deals
         WHERE id > %(after)s
         ORDER BY id
         LIMIT %(limit)s
        """,
    ),
    FoundKind.LEAD: Source(
        "leads:read",
        """
        SELECT l.id, p.name AS title, concat_ws(' · ', k.name, NULLIF(l.source, '')) AS detail, l.next_step AS body,
               '{}'::text[] AS handles,
               ARRAY(SELECT t.name
                       FROM record_tags r
                       JOIN tags t ON (t.organization_id, t.id) = (r.organization_id, r.tag_id)
                      WHERE r.organization_id = l.organization_id
                        AND r.record_kind = 'lead'
                        AND r.record_id = l.id
                      ORDER BY t.plain_name) AS labels,
               l.updated_at AS at, NULL::uuid AS thread_id
          FROM leads l
          JOIN contacts p ON (p.organization_id, p.id) = (l.organization_id, l.contact_id)
          LEFT JOIN companies k ON (k.organization_id, k.id) = (p.organization_id, p.company_id)
         WHERE l.id = ANY(%(ids)s)
           AND l.deleted_at IS NULL
           AND p.deleted_at IS NULL
        """,
        """
        SELECT id AS value FROM leads
         WHERE id > %(after)s
         ORDER BY id
         LIMIT %(limit)s
        """,
    ),
    FoundKind.TASK: Source(
        "tasks:read",
        """
        SELECT t.id, t.title, coalesce(r.name, '') AS detail, t.description AS body, '{}'::text[] AS handles,
               t.created_at AS at, t.record_kind, t.record_id
          FROM tasks t
        """
        + _RECORD
        + """
         WHERE t.id = ANY(%(ids)s)
           AND t.removed_at IS NULL
        """,
        """
        SELECT id AS value FROM tasks
         WHERE id > %(after)s
         ORDER BY id
         LIMIT %(limit)s
        """,
    ),
    FoundKind.MEETING: Source(
        "meetings:read",
        """
        SELECT t.id, t.title, concat_ws(' · ', r.name, people.names) AS detail,
               concat_ws(E'\n', NULLIF(t.place, ''), NULLIF(t.notes, ''), NULLIF(t.outcome, '')) AS body,
               '{}'::text[] AS handles, t.starts_at AS at, t.record_kind, t.record_id
          FROM meetings t
        """
        + _RECORD
        + """
         CROSS JOIN LATERAL (
               SELECT string_agg(c.name, ', ' ORDER BY c.id) AS names
                 FROM meeting_contacts a
                 JOIN contacts c ON (c.organization_id, c.id) = (a.organization_id, a.contact_id)
                WHERE (a.organization_id, a.meeting_id) = (t.organization_id, t.id)
                  AND c.deleted_at IS NULL
                  AND (t.record_kind, t.record_id) IS DISTINCT FROM ('contact', c.id)) AS people
         WHERE t.id = ANY(%(ids)s)
           AND t.removed_at IS NULL
        """,
        """
        SELECT id AS value FROM meetings
         WHERE id > %(after)s
         ORDER BY id
         LIMIT %(limit)s
        """,
    ),
    # A note or a file is read on the page of its record: with that in the trash there is nothing to open.
    FoundKind.NOTE: Source(
        "notes:read",
        """
        SELECT t.id, r.name AS title, '' AS detail, t.body, '{}'::text[] AS handles, t.created_at AS at,
               t.record_kind, t.record_id
          FROM notes t
        """
        + _RECORD
        + """
         WHERE t.id = ANY(%(ids)s)
           AND t.removed_at IS NULL
           AND r.name IS NOT NULL
        """,
        """
        SELECT id AS value FROM notes
         WHERE id > %(after)s
         ORDER BY id
         LIMIT %(limit)s
        """,
    ),
    FoundKind.FILE: Source(
        "files:read",
        """
        SELECT t.id, t.name AS title, r.name AS detail, '' AS body, '{}'::text[] AS handles, t.created_at AS at,
               t.record_kind, t.record_id
          FROM files t
        """
        + _RECORD
        + """
         WHERE t.id = ANY(%(ids)s)
           AND t.removed_at IS NULL
           AND r.name IS NOT NULL
        """,
        """
        SELECT id AS value FROM files
         WHERE id > %(after)s
         ORDER BY id
         LIMIT %(limit)s
        """,
    ),
    FoundKind.MESSAGE: Source(
        "conversations:read",
        """
        SELECT m.id, p.name AS title, c.channel AS detail, m.body, '{}'::text[] AS handles,
               coalesce(m.sent_at, m.occurred_at) AS at, m.conversation_id AS thread_id
          FROM messages m
          JOIN conversations c ON (c.organization_id, c.id) = (m.organization_id, m.conversation_id)
          JOIN contacts p ON (p.organization_id, p.id) = (c.organization_id, c.contact_id)
         WHERE m.id = ANY(%(ids)s)
           AND m.status IN ('received', 'read', 'sent', 'delivered')
        """,
        """
        SELECT id AS value FROM messages
         WHERE id > %(after)s
         ORDER BY id
         LIMIT %(limit)s
        """,
    ),
    # What a document says is what was read of it: the live passages that memory keeps.
    FoundKind.DOCUMENT: Source(
        "knowledge:read",
        """
        SELECT d.id, d.name AS title, '' AS detail, '{}'::text[] AS handles, d.created_at AS at,
               coalesce((SELECT string_agg(concat_ws(' ', array_to_string(p.heading, ' '), p.text), E'\n'
                                           ORDER BY p.ordinal)
                           FROM memories p
                          WHERE p.organization_id = d.organization_id
                            AND p.source_kind = 'document'
                            AND p.source_id = d.id
                            AND p.superseded_at IS NULL), '') AS body,
               NULL::uuid AS thread_id
          FROM documents d
         WHERE d.id = ANY(%(ids)s)
           AND d.removed_at IS NULL
        """,
        """
        SELECT id AS value FROM documents
         WHERE id > %(after)s
         ORDER BY id
         LIMIT %(limit)s
        """,
    ),
}


async def load_records(tx: Tx, kind: FoundKind, ids: Sequence[UUID]) -> list[Record]:
    """The records of these ids that can be found, in no order."""
    if not ids:
        return []
    return await tx.all(Record, SOURCES[kind].records, ids=list(ids))
