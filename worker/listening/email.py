"""Listening to a mailbox: every mail of the inbox and of the sent folder once, gaps included, then waiting in IDLE."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from functools import partial

import psycopg
import structlog

from channels.email.imap import ImapClient, RawMail
from channels.email.inbound import parse
from channels.email.received import as_inbound
from core import addresses, clock
from core.errors import AppError, Unprocessable
from crm.channel_accounts import mailboxes
from crm.channel_accounts.mailboxes import Folder
from crm.channel_accounts.models import AccountStatus
from crm.conversations.actions import receive_message
from crm.conversations.models import InboundMessage, Reception
from worker.listening.line import Line, Rest

log = structlog.get_logger()

INBOX = "INBOX"
# A mail as a server names it: folder, UIDVALIDITY, UID.
Place = tuple[str, int, int]
_LOOKS = 3
# Servers may show a mail a little after later ones. Below that many UIDs from the end, a UID that is not there was
# removed and will not come back.
_SETTLED = 1000
# What came in while somebody connected the mailbox still wants an answer; the server's clock may differ from ours.
_JUST_BEFORE = timedelta(minutes=5)


async def listen(line: Line) -> Rest:
    """Take mails in as long as the lease lasts. Raises: ChannelError."""
    mailbox = line.credentials.mailbox
    if mailbox is None:
        raise Unprocessable(f"The account {line.account.name} has no mail servers; connect it again.")
    reach = addresses.tenant_reach(line.settings)
    timeout_seconds = line.settings.channel_timeout_seconds
    async with ImapClient(mailbox, line.credentials.secret, reach, timeout_seconds) as imap:
        sent = await imap.find_sent_folder()
        await line.note(AccountStatus.CONNECTED)
        withheld: Counter[Place] = Counter()
        while True:
            if sent is not None:
                await _take_folder(line, imap, sent, withheld)
            # last, so that it is the folder that IDLE watches
            await _take_folder(line, imap, INBOX, withheld)
            await imap.wait(line.settings.mail_idle_seconds)


async def _take_folder(line: Line, imap: ImapClient, name: str, withheld: Counter[Place]) -> None:
    """Take in what is in the folder and was not dealt with: new mails, gaps, all of it after a new UIDVALIDITY.

    `withheld` counts the looks at which the server listed a mail and did not hand it out.
    """
    uid_validity = await imap.open(name)
    async with line.transaction("mail.folder") as tx:
        folder = await mailboxes.open_folder(tx, line.account.id, name, uid_validity)
    present = await imap.uids()
    missing = folder.missing(present)
    for uid in missing:
        raw = await imap.fetch(uid, line.settings.mail_limit_bytes)
        if raw is not None:
            await _take(line, folder, raw)
            continue
        # it was removed meanwhile, or the server keeps it back: the next looks tell which
        place = (folder.folder, folder.uid_validity, uid)
        withheld[place] += 1
        if withheld[place] >= _LOOKS:
            nothing = RawMail(uid, 0, clock.now(), None)
            await _refuse(line, folder, nothing, "The server lists the mail and does not hand it out.")
    if missing and present[-1] > _SETTLED:
        async with line.transaction("mail.settle") as tx:
            await mailboxes.settle_removed(tx, line.account.id, folder, present[-1] - _SETTLED, present)


async def _take(line: Line, folder: Folder, raw: RawMail) -> None:
    """Store one mail and the cursor in one transaction; what is refused is kept, by name."""
    try:
        inbound = await _inbound(line, folder, raw)
        async with line.transaction("mail.receive") as tx:
            reception = await receive_message(tx, line.account, inbound)
            await mailboxes.mark_dealt_with(tx, line.account.id, folder, raw.uid, raw.uid)
    except Unprocessable as err:
        await _refuse(line, folder, raw, err.detail)
        return
    except psycopg.Error as err:
        if _is_of_the_moment(err):
            raise
        await _refuse(line, folder, raw, f"The database cannot hold it: {str(err).partition(chr(10))[0]}")
        return
    if reception is Reception.ACCEPTED:
        log.info("mail.received", account_id=str(line.account.id), folder=folder.folder, uid=raw.uid)


async def _inbound(line: Line, folder: Folder, raw: RawMail) -> InboundMessage:
    """Raises: Unprocessable, also for a mail that our own code stumbles over: it must not hold back the next ones."""
    if raw.content is None:
        limit = line.settings.mail_limit_bytes // 2**20
        raise Unprocessable(f"The mail has {raw.size_bytes // 2**20} MB; at most {limit} MB are taken in.")
    try:
        return await _read(line, folder, raw.content, raw.arrived_at)
    except (AppError, OSError):  # refused already, or storage is what fails
        raise
    except (
        Exception
    ) as err:  # strangers choose what the parser meets: a mail it trips over must not stop the mailbox
        log.exception("mail.stumbled_over", account_id=str(line.account.id), uid=raw.uid)
        raise Unprocessable(f"The mail could not be read: {type(err).__name__}.") from err


async def _read(line: Line, folder: Folder, content: bytes, arrived_at: datetime) -> InboundMessage:
    limit_bytes = line.settings.mail_file_limit_bytes
    keep = partial(line.blobs.put, line.principal.organization_id)
    is_past = arrived_at < line.account.created_at - _JUST_BEFORE
    mail = await asyncio.to_thread(parse, content, file_limit_bytes=limit_bytes)
    # what lies in Sent was put there by somebody with the account's password, under whatever alias
    is_from_us = folder.folder != INBOX
    return await as_inbound(mail, line.account.address, keep, is_from_us=is_from_us, is_past=is_past)


# Classes of SQLSTATE that say nothing about the mail: connection, rollback, resources, other sessions, the operator,
# the system. Source: PostgreSQL documentation, appendix A. An error without one is a lost connection.
_OF_THE_MOMENT = ("08", "40", "53", "55", "57", "58")


def _is_of_the_moment(err: psycopg.Error) -> bool:
    return err.sqlstate is None or err.sqlstate.startswith(_OF_THE_MOMENT)


async def _refuse(line: Line, folder: Folder, raw: RawMail, reason: str) -> None:
    log.warning(
        "mail.refused", account_id=str(line.account.id), folder=folder.folder, uid=raw.uid, reason=reason
    )
    blob_key = None
    if raw.content is not None:
        blob_key = await line.blobs.put(line.principal.organization_id, raw.content)
    async with line.transaction("mail.refuse") as tx:
        await mailboxes.record_refusal(
            tx,
            line.account.id,
            folder.folder,
            raw.uid,
            reason=reason,
            size_bytes=raw.size_bytes,
            blob_key=blob_key,
        )
        await mailboxes.mark_dealt_with(tx, line.account.id, folder, raw.uid, raw.uid)
