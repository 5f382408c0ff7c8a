"""The channels that this product speaks, by name."""

from channels.base import Channel
from channels.email.outbound import EmailChannel
from channels.telegram.client import TelegramClient
from channels.telegram.outbound import TelegramChannel
from core.settings import Settings


def build(settings: Settings) -> dict[str, Channel]:
    """One object for each channel; close each when the process ends."""
    telegram = TelegramChannel(TelegramClient(settings))
    email = EmailChannel(settings)
    return {telegram.name: telegram, email.name: email}
