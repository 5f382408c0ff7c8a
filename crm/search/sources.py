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
               '{}'::text[] AS handles, d.updated_at AS at, NULL::uuid AS thread_id
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
               '{}'::text[] AS handles, l.updated_at AS at, NULL::uuid AS thread_id
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
        SELECT t.id, t.title, coalesce(p.name, '') AS detail, t.description AS body, '{}'::text[] AS handles,
               t.created_at AS at, NULL::uuid AS thread_id
          FROM tasks t
          LEFT JOIN contacts p ON t.record_kind = 'contact' AND (p.organization_id, p.id) = (t.organization_id, t.record_id)
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
