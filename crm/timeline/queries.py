"""The timeline of a record: one statement over all that hangs on it and on what belongs to it."""

from collections.abc import Collection, Mapping
from typing import LiteralString

from core.db import Tx
from core.pagination import Page, decode_time, encode_cursor, page_of, page_size
from crm.records.models import RecordRef
from crm.records.queries import get_record
from crm.timeline.models import Item, ItemKind

_SCOPES: Mapping[ItemKind, str] = {
    ItemKind.MESSAGE: "conversations:read",
    ItemKind.NOTE: "notes:read",
    ItemKind.TASK: "tasks:read",
    ItemKind.MEETING: "meetings:read",
    ItemKind.FILE: "files:read",
    ItemKind.SUGGESTION: "conversations:read",
}

# To a company belong its people and deals, to a contact their deals and leads; at most 200 of each, the newest. Messages are those
# of all these people, and of whom a deal or a lead is with. Each source gives at most a page, read off an index that is
# ordered by time (`*_by_record`, `messages_by_time`, `events_by_time`), so that a page costs the same at any depth.
_TIMELINE: LiteralString = """
    WITH about (kind, id) AS (
        SELECT %(record_kind)s::text, %(record_id)s::uuid
         UNION
        (SELECT 'contact', c.id
           FROM contacts c
          WHERE %(record_kind)s = 'company'
            AND c.company_id = %(record_id)s
          ORDER BY c.id DESC
          LIMIT 200)
         UNION
        (SELECT 'deal', d.id
           FROM deals d
          WHERE %(record_kind)s = 'company'
            AND d.company_id = %(record_id)s
          ORDER BY d.id DESC
          LIMIT 200)
         UNION
        (SELECT 'deal', d.id
           FROM deals d
          WHERE %(record_kind)s = 'contact'
            AND d.contact_id = %(record_id)s
          ORDER BY d.id DESC
          LIMIT 200)
         UNION
        (SELECT 'lead', l.id
           FROM leads l
          WHERE %(record_kind)s = 'contact'
            AND l.contact_id = %(record_id)s
          ORDER BY l.id DESC
          LIMIT 200)
    ), people (id) AS (
        SELECT id FROM about WHERE kind = 'contact'
         UNION
        SELECT d.contact_id
          FROM deals d
         WHERE %(record_kind)s = 'deal'
           AND d.id = %(record_id)s
           AND d.contact_id IS NOT NULL
         UNION
        SELECT l.contact_id
          FROM leads l
         WHERE %(record_kind)s = 'lead'
           AND l.id = %(record_id)s
    ), items AS (
        SELECT 'note' AS kind, n.id, n.created_at AS at, about.kind AS record_kind, about.id AS record_id,
               n.author_kind AS actor_kind, n.author_id AS actor_id, '' AS title, n.body AS text, '' AS status,
               NULL::uuid AS conversation_id, n.run_id
          FROM about
         CROSS JOIN LATERAL (
               SELECT id, created_at, author_kind, author_id, body, run_id
                 FROM notes
                WHERE (record_kind, record_id) = (about.kind, about.id)
                  AND removed_at IS NULL
                  AND 'note' = ANY(%(kinds)s)
                  AND (created_at, id) < (%(before_at)s, %(before_id)s)
                ORDER BY created_at DESC, id DESC
                LIMIT %(limit)s) AS n
         UNION ALL
        SELECT 'task', t.id, t.created_at, about.kind, about.id, t.created_by_kind, t.created_by_id, t.title,
               t.description, CASE WHEN t.done_at IS NULL THEN 'open' ELSE 'done' END, NULL, t.run_id
          FROM about
         CROSS JOIN LATERAL (
               SELECT id, created_at, created_by_kind, created_by_id, title, description, done_at, run_id
                 FROM tasks
                WHERE (record_kind, record_id) = (about.kind, about.id)
                  AND removed_at IS NULL
                  AND 'task' = ANY(%(kinds)s)
                  AND (created_at, id) < (%(before_at)s, %(before_id)s)
                ORDER BY created_at DESC, id DESC
                LIMIT %(limit)s) AS t
         UNION ALL
        SELECT 'file', f.id, f.created_at, about.kind, about.id, f.uploaded_by_kind, f.uploaded_by_id, f.name, '', '', NULL, NULL
          FROM about
         CROSS JOIN LATERAL (
               SELECT id, created_at, uploaded_by_kind, uploaded_by_id, name
                 FROM files
                WHERE (record_kind, record_id) = (about.kind, about.id)
                  AND removed_at IS NULL
                  AND 'file' = ANY(%(kinds)s)
                  AND (created_at, id) < (%(before_at)s, %(before_id)s)
                ORDER BY created_at DESC, id DESC
                LIMIT %(limit)s) AS f
         UNION ALL
        SELECT 'suggestion', u.id, u.created_at, about.kind, about.id, 'bidi', u.bidi_id, u.title, u.why, u.status,
               NULL, u.run_id
          FROM about
         CROSS JOIN LATERAL (
               SELECT id, created_at, bidi_id, title, why, status, run_id
                 FROM suggestions
                WHERE (record_kind, record_id) = (about.kind, about.id)
                  AND 'suggestion' = ANY(%(kinds)s)
                  AND (created_at, id) < (%(before_at)s, %(before_id)s)
                ORDER BY created_at DESC, id DESC
                LIMIT %(limit)s) AS u
         UNION ALL
        -- a meeting is found by what it is about and by who takes part, and shown once
        SELECT DISTINCT ON (g.id) 'meeting', g.id, g.starts_at, about.kind, about.id, g.created_by_kind,
               g.created_by_id, g.title, g.outcome, g.status, NULL::uuid, g.run_id
          FROM about
         CROSS JOIN LATERAL (
              (SELECT id, starts_at, created_by_kind, created_by_id, title, outcome, status, run_id
                 FROM meetings
                WHERE (record_kind, record_id) = (about.kind, about.id)
                  AND removed_at IS NULL
                  AND 'meeting' = ANY(%(kinds)s)
                  AND (starts_at, id) < (%(before_at)s, %(before_id)s)
                ORDER BY starts_at DESC, id DESC
                LIMIT %(limit)s)
                UNION
              (SELECT m.id, m.starts_at, m.created_by_kind, m.created_by_id, m.title, m.outcome, m.status,
                      m.run_id
                 FROM meeting_contacts a
                 JOIN meetings m ON (m.organization_id, m.id) = (a.organization_id, a.meeting_id)
                WHERE about.kind = 'contact'
                  AND a.contact_id = about.id
                  AND m.removed_at IS NULL
                  AND 'meeting' = ANY(%(kinds)s)
                  AND (m.starts_at, m.id) < (%(before_at)s, %(before_id)s)
                ORDER BY m.starts_at DESC, m.id DESC
                LIMIT %(limit)s)) AS g
         UNION ALL
        SELECT 'message', m.id, m.occurred_at, 'contact', people.id, m.author_kind, m.author_id, c.subject,
               left(m.body, 400), m.direction, c.id, NULL
          FROM people
          JOIN conversations c ON c.contact_id = people.id
         CROSS JOIN LATERAL (
               SELECT id, occurred_at, author_kind, author_id, body, direction
                 FROM messages
                WHERE (organization_id, conversation_id) = (c.organization_id, c.id)
                  AND status <> 'cancelled'
                  AND 'message' = ANY(%(kinds)s)
                  AND (occurred_at, id) < (%(before_at)s, %(before_id)s)
                ORDER BY occurred_at DESC, id DESC
                LIMIT %(limit)s) AS m
         UNION ALL
        SELECT CASE WHEN e.type LIKE '%%.stage.changed' THEN 'stage' ELSE 'change' END, e.id, e.occurred_at,
               about.kind, about.id, e.actor_kind, e.actor_id, e.type, '', '', NULL, e.run_id
          FROM about
         CROSS JOIN LATERAL (
               SELECT id, occurred_at, actor_kind, actor_id, type, run_id
                 FROM events
                WHERE (subject_kind, subject_id) = (about.kind, about.id)
                  AND CASE WHEN type LIKE '%%.stage.changed' THEN 'stage' ELSE 'change' END = ANY(%(kinds)s)
                  AND (occurred_at, id) < (%(before_at)s, %(before_id)s)
                ORDER BY occurred_at DESC, id DESC
                LIMIT %(limit)s) AS e
    ), page AS (
        SELECT *
          FROM items
         ORDER BY at DESC, id DESC
         LIMIT %(limit)s
    )
    SELECT p.kind, p.id, p.at, p.record_kind, p.record_id, coalesce(rc.name, ro.name, rd.name, lc.name) AS record_name,
           p.actor_kind, p.actor_id,
           coalesce(am.name, ab.name, CASE WHEN p.actor_kind = 'contact' THEN rc.name END) AS actor_name,
           p.title, p.text, p.status, p.conversation_id, p.run_id,
           ARRAY(SELECT jsonb_object_keys(v.changes) ORDER BY 1) AS changed,
           CASE WHEN p.kind = 'stage' THEN ARRAY[s.name, t.name] ELSE '{}' END AS stages
      FROM page p
      LEFT JOIN contacts rc ON p.record_kind = 'contact' AND rc.id = p.record_id
      LEFT JOIN companies ro ON p.record_kind = 'company' AND ro.id = p.record_id
      LEFT JOIN deals rd ON p.record_kind = 'deal' AND rd.id = p.record_id
      LEFT JOIN leads rl ON p.record_kind = 'lead' AND rl.id = p.record_id
      LEFT JOIN contacts lc ON lc.id = rl.contact_id
      LEFT JOIN members am ON p.actor_kind = 'user' AND am.user_id = p.actor_id
      LEFT JOIN bidi ab ON p.actor_kind = 'bidi' AND ab.id = p.actor_id
      LEFT JOIN event_changes v ON p.kind IN ('stage', 'change') AND v.event_id = p.id
      LEFT JOIN stages s ON s.id = (v.changes #>> '{stage_id,0}')::uuid
      LEFT JOIN stages t ON t.id = (v.changes #>> '{stage_id,1}')::uuid
     ORDER BY p.at DESC, p.id DESC
    """


async def list_timeline(
    tx: Tx,
    record: RecordRef,
    kinds: Collection[ItemKind] = (),
    *,
    cursor: str | None = None,
    limit: int = 25,
) -> Page[Item]:
    """What happened around a record, the newest first; `kinds` keeps only those, none of them all.

    What the principal may not read is left out.

    Raises: NotFound.
    """
    await get_record(tx, record)
    size = page_size(limit)
    before_at, before_id = (
        decode_time(cursor) if cursor else ("infinity", "ffffffff-ffff-ffff-ffff-ffffffffffff")
    )
    items = await tx.all(
        Item,
        _TIMELINE,
        record_kind=record.kind.value,
        record_id=record.id,
        kinds=[kind.value for kind in kinds or ItemKind if tx.principal.may(_SCOPES.get(kind, "crm:read"))],
        before_at=before_at,
        before_id=before_id,
        limit=size + 1,
    )
    return page_of(items, size, after=lambda item: encode_cursor(item.at.isoformat(), item.id))
