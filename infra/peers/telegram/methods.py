"""The Bot API's methods as the product uses them; the words of refusals are Telegram's own."""

import json
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.peers.telegram.state import Bot, Line, Person, Webhook

Params = Mapping[str, str]
_TEXT_LIMIT = 4096
_POLL_LIMIT_SECONDS = 50
_DOWNLOAD_LIMIT_BYTES = 20 * 1024 * 1024
_TYPING_SECONDS = 5


@dataclass
class Refusal(Exception):
    """An answer with `ok: false`."""

    status: int
    description: str
    parameters: dict[str, Any] = field(default_factory=dict)


async def get_me(bot: Bot, params: Params) -> dict[str, Any]:
    return _bot_user(bot) | {"can_join_groups": False, "can_read_all_group_messages": False}


async def get_updates(bot: Bot, params: Params) -> list[dict[str, Any]]:
    """Source: https://core.telegram.org/bots/api#getupdates"""
    if bot.webhook:
        raise Refusal(409, "Conflict: can't use getUpdates method while webhook is active; "
                           "use deleteWebhook to delete the webhook first")  # fmt: skip
    offset, limit = _number(params, "offset", 0), _number(params, "limit", 100)
    until = time.monotonic() + min(_number(params, "timeout", 0), _POLL_LIMIT_SECONDS)
    bot.poll_number += 1
    number = bot.poll_number
    bot.changes.notify()
    if offset < 0:
        offset = bot.pending[offset:][0]["update_id"] if bot.pending else 0
    bot.confirm([update for update in bot.pending if update["update_id"] < offset])
    while not bot.pending and time.monotonic() < until:
        await bot.changes.wait(until - time.monotonic())
        if bot.poll_number != number or bot.webhook:
            raise Refusal(409, "Conflict: terminated by other getUpdates request; "
                               "make sure that only one bot instance is running")  # fmt: skip
    return bot.pending[: max(1, min(limit, 100))]


async def set_webhook(bot: Bot, params: Params) -> bool:
    """Source: https://core.telegram.org/bots/api#setwebhook; plain HTTP is taken, as a local server does."""
    url, secret = params.get("url", ""), params.get("secret_token", "")
    if not url:
        return await delete_webhook(bot, params)
    if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", url):
        raise Refusal(400, "Bad Request: bad webhook: invalid URL")
    if not re.fullmatch(r"[A-Za-z0-9_-]{0,256}", secret):
        raise Refusal(400, "Bad Request: secret token contains unallowed characters")
    _drop_pending(bot, params)
    bot.webhook = Webhook(url, secret)
    bot.changes.notify()
    return True


async def delete_webhook(bot: Bot, params: Params) -> bool:
    _drop_pending(bot, params)
    bot.webhook = None
    bot.changes.notify()
    return True


async def get_webhook_info(bot: Bot, params: Params) -> dict[str, Any]:
    info: dict[str, Any] = {
        "url": "",
        "has_custom_certificate": False,
        "pending_update_count": len(bot.pending),
    }
    if bot.webhook:
        info["url"] = bot.webhook.url
    if bot.webhook and bot.webhook.last_error:
        info["last_error_date"] = bot.webhook.last_error_date
        info["last_error_message"] = bot.webhook.last_error
    return info


async def send_message(bot: Bot, params: Params) -> dict[str, Any]:
    person = _recipient(bot, params)
    text = params.get("text", "").strip()
    if not text:
        raise Refusal(400, "Bad Request: message text is empty")
    if len(text) > _TEXT_LIMIT:
        raise Refusal(400, "Bad Request: message is too long")
    line = Line(bot.take_message_id(), False, text, int(time.time()), is_delivered=True)
    person.is_typed_to_until = 0.0
    bot.add_line(person.id, line)
    return {"message_id": line.message_id, "from": _bot_user(bot), "chat": chat_of(person),
            "date": line.date, "text": text}  # fmt: skip


async def send_chat_action(bot: Bot, params: Params) -> bool:
    person = _recipient(bot, params)
    if not params.get("action"):
        raise Refusal(400, "Bad Request: wrong parameter action in request")
    person.is_typed_to_until = time.time() + _TYPING_SECONDS
    bot.changes.notify()
    return True


async def get_file(bot: Bot, params: Params) -> dict[str, Any]:
    file = bot.files.get(params.get("file_id", ""))
    if file is None:
        raise Refusal(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
    if file.size_bytes > _DOWNLOAD_LIMIT_BYTES:
        raise Refusal(400, "Bad Request: file is too big")
    return {
        "file_id": file.id,
        "file_unique_id": file.id,
        "file_size": file.size_bytes,
        "file_path": f"files/{file.id}",
    }


METHODS: dict[str, Callable[[Bot, Params], Awaitable[Any]]] = {
    "getme": get_me,
    "getupdates": get_updates,
    "setwebhook": set_webhook,
    "deletewebhook": delete_webhook,
    "getwebhookinfo": get_webhook_info,
    "sendmessage": send_message,
    "sendchataction": send_chat_action,
    "getfile": get_file,
}


def chat_of(person: Person) -> dict[str, Any]:
    """The private chat as the Bot API describes it."""
    return {"id": person.id, "type": "private"} | names_of(person)


def names_of(person: Person) -> dict[str, str]:
    first, _, last = person.name.partition(" ")
    names = {"first_name": first, "last_name": last, "username": person.username}
    return {key: value for key, value in names.items() if value}


def _bot_user(bot: Bot) -> dict[str, Any]:
    return {"id": bot.id, "is_bot": True, "first_name": bot.name, "username": bot.username}


def _recipient(bot: Bot, params: Params) -> Person:
    if not params.get("chat_id"):
        raise Refusal(400, "Bad Request: chat_id is empty")
    person = bot.person(_number(params, "chat_id", 0))
    if person is None:
        raise Refusal(400, "Bad Request: chat not found")
    if person.has_blocked_bot:
        raise Refusal(403, "Forbidden: bot was blocked by the user")
    return person


def _number(params: Params, name: str, default: int) -> int:
    try:
        return int(params.get(name, default))
    except ValueError as err:
        raise Refusal(400, f"Bad Request: wrong parameter {name} in request") from err


def _drop_pending(bot: Bot, params: Params) -> None:
    if json.loads(params.get("drop_pending_updates", "false").lower()):
        bot.pending.clear()
