"""Channel accounts on the command line: connecting them once their servers let us in, and how they are."""

import re
from dataclasses import dataclass

from channels.base import ChannelError, Credentials
from channels.email.imap import ImapClient
from channels.email.outbound import EmailChannel
from core import addresses
from core.db import Database
from core.errors import NotFound, Unprocessable
from core.ids import uuid7
from core.settings import Settings
from crm.channel_accounts.mailboxes import (
    Mailbox,
    MailServer,
    NewMailbox,
    Refusals,
    Security,
    connect_mailbox,
    get_refusals,
)
from crm.channel_accounts.models import ChannelAccount
from crm.channel_accounts.queries import list_channel_accounts
from crm.identity.queries import find_organization_id
from events.ids import ChannelAccountId
from infra.operators import operator

_SERVER = re.compile(r"(?:(?P<security>[a-z]+)://)?(?P<host>[^\s:/]+)(?::(?P<port>\d{1,5}))?")
# Ports and protection that go together: port -> protection, and the usual port of each protocol.
_USUAL = {
    993: Security.TLS,
    465: Security.TLS,
    143: Security.STARTTLS,
    587: Security.STARTTLS,
    25: Security.STARTTLS,
}


@dataclass(frozen=True)
class Ports:
    """The port of a protocol under each protection, when none is given."""

    tls: int
    other: int


IMAP = Ports(tls=993, other=143)
SMTP = Ports(tls=465, other=587)


def read_server(text: str, ports: Ports) -> MailServer:
    """A server as people write it: `imap.example.com`, `host:143`, `tls://host:993`, `plain://host:143`.

    Raises: Unprocessable.
    """
    found = _SERVER.fullmatch(text.strip())
    if found is None:
        raise Unprocessable(f"{text!r} is no server; write host, host:port or tls://host:port.")
    port = int(found["port"]) if found["port"] else None
    if found["security"] is None:
        security = _USUAL.get(port or ports.tls, Security.TLS)
    elif found["security"] in set(Security):
        security = Security(found["security"])
    else:
        raise Unprocessable(f"{found['security']}:// is not known; use {', '.join(Security)}.")
    return MailServer(
        found["host"], port or (ports.tls if security is Security.TLS else ports.other), security
    )


async def connect(settings: Settings, slug: str, new: NewMailbox, *, check: bool = True) -> ChannelAccountId:
    """Connect a mailbox to an organization, after both of its servers have let us in.

    Raises: NotFound for an unknown organization; Unprocessable with the server's word; Conflict for a name in use.
    """
    db = await Database(settings.database_url, size=1).open()
    try:
        organization_id = await find_organization_id(db, slug)
        if organization_id is None:
            raise NotFound(f"There is no organization {slug}; give its slug with --organization.")
        if check:
            await _check(settings, new)
        async with db.transaction(operator(organization_id), "account.connect") as tx:
            return await connect_mailbox(tx, new, keys=settings.keyring)
    finally:
        await db.close()


async def describe(settings: Settings, slug: str) -> list[str]:
    """One line an account: how it is, and how many mails it could not take in, with the last reason.

    Raises: NotFound for an unknown organization.
    """
    db = await Database(settings.database_url, size=1).open()
    try:
        organization_id = await find_organization_id(db, slug)
        if organization_id is None:
            raise NotFound(f"There is no organization {slug}; give its slug with --organization.")
        async with db.transaction(operator(organization_id), "account.describe") as tx:
            return [
                _described(each, await get_refusals(tx, each.id)) for each in await list_channel_accounts(tx)
            ]
    finally:
        await db.close()


def _described(account: ChannelAccount, refused: Refusals) -> str:
    parts = [f"{account.channel:<9} {account.name:<32} {account.status}"]
    if account.status_reason:
        parts.append(account.status_reason)
    if refused.count:
        parts.append(f"{refused.count} mails refused, the last one: {refused.last_reason}")
    return "; ".join(parts)


async def _check(settings: Settings, new: NewMailbox) -> None:
    mailbox = _as_mailbox(new)
    reach = addresses.tenant_reach(settings)
    try:
        async with ImapClient(mailbox, new.password, reach, settings.channel_timeout_seconds) as imap:
            await imap.open("INBOX")
    except ChannelError as err:
        raise Unprocessable(f"IMAP at {new.imap.host}:{new.imap.port}: {err.reason}") from err
    try:
        credentials = Credentials(mailbox.channel_account_id, new.password, mailbox)
        await EmailChannel(settings).check(credentials)
    except ChannelError as err:
        raise Unprocessable(f"SMTP at {new.smtp.host}:{new.smtp.port}: {err.reason}") from err


def _as_mailbox(new: NewMailbox) -> Mailbox:
    return Mailbox(
        channel_account_id=ChannelAccountId(uuid7()),
        address=new.address,
        sender_name=new.sender_name,
        username=new.username or new.address,
        imap_host=new.imap.host,
        imap_port=new.imap.port,
        imap_security=new.imap.security,
        smtp_host=new.smtp.host,
        smtp_port=new.smtp.port,
        smtp_security=new.smtp.security,
    )
