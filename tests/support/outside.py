"""The world outside for flows by mail: a real SMTP and IMAP server, a faulty one, and people with mailboxes."""

import asyncio
import email
import email.policy
import imaplib
import smtplib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from core.db import Tx
from core.envelopes import Keyring
from crm.channel_accounts.mailboxes import connect_mailbox
from crm.conversations.models import Conversation
from crm.conversations.queries import get_conversation
from events.ids import ConversationId
from infra.fleet import KEY
from infra.peers.smtp.server import SmtpPeer, running_smtp_peer
from infra.servers import greenmail
from infra.servers.greenmail import GreenMail, MailUser
from tests.support.mail import new_mailbox, written
from tests.support.stage import Stage
from tests.support.until import until

SALES = "sales@stage.example"
# Reads where SALES reads, and sends over the peer whose faults can be asked for.
FAULTY = "faulty@stage.example"
PASSWORD = "peer-password"


@dataclass(frozen=True)
class Outside:
    """Mail servers around a stage, and what people do with them."""

    stage: Stage
    server: GreenMail
    smtp: SmtpPeer

    async def write(self, raw: bytes, *, to: str = SALES) -> None:
        """A person's mail goes through the real SMTP server."""
        await asyncio.to_thread(self._write, raw, to)

    def _write(self, raw: bytes, to: str) -> None:
        with smtplib.SMTP("127.0.0.1", self.server.smtp_port, timeout=20) as client:
            client.sendmail("vera@outside.example", [to], raw)

    async def mailbox(self, address: str) -> list[EmailMessage]:
        """What lies in a person's own mailbox, read over IMAP; the server lets them in with their address."""
        return await asyncio.to_thread(self._read, address)

    def _read(self, address: str) -> list[EmailMessage]:
        try:
            with imaplib.IMAP4("127.0.0.1", self.server.imap_port, timeout=20) as client:
                client.login(address, address)
                client.select("INBOX", readonly=True)
                _, found = client.search(None, "ALL")
                return [_parsed(client, number) for number in found[0].split()]
        except imaplib.IMAP4.error:
            return []  # nobody has written to them yet

    async def conversation_with(self, address: str, seconds: float = 30) -> Conversation:
        """The organization's conversation with a person, once there is one."""

        async def look() -> Conversation | None:
            async with self.stage.world.db.transaction(self.stage.world.owner, "test") as tx:
                return await _conversation_with(tx, address)

        return await until(look, seconds)


def _parsed(client: imaplib.IMAP4, number: bytes) -> EmailMessage:
    _, parts = client.fetch(number.decode(), "(BODY.PEEK[])")
    content = next(part[1] for part in parts if isinstance(part, tuple))
    return email.message_from_bytes(content, policy=email.policy.default)


async def _conversation_with(tx: Tx, address: str) -> Conversation | None:
    id = await tx.value(
        "SELECT id FROM conversations WHERE address = %(address)s ORDER BY created_at LIMIT 1",
        address=address,
    )
    return await get_conversation(tx, ConversationId(id)) if id else None


@asynccontextmanager
async def running_outside(stage: Stage, folder: Path) -> AsyncIterator[Outside]:
    """GreenMail and the faulty peer, and two mailboxes of the stage's organization over them."""
    users = [MailUser(address, PASSWORD) for address in (SALES, FAULTY)]
    server = await asyncio.to_thread(greenmail.start, folder, users)
    try:
        async with running_smtp_peer(password=PASSWORD, slow_seconds=16.0) as smtp:
            async with stage.world.db.transaction(stage.world.owner, "test") as tx:
                for address, port in ((SALES, server.smtp_port), (FAULTY, smtp.port)):
                    new = new_mailbox(
                        imap_port=server.imap_port, smtp_port=port, password=PASSWORD, address=address
                    )
                    await connect_mailbox(tx, new, keys=Keyring(KEY))
            yield Outside(stage, server, smtp)
    finally:
        server.stop()


def from_person(
    address: str, text: str, *, to: str = SALES, subject: str = "A demo", mail_id: str = ""
) -> bytes:
    """A first mail of somebody."""
    return written(text, sender=f"Vera Lind <{address}>", to=to, subject=subject, mail_id=mail_id)
