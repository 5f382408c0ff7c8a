"""Reading a mailbox over IMAP: imap-tools in one thread of the account's own, behind an awaitable face."""

import asyncio
import imaplib
import re
import socket
import ssl
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Self, TypeVar

from imap_tools.errors import ImapToolsError, MailboxLoginError
from imap_tools.mailbox import BaseMailBox

from channels.base import AccountFault, Retryable
from core import addresses, clock, crashpoint
from core.addresses import AddressRefused, Reach
from core.errors import Unavailable
from crm.channel_accounts.mailboxes import Mailbox, MailServer, Security

T = TypeVar("T")
_CONNECT_SECONDS = 10.0
# Source: RFC 2177: an IDLE is ended and begun again at least every 29 minutes
LONGEST_IDLE_SECONDS = 28 * 60.0
_WITHOUT_IDLE_SECONDS = 20.0
_SENT_NAMES = ("Sent", "Sent Items", "Sent Messages", "Отправленные", "[Gmail]/Sent Mail", "INBOX.Sent")
# imaplib refuses an answer of more than a million bytes in one line: all UIDs of some 140,000 mails.
_SEARCH_BLOCK = 10_000
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")


@dataclass(frozen=True)
class RawMail:
    """A mail as the server keeps it; `content` is None when it is larger than was asked for."""

    uid: int
    size_bytes: int
    arrived_at: datetime
    content: bytes | None


class ImapClient:
    """One connection to one mailbox. Every call may raise Retryable, when the connection is gone, or AccountFault.

    Folders are opened for reading only: what a person has not read stays unread.
    """

    def __init__(self, mailbox: Mailbox, password: str, reach: Reach, timeout_seconds: float) -> None:
        self._mailbox = mailbox
        self._password = password
        self._reach = reach
        self._timeout_seconds = timeout_seconds
        # A waiting IDLE holds its thread: the shared pool would run out after a handful of accounts.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="imap")
        self._box: BaseMailBox | None = None

    async def __aenter__(self) -> Self:
        server = self._mailbox.imap
        try:
            found = await addresses.resolve(server.host, server.port, self._reach)
        except AddressRefused as err:
            raise AccountFault(err.detail) from err
        except Unavailable as err:
            raise Retryable(err.detail) from err
        await self._do(partial(self._connect, server, found))
        return self

    async def __aexit__(self, *_: object) -> None:
        box, self._box = self._box, None
        if box is not None:
            # wakes a thread that waits in IDLE
            with suppress(OSError):
                box.client.sock.shutdown(socket.SHUT_RDWR)
        self._thread.shutdown(wait=False)

    async def find_sent_folder(self) -> str | None:
        """The folder of sent mails: the one marked so, else one that is called so."""
        return await self._do(self._find_sent)

    async def open(self, folder: str) -> int:
        """Make a folder the current one and return its UIDVALIDITY."""
        return await self._do(partial(self._open, folder))

    async def uids(self) -> list[int]:
        """All UIDs of the current folder."""
        return await self._do(self._uids)

    async def fetch(self, uid: int, limit_bytes: int) -> RawMail | None:
        """One mail of the current folder; None when it is gone."""
        crashpoint.reach("mail.fetch.before")
        fetched = await self._do(partial(self._fetch, uid, limit_bytes))
        crashpoint.reach("mail.fetch.after")
        return fetched

    async def wait(self, seconds: float) -> bool:
        """Wait in IDLE until the server reports something in the current folder; False when the time is over.

        A server without IDLE is asked again after a while.
        """
        return await self._do(partial(self._wait, min(seconds, LONGEST_IDLE_SECONDS)))

    async def keep_sent(self, mail_id: str, content: bytes) -> None:
        """Append a mail to the folder of sent mails unless it is there."""
        crashpoint.reach("mail.append.before")
        await self._do(partial(self._keep_sent, mail_id, content))
        crashpoint.reach("mail.append.after")

    async def _do(self, call: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, call)
        except MailboxLoginError as err:
            raise AccountFault(
                "The mail server does not accept the user or the password; connect it again"
            ) from err
        except ssl.SSLCertVerificationError as err:
            raise AccountFault(f"The mail server's certificate is not trusted: {err.verify_message}") from err
        except (imaplib.IMAP4.error, ImapToolsError, OSError) as err:
            raise Retryable(f"The connection to the mail server broke: {err}") from err

    # in the thread ------------------------------------------------------------------------------------------------

    def _connect(self, server: MailServer, checked: list[str]) -> None:
        box = _Box(server, checked, self._timeout_seconds)
        self._box = box
        if self._mailbox.username.isascii() and self._password.isascii():
            box.login(self._mailbox.username, self._password, initial_folder=None)
        else:
            box.login_utf8(self._mailbox.username, self._password, initial_folder=None)

    @property
    def _open_box(self) -> BaseMailBox:
        if self._box is None:
            raise OSError("the connection is closed")
        return self._box

    def _find_sent(self) -> str | None:
        folders = self._open_box.folder.list()
        marked = [folder.name for folder in folders if "\\Sent" in folder.flags]
        named = [folder.name for folder in folders if folder.name in _SENT_NAMES]
        return next(iter([*marked, *named]), None)

    def _open(self, folder: str) -> int:
        box = self._open_box
        box.folder.set(folder, readonly=True)
        _, answer = box.client.response("UIDVALIDITY")
        if not answer or answer[0] is None:
            raise OSError(f"the server tells no UIDVALIDITY of {folder}")
        return int(answer[0])

    def _uids(self) -> list[int]:
        responses = self._open_box.client.untagged_responses
        while True:
            count = self._count()
            found: list[str] = []
            for first in range(1, count + 1, _SEARCH_BLOCK):
                last = min(first + _SEARCH_BLOCK - 1, count)
                found += self._open_box.uids(f"{first}:{last}", charset=None)
            # a mail that came while the server searched would not be reported a second time; one that went has
            # moved the later ones to other numbers
            if not responses.get("EXISTS") and not responses.get("EXPUNGE"):
                return sorted(int(uid) for uid in found)

    def _count(self) -> int:
        """How many mails the current folder has: as it was opened, or opened again where anything moved since."""
        box = self._open_box
        _, told = box.client.response("EXISTS")
        if len(told) != 1 or told[0] is None or box.client.untagged_responses.get("EXPUNGE"):
            box.folder.set(box.folder.get() or "INBOX", readonly=True)
            _, told = box.client.response("EXISTS")
        return int(told[-1] or 0)

    def _fetch(self, uid: int, limit_bytes: int) -> RawMail | None:
        client = self._open_box.client
        status, parts = client.uid("FETCH", str(uid), "(RFC822.SIZE INTERNALDATE)")
        described = b"".join(part for part in parts if isinstance(part, bytes)) if status == "OK" else b""
        size = _SIZE.search(described)
        if size is None:
            return None
        arrived_at = _arrival(described)
        if int(size[1]) > limit_bytes:
            return RawMail(uid, int(size[1]), arrived_at, None)
        status, parts = client.uid("FETCH", str(uid), "(BODY.PEEK[])")
        content = (
            next((part[1] for part in parts if isinstance(part, tuple)), None) if status == "OK" else None
        )
        return RawMail(uid, len(content), arrived_at, content) if content is not None else None

    def _wait(self, seconds: float) -> bool:
        box = self._open_box
        if "IDLE" not in box.client.capabilities:
            time.sleep(min(seconds, _WITHOUT_IDLE_SECONDS))
            return True
        box.client.untagged_responses.pop("EXISTS", None)
        box.idle.start()  # type: ignore[no-untyped-call]
        try:
            return bool(box.client.untagged_responses.get("EXISTS") or box.idle.poll(timeout=seconds))
        finally:
            box.idle.stop()  # type: ignore[no-untyped-call]

    def _keep_sent(self, mail_id: str, content: bytes) -> None:
        folder = self._find_sent()
        if folder is None:
            return
        box = self._open_box
        box.folder.set(folder, readonly=True)
        quoted = mail_id.replace("\\", "\\\\").replace('"', '\\"')
        if not box.uids(f'HEADER Message-ID "{quoted}"', charset=None):
            box.append(content, folder, flag_set=["\\Seen"])


class _Box(BaseMailBox):
    """A mailbox at the addresses that were checked; a certificate is held against the name."""

    def __init__(self, server: MailServer, checked: list[str], timeout_seconds: float) -> None:
        self._server = server
        self._checked = checked
        self._timeout_seconds = timeout_seconds
        super().__init__()

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        context = ssl.create_default_context()
        if self._server.security is Security.TLS:
            return _Tls(self._server, self._checked, self._timeout_seconds, context)
        client = _Plain(self._server, self._checked, self._timeout_seconds)
        if self._server.security is Security.STARTTLS:
            client.starttls(context)
        return client


class _Plain(imaplib.IMAP4):
    def __init__(self, server: MailServer, checked: list[str], timeout_seconds: float) -> None:
        self._checked = checked
        super().__init__(server.host, server.port, timeout_seconds)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        return _first_reached(self._checked, self.port, timeout)


class _Tls(imaplib.IMAP4_SSL):
    def __init__(
        self, server: MailServer, checked: list[str], timeout_seconds: float, context: ssl.SSLContext
    ) -> None:
        self._checked = checked
        super().__init__(server.host, server.port, ssl_context=context, timeout=timeout_seconds)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        made = _first_reached(self._checked, self.port, timeout)
        wrapped: socket.socket = self.ssl_context.wrap_socket(made, server_hostname=self.host)
        return wrapped


def _first_reached(checked: list[str], port: int, timeout: float | None) -> socket.socket:
    """A connection to the first of the addresses that takes one. Raises: OSError, the last address's."""
    *others, last = checked
    for address in others:
        with suppress(OSError):
            return _reached(address, port, timeout)
    return _reached(last, port, timeout)


def _reached(address: str, port: int, timeout: float | None) -> socket.socket:
    made = socket.create_connection((address, port), _CONNECT_SECONDS)
    made.settimeout(timeout)
    return made


def _arrival(described: bytes) -> datetime:
    parsed = imaplib.Internaldate2tuple(described)
    if parsed is None:
        return clock.now()
    return datetime.fromtimestamp(time.mktime(parsed), UTC)
