"""Looking from the outside until something has happened."""

from crm.conversations.models import Conversation
from crm.conversations.queries import find_conversation
from crm.drafts.models import Draft
from crm.drafts.queries import find_pending_draft
from events.ids import ConversationId
from tests.support.stage import Stage
from tests.support.until import until


async def conversation_of(stage: Stage, chat_id: int, seconds: float = 30) -> Conversation:
    async def look() -> Conversation | None:
        async with stage.world.db.transaction(stage.world.owner, "test") as tx:
            return await find_conversation(tx, stage.world.account.id, str(chat_id))

    return await until(look, seconds)


async def draft_of(stage: Stage, conversation_id: ConversationId, seconds: float = 90) -> Draft:
    async def look() -> Draft | None:
        async with stage.world.db.transaction(stage.world.owner, "test") as tx:
            return await find_pending_draft(tx, conversation_id)

    return await until(look, seconds)


async def received(stage: Stage, chat_id: int) -> list[str]:
    async def look() -> list[str] | None:
        return await stage.peer.received(chat_id)

    return await until(look)
