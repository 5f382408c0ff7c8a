"""The header fields of a mail, however broken: names, addresses, ids and dates."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.utils import parsedate_to_datetime

from channels.email.charsets import decode, decode_words, one_line
from channels.email.models import Address
from core import clock

SUBJECT_LIMIT = 998
NAME_LIMIT = 128
ID_LIMIT = 512
IDS_LIMIT = 100
RECIPIENTS_LIMIT = 500
# RFC 5321 section 4.5.3.1: 64 for the local part, 255 for the domain
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[^\s@<>,;:\"()\[\]\\]{1,255}")
_MAILBOX = re.compile(r'(?:"(?:\\.|[^"\\]){0,500}"|<[^<>]{0,1000}>|\([^()]{0,1000}\)|[^,;"<(]|["<(])+')
_ANGLE = re.compile(r"<([^<>]{0,1000})>")
_ID = re.compile(r"<([^<>]{1,2000})>")
_BARE_ID = re.compile(r"[^\s<>,;]{1,250}@[^\s<>,;]{1,250}")
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_CLOCK_ERROR = timedelta(days=1)
_HEADER_READ_CHARS = 200_000


def read_raw_bytes(message: Message) -> None:
    """Make text of headers that came as bare 8-bit bytes, in all parts; the parser would show question marks."""
    for part in message.walk():
        fields = [(name, str(value)) for name, value in part.raw_items()]
        if all(value.isascii() for _, value in fields):
            continue
        for name, _ in fields:
            del part[name]
        for name, value in fields:
            part[name] = value if value.isascii() else decode(value.encode("utf_8", "surrogateescape"), "")


def text_of(message: Message, name: str, limit: int = SUBJECT_LIMIT) -> str:
    """A header as one decoded line; empty when it is missing."""
    value = message.get(name)
    return "" if value is None else one_line(decode_words(str(value)[:_HEADER_READ_CHARS]), limit)


def all_of(message: Message, name: str) -> list[str]:
    return [str(value) for value in message.get_all(name, [])]


def addresses(message: Message, name: str) -> list[Address]:
    """Every usable address of a header once, in order."""
    found: dict[str, Address] = {}
    for value in all_of(message, name):
        for each in _addresses(value):
            found.setdefault(each.address, each)
    return list(found.values())


def _addresses(value: str) -> Iterator[Address]:
    """Name and address of each mailbox; the standard library gives up a whole header for one stray quote."""
    # decoding comes after splitting: a decoded name may hold a comma
    for piece in _MAILBOX.findall(re.sub(r"\r?\n[ \t]*", " ", value)):
        angle = _ANGLE.search(piece)
        match = _ADDRESS.search(decode_words(angle.group(1) if angle else piece))
        if match:
            rest = (
                piece[: angle.start()] + piece[angle.end() :] if angle else piece.replace(match.group(), "")
            )
            yield Address(match.group().lower(), _name(rest, match.group()))


def _name(raw: str, address: str) -> str:
    bare = raw.rpartition(":")[2] if '"' not in raw else raw  # the name of a group stands before a colon
    unquoted = re.sub(r"\\(.)", r"\1", bare.strip()).strip("\"'() ")
    name = one_line(decode_words(unquoted), NAME_LIMIT).strip("\"'() ")
    # some programs repeat the address as the name
    return "" if name.lower() == address.lower() else name


def ids(message: Message, name: str) -> tuple[str, ...]:
    """Message ids without brackets, once each, oldest first; of very many the newest are kept."""
    value = " ".join(all_of(message, name))[-_HEADER_READ_CHARS:]
    found = _ID.findall(value) or _BARE_ID.findall(value)
    cleaned = (one_line("".join(each.split()), ID_LIMIT + 1) for each in found)
    unique = dict.fromkeys(each for each in cleaned if each and len(each) <= ID_LIMIT)
    return tuple(unique)[-IDS_LIMIT:]


def occurred_at(message: Message) -> datetime:
    """When the mail was written, in UTC; where Date cannot be so, when a server took it, else now."""
    latest = clock.now() + _CLOCK_ERROR
    stamps = [
        str(message.get("Date", "")),
        *(value.rpartition(";")[2] for value in all_of(message, "Received")),
    ]
    for stamp in stamps:
        moment = _moment(stamp)
        if moment is not None and _EARLIEST <= moment <= latest:
            return moment
    return clock.now()


def _moment(stamp: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(" ".join(stamp[:200].split()))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
