"""Sending to Telegram: one call for one attempt, and what its failure means."""

from aiogram.exceptions import AiogramError

from channels.base import Credentials, Receipt
from channels.telegram import faults
from channels.telegram.client import SendText, TelegramClient
from core import crashpoint
from crm.conversations.models import Attempt


class TelegramChannel:
    """The Telegram bot channel."""

    name = "telegram"

    def __init__(self, client: TelegramClient) -> None:
        self.client = client

    async def send(self, credentials: Credentials, attempt: Attempt) -> Receipt:
        """Send the text as it is, without markup, exactly one request."""
        bot = self.client.bot(credentials)
        crashpoint.reach("send.telegram.before")
        try:
            sent = await bot(SendText(chat_id=_chat(attempt.chat_id), text=attempt.body))
        except AiogramError as err:
            raise faults.of_send(err) from err
        crashpoint.reach("send.telegram.after")
        return Receipt(provider_id=str(sent.message_id))

    async def fetch_file(self, credentials: Credentials, provider_id: str) -> bytes:
        return await self.client.download(credentials, provider_id)

    async def close(self) -> None:
        await self.client.close()


def _chat(chat_id: str) -> int | str:
    return int(chat_id) if chat_id.lstrip("-").isdigit() else chat_id
