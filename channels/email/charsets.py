"""Bytes to text, whatever the sender's program says about them."""

import codecs
import re
from email.errors import HeaderParseError
from email.header import decode_header

from charset_normalizer import from_bytes

_ALIASES = {
    "ansi": "cp1252",
    "cp-1251": "cp1251",
    "win-1251": "cp1251",
    "windows1251": "cp1251",
    "x-cp1251": "cp1251",
    "cp-1252": "cp1252",
    "koi8r": "koi8_r",
    "koi8": "koi8_r",
    "unicode-1-1-utf-7": "utf_7",
    "utf8mb4": "utf_8",
    "utf": "utf_8",
    "unicode": "utf_16",
    "ks_c_5601-1987": "cp949",
    "iso-8859-8-i": "iso8859_8",
    "x-sjis": "shift_jis",
    "x-gbk": "gbk",
    "gb2312": "gb18030",
}
# What browsers do: these labels are put on text of the larger Windows page (https://encoding.spec.whatwg.org/#names-and-labels).
_WIDER = {"ascii": "cp1252", "iso8859-1": "cp1252"}
_ONE_BYTE = ("cp125", "iso8859", "koi8", "mac", "cp866")
_CYRILLIC = ("cp1251", "koi8_r", "cp866")
_BOMS = (
    (codecs.BOM_UTF8, "utf_8_sig"),
    (codecs.BOM_UTF32_LE, "utf_32"),
    (codecs.BOM_UTF16_LE, "utf_16"),
    (codecs.BOM_UTF16_BE, "utf_16"),
)
_GUESSED_FROM_BYTES = 20_000
_FOREIGN_ENOUGH = 0.7
_RUSSIAN_ENOUGH = 0.4
_CLEARLY_BETTER = 0.2
_BROKEN_WORD = re.compile(r"(\?=)(?==\?)")
_ENCODED_WORD = re.compile(r"=\?[^?\s]+\?[bq]\?[^?]*\?=", re.IGNORECASE)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_CONTROL = re.compile(r"[\x01-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def decode(data: bytes, declared: str) -> str:
    """The text of some bytes: as declared where that is believable, else as what they look like."""
    for bom, marked in _BOMS:
        if data.startswith(bom):
            return storable(data.decode(marked, "replace"))
    codec = _codec(declared)
    one_byte = codec is None or codec == "ascii" or codec.startswith(_ONE_BYTE)
    as_utf8 = _strictly(data, "utf_8") if one_byte else None
    if as_utf8 is not None and not as_utf8.isascii():
        # no other encoding is valid UTF-8 by chance
        return storable(as_utf8)
    if codec is None or codec == "ascii":
        return storable(data.decode("ascii") if data.isascii() else _guessed(data))
    read = data.decode(_WIDER.get(codec, codec), "replace")
    return storable(_plainer(data, read) if one_byte or read.count("\ufffd") > 2 else read)


def storable(text: str) -> str:
    """Without what PostgreSQL refuses: NUL and lone surrogates."""
    return _UNSTORABLE.sub("", text)


def one_line(text: str, limit: int) -> str:
    """A header's text as one line of visible characters."""
    return " ".join(_CONTROL.sub(" ", storable(text)).split())[:limit].strip()


def decode_words(value: object) -> str:
    """A header with its RFC 2047 words decoded, broken ones too; raw 8-bit headers are read as they look."""
    raw = str(value)
    if not raw.isascii():  # the parser keeps raw bytes as surrogates
        raw = decode(raw.encode("utf_8", "surrogateescape"), "")
    unfolded = re.sub(r"\r?\n[ \t]*", " ", raw)
    # words that were glued together, or cut in the middle of a letter, are still one run of words
    spaced = _BROKEN_WORD.sub("?= ", unfolded)
    if not _ENCODED_WORD.search(spaced):
        return storable(spaced)
    try:
        pieces = decode_header(spaced)
    except (HeaderParseError, ValueError):
        return storable(spaced)
    return "".join(decode(data, charset) for data, charset in _joined(pieces))


def _joined(pieces: list[tuple[bytes | str, str | None]]) -> list[tuple[bytes, str]]:
    """Neighbours of one charset as one: programs cut UTF-8 letters between two words."""
    joined: list[tuple[bytes, str]] = []
    for piece, charset in pieces:
        data = piece if isinstance(piece, bytes) else piece.encode("utf_8", "surrogateescape")
        name = (charset or "").lower()
        if joined and name and joined[-1][1] == name:
            joined[-1] = (joined[-1][0] + data, name)
        else:
            joined.append((data, name))
    return joined


def _codec(declared: str) -> str | None:
    # RFC 2231 allows a language after the charset: utf-8*ru
    name = declared.strip().strip("'\"").lower().partition("*")[0]
    try:
        info = codecs.lookup(_ALIASES.get(name, name))
    except (LookupError, ValueError):
        return None
    # rot13, zip and the like are codecs too; so are two that must never read a stranger's bytes
    usable = info._is_text_encoding and info.name not in (
        "unicode_escape",
        "raw_unicode_escape",
        "idna",
        "punycode",
        "undefined",
        "mbcs",
        "oem",
    )
    return info.name.replace("utf-8", "utf_8") if usable else None


def _strictly(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except ValueError:
        return None


def _plainer(data: bytes, text: str) -> str:
    """Another reading of one-byte text where that one is Russian and this one is nothing."""
    start = text[:_GUESSED_FROM_BYTES]
    if _foreign_share(start) < _FOREIGN_ENOUGH:
        return text
    codec, fluency = _most_russian(data[:_GUESSED_FROM_BYTES])
    return data.decode(codec, "replace") if fluency > _russian_fluency(start) + _CLEARLY_BETTER else text


def _guessed(data: bytes) -> str:
    text = _strictly(data, "utf_8")
    if text is not None:
        return text
    start = data[:_GUESSED_FROM_BYTES]
    codec, fluency = _most_russian(start)
    if _foreign_share(start.decode(codec, "replace")) > _FOREIGN_ENOUGH and fluency > _RUSSIAN_ENOUGH:
        return data.decode(codec, "replace")
    match = from_bytes(start).best()
    return data.decode(match.encoding if match else "cp1252", "replace")


def _most_russian(data: bytes) -> tuple[str, float]:
    """The codec in which some bytes are most like Russian, and how much so."""
    fluencies = {codec: _russian_fluency(data.decode(codec, "replace")) for codec in _CYRILLIC}
    return max(fluencies.items(), key=lambda item: item[1])


def _russian_fluency(text: str) -> float:
    """The share of the ten most frequent Russian letters, about 0.65 in any Russian text; capitals inside a word cost."""
    strange = sum("\u2500" <= letter <= "\u25ff" or letter == "\ufffd" for letter in text)
    letters = [letter for letter in text if letter.isalpha() and not letter.isascii()]
    if not letters:
        return 0.0
    swapped = len(re.findall(r"[а-яё][А-ЯЁ]", text))
    return (sum(letter.lower() in "оеаинтсрвл" for letter in letters) - swapped) / (len(letters) + strange)


def _foreign_share(text: str) -> float:
    """How much of the words with letters outside ASCII is such letters: a little in French, all of it in Russian."""
    words = [word for word in re.findall(r"[^\W\d_]+", text) if not word.isascii()]
    letters = sum(len(word) for word in words)
    return sum(not letter.isascii() for word in words for letter in word) / letters if letters else 0.0
