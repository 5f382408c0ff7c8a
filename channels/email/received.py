"""From a parsed mail to what the inbox takes in: who wrote, in which thread, with which files."""

import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime

import phonenumbers

from channels.email.models import Address, Bounce, Mail, MailKind, MailPart
from core import clock
from crm.conversations.models import Failure, InboundAttachment, InboundMessage, MailHead, MessageKind

# Keeps the content of a file and returns its key.
Keep = Callable[[bytes], Awaitable[str]]
# An index entry of PostgreSQL holds some 2,700 bytes, here two ids and three keys; real ids have less than 100.
_LONGEST_ID_BYTES = 400
_LONGEST_SUBJECT = 500
_LONGEST_TEXT = 200_000
_SIGNATURE = 400
# A delivery system that does not say who it is.
_NOBODY = "nobody@unknown.invalid"
_TAKES_NO_MAIL = re.compile(
    r"(?:[^@]*[._+-])?(?:no[._-]?reply|do[._-]?not[._-]?reply|mailer|notify|notifications?|nobody)(?:[._+-][^@]*)?@"
)
_CLAIM = "It names this mailbox as its sender, but was not sent from it."


async def as_inbound(
    mail: Mail, own_address: str, keep: Keep, *, is_from_us: bool, is_past: bool = False
) -> InboundMessage:
    """The mail as an inbound message; its files are put into storage first, so that rows never point to nothing.

    `is_from_us` says that where the mail was found proves that we sent it. Its From proves nothing: a mail that only
    claims our address is kept as the word of a machine, which nobody hears of.
    """
    is_ours = is_from_us and mail.kind not in _REPORTS
    claims_us = not is_ours and is_own(mail, own_address)
    if claims_us:
        mail = replace(mail, notes=(*mail.notes, _CLAIM))
    others = tuple(each for each in (*mail.to, *mail.cc) if each.address != mail.sender.address)
    other = (
        others[0] if is_ours and others else mail.sender if claims_us else _correspondent(mail, own_address)
    )
    address = other.address or _NOBODY
    mail_id = _bounded(mail.message_id)
    files = tuple([await _file(part, keep) for part in mail.attachments])
    return InboundMessage(
        # two people may send the same Message-ID; one cannot hide the other's mail, nor a claim our own
        update_id=f"{mail_id} {'claimed ' if claims_us else ''}{_bounded(mail.sender.address)}",
        chat_id="",
        message_id=mail_id,
        sender_name=other.name or address,
        sender_language=mail.language,
        handles=(("email", address),),
        text=_said(mail, files),
        occurred_at=_moment(mail.occurred_at),
        attachments=files,
        mail=MailHead(
            address=address,
            subject=mail.subject[:_LONGEST_SUBJECT],
            in_reply_to=tuple(_bounded(each) for each in mail.in_reply_to),
            references=tuple(_bounded(each) for each in mail.references),
            full_text=_whole(mail),
            kind=MessageKind.ORDINARY if is_ours else MessageKind.AUTO_REPLY if claims_us else _kind(mail),
            failures=tuple(_failure(bounce) for bounce in mail.bounces) if mail.kind in _REPORTS else (),
            reported=tuple(_bounded(each) for each in mail.reported),
            is_ours=is_ours,
            claims_us=claims_us,
            recipients=tuple(each.address for each in others) if is_ours else (),
            signature_phones=() if is_ours else _signature_phones(mail),
            is_past=is_past,
        ),
    )


def _correspondent(mail: Mail, own_address: str) -> Address:
    """Who is written back to. A program that takes no mail (a web form, say) writes for whom its Reply-To names.

    A person's Reply-To is not followed: it would let a mail send our answer past the person that it shows.
    """
    named = mail.reply_to
    is_for_another = mail.kind is MailKind.ORDINARY and _TAKES_NO_MAIL.match(mail.sender.address)
    if named is None or not is_for_another or named.address == own_address.lower():
        return mail.sender
    return named


def is_own(mail: Mail, own_address: str) -> bool:
    """Whether the mail names the account itself as its writer, which anybody can write."""
    return mail.sender.address == own_address.lower() and mail.kind not in _REPORTS


def _kind(mail: Mail) -> MessageKind:
    if mail.kind is MailKind.ORDINARY and mail.is_bulk:
        return MessageKind.BULK
    return MessageKind(mail.kind.value)


def _whole(mail: Mail) -> str:
    """The whole mail with what could not be kept of it, where that is more than its visible reply."""
    whole = "\n\n".join([mail.text.strip(), *(f"[{note}]" for note in mail.notes)])
    return whole[:_LONGEST_TEXT] if whole != mail.reply.strip() else ""


_REPORTS = (MailKind.DSN, MailKind.ARF)


def _bounded(name: str) -> str:
    written = name.encode()
    return name if len(written) <= _LONGEST_ID_BYTES else hashlib.sha256(written).hexdigest()


def _moment(written: datetime) -> datetime:
    """When it was written, as its sender says; nobody writes in the future."""
    return min(written, clock.now())


def _said(mail: Mail, files: tuple[InboundAttachment, ...]) -> str:
    """What stands in the thread: the visible reply, else whatever there is."""
    said = (mail.reply.strip() or mail.text.strip())[:_LONGEST_TEXT]
    if said or not files:
        return said or mail.subject
    word = "Файл" if mail.language == "ru" else "File"
    return "\n".join(f"[{word}: {file.name}]" for file in files)


def _signature_phones(mail: Mail) -> tuple[str, ...]:
    """The numbers just under the visible text, where people sign; further down stands what others wrote."""
    _, _, below = mail.text.partition(mail.reply) if mail.reply else ("", "", "")
    region = "RU" if mail.language == "ru" else None
    numbers = phonenumbers.PhoneNumberMatcher(below[:_SIGNATURE], region)
    return tuple(
        dict.fromkeys(
            phonenumbers.format_number(each.number, phonenumbers.PhoneNumberFormat.E164) for each in numbers
        )
    )


async def _file(part: MailPart, keep: Keep) -> InboundAttachment:
    if part.content is None:
        return InboundAttachment(
            "", part.name, part.mime, part.size_bytes, part.refusal or "The file is empty"
        )
    return InboundAttachment("", part.name, part.mime, part.size_bytes, blob_key=await keep(part.content))


def _failure(bounce: Bounce) -> Failure:
    said = " ".join(f"{bounce.status} {bounce.diagnostic}".split())[:300]
    return Failure(bounce.recipient.lower(), said or "The mail was returned", bounce.is_hard)
