"""What a person outside can put into our inbox: raw mails and Telegram updates, taken in as the listeners do."""

from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime
from functools import partial
from itertools import count
from typing import Any

from channels.email.inbound import parse as parse_mail
from channels.email.received import as_inbound
from channels.telegram.inbound import Understood
from channels.telegram.inbound import parse as parse_update
from core import clock
from core.blobs import Blobs
from core.db import Tx
from core.settings import Settings
from crm.channel_accounts.models import ChannelAccount
from crm.contacts.queries import find_contact_by_handle
from crm.conversations.actions import receive_message
from crm.conversations.models import InboundMessage
from crm.conversations.queries import list_conversations_of_contact
from events.ids import ConversationId

_SUBJECT = "Scanners"


@dataclass(frozen=True)
class Writer:
    """Somebody outside."""

    name: str
    address: str
    telegram_id: int


@dataclass
class Post:
    """One account of ours with what was written to it; every new mail of somebody answers their last one."""

    account: ChannelAccount
    address: str
    _mails: dict[str, str] = field(default_factory=dict)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    @property
    def is_mail(self) -> bool:
        return self.account.channel == "email"

    async def deliver(self, tx: Tx, writer: Writer, text: str, settings: Settings) -> ConversationId:
        """An ordinary message in words."""
        if self.is_mail:
            return await self.mail(tx, writer, settings, body=text)
        return await self.update(tx, writer, settings, text=text)

    async def mail(
        self,
        tx: Tx,
        writer: Writer,
        settings: Settings,
        *,
        subject: str = _SUBJECT,
        body: str = "",
        html: str = "",
    ) -> ConversationId:
        """A mail as its bytes come from a server."""
        content = self._written(writer, subject, body, html).as_bytes()
        parsed = parse_mail(content, file_limit_bytes=settings.mail_file_limit_bytes)
        keep = partial(Blobs(settings.data).put, tx.organization_id)
        return await self._take(tx, writer, await as_inbound(parsed, self.address, keep, is_from_us=False))

    def _written(self, writer: Writer, subject: str, body: str, html: str) -> EmailMessage:
        mail = EmailMessage()
        mail_id = f"<{next(self._numbers)}.{writer.address}>"
        mail["From"], mail["To"] = f"{writer.name} <{writer.address}>", self.address
        mail["Subject"] = " ".join(subject.split())
        mail["Date"], mail["Message-ID"] = format_datetime(clock.now()), mail_id
        if last := self._mails.get(writer.address):
            mail["In-Reply-To"] = mail["References"] = last
        self._mails[writer.address] = mail_id
        mail.set_content(body)
        if html:
            mail.add_alternative(html, subtype="html")
        return mail

    async def update(self, tx: Tx, writer: Writer, settings: Settings, **parts: Any) -> ConversationId:
        """A Telegram update with these parts in its message."""
        number = next(self._numbers)
        first, _, last = writer.name.partition(" ")
        sender = {"id": writer.telegram_id, "is_bot": False, "first_name": first, "last_name": last}
        message = {
            "message_id": number,
            "date": int(clock.now().timestamp()),
            "chat": {"id": writer.telegram_id, "type": "private"},
            "from": sender,
        }
        parsed = parse_update(
            {"update_id": number, "message": message | parts},
            file_limit_bytes=settings.telegram_file_limit_bytes,
        )
        if isinstance(parsed, Understood):
            raise ValueError(f"Telegram would show no message: {parsed.reason}.")
        return await self._take(tx, writer, parsed)

    async def _take(self, tx: Tx, writer: Writer, inbound: InboundMessage) -> ConversationId:
        await receive_message(tx, self.account, inbound)
        contact = await find_contact_by_handle(tx, *inbound.handles[0])
        if contact is None:
            raise LookupError(f"Nobody was found for {writer.name}.")
        theirs = await list_conversations_of_contact(tx, contact.id)
        return next(one.id for one in theirs if one.channel_account_id == self.account.id)
