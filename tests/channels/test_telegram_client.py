"""Reading from the Bot API: updates as they were sent, and files up to the limit."""

import pytest

from channels.base import AccountFault, Credentials, Limited, Permanent, Retryable
from channels.telegram.outbound import TelegramChannel
from core.ids import uuid7
from tests.support.telegram_peer import Peer


async def test_updates_come_raw_with_fields_nobody_knows_yet(
    peer: Peer, channel: TelegramChannel, credentials: Credentials
) -> None:
    await peer.push({"message": {"from": 7, "hologram": [1]}})

    updates = await channel.client.get_updates(credentials, 0, 0)

    assert updates[0]["message"] == {"from": 7, "hologram": [1]}


async def test_polling_while_a_webhook_is_set_says_so(
    peer: Peer, channel: TelegramChannel, credentials: Credentials
) -> None:
    await channel.client.set_webhook(credentials, "http://127.0.0.1:9/hook", "s3cret")

    with pytest.raises(Retryable, match="Somebody else receives"):
        await channel.client.get_updates(credentials, 0, 0)

    await channel.client.delete_webhook(credentials)
    assert await channel.client.get_updates(credentials, 0, 0) == []


async def test_the_bot_says_who_it_is(channel: TelegramChannel, credentials: Credentials) -> None:
    me = await channel.client.get_me(credentials)

    assert (me.id, me.username) == (1000001, "norrwick_bot")


@pytest.mark.parametrize("mode", ["drop_before", "drop_after", "half_reply", "garbage", "500", "slow"])
async def test_a_failed_poll_may_always_be_repeated(
    peer: Peer, channel: TelegramChannel, credentials: Credentials, mode: str
) -> None:
    await peer.send("hello")
    await peer.fault(mode, method="getUpdates", seconds=0.8)

    with pytest.raises(Retryable):
        await channel.client.get_updates(credentials, 0, 0)

    assert len(await channel.client.get_updates(credentials, 0, 0)) == 1


async def test_a_limited_poll_says_how_long_to_wait(
    peer: Peer, channel: TelegramChannel, credentials: Credentials
) -> None:
    await peer.fault("429", method="getUpdates", retry_after=4)

    with pytest.raises(Limited) as limited:
        await channel.client.get_updates(credentials, 0, 0)

    assert limited.value.retry_after_seconds == 4


async def test_a_token_that_telegram_refuses_is_our_own_fault(channel: TelegramChannel) -> None:
    with pytest.raises(AccountFault):
        await channel.client.get_me(Credentials(uuid7(), "1:x"))


async def test_a_file_is_fetched_whole(
    peer: Peer, channel: TelegramChannel, credentials: Credentials
) -> None:
    file_id = await send_document(peer, 49_000)

    assert await channel.fetch_file(credentials, file_id) == bytes(49_000)


async def test_a_file_over_the_limit_is_not_fetched(
    peer: Peer, channel: TelegramChannel, credentials: Credentials
) -> None:
    file_id = await send_document(peer, 200_000)

    with pytest.raises(Permanent, match="larger than the limit"):
        await channel.fetch_file(credentials, file_id)


async def test_a_file_too_big_for_bots_is_refused_by_telegram(
    peer: Peer, channel: TelegramChannel, credentials: Credentials
) -> None:
    file_id = await send_document(peer, 21 * 1024 * 1024)

    with pytest.raises(Permanent, match="larger than Telegram hands out"):
        await channel.fetch_file(credentials, file_id)


async def test_a_file_that_breaks_off_may_be_fetched_again(
    peer: Peer, channel: TelegramChannel, credentials: Credentials
) -> None:
    file_id = await send_document(peer, 49_000)
    await peer.fault("500", method="download")

    with pytest.raises(Retryable):
        await channel.fetch_file(credentials, file_id)

    assert len(await channel.fetch_file(credentials, file_id)) == 49_000


async def test_an_unknown_file_is_gone_for_good(channel: TelegramChannel, credentials: Credentials) -> None:
    with pytest.raises(Permanent):
        await channel.fetch_file(credentials, "nothing")


async def send_document(peer: Peer, size_bytes: int) -> str:
    await peer.send(document={"size_bytes": size_bytes})
    file_id: str = (await peer.chat())[-1]["file"]["id"]
    return file_id
