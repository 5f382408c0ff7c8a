"""Sending the product's own mails: through the operator's mail server, or into a folder where there is none."""

from datetime import timedelta
from email.utils import parseaddr
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from uuid import UUID

from channels.base import Ambiguous, ChannelError, Credentials, Delayed, Limited, Permanent, Retryable
from channels.email.compose import compose
from channels.email.outbound import EmailChannel
from core import crashpoint
from core.addresses import OPERATOR
from core.db import Tx
from core.mail_folder import MailFolder
from core.settings import Settings
from crm.channel_accounts.mailboxes import Mailbox, Security
from crm.conversations.models import Attempt, OutgoingMail
from crm.identity import mails, signing_up
from crm.identity.mails import SystemMail
from events.ids import ChannelAccountId, ConversationId, MessageId, SignUpId, SystemMailId
from worker.jobs import Job, Postpone, backoff, patience

if TYPE_CHECKING:  # the relay reads the routes too and must not load the agents
    from worker.services import Services

_NOBODY = UUID(int=0)
# scheme -> protection and usual port
_SERVERS = {
    "smtp": (Security.STARTTLS, 587),
    "smtps": (Security.TLS, 465),
    "smtp+plain": (Security.PLAIN, 25),
}


async def send_system_mail(job: Job) -> Postpone | None:
    """Note the attempt, hand the mail over, record what came of it; no transaction is open meanwhile."""
    settings, mail_id = job.services.settings, SystemMailId(job.subject_id)
    async with job.transaction("attempt") as tx:
        mail = await mails.begin_attempt(
            tx,
            mail_id,
            key=settings.secret_key.get_secret_value(),
            may_repeat=not settings.smtp_url.get_secret_value(),
        )
    if mail is None:
        return None
    try:
        status = await _hand_over(settings, mail)
    except Retryable as err:
        async with job.transaction("record") as tx:
            await mails.put_back(tx, mail_id, err.reason)
        return Postpone(_pause(job, err), err.reason, counts=not isinstance(err, Limited))
    except ChannelError as err:
        status = "unknown" if isinstance(err, Ambiguous) else "failed"
        async with job.transaction("record") as tx:
            await mails.settle(tx, mail_id, status, err.reason)
        return None
    async with job.transaction("record") as tx:
        await mails.settle(tx, mail_id, status)
    return None


def _pause(job: Job, err: Retryable) -> timedelta:
    match err:
        case Limited():
            return timedelta(seconds=max(1.0, err.retry_after_seconds))
        case Delayed():
            return patience(err.pause_seconds, job.lease.attempts)
        case _:
            return backoff(job.lease.attempts)


async def fail_system_mail(tx: Tx, job: Job, reason: str) -> None:
    await mails.settle(tx, SystemMailId(job.subject_id), "failed", reason)


async def forget_sign_up(services: "Services", tx: Tx, job: Job) -> None:
    await signing_up.forget_sign_up(tx, SignUpId(job.subject_id))


async def _hand_over(settings: Settings, mail: SystemMail) -> str:
    """Returns how the mail ended. Raises: ChannelError."""
    name, address = parseaddr(settings.mail_from)
    outgoing = OutgoingMail(mail.mail_id, mail.subject, address, name, "", (), mail.created_at)
    if not settings.smtp_url.get_secret_value():
        content = compose(outgoing, mail.recipient, mail.text).as_bytes()
        crashpoint.reach("send.system_mail.before")
        await MailFolder(settings.data).keep(mail.id, content)
        crashpoint.reach("send.system_mail.after")
        return "kept"
    attempt = Attempt(
        message_id=MessageId(mail.id),
        conversation_id=ConversationId(_NOBODY),
        channel_account_id=ChannelAccountId(_NOBODY),
        channel="email",
        chat_id=mail.recipient,
        body=mail.text,
        key=mail.id,
        fence=0,
        mail=outgoing,
    )
    await EmailChannel(settings, OPERATOR).send(_operators_account(settings, address), attempt)
    return "sent"


def _operators_account(settings: Settings, address: str) -> Credentials:
    """The mail server of SMTP_URL. Raises: Permanent when that is none."""
    url = urlsplit(settings.smtp_url.get_secret_value())
    if url.scheme not in _SERVERS or not url.hostname:
        raise Permanent("SMTP_URL is smtp://user:password@host:port, smtps:// or smtp+plain://")
    security, port = _SERVERS[url.scheme]
    mailbox = Mailbox(
        channel_account_id=ChannelAccountId(_NOBODY),
        address=address,
        sender_name="",
        username=unquote(url.username or ""),
        imap_host="",
        imap_port=0,
        imap_security=security,
        smtp_host=url.hostname,
        smtp_port=url.port or port,
        smtp_security=security,
    )
    return Credentials(_NOBODY, unquote(url.password or ""), mailbox)
