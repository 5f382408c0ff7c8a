"""Small worlds for tests: a bot, a contact who writes, an AI seat and the rule that calls it."""

from dataclasses import dataclass, field
from itertools import count

from core import clock
from core.db import Database
from core.envelopes import Keyring
from core.principal import Principal
from crm.channel_accounts.models import ChannelAccount
from crm.conversations.actions import receive_message
from crm.conversations.models import Conversation, InboundMessage, Reception
from crm.conversations.queries import find_conversation
from crm.drafts.actions import create_draft
from crm.drafts.models import Draft, Evidence, EvidenceKind, Flag, NewDraft, Origin
from events.ids import BidiId, ConversationId, UserId
from infra.fleet import KEY
from infra.seed.workplace import make_workplace

_numbers = count(1)


@dataclass
class World:
    """One organization with a bot and an agent; its methods do what the outside does."""

    db: Database
    owner: Principal
    account: ChannelAccount
    bidi_id: BidiId
    chat_id: str = "700000001"
    handles: tuple[tuple[str, str], ...] = field(default=(("telegram_id", "700000001"),))

    async def receive(
        self, text: str, *, update_id: str = "", message_id: str = "", is_edit: bool = False
    ) -> Reception:
        """The contact writes."""
        number = next(_numbers)
        inbound = InboundMessage(
            update_id=update_id or f"u{number}",
            chat_id=self.chat_id,
            message_id=message_id or f"m{number}",
            sender_name="Vera Lind",
            sender_language="en",
            handles=self.handles,
            text=text,
            occurred_at=clock.now(),
            is_edit=is_edit,
        )
        async with self.db.transaction(self.owner, "test") as tx:
            return await receive_message(tx, self.account, inbound)

    async def conversation(self) -> Conversation:
        async with self.db.transaction(self.owner, "test") as tx:
            found = await find_conversation(tx, self.account.id, self.chat_id)
        assert found is not None
        return found

    async def draft(self, body: str = "Hello Vera", *, flags: tuple[Flag, ...] = ()) -> Draft:
        """The agent proposes a reply to what it has read so far."""
        conversation = await self.conversation()
        async with self.db.transaction(self.owner, "test") as tx:
            origin = Origin(None, self.bidi_id, conversation.last_inbound_seq, 0, "test")
            return await create_draft(tx, _new_draft(conversation.id, body, flags), origin)


def _new_draft(conversation_id: ConversationId, body: str, flags: tuple[Flag, ...]) -> NewDraft:
    evidence = Evidence(EvidenceKind.MESSAGE, conversation_id, "Vera", "Hello", statement=body)
    return NewDraft(conversation_id, body, "en", (evidence,), flags)


async def make_world(db: Database, owner: Principal, *, token: str = "1000001:test-token") -> World:
    """A polling bot, an inbox agent that suggests, and the trigger between them."""
    async with db.transaction(owner, "test") as tx:
        made = await make_workplace(tx, bot_token=token, keys=Keyring(KEY), responsible=UserId(owner.id))
    return World(db, owner, made.account, made.bidi_id)
