"""Delivery of updates to webhooks: in order, again until somebody says 2xx."""

import asyncio
import time

from aiohttp import ClientError, ClientSession, ClientTimeout

from infra.peers.telegram.faults import Faults
from infra.peers.telegram.state import Bot, Store, Webhook

_TIMEOUT = ClientTimeout(total=30)
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0
_LOOK_FOR_BOTS_SECONDS = 0.1
_GIVE_UP_AFTER = 200


async def deliver_all(store: Store, faults: Faults) -> None:
    """Serve the webhook of every bot until cancelled; bots may appear at any time."""
    served: set[str] = set()
    async with ClientSession(timeout=_TIMEOUT) as session, asyncio.TaskGroup() as group:
        while True:
            for token in store.bots.keys() - served:
                served.add(token)
                group.create_task(_deliver(store.bots[token], faults, session))
            await asyncio.sleep(_LOOK_FOR_BOTS_SECONDS)


async def _deliver(bot: Bot, faults: Faults, session: ClientSession) -> None:
    failures = 0
    while True:
        if bot.webhook is None or not bot.pending:
            failures = 0
            await bot.changes.wait(60)
            continue
        update, webhook = bot.pending[0], bot.webhook
        error = await _post(session, webhook, update)
        if not error and faults.take(bot.token, "webhook"):
            error = await _post(session, webhook, update)
        if not error or failures >= _GIVE_UP_AFTER:
            failures = 0
            bot.confirm([each for each in bot.pending if each is update])
            continue
        failures += 1
        webhook.last_error, webhook.last_error_date = error, int(time.time())
        await asyncio.sleep(min(_FIRST_PAUSE_SECONDS * 2 ** (failures - 1), _LONGEST_PAUSE_SECONDS))


async def _post(session: ClientSession, webhook: Webhook, update: dict[str, object]) -> str:
    """What went wrong, in Telegram's words, or an empty text."""
    headers = {"X-Telegram-Bot-Api-Secret-Token": webhook.secret_token} if webhook.secret_token else {}
    try:
        async with session.post(webhook.url, json=update, headers=headers) as response:
            if response.ok:
                return ""
            return f"Wrong response from the webhook: {response.status} {response.reason}"
    except (ClientError, TimeoutError) as err:
        return f"Connection failed: {type(err).__name__}"
