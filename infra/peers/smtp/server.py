"""An SMTP server whose every fault is asked for beforehand; whatever it accepts it keeps."""

import asyncio
import email
import email.policy
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from enum import StrEnum

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class Fault(StrEnum):
    """What happens to the next mail instead of the ordinary course."""

    DROP_AT_GREETING = "drop_at_greeting"
    DROP_BEFORE = "drop_before"  # at DATA, before a byte of the mail came
    DROP_AFTER = "drop_after"  # accepted and kept, and the connection breaks instead of the answer
    GREYLIST = "greylist"  # 451 to the recipient
    LIMIT = "limit"  # 421, as servers say "too many"
    REFUSE = "refuse"  # 550 to the recipient
    REFUSE_CONTENT = "refuse_content"  # 554 after the final dot
    SLOW = "slow"  # accepted and kept, and the answer comes after `slow_seconds`
    HALF = "half"  # accepted and kept, and half an answer
    BAD_LOGIN = "bad_login"  # 535


@dataclass(frozen=True)
class Accepted:
    """One mail that the server took: from then on it answers for it."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes = field(repr=False)

    @property
    def message(self) -> EmailMessage:
        return email.message_from_bytes(self.content, policy=email.policy.default)

    @property
    def mail_id(self) -> str:
        return str(self.message["Message-ID"]).strip("<> ")

    @property
    def text(self) -> str:
        """The body as its reader sees it."""
        return str(self.message.get_content()).replace("\r\n", "\n").rstrip("\n")


@dataclass
class SmtpPeer:
    """What the server knows and is told; `faults` are used up in order, also those meant for one recipient."""

    port: int = 0
    password: str = "peer-password"
    slow_seconds: float = 3.0
    accepted: list[Accepted] = field(default_factory=list)
    calls: int = 0
    _faults: deque[Fault] = field(default_factory=deque)
    _for_recipient: dict[str, deque[Fault]] = field(default_factory=dict)

    def fail(self, *faults: Fault, recipient: str = "") -> None:
        """Let the next mails (to `recipient`, if given) fail, one fault each."""
        (self._for_recipient.setdefault(recipient, deque()) if recipient else self._faults).extend(faults)

    def received(self, recipient: str) -> list[Accepted]:
        """The mails that reached a person."""
        return [mail for mail in self.accepted if recipient in mail.recipients]

    def take(self, stage: tuple[Fault, ...], recipient: str = "") -> Fault | None:
        """The fault that is due at this point of a conversation, if any."""
        for queue in (self._for_recipient.get(recipient, deque()), self._faults):
            if queue and queue[0] in stage:
                return queue.popleft()
        return None


class _Connection(SMTP):
    """One conversation, with the places where it can break."""

    def __init__(self, peer: SmtpPeer) -> None:
        super().__init__(
            _Handler(peer),
            hostname="peer.example",
            ident="GetSale peer",
            auth_require_tls=False,
            # one way to log in: a client that tries the next one would use up a second fault
            auth_exclude_mechanism=["LOGIN"],
            authenticator=self._judge,
            enable_SMTPUTF8=False,
            data_size_limit=64 * 1024 * 1024,
        )
        self.peer = peer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.peer.calls += 1
        if self.peer.take((Fault.DROP_AT_GREETING,)):
            transport.close()
            return
        super().connection_made(transport)

    def _judge(self, _: SMTP, __: Session, ___: Envelope, ____: str, given: object) -> AuthResult:
        is_right = isinstance(given, LoginPassword) and given.password.decode() == self.peer.password
        return AuthResult(success=is_right and self.peer.take((Fault.BAD_LOGIN,)) is None, handled=False)

    async def smtp_DATA(self, arg: str) -> None:
        if self.peer.take((Fault.DROP_BEFORE,), _first(self.envelope)):
            _break(self)
            return
        await super().smtp_DATA(arg)


class _Handler:
    """What aiosmtpd asks at each step."""

    def __init__(self, peer: SmtpPeer) -> None:
        self._peer = peer

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        match self._peer.take((Fault.GREYLIST, Fault.LIMIT, Fault.REFUSE), address):
            case Fault.GREYLIST:
                return "451 4.7.1 Greylisted, come back later"
            case Fault.LIMIT:
                return "421 4.7.0 Too many mails, slow down"
            case Fault.REFUSE:
                return "550 5.1.1 No such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        stage = (Fault.REFUSE_CONTENT, Fault.DROP_AFTER, Fault.SLOW, Fault.HALF)
        fault = self._peer.take(stage, _first(envelope))
        if fault is Fault.REFUSE_CONTENT:
            return "554 5.7.1 Not this"
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        self._peer.accepted.append(Accepted(envelope.mail_from or "", tuple(envelope.rcpt_tos), content))
        match fault:
            case Fault.DROP_AFTER:
                _break(server)
            case Fault.SLOW:
                await asyncio.sleep(self._peer.slow_seconds)
            case Fault.HALF:
                if isinstance(server.transport, asyncio.WriteTransport):
                    server.transport.write(b"25")
                await asyncio.sleep(0.05)
                _break(server)
        return "250 2.0.0 OK"


def _first(envelope: Envelope | None) -> str:
    return envelope.rcpt_tos[0] if envelope is not None and envelope.rcpt_tos else ""


def _break(server: SMTP) -> None:
    if server.transport is not None:
        server.transport.close()


@asynccontextmanager
async def running_smtp_peer(**options: object) -> AsyncIterator[SmtpPeer]:
    """A peer on a free port of this machine, for as long as the block runs."""
    peer = SmtpPeer(**options)  # type: ignore[arg-type]
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(peer), "127.0.0.1", 0)
    peer.port = int(server.sockets[0].getsockname()[1])
    try:
        yield peer
    finally:
        server.close()
