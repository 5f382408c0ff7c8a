"""Reading the audit: entries under a filter, and how far the chain has come."""

from typing import LiteralString
from uuid import UUID

from core.db import Tx
from core.errors import NotFound
from core.pagination import Page, decode_id, encode_cursor, page_of, page_size
from crm.audit.models import Actor, ChainState, Entry, EntryFilter, Verification

READ = "audit:read"

# The page is chosen first, by the order that the keys give; names are looked up for what is on it.
_ENTRIES: LiteralString = """
    WITH page AS (
        SELECT organization_id, id, occurred_at, type, actor_kind, actor_id, responsible_id, run_id, subject_kind,
               subject_id, via, credential_id
          FROM events
         WHERE (%(before)s::uuid IS NULL OR id < %(before)s)
           AND (%(id)s::uuid IS NULL OR id = %(id)s)
           AND (%(who)s::uuid IS NULL OR actor_id = %(who)s OR credential_id = %(who)s)
           AND (%(type)s::text IS NULL OR type = %(type)s)
           AND (%(subject_kind)s::text IS NULL OR subject_kind = %(subject_kind)s)
           AND (%(subject_id)s::uuid IS NULL OR subject_id = %(subject_id)s)
           AND (%(run_id)s::uuid IS NULL OR run_id = %(run_id)s)
           AND (%(via)s::text IS NULL OR via = %(via)s)
           AND (%(is_by_itself)s::boolean IS NULL OR (via IS NULL) = %(is_by_itself)s)
           AND (%(since)s::timestamptz IS NULL OR occurred_at >= %(since)s)
           AND (%(until)s::timestamptz IS NULL OR occurred_at < %(until)s)
         ORDER BY organization_id DESC, id DESC
         LIMIT %(limit)s
    )
    SELECT p.id, p.occurred_at AS at, p.type, p.actor_kind, p.actor_id, coalesce(am.name, ab.name) AS actor_name,
           p.responsible_id, rm.name AS responsible_name, p.run_id, p.subject_kind, p.subject_id,
           coalesce(c.name, o.name, d.name, lc.name, t.title, m.title, b.name, k.name, s.name, v.name, g.name, w.description,
                    u.name, y.name, j.name, kc.name) AS subject_name,
           x.id AS conversation_id, p.via, p.credential_id, ak.name AS credential_name, f.address, f.agent,
           coalesce(e.changes, '{}') AS changes, l.position
      FROM page p
      LEFT JOIN event_changes e ON (e.organization_id, e.event_id) = (p.organization_id, p.id)
      LEFT JOIN event_origins f ON (f.organization_id, f.event_id) = (p.organization_id, p.id)
      LEFT JOIN audit_links l ON (l.organization_id, l.event_id) = (p.organization_id, p.id)
      LEFT JOIN members am ON p.actor_kind = 'user' AND am.user_id = p.actor_id
      LEFT JOIN bidi ab ON p.actor_kind = 'bidi' AND ab.id = p.actor_id
      LEFT JOIN members rm ON rm.user_id = p.responsible_id
      LEFT JOIN api_keys ak ON p.via IN ('api', 'mcp') AND ak.id = p.credential_id
      LEFT JOIN contacts c ON p.subject_kind = 'contact' AND c.id = p.subject_id
      LEFT JOIN companies o ON p.subject_kind = 'company' AND o.id = p.subject_id
      LEFT JOIN deals d ON p.subject_kind = 'deal' AND d.id = p.subject_id
      LEFT JOIN leads n ON p.subject_kind = 'lead' AND n.id = p.subject_id
      LEFT JOIN contacts lc ON lc.id = n.contact_id
      LEFT JOIN tasks t ON p.subject_kind = 'task' AND t.id = p.subject_id
      LEFT JOIN meetings m ON p.subject_kind = 'meeting' AND m.id = p.subject_id
      LEFT JOIN bidi b ON p.subject_kind = 'bidi' AND b.id = p.subject_id
      LEFT JOIN api_keys k ON p.subject_kind = 'api_key' AND k.id = p.subject_id
      LEFT JOIN segments s ON p.subject_kind = 'segment' AND s.id = p.subject_id
      LEFT JOIN views v ON p.subject_kind = 'view' AND v.id = p.subject_id
      LEFT JOIN tags g ON p.subject_kind = 'tag' AND g.id = p.subject_id
      LEFT JOIN webhooks w ON p.subject_kind = 'webhook' AND w.id = p.subject_id
      LEFT JOIN members u ON p.subject_kind = 'user' AND u.user_id = p.subject_id
      LEFT JOIN pipelines y ON p.subject_kind = 'pipeline' AND y.id = p.subject_id
      LEFT JOIN channel_accounts j ON p.subject_kind = 'channel_account' AND j.id = p.subject_id
      LEFT JOIN conversations x ON p.subject_kind = 'conversation' AND x.id = p.subject_id
      LEFT JOIN contacts kc ON kc.id = x.contact_id
     ORDER BY p.id DESC
    """


async def list_entries(
    tx: Tx, wanted: EntryFilter, *, cursor: str | None = None, limit: int = 50
) -> Page[Entry]:
    """What happened in the organization, the newest first. Raises: Forbidden."""
    tx.principal.require(READ)
    size = page_size(limit)
    entries = await tx.all(
        Entry,
        _ENTRIES,
        **vars(wanted),
        id=None,
        before=decode_id(cursor) if cursor else None,
        limit=size + 1,
    )
    return page_of(entries, size, after=lambda entry: encode_cursor(entry.id))


async def get_entry(tx: Tx, event_id: UUID) -> Entry:
    """Raises: Forbidden; NotFound."""
    tx.principal.require(READ)
    found = await tx.find(Entry, _ENTRIES, **vars(EntryFilter()), id=event_id, before=None, limit=1)
    if found is None:
        raise NotFound("No such entry in this organization.")
    return found


async def list_actors(tx: Tx) -> list[Actor]:
    """Everybody and everything of the organization that may have done something, by kind and name."""
    tx.principal.require(READ)
    return await tx.all(
        Actor,
        """
        SELECT user_id AS id, 'user' AS kind, name FROM members
         UNION ALL
        SELECT id, 'bidi', name FROM bidi WHERE kind = 'ai'
         UNION ALL
        SELECT id, 'api_key', name FROM api_keys
         ORDER BY kind DESC, name, id
        """,
    )


async def get_chain_state(tx: Tx) -> ChainState:
    """Raises: Forbidden."""
    tx.principal.require(READ)
    return await tx.one(
        ChainState,
        """
        SELECT coalesce(max(position), 0) AS sealed,
               (SELECT count(*) FROM audit_waiting)
               + (SELECT count(*)
                    FROM event_deliveries
                   WHERE organization_id = %(organization_id)s
                     AND handler = 'route'
                     AND status = 'open') AS waiting,
               (SELECT sealed_at
                  FROM audit_links
                 ORDER BY organization_id DESC, position DESC
                 LIMIT 1) AS sealed_at
          FROM audit_links
        """,
        organization_id=tx.organization_id,
    )


async def get_verification(tx: Tx, verification_id: UUID) -> Verification:
    """Raises: Forbidden; NotFound."""
    tx.principal.require(READ)
    return await tx.one(
        Verification,
        """
        SELECT id, asked_by, asked_at, ended_at, sealed, anchors, erased, fault, position, event_id, line
          FROM audit_verifications
         WHERE id = %(id)s
        """,
        id=verification_id,
    )


async def find_last_verification(tx: Tx) -> Verification | None:
    """The one that was asked for last. Raises: Forbidden."""
    tx.principal.require(READ)
    return await tx.find(
        Verification,
        """
        SELECT id, asked_by, asked_at, ended_at, sealed, anchors, erased, fault, position, event_id, line
          FROM audit_verifications
         ORDER BY id DESC
         LIMIT 1
        """,
    )
