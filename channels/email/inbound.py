"""Reading mails: any bytes become one Mail, or a refusal that says why."""

import hashlib
import re
from email import policy
from email.message import Message
from email.parser import BytesParser

from channels.email import bounces, headers, kinds, markup
from channels.email.bodies import Body, Parts, parts_of
from channels.email.lines import LINES_LIMIT, Line, from_plain, tidy, to_text
from channels.email.models import Address, Mail, MailKind
from channels.email.reply import Reply, Writing, visible_reply
from core.errors import Unprocessable
from core.languages import language_of_sender
from crm.conversations import subjects

_NAMED_HEADERS = ("From", "Sender", "To", "Subject", "Date", "Message-ID", "Received", "Return-Path")
_WORTHLESS = re.compile(
    r"(?:.{0,200}(?:(?:does ?n[o']t|not|cannot|can't) (?:support|display|view|show|read)|enable|requires?|in) (?:.{0,20})"
    r"(?:html|rich text|mime).{0,200}|.{0,120}(?:не поддерживает|содержит|формате) (?:.{0,20})html.{0,200}"
    r"|(?:view|open|read) (?:this |it )?(?:e-?mail |message )?(?:in|with) (?:your |a )?(?:web )?browser.{0,300}"
    r"|(?:посмотреть|открыть|просмотреть) (?:письмо )?(?:онлайн|в браузере|веб-версию).{0,300})",
    re.IGNORECASE | re.DOTALL,
)
_WORTHLESS_CHARS = 500
_NOT_LETTERS = re.compile(r"[\W_]+")
_URLS = re.compile(r"[<(\[]?(?:https?://|mailto:|www\.)[^\s>)\]]+[>)\]]?", re.IGNORECASE)


def parse(raw: bytes, *, file_limit_bytes: int) -> Mail:
    """Read one mail.

    Raises:
        Unprocessable: no mail at all, or nested too deep to be read.
    """
    try:
        return _parse(raw, file_limit_bytes)
    except RecursionError as err:
        raise Unprocessable("The mail's parts are nested too deep to be read.") from err


def _parse(raw: bytes, file_limit_bytes: int) -> Mail:
    if not raw.strip():
        raise Unprocessable("The mail is empty.")
    message: Message = BytesParser(policy=policy.compat32).parsebytes(raw.lstrip(b"\r\n"))
    headers.read_raw_bytes(message)
    if not any(name in message for name in _NAMED_HEADERS):
        raise Unprocessable("This is no mail: it has none of the headers of one.")
    sender = _sender(message)
    subject = headers.text_of(message, "Subject")
    parts = parts_of(message, file_limit_bytes)
    is_answer = any(name in message for name in ("In-Reply-To", "References")) or subjects.is_answer(subject)
    writing = Writing(sender.name or sender.address.partition("@")[0].replace(".", " "), subject, is_answer)
    text, reply = _read(parts, writing)
    evidence = kinds.Evidence(sender, subject, text, reply.text, reply.has_quotes)
    kind, found = kinds.classify(message, evidence)
    loop = kinds.loop_reason(message)
    if loop and kind is MailKind.ORDINARY:
        kind = MailKind.AUTO_REPLY
    if not sender.address and kind is MailKind.ORDINARY:
        raise Unprocessable("The mail names no sender: its From holds no address.")
    to, cc = _recipients(message, parts)
    return Mail(
        message_id=next(iter(headers.ids(message, "Message-ID")), "") or _made_id(raw),
        kind=kind,
        sender=sender,
        subject=subject,
        occurred_at=headers.occurred_at(message),
        text=text,
        reply=reply.text,
        language=language_of_sender(reply.text or subject),
        reply_to=next(iter(headers.addresses(message, "Reply-To")), None),
        to=to,
        cc=cc,
        in_reply_to=headers.ids(message, "In-Reply-To"),
        references=headers.ids(message, "References"),
        attachments=tuple(parts.files),
        bounces=found,
        reported=bounces.returned_ids(message) if kind in (MailKind.DSN, MailKind.ARF) else (),
        is_bulk=kinds.is_bulk(message),
        notes=tuple(dict.fromkeys([*([loop] if loop else []), *parts.notes])),
    )


def _sender(message: Message) -> Address:
    """Who wrote: From, else who else could have; without an address when it is a delivery system that names none."""
    for name in ("From", "Sender", "Reply-To", "Return-Path"):
        if found := headers.addresses(message, name):
            return found[0]
    return Address("", headers.text_of(message, "From", headers.NAME_LIMIT))


def _made_id(raw: bytes) -> str:
    return f"{hashlib.sha256(raw).hexdigest()[:40]}@without-message-id.invalid"


def _recipients(message: Message, parts: Parts) -> tuple[tuple[Address, ...], tuple[Address, ...]]:
    to, cc = headers.addresses(message, "To"), headers.addresses(message, "Cc")
    limit = headers.RECIPIENTS_LIMIT
    if len(to) + len(cc) > limit:
        parts.notes.append(f"{limit} of {len(to) + len(cc)} recipients are kept: the limit is {limit}.")
    return tuple(to[:limit]), tuple(cc[: max(0, limit - len(to))])


# what is read out of the bodies --------------------------------------------------------------------------------------


def _read(parts: Parts, writing: Writing) -> tuple[str, Reply]:
    """The whole text and the visible reply."""
    plain: list[Line] = []
    marked: list[Line] = []
    for body in parts.bodies:
        from_text, from_html = _lines(body)
        plain += [*from_text, Line("")]
        marked += [*from_html, Line("")]
    if max(len(plain), len(marked)) > LINES_LIMIT:
        parts.notes.append(f"Text after the first {LINES_LIMIT} lines is not kept.")
    plain, marked = plain[:LINES_LIMIT], marked[:LINES_LIMIT]
    text = to_text(plain)
    by_text = visible_reply(plain, writing)
    if plain == marked:
        return text, by_text
    by_markup = visible_reply(marked, writing)
    return text, _better(by_text, by_markup)


def _lines(body: Body) -> tuple[list[Line], list[Line]]:
    """A body as lines, once as text, once with what the markup knows; the same where only one form is of use."""
    plain = from_plain(body.plain)
    if not body.html:
        return plain, plain
    marked = markup.lines_of(body.html)
    if not any(line.text for line in marked):
        return plain, plain
    if _is_worthless(body.plain, marked):
        return marked, marked
    return plain, marked


def _is_worthless(plain: str, marked: list[Line]) -> bool:
    """Whether a plain part only says that there is a better one."""
    said = tidy(plain)
    if len(said) < _WORTHLESS_CHARS and (not _letters(said) or _WORTHLESS.fullmatch(said)):
        return True
    return len(_letters(said)) * 10 < sum(len(_letters(line.text)) for line in marked)


def _better(by_text: Reply, by_markup: Reply) -> Reply:
    """The markup knows better what is a quote; where both agree, the text is as its writer typed it."""
    agree = _letters(by_text.text) == _letters(by_markup.text)
    if not by_markup.text or (agree and by_text.text.count("*") == by_markup.text.count("*")):
        return by_text  # Gmail says *bold* in its plain part, which nobody typed
    return by_markup if by_markup.has_quotes or not by_text.has_quotes else by_text


def _letters(text: str) -> str:
    return _NOT_LETTERS.sub("", _URLS.sub("", text)).lower()
