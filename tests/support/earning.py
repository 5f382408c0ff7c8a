"""What people decided about an agent's drafts, as rows: deciding a hundred times takes too long."""

from events.ids import DraftId
from tests.support.world import World


async def decide(world: World, count: int, *, intent: str = "price", accepted: bool = True) -> DraftId:
    """People decide about so many drafts on one intent; the last of them. The contact must have written."""
    draft = await world.draft()
    async with world.db.transaction(world.owner, "test") as tx:
        last = await tx.value(
            """
            WITH made AS (
                INSERT INTO drafts (organization_id, id, conversation_id, contact_id, bidi_id, status, body, content_hash,
                                    based_on_seq, intents)
                SELECT organization_id, gen_random_uuid(), conversation_id, contact_id, bidi_id, %(status)s, body,
                       content_hash, based_on_seq, ARRAY[%(intent)s::text]
                  FROM drafts, generate_series(1, %(count)s)
                 WHERE id = %(draft_id)s
                RETURNING organization_id, id
            ), decided AS (
                INSERT INTO approvals (organization_id, id, draft_id, content_hash, status, decided_by, decided_at)
                SELECT organization_id, gen_random_uuid(), id, '', %(status)s, %(user_id)s, now()
                  FROM made
            )
            SELECT id FROM made LIMIT 1
            """,
            status="approved" if accepted else "rejected",
            intent=intent,
            count=count,
            draft_id=draft.id,
            user_id=world.owner.id,
        )
    return DraftId(last)
