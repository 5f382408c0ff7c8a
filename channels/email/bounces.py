"""Delivery reports and complaints: whom they are about and whether trying again helps."""

import itertools
import re
from collections.abc import Iterator
from email import policy
from email.message import Message
from email.parser import BytesParser

from channels.email import robot_phrases
from channels.email.bodies import payload_bytes
from channels.email.charsets import decode, decode_words, one_line
from channels.email.headers import addresses, all_of, ids
from channels.email.models import Address, Bounce

_RECIPIENTS_LIMIT = 100
_PARTS_LIMIT = 100
_IDS_LIMIT = 100
_DIAGNOSTIC_LIMIT = 500
_READ_CHARS = 50_000
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_CODE = re.compile(r"(?<![\d.])(4[25]\d|5[0157]\d)[ -](?!\d)")
_ADDRESS = re.compile(r"[\w.+!#$%&'*/=?^`{|}~-]{1,64}@[\w.-]{1,255}\w", re.ASCII)
_MAIL_ID = re.compile(r"^[>\s]*(?:Original-)?Message-ID:\s*<([^<>\s]{1,400})>", re.IGNORECASE | re.MULTILINE)
_FULL = re.compile("|".join(robot_phrases.FULL), re.IGNORECASE)
_DELAYED = re.compile("|".join(robot_phrases.DELAYED), re.IGNORECASE)
_ORIGINAL_BELOW = re.compile("|".join(robot_phrases.ORIGINAL_BELOW), re.IGNORECASE | re.MULTILINE)
# RFC 3463: permanent by number, but about the moment (full, too large) or about the sender (X.7.X, policy).
_SOFT_STATUSES = re.compile(r"5\.(?:2\.[23]|3\.4|4\.[57]|7\.\d+)")


def report_part(message: Message, mime: str) -> Message | None:
    """A part of a report by its type; only direct parts count, so a forwarded bounce is not a bounce."""
    if not message.is_multipart():
        return message if message.get_content_type() == mime else None
    return next(
        (
            part
            for part in message.get_payload()
            if isinstance(part, Message) and part.get_content_type() == mime
        ),
        None,
    )


def from_status(part: Message, body: str) -> tuple[Bounce, ...] | None:
    """One bounce per recipient that a status part says failed or waits; None if it names nobody. Source: RFC 3464."""
    found: list[Bounce] = []
    names_somebody = False
    for fields in _blocks(part):
        recipient = _typed(fields.get("original-recipient") or "") or _typed(
            fields.get("final-recipient") or ""
        )
        names_somebody |= bool(recipient)
        action = fields.get("action", "failed").strip().lower()
        if not recipient or action not in ("failed", "delayed"):
            continue
        diagnostic = one_line(_without_type(fields.get("diagnostic-code", "")), _DIAGNOSTIC_LIMIT)
        status = _status(fields.get("status", "")) or _status(diagnostic)
        is_hard = action == "failed" and _is_hard(status, diagnostic or body)
        found.append(Bounce(recipient, status, diagnostic, is_hard))
    unique = {bounce.recipient: bounce for bounce in found}
    return tuple(unique.values())[:_RECIPIENTS_LIMIT] if names_somebody else None


def _blocks(part: Message) -> Iterator[dict[str, str]]:
    """The groups of fields of a status part, however the parser took it."""
    payload = part.get_payload()
    if isinstance(payload, list):
        for block in payload:
            if isinstance(block, Message):
                yield {name.lower(): decode_words(value) for name, value in block.items()}
        texts = [
            str(block.get_payload()) for block in payload if isinstance(block, Message) and not block.keys()
        ]
        if not any(texts):
            return
        text = "\n\n".join(texts)
    else:
        text = decode(payload_bytes(part), "")
    for block_text in re.split(r"\n\s*\n", text[:_READ_CHARS].replace("\r\n", "\n")):
        pairs = re.findall(r"^([\w-]+):[ \t]*(.*(?:\n[ \t].*)*)", block_text, re.MULTILINE)
        yield {name.lower(): " ".join(value.split()) for name, value in pairs}


def _typed(value: str) -> str:
    """The address of "rfc822; a@b"."""
    match = _ADDRESS.search(_without_type(value))
    return match.group().lower() if match else ""


def _without_type(value: str) -> str:
    kind, semicolon, rest = value.partition(";")
    return rest.strip() if semicolon and re.fullmatch(r"\s*[\w-]+\s*", kind) else value.strip()


def _status(text: str) -> str:
    match = _STATUS.search(text)
    if match:
        return match.group(1)
    code = _CODE.search(text)
    return f"{code.group(1)[0]}.0.0" if code else ""


def _is_hard(status: str, text: str) -> bool:
    if status.startswith("4") or _SOFT_STATUSES.fullmatch(status):
        return False
    return not _FULL.search(text)


def from_text(message: Message, body: str, subject: str) -> tuple[Bounce, ...]:
    """What a report without a status part says in words."""
    said = _ORIGINAL_BELOW.split(body[:_READ_CHARS], maxsplit=1)[0]
    own = {each.address for name in ("From", "To", "Cc") for each in addresses(message, name)}
    named = [one_line(decode_words(value), 2000) for value in all_of(message, "X-Failed-Recipients")]
    text = " ".join(named) if any(named) else said
    recipients = dict.fromkeys(address.lower().rstrip(".") for address in _ADDRESS.findall(text))
    is_delayed = bool(_DELAYED.search(f"{subject}\n{said}"))
    status = _status(said)
    is_hard = not is_delayed and _is_hard(status, said)
    diagnostic = next((one_line(line, _DIAGNOSTIC_LIMIT) for line in said.splitlines() if _status(line)), "")
    kept = [each for each in recipients if each not in own] or list(recipients if any(named) else ())
    return tuple(Bounce(each, status, diagnostic, is_hard) for each in kept[:_RECIPIENTS_LIMIT])


def from_feedback(part: Message, message: Message) -> tuple[Bounce, ...]:
    """Who complained. Source: RFC 5965; "not-spam" takes a complaint back, so it is not hard."""
    fields: dict[str, list[str]] = {}
    for block in _blocks(part):
        for name, value in block.items():
            fields.setdefault(name, []).append(value)
    kind = one_line(" ".join(fields.get("feedback-type", ["abuse"])), 64).lower()
    named = [*fields.get("original-rcpt-to", ()), *fields.get("removal-recipient", ())]
    found = dict.fromkeys(match.group().lower() for value in named if (match := _ADDRESS.search(value)))
    recipients = list(found) or [each.address for each in _returned_recipients(message)]
    return tuple(Bounce(each, "", kind, kind != "not-spam") for each in recipients[:_RECIPIENTS_LIMIT])


def returned_ids(message: Message) -> tuple[str, ...]:
    """The Message-IDs of the mails that a report returns, whole, as headers or in its text, or names in a field."""
    found: dict[str, None] = {}
    for part in itertools.islice(message.walk(), 1, _PARTS_LIMIT):
        for name in ("Message-ID", "Original-Message-ID"):
            found.update(dict.fromkeys(ids(part, name)))
    for part in itertools.islice(message.walk(), _PARTS_LIMIT):
        if part.get_content_maintype() == "text":
            text = decode(payload_bytes(part)[:_READ_CHARS], "")
            found.update(dict.fromkeys(_MAIL_ID.findall(text)))
    return tuple(found)[:_IDS_LIMIT]


def _returned_recipients(message: Message) -> list[Address]:
    """To whom the mail that is complained about was sent."""
    returned = report_part(message, "message/rfc822")
    if returned is not None and returned.is_multipart():
        payload = returned.get_payload()
        inner = payload[0] if isinstance(payload, list) else None
        return addresses(inner, "To") if isinstance(inner, Message) else []
    headers = report_part(message, "text/rfc822-headers")
    if headers is None:
        return []
    parsed: Message = BytesParser(policy=policy.compat32).parsebytes(payload_bytes(headers), headersonly=True)
    return addresses(parsed, "To")
