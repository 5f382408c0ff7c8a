"""Writing a mail: plain text, in its thread, under the Message-ID that was stored for it."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from channels.base import Permanent
from channels.email.models import LOOP_HEADER, LOOP_MARK
from crm.conversations.models import OutgoingMail

# 8-bit bodies are encoded, so that no server on the way has to.
_POLICY = SMTP.clone(cte_type="7bit")


def compose(mail: OutgoingMail, recipient: str, body: str) -> EmailMessage:
    """The mail as it goes out. Raises: Permanent when the recipient cannot be written in a mail."""
    message = EmailMessage(policy=_POLICY)
    try:
        message["From"] = Address(mail.sender_name, addr_spec=mail.sender)
        message["To"] = Address(addr_spec=wire_address(recipient))
    except (ValueError, IndexError) as err:
        raise Permanent(f"{recipient} is no mail address") from err
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(mail.written_at)
    message["Message-ID"] = f"<{mail.mail_id}>"
    message[LOOP_HEADER] = LOOP_MARK
    if mail.in_reply_to:
        message["In-Reply-To"] = f"<{mail.in_reply_to}>"
    if mail.references:
        message["References"] = " ".join(f"<{each}>" for each in mail.references)
    message.set_content(body, cte="quoted-printable" if not body.isascii() else None)
    return message


def wire_address(address: str) -> str:
    """An address as mail servers take it: `info@пример.рф` has a domain in ASCII for them (RFC 5890).

    Raises: Permanent when what stands before the @ needs more than ASCII, or the domain is none.
    """
    local, _, domain = address.rpartition("@")
    if not local or not domain:
        raise Permanent(f"{address} is no mail address")
    if not local.isascii():
        raise Permanent(f"{address} has letters before the @ that mail servers do not take")
    try:
        return f"{local}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError as err:
        raise Permanent(f"{address} is no mail address") from err
