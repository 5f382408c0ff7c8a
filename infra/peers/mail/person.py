"""A person outside with a mailbox: writes over SMTP, reads over IMAP, as any mail program does."""

import email
import email.policy
import imaplib
import smtplib
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, formataddr, make_msgid

_TIMEOUT_SECONDS = 5


@dataclass(frozen=True)
class Letter:
    """One mail as the person sees it."""

    key: str
    is_own: bool
    subject: str
    text: str
    written_at: datetime


@dataclass
class MailPerson:
    """Somebody at `address` who writes to `to`. What they sent is kept here, as their program's Sent folder."""

    address: str
    name: str
    to: str
    smtp_port: int
    imap_port: int
    sent: list[EmailMessage] = field(default_factory=list)

    def write(self, text: str, subject: str = "") -> None:
        """Send a mail; without a subject it answers the newest one that came in. Raises: OSError, SMTPException."""
        message = EmailMessage()
        message["From"] = formataddr((self.name, self.address))
        message["To"] = self.to
        message["Date"] = format_datetime(datetime.now().astimezone())
        message["Message-ID"] = make_msgid(domain=self.address.partition("@")[2])
        newest = None if subject else next(reversed(self._received()), None)
        if newest is not None:
            message["In-Reply-To"] = newest["Message-ID"]
            message["References"] = f"{newest['References'] or ''} {newest['Message-ID']}".strip()
            subject = str(newest["Subject"] or "")
            subject = subject if subject.lower().startswith("re:") else f"Re: {subject}"
        message["Subject"] = subject or text[:40].partition("\n")[0]
        message.set_content(text)
        with smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=_TIMEOUT_SECONDS) as smtp:
            smtp.send_message(message)
        self.sent.append(message)

    def letters(self) -> list[Letter]:
        """Everything to and fro, the newest last. Raises: OSError when the server does not answer."""
        found = [_letter(message, is_own=True) for message in self.sent]
        found += [_letter(message, is_own=False) for message in self._received()]
        return sorted(found, key=lambda letter: letter.written_at)

    def _received(self) -> list[EmailMessage]:
        with imaplib.IMAP4("127.0.0.1", self.imap_port, timeout=_TIMEOUT_SECONDS) as imap:
            try:
                # the demo's server makes a mailbox with the first mail to it, and its address is the password
                imap.login(self.address, self.address)
            except imaplib.IMAP4.error:
                return []
            imap.select("INBOX", readonly=True)
            _, found = imap.search(None, "ALL")
            return [_fetched(imap, number.decode()) for number in found[0].split()]


def _fetched(imap: imaplib.IMAP4, number: str) -> EmailMessage:
    _, parts = imap.fetch(number, "(BODY.PEEK[])")
    content = next(part[1] for part in parts if isinstance(part, tuple))
    return email.message_from_bytes(content, policy=email.policy.default)


def _letter(message: EmailMessage, *, is_own: bool) -> Letter:
    body = message.get_body(("plain",))
    return Letter(
        key=str(message["Message-ID"]).strip("<> "),
        is_own=is_own,
        subject=str(message["Subject"] or ""),
        text=str(body.get_content()).strip() if body is not None else "",
        written_at=_moment(message),
    )


def _moment(message: EmailMessage) -> datetime:
    return email.utils.parsedate_to_datetime(str(message["Date"])).astimezone()
