"""Mailboxes: email accounts, where they are read and sent from, and how far each folder was read."""

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from psycopg.types.multirange import Multirange

from core import clock, envelopes
from core.db import Tx
from core.envelopes import Keyring
from core.errors import Conflict, NotFound, Unprocessable
from core.ids import uuid7
from crm.channel_accounts.actions import LISTEN, record_status
from crm.channel_accounts.models import AccountStatus, place_of
from events import due
from events.ids import ChannelAccountId
from events.outbox import emit
from events.types import ChannelAccountConnected


class Security(StrEnum):
    """How a connection is protected: TLS from its first byte, TLS on demand, or not at all."""

    TLS = "tls"
    STARTTLS = "starttls"
    PLAIN = "plain"


@dataclass(frozen=True)
class MailServer:
    host: str
    port: int
    security: Security


@dataclass(frozen=True)
class NewMailbox:
    """What a person gives to connect a mailbox; without a username it is the address."""

    address: str
    imap: MailServer
    smtp: MailServer
    password: str = field(repr=False)
    username: str = ""
    name: str = ""
    sender_name: str = ""


@dataclass(frozen=True)
class Mailbox:
    """An account's servers. The password is opened only where it is used."""

    channel_account_id: ChannelAccountId
    address: str
    sender_name: str
    username: str
    imap_host: str
    imap_port: int
    imap_security: Security
    smtp_host: str
    smtp_port: int
    smtp_security: Security

    @property
    def imap(self) -> MailServer:
        return MailServer(self.imap_host, self.imap_port, Security(self.imap_security))

    @property
    def smtp(self) -> MailServer:
        return MailServer(self.smtp_host, self.smtp_port, Security(self.smtp_security))


@dataclass(frozen=True)
class Folder:
    """One folder's cursor: the UIDs that were dealt with, good as long as the UIDVALIDITY stays."""

    folder: str
    uid_validity: int
    seen: Multirange[int]

    def missing(self, uids: list[int]) -> list[int]:
        """Those of a folder's UIDs that were not dealt with yet, in order: new ones and gaps."""
        # PostgreSQL writes ranges of integers half open, `[1,4)`
        bounds = [(each.lower or 0, each.upper or 0) for each in self.seen]
        return [uid for uid in sorted(uids) if not any(lower <= uid < upper for lower, upper in bounds)]


@dataclass(frozen=True)
class Refusals:
    """How many mails an account could not take in, and why the last one."""

    count: int
    last_reason: str


async def connect_mailbox(tx: Tx, new: NewMailbox, *, keys: Keyring) -> ChannelAccountId:
    """Store a mailbox; a listener takes it up.

    Raises:
        Conflict: the organization has connected this address already.
        Unprocessable: the address is not one, or a port is out of range.
    """
    tx.principal.require("channel_accounts:manage")
    address = new.address.strip().lower()
    if address.count("@") != 1 or address.startswith("@") or address.endswith("@"):
        raise Unprocessable(f"{new.address!r} is no mail address.", field="address")
    for server in (new.imap, new.smtp):
        if not 1 <= server.port <= 65535:
            raise Unprocessable(f"{server.port} is no port; use 1 to 65535.", field="port")
    account_id = ChannelAccountId(uuid7())
    inserted = await tx.execute(
        """
        INSERT INTO channel_accounts (organization_id, id, channel, name, address, delivery, status, secret)
        VALUES (%(organization_id)s, %(id)s, 'email', %(name)s, %(address)s, 'imap', 'connecting', %(secret)s)
        ON CONFLICT (organization_id, name) DO NOTHING
        """,
        organization_id=tx.organization_id,
        id=account_id,
        name=new.name or address,
        address=address,
        secret=envelopes.seal(keys, new.password, place_of(tx, account_id)),
    )
    if not inserted:
        raise Conflict(f"There is an account {new.name or address} already; give this one another name.")
    await tx.execute(
        """
        INSERT INTO mailboxes (organization_id, channel_account_id, imap_host, imap_port, imap_security, smtp_host,
                               smtp_port, smtp_security, username, sender_name)
        VALUES (%(organization_id)s, %(account_id)s, %(imap_host)s, %(imap_port)s, %(imap_security)s, %(smtp_host)s,
                %(smtp_port)s, %(smtp_security)s, %(username)s, %(sender_name)s)
        """,
        organization_id=tx.organization_id,
        account_id=account_id,
        imap_host=new.imap.host,
        imap_port=new.imap.port,
        imap_security=new.imap.security,
        smtp_host=new.smtp.host,
        smtp_port=new.smtp.port,
        smtp_security=new.smtp.security,
        username=new.username or address,
        sender_name=new.sender_name,
    )
    await due.schedule(tx, LISTEN, account_id, clock.now())
    await emit(tx, ChannelAccountConnected(account_id))
    return account_id


async def move_mailbox(tx: Tx, account_id: ChannelAccountId, *, imap: MailServer, smtp: MailServer) -> None:
    """Read and send over other servers from now on; what was read stays known by its Message-ID."""
    tx.principal.require("channel_accounts:manage")
    await tx.execute(
        """
        UPDATE mailboxes
           SET imap_host = %(imap_host)s, imap_port = %(imap_port)s, imap_security = %(imap_security)s,
               smtp_host = %(smtp_host)s, smtp_port = %(smtp_port)s, smtp_security = %(smtp_security)s
         WHERE channel_account_id = %(account_id)s
        """,
        account_id=account_id,
        imap_host=imap.host,
        imap_port=imap.port,
        imap_security=imap.security,
        smtp_host=smtp.host,
        smtp_port=smtp.port,
        smtp_security=smtp.security,
    )
    await due.schedule(tx, LISTEN, account_id, clock.now())


async def rest_mailbox(tx: Tx, account_id: ChannelAccountId, reason: str) -> None:
    """Stop listening until the mailbox is moved or gets a new password."""
    tx.principal.require("channel_accounts:manage")
    await record_status(tx, account_id, AccountStatus.DISCONNECTED, reason)
    await due.cancel(tx, LISTEN, account_id)


async def get_mailbox(tx: Tx, account_id: ChannelAccountId) -> Mailbox:
    """Raises: NotFound when the account is no mailbox."""
    found = await find_mailbox(tx, account_id)
    if found is None:
        raise NotFound(f"The channel account {account_id} is no mailbox.")
    return found


async def find_mailbox(tx: Tx, account_id: ChannelAccountId) -> Mailbox | None:
    """The servers of an account, or None when it is no mailbox."""
    return await tx.find(
        Mailbox,
        """
        SELECT b.channel_account_id, a.address, b.sender_name, b.username, b.imap_host, b.imap_port, b.imap_security,
               b.smtp_host, b.smtp_port, b.smtp_security
          FROM mailboxes b
          JOIN channel_accounts a ON (a.organization_id, a.id) = (b.organization_id, b.channel_account_id)
         WHERE b.channel_account_id = %(account_id)s
        """,
        account_id=account_id,
    )


async def open_folder(tx: Tx, account_id: ChannelAccountId, folder: str, uid_validity: int) -> Folder:
    """The folder's cursor; under another UIDVALIDITY than before every UID is new again."""
    return await tx.one(
        Folder,
        """
        INSERT INTO mail_folders AS f (organization_id, channel_account_id, folder, uid_validity)
        VALUES (%(organization_id)s, %(account_id)s, %(folder)s, %(uid_validity)s)
        ON CONFLICT (organization_id, channel_account_id, folder) DO UPDATE
           SET seen = CASE WHEN f.uid_validity = EXCLUDED.uid_validity THEN f.seen ELSE '{}' END,
               uid_validity = EXCLUDED.uid_validity
        RETURNING folder, uid_validity, seen
        """,
        organization_id=tx.organization_id,
        account_id=account_id,
        folder=folder,
        uid_validity=uid_validity,
    )


async def mark_dealt_with(
    tx: Tx, account_id: ChannelAccountId, folder: Folder, first: int, last: int
) -> None:
    """Note a range of UIDs as dealt with; call it in the transaction that stores their mails."""
    await tx.execute(
        """
        UPDATE mail_folders
           SET seen = seen + int8multirange(int8range(%(first)s, %(last)s, '[]'))
         WHERE channel_account_id = %(account_id)s
           AND folder = %(folder)s
           AND uid_validity = %(uid_validity)s
        """,
        account_id=account_id,
        folder=folder.folder,
        uid_validity=folder.uid_validity,
        first=first,
        last=last,
    )


async def settle_removed(
    tx: Tx, account_id: ChannelAccountId, folder: Folder, until: int, present: list[int]
) -> None:
    """Note the UIDs up to `until` that are not `present` as dealt with, so that removed mails leave no holes."""
    await tx.execute(
        """
        UPDATE mail_folders
           SET seen = seen + (int8multirange(int8range(1, %(until)s, '[]'))
                              - coalesce((SELECT range_agg(int8range(uid, uid, '[]'))
                                            FROM unnest(%(present)s::bigint[]) AS given (uid)), '{}'))
         WHERE channel_account_id = %(account_id)s
           AND folder = %(folder)s
           AND uid_validity = %(uid_validity)s
        """,
        account_id=account_id,
        folder=folder.folder,
        uid_validity=folder.uid_validity,
        until=until,
        present=present,
    )


async def record_refusal(
    tx: Tx,
    account_id: ChannelAccountId,
    folder: str,
    uid: int,
    *,
    reason: str,
    size_bytes: int,
    blob_key: str | None,
) -> None:
    """Keep what could not be taken in, with its reason, so that nothing is lost."""
    await tx.execute(
        """
        INSERT INTO mail_refusals (organization_id, id, channel_account_id, folder, uid, reason, size_bytes, blob_key)
        VALUES (%(organization_id)s, %(id)s, %(account_id)s, %(folder)s, %(uid)s, %(reason)s, %(size_bytes)s,
                %(blob_key)s)
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        account_id=account_id,
        folder=folder,
        uid=uid,
        reason=reason,
        size_bytes=size_bytes,
        blob_key=blob_key,
    )


async def get_refusals(tx: Tx, account_id: UUID) -> Refusals:
    """What an account has refused so far."""
    return await tx.one(
        Refusals,
        """
        SELECT count(*) AS count,
               coalesce((array_agg(reason ORDER BY refused_at DESC, id DESC))[1], '') AS last_reason
          FROM mail_refusals
         WHERE channel_account_id = %(account_id)s
        """,
        account_id=account_id,
    )
