"""Making seats."""

from core.db import Tx
from core.ids import uuid7
from crm.bidi.models import Autonomy, Bidi
from crm.bidi.queries import get_bidi, get_bidi_of_agent
from events.ids import BidiId, UserId
from events.outbox import emit
from events.types import BidiCreated, BidiUpdated

INBOX_SCOPES = (
    "contacts:read", "contacts:write", "companies:read", "companies:write", "leads:read", "leads:write", "deals:read", "deals:write",
    "tasks:read", "tasks:write", "notes:read", "notes:write", "meetings:read", "meetings:write", "facts:read",
    "facts:write", "conversations:read", "conversations:write", "drafts:write", "graph:read", "knowledge:read",
)  # fmt: skip


# It reads what its asker may read, and writes only what a person approves. Drafts are the inbox agent's.
COPILOT_SCOPES = (
    "contacts:read", "contacts:write", "companies:read", "companies:write", "leads:read", "leads:write", "deals:read", "deals:write",
    "tasks:read", "tasks:write", "notes:read", "notes:write", "meetings:read", "meetings:write", "facts:read",
    "conversations:read", "graph:read", "knowledge:read",
)  # fmt: skip


async def ensure_copilot(tx: Tx) -> Bidi:
    """The seat that answers the organization's members; made when somebody asks for the first time.

    Whoever owns the organization is responsible for it; in a run it may do no more than its asker.
    """
    bidi_id = await tx.value(
        """
        INSERT INTO bidi (organization_id, id, kind, name, responsible_user_id, agent, autonomy, scopes)
        SELECT %(organization_id)s, %(id)s, 'ai', 'Copilot', user_id, 'copilot', 'suggest', %(scopes)s
          FROM members
         WHERE NOT EXISTS (SELECT FROM bidi WHERE agent = 'copilot')
         ORDER BY role <> 'owner', created_at, id
         LIMIT 1
            ON CONFLICT (organization_id) WHERE agent = 'copilot' DO NOTHING
        RETURNING id
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        scopes=list(COPILOT_SCOPES),
    )
    if bidi_id is not None:
        await emit(tx, BidiCreated(bidi_id))
    return await get_bidi_of_agent(tx, "copilot")


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
