"""Reading seats."""

from typing import LiteralString
from uuid import UUID

from core.db import Tx
from core.errors import Unprocessable
from core.pagination import Page, decode_id, encode_cursor, page_of, page_size
from crm.bidi.models import Bidi, BidiKind
from events.ids import BidiId, MemberId

_SEAT: LiteralString = """
        SELECT id, organization_id, kind, name, user_id, responsible_user_id, agent, autonomy, persona, scopes, model,
               is_paused, max_steps, max_tokens, max_cost_usd_micros, max_seconds, autopilot_intents, daily_cap,
               working_hours, time_zone, languages, capacity, max_runs_a_day, max_tokens_a_day,
               max_cost_usd_micros_a_day, version, created_at, updated_at, archived_at,
               ARRAY(SELECT a.id FROM channel_accounts a WHERE a.bidi_id = bidi.id ORDER BY a.id) AS account_ids,
               EXISTS (SELECT FROM members m
                        WHERE m.user_id = bidi.responsible_user_id
                          AND m.role = 'bidi') AS sees_assigned_only
          FROM bidi
"""


async def get_bidi(tx: Tx, bidi_id: BidiId, *, lock: bool = False) -> Bidi:
    """Raises: NotFound."""
    if lock:
        # a draft that is being written refers to the seat, and its conversation is locked already
        await tx.execute("SELECT FROM bidi WHERE id = %(bidi_id)s FOR NO KEY UPDATE", bidi_id=bidi_id)
    return await tx.one(
        Bidi,
        _SEAT
        + """
         WHERE id = %(bidi_id)s
        """,
        bidi_id=bidi_id,
    )


async def lock_bidi(tx: Tx, bidi_id: BidiId) -> None:
    """Keep others from counting what this seat did today until the transaction ends."""
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('bidi ' || %(bidi_id)s, 0))", bidi_id=str(bidi_id)
    )


async def get_bidi_of_agent(tx: Tx, agent: str) -> Bidi:
    """The oldest seat of an agent. Raises: NotFound."""
    return await tx.one(
        Bidi,
        _SEAT
        + """
         WHERE agent = %(agent)s
         ORDER BY created_at, id
         LIMIT 1
        """,
        agent=agent,
    )


async def list_bidi(tx: Tx) -> list[Bidi]:
    return await tx.all(
        Bidi,
        _SEAT
        + """
         ORDER BY created_at, id
        """,
    )


async def list_seats(
    tx: Tx, *, kind: BidiKind | None = None, cursor: str | None = None, limit: int = 25
) -> Page[Bidi]:
    """Seats that are in use, the newest first."""
    tx.principal.require("crm:read")
    size = page_size(limit)
    found = await tx.all(
        Bidi,
        _SEAT
        + """
         WHERE archived_at IS NULL
           AND (%(kind)s::text IS NULL OR kind = %(kind)s)
           AND (%(before)s::uuid IS NULL OR id < %(before)s)
         ORDER BY id DESC
         LIMIT %(limit)s
        """,
        kind=kind,
        before=decode_id(cursor) if cursor else None,
        limit=size + 1,
    )
    return page_of(found, size, after=lambda bidi: encode_cursor(bidi.id))


async def is_at_work(tx: Tx, bidi_id: BidiId) -> bool:
    """Whether a seat is not paused; nobody pauses it before the transaction ends. Take it before any conversation."""
    is_paused = await tx.value("SELECT is_paused FROM bidi WHERE id = %(bidi_id)s FOR SHARE", bidi_id=bidi_id)
    return is_paused is False


async def require_bidi(tx: Tx, bidi_id: UUID) -> None:
    """Raises: Unprocessable when no seat has this id."""
    if not await tx.value("SELECT true FROM bidi WHERE id = %(bidi_id)s", bidi_id=bidi_id):
        raise Unprocessable(f"There is no seat {bidi_id}; choose one of the organization.", field="bidi_id")


async def find_own_member(tx: Tx) -> MemberId | None:
    """The member who acts here, whom the seat that does works for, or who answers for it; None for the system."""
    found: MemberId | None = await tx.value(
        """
        SELECT m.id
          FROM members m
         WHERE m.user_id = coalesce(%(behalf_of)s,
                                    (SELECT b.responsible_user_id FROM bidi b WHERE b.id = %(actor_id)s),
                                    %(actor_id)s)
        """,
        behalf_of=tx.principal.behalf_of,
        actor_id=tx.principal.id,
    )
    return found
