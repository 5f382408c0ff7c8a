"""The parts of a mail: what is to be read, and the files that came with it."""

import base64
import itertools
import re
from dataclasses import dataclass, field
from email import policy
from email.message import Message
from email.parser import BytesParser

from channels.email import charsets
from channels.email.headers import text_of
from channels.email.lines import unflow
from channels.email.models import MailPart

FILES_LIMIT = 100
TEXT_LIMIT = 250_000
HTML_LIMIT = 1_000_000
HTML_DEPTH_LIMIT = 2_000
DEPTH_LIMIT = 50
_MEGABYTE = 1024 * 1024
_NAME_LIMIT = 200
_BOUNDARY_SOUGHT_BYTES = 20_000
_MIME = re.compile(r"[\w.+-]{1,64}/[\w.+-]{1,64}", re.ASCII)
_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\:\u202a-\u202e\u2066-\u2069]+")
_BOUNDARY = re.compile(rb"^--([^\s-][^\r\n]{0,200}?)[ \t]*\r?$", re.MULTILINE)
_BASE64_LINE = re.compile(rb"[A-Za-z0-9+/]+=*")
# not those whose end may be left out
_NESTING_TAG = re.compile(
    r"<(/?)(?!(?:p|br|hr|img|li|td|th|tr|dd|dt|input|link|meta|col|option|tbody|thead|wbr)\b)[a-z]",
    re.IGNORECASE,
)
_LOOKS_LIKE_HTML = re.compile(
    r"\s*(?:<!doctype html|<html|<head|<body|<div|<p|<table|<span|<meta)[\s>]", re.IGNORECASE
)
_ENDINGS = {
    "text/calendar": "invite.ics",
    "text/vcard": "contact.vcf",
    "text/x-vcard": "contact.vcf",
    "text/directory": "contact.vcf",
    "application/ms-tnef": "winmail.dat",
    "application/vnd.ms-tnef": "winmail.dat",
    "application/pgp-signature": "signature.asc",
    "application/pdf": "document.pdf",
    "image/jpeg": "image.jpg",
    "image/png": "image.png",
    "image/gif": "image.gif",
    "text/rtf": "text.rtf",
    "text/csv": "table.csv",
}
# Reports are read by bounces.py; AMP is a third form of what the other two say.
_NEVER_FILES = frozenset((
    "message/delivery-status", "message/feedback-report", "message/disposition-notification",
    "message/global-delivery-status", "text/x-amp-html", "text/rfc822-headers",
))  # fmt: skip


@dataclass
class Body:
    """One body in the forms in which it came; either may be empty."""

    plain: str = ""
    html: str = ""


@dataclass
class Parts:
    """What a mail consists of; `notes` name what is not kept."""

    file_limit_bytes: int
    bodies: list[Body] = field(default_factory=list)
    files: list[MailPart] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def parts_of(message: Message, file_limit_bytes: int) -> Parts:
    parts = Parts(file_limit_bytes)
    _collect(message, parts, depth=0)
    left_out = len(parts.files) - FILES_LIMIT
    if left_out > 0:
        del parts.files[FILES_LIMIT:]
        parts.notes.append(
            f"{left_out} of {FILES_LIMIT + left_out} files are not kept: the limit is {FILES_LIMIT}."
        )
    return parts


def _collect(part: Message, parts: Parts, *, depth: int) -> None:
    if depth > DEPTH_LIMIT:
        parts.notes.append(f"Parts nested deeper than {DEPTH_LIMIT} are not kept.")
        return
    mime = part.get_content_type()
    if part.get_content_maintype() == "multipart" and not part.is_multipart():
        part = _with_found_boundary(part)
    if part.is_multipart() and part.get_content_maintype() == "multipart":
        children = [child for child in part.get_payload() if isinstance(child, Message)]
        if part.get_content_subtype() == "alternative":
            _collect_alternatives(children, parts, depth=depth)
        else:
            for child in children:
                _collect(child, parts, depth=depth + 1)
    elif _is_body(part):
        text = _text(part, parts)
        is_html = mime == "text/html" or (bool(_LOOKS_LIKE_HTML.match(text)) and "</" in text)
        if text.strip():
            parts.bodies.append(Body(html=text) if is_html else Body(plain=text))
    elif mime not in _NEVER_FILES:
        parts.files.append(_file(part, parts))


def _collect_alternatives(children: list[Message], parts: Parts, *, depth: int) -> None:
    """The forms of one body; what hangs on any of them (pictures, an invitation) is a file."""
    inner = Parts(parts.file_limit_bytes)
    for child in children:
        _collect(child, inner, depth=depth + 1)
    plain = "\n".join(body.plain for body in inner.bodies if body.plain)
    html = "\n".join(body.html for body in inner.bodies if body.html)
    if plain or html:
        parts.bodies.append(Body(plain, html))
    parts.files += inner.files
    parts.notes += inner.notes


def _with_found_boundary(part: Message) -> Message:
    """A multipart whose boundary is missing or wrong, read by the line that its parts are divided with."""
    raw = payload_bytes(part)
    match = _BOUNDARY.search(raw[:_BOUNDARY_SOUGHT_BYTES])
    if match is None:
        return _as_text(raw)
    boundary = match.group(1).decode("ascii", "replace").replace('"', "")
    header = f'Content-Type: {part.get_content_type()}; boundary="{boundary}"\r\n\r\n'.encode(
        "ascii", "replace"
    )
    found: Message = BytesParser(policy=policy.compat32).parsebytes(header + raw)
    return found if found.is_multipart() else _as_text(raw)


def _as_text(raw: bytes) -> Message:
    made: Message = BytesParser(policy=policy.compat32).parsebytes(b"Content-Type: text/plain\r\n\r\n" + raw)
    return made


def _is_body(part: Message) -> bool:
    if part.get_content_type() not in ("text/plain", "text/html"):
        # a part of an unreadable type is text by RFC 2045 section 5.2
        return False
    return part.get_content_disposition() != "attachment" and not _declared_name(part)


def _text(part: Message, parts: Parts) -> str:
    is_html = part.get_content_type() == "text/html"
    limit = HTML_LIMIT if is_html else TEXT_LIMIT
    text = charsets.decode(payload_bytes(part)[: limit * 4], parameter(part, "charset"))
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if len(text) > limit:
        parts.notes.append(f"Text after the first {limit} characters is not kept.")
        text = text[:limit]
    if is_html:
        return _shallow(text, parts)
    if parameter(part, "format").lower() == "flowed":
        return unflow(text, drop_space=parameter(part, "delsp").lower() == "yes")
    return text


def _shallow(html: str, parts: Parts) -> str:
    """The document up to where it nests absurdly deep: the time to read it grows with the square of that."""
    depth = 0
    for tag in _NESTING_TAG.finditer(html):
        depth += -1 if tag.group(1) else 1
        if depth > HTML_DEPTH_LIMIT:
            parts.notes.append(f"Text inside more than {HTML_DEPTH_LIMIT} HTML elements is not kept.")
            return html[: tag.start()]
    return html


def parameter(part: Message, name: str) -> str:
    """A parameter of Content-Type; empty when it is missing or cannot be read."""
    try:
        value = part.get_param(name, "")
    except (ValueError, LookupError, TypeError):
        return ""
    return (value[2] if isinstance(value, tuple) else str(value or "")).strip()


def payload_bytes(part: Message) -> bytes:
    """The decoded content of a leaf; truncated and wrong encodings give what can be saved."""
    try:
        payload = part.get_payload(decode=True)
    except (ValueError, LookupError, TypeError, AssertionError):
        payload = part.get_payload()
    if isinstance(payload, bytes):
        is_base64 = str(part.get("Content-Transfer-Encoding", "")).strip().lower() == "base64"
        raw = part.get_payload() if is_base64 else None
        if not isinstance(raw, str) or payload != b"".join(raw.encode("ascii", "replace").splitlines()):
            return payload
        return _salvaged(raw.encode("ascii"))  # the library gives up and hands back the digits
    return payload.encode("utf_8", "surrogateescape") if isinstance(payload, str) else b""


def _salvaged(payload: bytes) -> bytes:
    """What base64 holds up to where it was cut, or where a server added a footer of its own."""
    lines = itertools.takewhile(_BASE64_LINE.fullmatch, payload.split())
    digits = b"".join(lines).rstrip(b"=")
    whole = digits[: len(digits) // 4 * 4 if len(digits) % 4 == 1 else len(digits)]
    return base64.b64decode(whole + b"=" * (-len(whole) % 4)) if whole else payload


def _file(part: Message, parts: Parts) -> MailPart:
    mime = part.get_content_type()
    mime = mime if _MIME.fullmatch(mime) else "application/octet-stream"
    if part.is_multipart():
        return _attached_mail(part, mime, parts)
    content = payload_bytes(part)
    name = _safe(_declared_name(part)) or _numbered(_ENDINGS.get(mime, "file.bin"), parts)
    if name.lower() == "winmail.dat" or mime.endswith("ms-tnef"):
        parts.notes.append(
            f"{name} is kept as it came: the files that Outlook packed into it are not unpacked."
        )
    return judged(name, mime, content, parts.file_limit_bytes)


def _attached_mail(part: Message, mime: str, parts: Parts) -> MailPart:
    inner = part.get_payload()
    mail = inner[0] if isinstance(inner, list) and inner else None
    subject = _safe(text_of(mail, "Subject")) if isinstance(mail, Message) else ""
    name = _safe(_declared_name(part)) or f"{subject or _numbered('mail', parts)}.eml"
    try:
        content = mail.as_bytes() if isinstance(mail, Message) else b""
    except (ValueError, LookupError, TypeError, AttributeError):
        return MailPart(name, mime, 0, None, "Not kept: the attached mail is broken.")
    return judged(name, mime, content, parts.file_limit_bytes)


def judged(name: str, mime: str, content: bytes, limit_bytes: int) -> MailPart:
    """The file, without its content when that is over the limit."""
    if len(content) <= limit_bytes:
        return MailPart(name, mime, len(content), content)
    size, limit = (f"{amount / _MEGABYTE:.1f}".removesuffix(".0") for amount in (len(content), limit_bytes))
    refusal = f"Not kept: {size} MB is over the limit of {limit} MB. Ask for a link instead."
    return MailPart(name, mime, len(content), None, refusal)


def _declared_name(part: Message) -> str:
    try:
        name = part.get_filename() or ""
    except (ValueError, LookupError, TypeError):
        name = ""
    return charsets.one_line(charsets.decode_words(name), 1000)


def _safe(name: str) -> str:
    cleaned = _UNSAFE.sub("_", name).strip(" ._")
    stem, dot, ending = cleaned.rpartition(".")
    if len(cleaned) <= _NAME_LIMIT or not dot or len(ending) > 10:
        return cleaned[:_NAME_LIMIT]
    return f"{stem[: _NAME_LIMIT - len(ending) - 1]}.{ending}"


def _numbered(name: str, parts: Parts) -> str:
    """A name for a file without one; the second of its kind gets a number."""
    stem, dot, ending = name.partition(".")
    taken = {file.name for file in parts.files}
    numbers = ("", *(f"-{number}" for number in range(2, len(taken) + 3)))
    return next(
        f"{stem}{number}{dot}{ending}" for number in numbers if f"{stem}{number}{dot}{ending}" not in taken
    )
