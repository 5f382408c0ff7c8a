"""What an error of the Bot API client means for the message that was being sent."""

from aiogram.exceptions import (
    AiogramError,
    TelegramAPIError,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiohttp import ClientConnectorError, ClientSSLError, ConnectionTimeoutError, InvalidURL

from channels.base import AccountFault, Ambiguous, ChannelError, Limited, Permanent, Retryable

# Telegram's own words (lower case) and ours; it documents no codes for them.
_REFUSALS = {
    "bot was blocked by the user": "Blocked by the contact",
    "user is deactivated": "The contact's Telegram account is deleted",
    "bot can't initiate conversation": "The contact has not written to this bot yet",
    "bot can't send messages to bots": "The contact is a bot",
    "chat not found": "Telegram knows no such chat",
    "message text is empty": "The text is empty",
    "message is too long": "The text is longer than Telegram allows (4096 characters)",
    "file is too big": "The file is larger than Telegram hands out to bots",
}
_NEVER_LEFT = (ClientConnectorError, ClientSSLError, ConnectionTimeoutError, InvalidURL)


def of_send(error: AiogramError) -> ChannelError:
    """The fate of a message whose sending raised `error`.

    The Bot API has no idempotency key, so whatever may have reached Telegram is Ambiguous: a time limit
    or a lost connection does not say that nothing was sent.
    """
    match error:
        case TelegramRetryAfter():
            return Limited(float(error.retry_after), "Telegram asks for a pause")
        case TelegramUnauthorizedError() | TelegramNotFound():
            return AccountFault("Telegram does not accept the bot's token; connect the account again")
        case TelegramConflictError():
            return Retryable("Somebody else receives this bot's updates")
        case TelegramEntityTooLarge():
            return Permanent("The message is larger than Telegram allows")
        case TelegramNetworkError() if isinstance(error.__cause__, _NEVER_LEFT):
            return Retryable("Telegram cannot be reached")
        case TelegramNetworkError():
            return Ambiguous("The connection to Telegram broke before it answered")
        case TelegramServerError():
            return Ambiguous("Telegram answered with an error of its own")
        case TelegramAPIError():
            return _refusal(error.message)
        case _:
            return Ambiguous("Telegram's answer could not be read")


def of_read(error: AiogramError) -> ChannelError:
    """The same for calls that change nothing at Telegram: they may always be made again."""
    fault = of_send(error)
    return Retryable(fault.reason) if isinstance(fault, Ambiguous) else fault


def _refusal(description: str | None) -> ChannelError:
    words = (description or "").lower()
    if "too many requests" in words:  # a 429 without parameters is a plain TelegramAPIError in aiogram
        return Limited(1.0, "Telegram asks for a pause")
    for theirs, ours in _REFUSALS.items():
        if theirs in words:
            return Permanent(ours)
    return Permanent(f"Refused by Telegram: {description or 'no reason given'}")
