"""The channel in memory fails as it was told."""

import pytest

from channels.base import Ambiguous, Credentials, Retryable
from channels.fake import FakeChannel
from core.ids import uuid7
from crm.conversations.models import Attempt
from events.ids import ChannelAccountId, ConversationId, MessageId

CREDENTIALS = Credentials(uuid7(), "secret")
ATTEMPT = Attempt(
    MessageId(uuid7()), ConversationId(uuid7()), ChannelAccountId(uuid7()), "telegram", "1", "hi", uuid7(), 1
)


async def test_a_refused_send_leaves_nothing() -> None:
    channel = FakeChannel()
    channel.refuse(Retryable("not now"))

    with pytest.raises(Retryable):
        await channel.send(CREDENTIALS, ATTEMPT)

    assert channel.accepted == []


async def test_a_lost_answer_leaves_the_message_sent() -> None:
    channel = FakeChannel()
    channel.lose(Ambiguous("no answer"))

    with pytest.raises(Ambiguous):
        await channel.send(CREDENTIALS, ATTEMPT)

    assert channel.accepted == [ATTEMPT]
