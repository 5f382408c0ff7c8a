"""What every channel can do, and the four ways in which a call to one can fail."""

from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from crm.channel_accounts.mailboxes import Mailbox
from crm.conversations.models import Attempt


class ChannelError(Exception):
    """A call to a channel failed; `reason` is text for the people who read the conversation."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Retryable(ChannelError):
    """Known not to have happened: the same call may be made again."""


class Limited(Retryable):
    """Refused for now: the same call may be made after `retry_after_seconds`."""

    def __init__(self, retry_after_seconds: float, reason: str = "The channel asks for a pause") -> None:
        super().__init__(reason)
        self.retry_after_seconds = retry_after_seconds


class Delayed(Retryable):
    """Refused for now, and for longer than a moment: this one message is tried again after `pause_seconds`, and
    later and later after that."""

    def __init__(self, pause_seconds: float, reason: str) -> None:
        super().__init__(reason)
        self.pause_seconds = pause_seconds


class Permanent(ChannelError):
    """Refused for good: the same call would be refused again."""


class AccountFault(Permanent):
    """Refused because of our own account, whoever the contact is: never to be held against the contact."""


class Ambiguous(ChannelError):
    """Nobody knows whether it happened: it must not be made again without a person."""


@dataclass(frozen=True)
class Credentials:
    """The account that acts and its secret: a bot's token, or the password of a mailbox."""

    account_id: UUID
    secret: str = field(repr=False)
    mailbox: Mailbox | None = None


@dataclass(frozen=True)
class Receipt:
    """The channel accepted a message and named it."""

    provider_id: str


class Channel(Protocol):
    """One kind of messenger; a single object serves all accounts of a process."""

    @property
    def name(self) -> str: ...

    async def send(self, credentials: Credentials, attempt: Attempt) -> Receipt:
        """Hand one message over, at most once.

        Raises:
            ChannelError: one of Retryable, Limited, Permanent, AccountFault and Ambiguous.
        """
        ...

    async def fetch_file(self, credentials: Credentials, provider_id: str) -> bytes:
        """The content of a file that came in.

        Raises:
            ChannelError: Retryable, Limited, Permanent or AccountFault; reading is never Ambiguous.
        """
        ...

    async def close(self) -> None: ...
