"""Mailboxes for tests: accounts over a peer or a real server, and the mails that people write."""

import hashlib
from dataclasses import dataclass, replace
from email.message import EmailMessage
from email.utils import format_datetime
from itertools import count

from channels.email.inbound import parse
from channels.email.received import as_inbound
from core import clock
from core.db import Database
from core.envelopes import Keyring
from core.ids import uuid7
from core.principal import Principal
from crm.channel_accounts.mailboxes import Mailbox, MailServer, NewMailbox, Security, connect_mailbox
from crm.channel_accounts.models import ChannelAccount
from crm.channel_accounts.queries import get_channel_account
from crm.conversations.actions import compose_message, receive_message
from crm.conversations.models import Attempt, Conversation, Message, OutgoingMail, Reception
from crm.conversations.queries import get_conversation, get_message
from crm.conversations.sending import begin_attempt
from events.ids import ChannelAccountId, ConversationId, MessageId
from infra.fleet import KEY

SALES = "sales@getsale.example"
VERA = "vera@lind.example"
_numbers = count(1)


def plain_server(port: int) -> MailServer:
    return MailServer("127.0.0.1", port, Security.PLAIN)


def new_mailbox(
    *, imap_port: int, smtp_port: int, password: str, address: str = SALES, name: str = ""
) -> NewMailbox:
    return NewMailbox(
        address=address,
        imap=plain_server(imap_port),
        smtp=plain_server(smtp_port),
        password=password,
        name=name,
        sender_name="Norrwick Sales",
    )


def mailbox(*, imap_port: int = 1, smtp_port: int = 1, address: str = SALES) -> Mailbox:
    """An account's servers without an account."""
    return Mailbox(
        channel_account_id=ChannelAccountId(uuid7()),
        address=address,
        sender_name="Norrwick Sales",
        username=address,
        imap_host="127.0.0.1",
        imap_port=imap_port,
        imap_security=Security.PLAIN,
        smtp_host="127.0.0.1",
        smtp_port=smtp_port,
        smtp_security=Security.PLAIN,
    )


def attempt(body: str = "Hello Vera", *, to: str = VERA, mail_id: str = "") -> Attempt:
    """One attempt of a mail, as the send machine claims it."""
    key = uuid7()
    mail = OutgoingMail(
        mail_id=mail_id or f"{key}@getsale.example",
        subject="Re: Price",
        sender=SALES,
        sender_name="Norrwick Sales",
        in_reply_to="",
        references=(),
        written_at=clock.now(),
    )
    return Attempt(
        MessageId(uuid7()),
        ConversationId(uuid7()),
        ChannelAccountId(uuid7()),
        "email",
        to,
        body,
        key,
        1,
        mail,
    )


def answering(first: Attempt, *references: str) -> Attempt:
    """The same attempt as an answer to the last of these mails."""
    assert first.mail is not None
    return replace(first, mail=replace(first.mail, in_reply_to=references[-1], references=references))


def written(
    text: str = "Could you tell me the price?",
    *,
    sender: str = f"Vera Lind <{VERA}>",
    to: str = SALES,
    subject: str = "Price",
    mail_id: str = "",
    answers: tuple[str, ...] = (),
    **headers: str,
) -> bytes:
    """A mail that somebody wrote to us; `answers` are the Message-IDs of its thread, oldest first."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = to
    message["Subject"] = subject
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = f"<{mail_id or f'm{next(_numbers)}.{uuid7()}@lind.example'}>"
    if answers:
        message["In-Reply-To"] = f"<{answers[-1]}>"
        message["References"] = " ".join(f"<{each}>" for each in answers)
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


@dataclass
class Post:
    """An organization's mailbox in a test; its methods do what the outside does."""

    db: Database
    owner: Principal
    account: ChannelAccount

    async def receive(
        self, raw: bytes, *, is_past: bool = False, from_sent_folder: bool = False
    ) -> Reception:
        """A mail comes in, through the same code as from a server."""
        mail = parse(raw, file_limit_bytes=2**20)
        inbound = await as_inbound(
            mail, self.account.address, _keep, is_from_us=from_sent_folder, is_past=is_past
        )
        async with self.db.transaction(self.owner, "test") as tx:
            return await receive_message(tx, self.account, inbound)

    async def conversations(self) -> list[Conversation]:
        """The newest first."""
        async with self.db.transaction(self.owner, "test") as tx:
            ids = await tx.value("SELECT array_agg(id ORDER BY created_at DESC, id DESC) FROM conversations")
            return [await get_conversation(tx, id) for id in ids or []]

    async def conversation(self) -> Conversation:
        """The only one."""
        (found,) = await self.conversations()
        return found

    async def messages(self) -> list[Message]:
        """All messages of all conversations in the order of their coming."""
        async with self.db.transaction(self.owner, "test") as tx:
            ids = await tx.value("SELECT array_agg(id ORDER BY id) FROM messages")
            return [await get_message(tx, id) for id in ids or []]

    async def events(self) -> list[str]:
        """The names of what was announced about conversations and their messages, in order."""
        async with self.db.transaction(self.owner, "test") as tx:
            names: list[str] | None = await tx.value(
                "SELECT array_agg(type ORDER BY id) FROM events WHERE subject_kind = 'conversation'"
            )
        return names or []

    async def reply(self, body: str = "It is 17 euros a month") -> Attempt:
        """A person answers in the only conversation, and the send machine claims the mail."""
        conversation = (await self.conversations())[0]
        async with self.db.transaction(self.owner, "test") as tx:
            message = await compose_message(tx, conversation.id, body=body)
        async with self.db.transaction(self.owner, "test") as tx:
            attempt = await begin_attempt(tx, message.id, 30)
        assert isinstance(attempt, Attempt)
        return attempt


async def _keep(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def make_post(
    db: Database,
    owner: Principal,
    *,
    imap_port: int = 1,
    smtp_port: int = 1,
    password: str = "secret",
    address: str = SALES,
) -> Post:
    """Connect a mailbox."""
    new = new_mailbox(imap_port=imap_port, smtp_port=smtp_port, password=password, address=address)
    async with db.transaction(owner, "test") as tx:
        account_id = await connect_mailbox(tx, new, keys=Keyring(KEY))
        return Post(db, owner, await get_channel_account(tx, account_id))
