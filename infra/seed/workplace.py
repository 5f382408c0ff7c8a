"""The smallest organization that works: a Telegram bot, an inbox agent, and the rule that calls it."""

from dataclasses import dataclass

from core.db import Tx
from core.envelopes import Keyring
from crm.automation.actions import create_trigger
from crm.automation.models import Condition, RunAgent, TriggerBody
from crm.bidi.actions import create_ai_bidi
from crm.bidi.models import Autonomy
from crm.channel_accounts.actions import connect_telegram_bot
from crm.channel_accounts.models import ChannelAccount
from crm.channel_accounts.queries import get_channel_account
from events.ids import BidiId, UserId


@dataclass(frozen=True)
class Workplace:
    account: ChannelAccount
    bidi_id: BidiId


async def make_workplace(
    tx: Tx,
    *,
    bot_token: str,
    keys: Keyring,
    responsible: UserId,
    name: str = "Telegram bot",
    delivery: str = "polling",
) -> Workplace:
    """Connect a bot, seat the agent Mira, and store the rule: a message received runs her."""
    account_id = await connect_telegram_bot(
        tx, name=name, address="", token=bot_token, keys=keys, delivery=delivery
    )
    bidi_id = await create_ai_bidi(
        tx,
        name="Mira",
        agent="inbox",
        autonomy=Autonomy.SUGGEST,
        persona="Warm, brief and exact. Answers the question first.",
        responsible_user_id=responsible,
    )
    await create_trigger(
        tx,
        name="Answer incoming messages",
        event_type="message.received",
        body=TriggerBody(
            conditions=[
                Condition(field="conversation.holder_kind", operator="not_in", value=["person", "campaign"]),
                Condition(field="contact.is_suppressed", operator="is", value=False),
            ],
            actions=[RunAgent(bidi_id=bidi_id)],
        ),
    )
    return Workplace(await get_channel_account(tx, account_id), bidi_id)
