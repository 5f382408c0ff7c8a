"""What becomes of a message when Telegram, or the way to it, misbehaves."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from channels.base import AccountFault, Ambiguous, ChannelError, Credentials, Limited, Permanent, Retryable
from channels.telegram.client import TelegramClient
from channels.telegram.outbound import TelegramChannel
from core.ids import uuid7
from core.settings import Settings
from crm.conversations.models import Attempt
from events.ids import ChannelAccountId, ConversationId, MessageId
from tests.support.telegram_peer import VERA, Peer


def attempt(body: str = "€8,160 a year", chat_id: str = str(VERA)) -> Attempt:
    return Attempt(
        MessageId(uuid7()),
        ConversationId(uuid7()),
        ChannelAccountId(uuid7()),
        "telegram",
        chat_id,
        body,
        uuid7(),
        1,
    )


async def test_a_message_reaches_the_chat_word_for_word(
    peer: Peer, channel: TelegramChannel, credentials: Credentials
) -> None:
    body = "Здравствуйте! <b>8160 €</b> _в год_\n\n/start"

    receipt = await channel.send(credentials, attempt(body))

    sent = (await peer.chat())[-1]
    assert (sent["text"], str(sent["message_id"])) == (body, receipt.provider_id)


@pytest.mark.parametrize(
    ("mode", "error", "arrived", "reason"),
    [
        ("drop_before", Ambiguous, 0, "The connection to Telegram broke before it answered"),
        ("drop_after", Ambiguous, 1, "The connection to Telegram broke before it answered"),
        ("half_reply", Ambiguous, 1, "The connection to Telegram broke before it answered"),
        ("garbage", Ambiguous, 1, "Telegram's answer could not be read"),
        ("500", Ambiguous, 0, "Telegram answered with an error of its own"),
        ("500_after", Ambiguous, 1, "Telegram answered with an error of its own"),
        ("429", Limited, 0, "Telegram asks for a pause"),
        ("blocked", Permanent, 0, "Blocked by the contact"),
        ("deactivated", Permanent, 0, "The contact's Telegram account is deleted"),
        ("chat_not_found", Permanent, 0, "Telegram knows no such chat"),
        ("401", AccountFault, 0, "Telegram does not accept the bot's token; connect the account again"),
    ],
)
async def test_a_failure_has_a_kind_and_is_never_repeated(
    peer: Peer,
    channel: TelegramChannel,
    credentials: Credentials,
    mode: str,
    error: type[ChannelError],
    arrived: int,
    reason: str,
) -> None:
    await peer.fault(mode)

    with pytest.raises(ChannelError) as failure:
        await channel.send(credentials, attempt())

    assert type(failure.value) is error
    assert failure.value.reason == reason
    assert len(await peer.received()) == arrived
    assert (await peer.state())["calls"]["sendMessage"] == 1


async def test_an_answer_that_comes_too_late_is_ambiguous_because_it_was_sent(
    peer: Peer, channel: TelegramChannel, credentials: Credentials
) -> None:
    await peer.fault("slow", seconds=0.8)

    with pytest.raises(Ambiguous):
        await channel.send(credentials, attempt("late"))

    await asyncio.sleep(0.5)
    assert await peer.received() == ["late"]


async def test_a_limit_says_how_long_to_wait(
    peer: Peer, channel: TelegramChannel, credentials: Credentials
) -> None:
    await peer.fault("429", retry_after=17)

    with pytest.raises(Limited) as limited:
        await channel.send(credentials, attempt())

    assert limited.value.retry_after_seconds == 17


async def test_the_next_message_goes_through_after_a_failure(
    peer: Peer, channel: TelegramChannel, credentials: Credentials
) -> None:
    await peer.fault("drop_before")
    with pytest.raises(Ambiguous):
        await channel.send(credentials, attempt("first"))

    await channel.send(credentials, attempt("second"))

    assert await peer.received() == ["second"]


@pytest.mark.parametrize(
    ("body", "chat_id", "reason"),
    [
        ("   ", str(VERA), "The text is empty"),
        ("x" * 4097, str(VERA), "The text is longer than Telegram allows (4096 characters)"),
        ("hi", "5", "Telegram knows no such chat"),
        ("hi", "not-a-number", "Refused by Telegram: Bad Request: wrong parameter chat_id in request"),
    ],
)
async def test_a_message_that_telegram_refuses_says_why(
    channel: TelegramChannel, credentials: Credentials, body: str, chat_id: str, reason: str
) -> None:
    with pytest.raises(Permanent) as refused:
        await channel.send(credentials, attempt(body, chat_id))

    assert (type(refused.value), refused.value.reason) == (Permanent, reason)


async def test_a_contact_who_blocked_the_bot_is_named(
    peer: Peer, channel: TelegramChannel, credentials: Credentials
) -> None:
    await peer.send(block=True)

    with pytest.raises(Permanent, match="Blocked by the contact"):
        await channel.send(credentials, attempt())


@pytest.mark.parametrize("secret", ["", "no-token", "12:with space"])
async def test_a_malformed_token_is_our_own_fault(channel: TelegramChannel, secret: str) -> None:
    with pytest.raises(AccountFault):
        await channel.send(Credentials(uuid7(), secret), attempt())


@pytest.fixture
async def silent_port() -> AsyncIterator[int]:
    """A port whose queue is full: connecting to it hangs."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for client in (first, second):
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        await asyncio.sleep(0.05)
        yield listener.getsockname()[1]


@pytest.mark.parametrize("host", ["http://127.0.0.1:9", "http://no-such-host.invalid"])
async def test_what_never_left_may_be_sent_again(credentials: Credentials, host: str) -> None:
    with pytest.raises(Retryable) as failure:
        await send_to(host, credentials)

    assert type(failure.value) is Retryable


async def test_a_connection_that_never_came_about_may_be_tried_again(
    credentials: Credentials, silent_port: int
) -> None:
    with pytest.raises(Retryable):
        await send_to(f"http://127.0.0.1:{silent_port}", credentials)


async def send_to(host: str, credentials: Credentials) -> None:
    channel = TelegramChannel(TelegramClient(Settings(telegram_api_base=host, channel_timeout_seconds=0.6)))
    try:
        await channel.send(credentials, attempt())
    finally:
        await channel.close()


def test_a_secret_is_not_printed(credentials: Credentials) -> None:
    assert credentials.secret not in repr(credentials)
