"""A mail as the rest of the product sees it, whatever program wrote it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

# What every mail of ours says, so that one that a program sends back is known. Source: the convention of procmail.
LOOP_HEADER = "X-Loop"
LOOP_MARK = "getsale"


class MailKind(StrEnum):
    """What wrote a mail: a person, a delivery system (RFC 3464), a complaint loop (RFC 5965) or a robot (RFC 3834)."""

    ORDINARY = "ordinary"
    DSN = "dsn"
    ARF = "arf"
    AUTO_REPLY = "auto_reply"


@dataclass(frozen=True)
class Address:
    """One mailbox; `address` is lower case, `name` is one line and may be empty."""

    address: str
    name: str = ""


@dataclass(frozen=True)
class MailPart:
    """A file that came with a mail. `content` is None when `refusal` says why it is not kept."""

    name: str
    mime: str
    size_bytes: int
    content: bytes | None = field(default=None, repr=False)
    refusal: str = ""


@dataclass(frozen=True)
class Bounce:
    """Whom a delivery report or a complaint is about; `is_hard` says that trying again is useless."""

    recipient: str
    status: str = ""
    diagnostic: str = ""
    is_hard: bool = True


@dataclass(frozen=True)
class Mail:
    """One parsed mail. Message ids are without angle brackets; the newest of `references` is the last.

    `message_id` is made from the content when the mail has none, so that the same bytes are the same mail.
    `text` is everything that a person can read, `reply` what its writer added: no quotes, no signature.
    `reported` are the Message-IDs of the mails that a report returns or names.
    `is_bulk` marks newsletters and mails of lists, which need no answer. `notes` name what was too much to keep and a
    mail loop, one sentence each.
    """

    message_id: str
    kind: MailKind
    sender: Address
    subject: str
    occurred_at: datetime
    text: str = field(repr=False)
    reply: str = field(repr=False)
    language: str = "en"
    reply_to: Address | None = None
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    attachments: tuple[MailPart, ...] = ()
    bounces: tuple[Bounce, ...] = ()
    reported: tuple[str, ...] = ()
    is_bulk: bool = False
    notes: tuple[str, ...] = ()
