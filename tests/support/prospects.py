"""Somebody who writes to us and hears from us, over either channel."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from crm.conversations.models import Conversation
from infra.peers.smtp.server import Fault
from tests.support.outside import FAULTY, Outside, from_person
from tests.support.stage import Stage
from tests.support.watching import conversation_of

# How long a slow Bot API takes to answer; it delivers at the end. Longer than the fleet's patience.
SLOW_SECONDS = 8.0


class Prospect(Protocol):
    """One person, one conversation."""

    async def write(self, text: str) -> None: ...

    async def conversation(self, seconds: float) -> Conversation: ...

    async def arrived(self) -> list[str]:
        """The texts that reached the person, in order."""
        ...

    async def suffer(self, fault: str) -> None:
        """Let the next message to this person meet a fault: drop_before, drop_after, 429, 5xx, slow or half."""
        ...


@dataclass(frozen=True)
class TelegramProspect:
    stage: Stage
    chat_id: int

    async def write(self, text: str) -> None:
        await self.stage.peer.send(text, chat_id=self.chat_id, name="Vera Lind")

    async def conversation(self, seconds: float) -> Conversation:
        return await conversation_of(self.stage, self.chat_id, seconds)

    async def arrived(self) -> list[str]:
        return await self.stage.peer.received(self.chat_id)

    async def suffer(self, fault: str) -> None:
        modes = {"5xx": "500", "half": "half_reply"}
        await self.stage.peer.fault(modes.get(fault, fault), count=1, seconds=SLOW_SECONDS)


@dataclass(frozen=True)
class MailProspect:
    outside: Outside
    address: str

    async def write(self, text: str) -> None:
        await self.outside.write(from_person(self.address, text, to=FAULTY), to=FAULTY)

    async def conversation(self, seconds: float) -> Conversation:
        return await self.outside.conversation_with(self.address, seconds)

    async def arrived(self) -> list[str]:
        return [mail.text for mail in self.outside.smtp.received(self.address)]

    async def suffer(self, fault: str) -> None:
        kinds = {
            "drop_before": Fault.DROP_BEFORE,
            "drop_after": Fault.DROP_AFTER,
            "429": Fault.GREYLIST,
            "5xx": Fault.REFUSE,
            "slow": Fault.SLOW,
            "half": Fault.HALF,
        }
        self.outside.smtp.fail(kinds[fault], recipient=self.address)


Make = Callable[[int], Prospect]
