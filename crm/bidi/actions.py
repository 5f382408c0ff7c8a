"""Making seats."""

from core.db import Tx
from core.ids import uuid7
from crm.bidi.models import Autonomy
from crm.bidi.queries import get_bidi
from events.ids import BidiId, UserId
from events.outbox import emit
from events.types import BidiCreated, BidiUpdated

INBOX_SCOPES = (
    "contacts:read", "contacts:write", "companies:read", "companies:write", "leads:read", "leads:write", "deals:read", "deals:write",
    "tasks:read", "tasks:write", "notes:read", "notes:write", "meetings:read", "meetings:write", "facts:read",
    "facts:write", "conversations:read", "conversations:write", "drafts:write", "graph:read", "knowledge:read",
)  # fmt: skip


async def create_ai_bidi(
    tx: Tx, *, name: str, agent: str, autonomy: Autonomy, persona: str, responsible_user_id: UserId
) -> BidiId:
    """Make an AI seat with the scopes of its agent; a person answers for it."""
    tx.principal.require("bidi:manage")
    bidi_id = BidiId(uuid7())
    await tx.execute(
        """
        INSERT INTO bidi (organization_id, id, kind, name, responsible_user_id, agent, autonomy, persona, scopes)
        VALUES (%(organization_id)s, %(id)s, 'ai', %(name)s, %(responsible_user_id)s, %(agent)s, %(autonomy)s,
                %(persona)s, %(scopes)s)
        """,
        organization_id=tx.organization_id,
        id=bidi_id,
        name=name,
        responsible_user_id=responsible_user_id,
        agent=agent,
        autonomy=autonomy,
        persona=persona,
        scopes=list(INBOX_SCOPES),
    )
    await emit(tx, BidiCreated(bidi_id))
    return bidi_id


async def set_model(tx: Tx, bidi_id: BidiId, model: str | None) -> None:
    """Let a seat use the model of this name, or without one whatever its organization uses."""
    tx.principal.require("bidi:manage")
    await get_bidi(tx, bidi_id)
    await tx.execute("UPDATE bidi SET model = %(model)s WHERE id = %(id)s", model=model, id=bidi_id)
    await emit(tx, BidiUpdated(bidi_id))
