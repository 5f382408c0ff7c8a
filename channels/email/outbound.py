"""Sending mail: one conversation with the SMTP server for one attempt, and what its failure means."""

import asyncio
import socket
import ssl
from contextlib import suppress

import aiosmtplib
from aiosmtplib.errors import (
    SMTPAuthenticationError,
    SMTPException,
    SMTPNotSupported,
    SMTPResponseException,
)

from channels.base import AccountFault, ChannelError, Credentials, Permanent, Receipt, Retryable
from channels.email import faults
from channels.email.compose import compose, wire_address
from channels.email.faults import Phase
from channels.email.imap import ImapClient
from core import addresses, crashpoint
from core.addresses import AddressRefused, Reach
from core.errors import Unavailable
from core.settings import Settings
from crm.channel_accounts.mailboxes import Mailbox, Security
from crm.conversations.models import Attempt, OutgoingMail

_CONNECT_SECONDS = 10.0
# Source: RFC 5321 section 4.5.3.2.6: a server may take long over the final dot, and giving up makes doubles
_FINAL_FACTOR = 3


class EmailChannel:
    """The email channel, over the servers of each account."""

    name = "email"

    def __init__(self, settings: Settings, reach: Reach | None = None) -> None:
        self._reach = reach or addresses.tenant_reach(settings)
        self._timeout_seconds = settings.channel_timeout_seconds
        self._pause_seconds = settings.mail_pause_seconds

    async def send(self, credentials: Credentials, attempt: Attempt) -> Receipt:
        """Hand one mail over; the receipt is the Message-ID that was stored before."""
        mailbox, mail = _parts(credentials, attempt.mail)
        content = compose(mail, attempt.chat_id, attempt.body).as_bytes()
        crashpoint.reach("send.email.before")
        try:
            smtp = await self._connect(mailbox, credentials.secret)
            try:
                await self._hand_over(smtp, mail.sender, attempt.chat_id, content)
            finally:
                await _leave(smtp)
        except _Answered as err:
            raise faults.of_answer(err.phase, err.code, err.text, self._pause_seconds) from err
        crashpoint.reach("send.email.after")
        return Receipt(provider_id=mail.mail_id)

    async def check(self, credentials: Credentials) -> None:
        """Log in and leave, to see whether an account can send. Raises: ChannelError."""
        assert credentials.mailbox is not None
        try:
            await _leave(await self._connect(credentials.mailbox, credentials.secret))
        except _Answered as err:
            raise faults.of_answer(err.phase, err.code, err.text, self._pause_seconds) from err

    async def keep_copy(
        self, credentials: Credentials, mail: OutgoingMail, recipient: str, body: str
    ) -> None:
        """Put a sent mail into the account's Sent folder, unless its server has done so. Raises: ChannelError."""
        mailbox, _ = _parts(credentials, mail)
        content = compose(mail, recipient, body).as_bytes()
        async with ImapClient(mailbox, credentials.secret, self._reach, self._timeout_seconds) as imap:
            await imap.keep_sent(mail.mail_id, content)

    async def fetch_file(self, credentials: Credentials, provider_id: str) -> bytes:
        raise Permanent("A mail's files come with it; there is nothing to fetch")

    async def close(self) -> None:
        pass

    async def _connect(self, mailbox: Mailbox, password: str) -> aiosmtplib.SMTP:
        server = mailbox.smtp
        smtp = aiosmtplib.SMTP(
            hostname=server.host,
            sock=await _socket(server.host, server.port, self._reach),
            use_tls=server.security is Security.TLS,
            start_tls=False,
            local_hostname=mailbox.address.rpartition("@")[2],
            timeout=self._timeout_seconds,
        )
        try:
            await _begin(smtp, server.security, mailbox.username, password)
        except BaseException:
            smtp.close()
            raise
        return smtp

    async def _hand_over(self, smtp: aiosmtplib.SMTP, sender: str, recipient: str, content: bytes) -> None:
        await _said_yes(smtp, Phase.SENDER, b"MAIL", f"FROM:<{sender}>".encode())
        await _said_yes(smtp, Phase.RECIPIENT, b"RCPT", f"TO:<{wire_address(recipient)}>".encode())
        await _said_yes(smtp, Phase.CONTENT, b"DATA")
        await _write(smtp, content)
        await self._finish(smtp)

    async def _finish(self, smtp: aiosmtplib.SMTP) -> None:
        """The final dot: until it is written nothing was sent, from then on only an answer tells."""
        if not smtp.is_connected:
            raise faults.dropped(is_content_out=False)
        try:
            answer = await smtp.execute_command(b".", timeout=self._timeout_seconds * _FINAL_FACTOR)
        except (SMTPException, OSError) as err:
            raise faults.dropped(is_content_out=True) from err
        if 400 <= answer.code < 600:
            raise _Answered(Phase.CONTENT, answer.code, answer.message)
        if not 200 <= answer.code < 300:
            raise faults.dropped(is_content_out=True)


class _Answered(Exception):
    """The server said something else than yes."""

    def __init__(self, phase: Phase, code: int, text: str) -> None:
        super().__init__(code, text)
        self.phase = phase
        self.code = code
        self.text = text


def _parts(credentials: Credentials, mail: OutgoingMail | None) -> tuple[Mailbox, OutgoingMail]:
    if credentials.mailbox is None or mail is None:
        raise AccountFault("The account has no mail servers; connect the mailbox again")
    return credentials.mailbox, mail


async def _socket(host: str, port: int, reach: Reach) -> socket.socket:
    """A connected socket to a checked address of the host. Raises: AccountFault, Retryable."""
    try:
        found = await addresses.resolve(host, port, reach)
    except AddressRefused as err:
        raise AccountFault(err.detail) from err
    except Unavailable as err:
        raise Retryable(err.detail) from err
    loop = asyncio.get_running_loop()
    for address in found:
        made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        made.setblocking(False)
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await loop.sock_connect(made, (address, port))
            return made
        except (OSError, TimeoutError):
            made.close()
    raise Retryable(f"The mail server {host} cannot be reached")


async def _begin(smtp: aiosmtplib.SMTP, security: Security, username: str, password: str) -> None:
    """Greeting, encryption and login; nothing of a mail has left yet."""
    phase = Phase.GREETING
    try:
        await smtp.connect()
        if security is Security.STARTTLS:
            await smtp.starttls()
        phase = Phase.LOGIN
        # a relay of the operator's own network may ask for none
        if username:
            await smtp.login(username, password)
    except SMTPAuthenticationError as err:
        raise _Answered(Phase.LOGIN, err.code, err.message) from err
    except SMTPResponseException as err:
        raise _Answered(phase, err.code, err.message) from err
    except SMTPNotSupported as err:
        raise AccountFault(f"The mail server cannot do what the account asks for: {err.message}") from err
    except ssl.SSLCertVerificationError as err:
        raise AccountFault(f"The mail server's certificate is not trusted: {err.verify_message}") from err
    except (SMTPException, OSError) as err:
        if type(err) is SMTPException:  # the library's own word: no way to log in that both sides know
            raise AccountFault(f"The mail server offers no login: {err.message}") from err
        raise _untrusted(err) or faults.dropped(is_content_out=False) from err


def _untrusted(err: BaseException) -> ChannelError | None:
    """A certificate that failed, wherever the library has wrapped it."""
    cause: BaseException | None = err
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return AccountFault(f"The mail server's certificate is not trusted: {cause.verify_message}")
        cause = cause.__cause__ or cause.__context__
    return None


async def _said_yes(smtp: aiosmtplib.SMTP, phase: Phase, *command: bytes) -> None:
    try:
        answer = await smtp.execute_command(*command)
    except ValueError as err:
        raise Permanent("The address cannot be written to") from err
    except SMTPResponseException as err:
        raise _Answered(phase, err.code, err.message) from err
    except (SMTPException, OSError) as err:
        raise faults.dropped(is_content_out=False) from err
    if not 200 <= answer.code < 400:
        raise _Answered(phase, answer.code, answer.message)


async def _write(smtp: aiosmtplib.SMTP, content: bytes) -> None:
    """Write everything but the final dot, and give a broken connection the time to show.

    The library would write both at once, and a connection that broke long before the dot would leave us guessing.
    """
    protocol = smtp.protocol
    if protocol is None:
        raise faults.dropped(is_content_out=False)
    lines = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    stuffed = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines)
    try:
        protocol.write(stuffed if stuffed.endswith(b"\r\n") else stuffed + b"\r\n")
        await protocol._drain_helper()
    except (SMTPException, OSError) as err:
        raise faults.dropped(is_content_out=False) from err
    await asyncio.sleep(0.01)


async def _leave(smtp: aiosmtplib.SMTP) -> None:
    """Say goodbye; a mail that was taken stays taken, however the connection ends."""
    with suppress(SMTPException, OSError, TimeoutError):
        if smtp.is_connected:
            await smtp.quit(timeout=1)
    smtp.close()
