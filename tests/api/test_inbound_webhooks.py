"""The promise: 400 wrong, missing, stale or reused signatures of inbound webhooks, 0 accepted.

Telegram repeats a secret of the account in every call and signs no time, so that what is stale or used again is known by
its `update_id`.
"""

from random import Random
from typing import Any

import httpx2
import pytest

from core.db import Database
from core.ids import uuid7
from core.principal import Principal
from crm.channel_accounts.models import webhook_secret
from events.ids import ChannelAccountId
from tests.support.desk import SECRET
from tests.support.figures import FIGURE, Record
from tests.support.world import make_world

HEADER = "X-Telegram-Bot-Api-Secret-Token"


def _update(number: int) -> dict[str, Any]:
    sender = {"id": 880000001, "is_bot": False, "first_name": "Eve"}
    chat = {"id": 880000001, "type": "private"}
    message = {
        "message_id": number,
        "date": 1795000000,
        "chat": chat,
        "from": sender,
        "text": f"Hello {number}",
    }
    return {"update_id": number, "message": message}


def _wrong(random: Random, good: str, others: list[str]) -> bytes | None:
    """A secret that is not the account's; None: none at all."""
    kind = random.randrange(9)
    place = random.randrange(len(good))
    match kind:
        case 0:
            return None
        case 1:
            return b""
        case 2:  # one letter is another
            return (
                good[:place]
                + random.choice([c for c in "0123456789abcdef" if c != good[place]])
                + good[place + 1 :]
            ).encode()
        case 3:
            return good[:place].encode()
        case 4:
            return (good + random.choice("0123456789abcdef")).encode()
        case 5:
            return good.upper().encode()
        case 6:  # another account's, or the same account's under another key
            return random.choice(others).encode()
        case 7:
            return good.replace("a", "\u0430", 1).encode() if "a" in good else b"\xd0\xb0"
        case _:
            return random.randbytes(32).hex().encode()


@pytest.mark.parametrize("cases", [60, pytest.param(400, marks=pytest.mark.full)])
async def test_no_call_without_the_accounts_secret_is_accepted(
    site: str, database: Database, organization: Principal, record_property: Record, cases: int
) -> None:
    world = await make_world(database, organization)
    account = ChannelAccountId(world.account.id)
    good = webhook_secret(SECRET, account)
    others = [webhook_secret(SECRET, ChannelAccountId(uuid7())), webhook_secret("another key", account)]
    random, statuses = Random(cases), []

    async with httpx2.AsyncClient(base_url=site, timeout=20) as client:
        for number in range(cases):
            secret = _wrong(random, good, others)
            headers = [] if secret is None else [(HEADER.encode(), secret)]
            answer = await client.post(f"/webhooks/telegram/{account}", json=_update(number), headers=headers)
            statuses.append(answer.status_code)

    async with database.transaction(organization, "test") as tx:
        received = await tx.value("SELECT count(*) FROM messages")
    record_property(FIGURE, f"webhooks in: {cases} wrong or missing secrets, {received} accepted")
    assert set(statuses) <= {403, 422}
    assert received == 0


@pytest.mark.parametrize("times", [20, pytest.param(400, marks=pytest.mark.full)])
async def test_an_update_that_comes_again_is_taken_once(
    site: str, database: Database, organization: Principal, record_property: Record, times: int
) -> None:
    world = await make_world(database, organization)
    account = ChannelAccountId(world.account.id)
    headers = {HEADER: webhook_secret(SECRET, account)}

    async with httpx2.AsyncClient(base_url=site, timeout=20) as client:
        for _ in range(times):
            answer = await client.post(f"/webhooks/telegram/{account}", json=_update(7), headers=headers)
            assert answer.status_code == 200, answer.text

    async with database.transaction(organization, "test") as tx:
        received = await tx.value("SELECT count(*) FROM messages")
    record_property(FIGURE, f"webhooks in: one update sent {times} times, taken {received} time")
    assert received == 1
