"""Tells in which encoding a text file is written, by all of its bytes."""

import codecs
from pathlib import Path
from typing import BinaryIO

from charset_normalizer import from_bytes

from core.tables.models import Fault, Unreadable

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_EIGHT_BIT = ["cp1251", "koi8_r", "cp866", "mac_cyrillic", "cp1252"]
ENCODINGS = (
    "utf-8",
    "cp1251",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "koi8_r",
    "cp866",
    "mac_cyrillic",
    "cp1252",
)
_BLOCK = 1024 * 1024
_TELLING_BYTES = 64 * 1024


def encoding_of(path: Path) -> str:
    """The codec that reads the whole file. Raises: Unreadable when none does."""
    with path.open("rb") as stream:
        head = stream.read(_BLOCK)
        if not head.strip():
            raise Unreadable(Fault.EMPTY)
        for mark, encoding in _MARKS:
            if head.startswith(mark):
                return encoding
        if b"\0" in head:
            return _wide(head)
        stream.seek(0)
        return _utf_8_or_less(stream)


def _wide(head: bytes) -> str:
    """UTF-16 without its mark: every other byte of Latin text is NUL. Raises: Unreadable."""
    pairs = len(head) // 2
    if head[1::2].count(0) > pairs * 0.3 > head[0::2].count(0) * 3:
        return "utf-16-le"
    if head[0::2].count(0) > pairs * 0.3 > head[1::2].count(0) * 3:
        return "utf-16-be"
    raise Unreadable(Fault.NUL_BYTES, line=head[: head.index(b"\0")].count(b"\n") + 1)


def _utf_8_or_less(stream: BinaryIO) -> str:
    """UTF-8 when all of the file is; an encoding of single bytes when it never looked like UTF-8.

    Raises: Unreadable for a file that begins as UTF-8 and does not go on as it, or has NUL bytes.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    line, was_wide = 1, False
    while block := stream.read(_BLOCK):
        if b"\0" in block:
            raise Unreadable(Fault.NUL_BYTES, line=line + block[: block.index(b"\0")].count(b"\n"))
        try:
            text = decoder.decode(block)
        except UnicodeDecodeError as err:
            # the decoder's own rest of the block before stands in front of `block` in the error's bytes
            good = err.object[: err.start]
            if was_wide or not good.isascii():
                at = line + good.count(b"\n")
                raise Unreadable(Fault.WRONG_ENCODING, line=at, detail="UTF-8") from err
            break
        was_wide = was_wide or not text.isascii()
        line += block.count(b"\n")
    else:
        return "utf-8"
    stream.seek(0)
    return _of_single_bytes(stream)


def _of_single_bytes(stream: BinaryIO) -> str:
    telling = bytearray()
    for line in iter(lambda: stream.readline(_TELLING_BYTES), b""):
        if not line.isascii():
            telling += line
        if len(telling) >= _TELLING_BYTES:
            break
    best = from_bytes(bytes(telling), cp_isolation=_EIGHT_BIT, threshold=0.6).best()
    return best.encoding if best else "cp1251"
