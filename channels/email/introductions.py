"""Where the mail that is being answered starts: attributions, separators, blocks of header fields, forwards."""

import re
from collections.abc import Sequence
from functools import cache

from mailparser_reply.constants import MAIL_LANGUAGES

from channels.email import phrases
from channels.email.lines import Line, Role

_SPAN_LINES = 4
_ATTRIBUTION_CHARS = 320
_BLOCK_LINES = 16
_EMAIL = r"[<(\[][^<>()\[\]]{0,80}@[^<>()]{1,120}[>)\]]+"
_WROTE = "|".join((*phrases.WROTE, phrases.WROTE_ELSEWHERE))
_DATE = (
    rf"(?:(?:в|во|on|at)\s+)?(?:\d{{1,2}}:\d{{2}}(?::\d{{2}})?(?:\s?[ap]m)?,?\s+)?(?:(?:{phrases.WEEKDAYS})\.?,?\s+)?"
    rf"(?:\d{{1,2}}[./-]\d{{1,2}}[./-]\d{{2,4}}|\d{{4}}[-./]\d{{1,2}}[-./]\d{{1,2}}"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?\.?[\s-]+(?:of )?(?:{phrases.MONTHS})\b|(?:{phrases.MONTHS})\b\.?\s+\d{{1,2}})"
)
_NAME = r"[^.!?:;<>\d]{2,80}"
_ATTRIBUTIONS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?:on|at|am|в) (?=.{{0,200}}[\d@]).{{3,300}}?\s(?:{_WROTE})\s*:",
        rf"{_DATE}.{{0,250}}{_EMAIL}\s*(?:,?\s*(?:{_WROTE}))?\s*:",
        rf"{_DATE}.{{0,200}}\s(?:{_WROTE})\s*:",
        rf"{_DATE}.{{0,30}}\d{{1,2}}:\d{{2}}.{{0,20}}\s(?:от|from)\s.{{2,160}}:",
        rf"[\"'«]?[^.!?:;<>]{{0,80}}[\"'»]?\s*{_EMAIL}\s*,?\s*(?:{_WROTE}).{{0,60}}:",
        rf"{_NAME}\s(?:{_WROTE}),?\s.{{0,12}}{_DATE}.{{0,40}}:",
        rf"{_NAME}\s{_DATE}.{{0,40}}\s(?:{_WROTE})\s*:",
        r"(?:quoting|цитирую|цитирование|цитата от) .{3,160}:",
        rf"(?:здравствуйте[^.]{{0,60}}\s)?(?:вы|ты) писал[аи]?\s.{{0,10}}{_DATE}.{{0,40}}:",
        rf"(?:от|from)\s[^:]{{0,80}}{_EMAIL},?\s{_DATE}.{{0,40}}:",
    )
)
_HINT = re.compile(rf"@|\s(?:от|from|{_WROTE})\b|^(?:quoting|цит)|\d{{4}}年", re.IGNORECASE)
_NAMING = re.compile(rf"{_NAME}\s(?:{_WROTE})\s*:", re.IGNORECASE)
_RULED = re.compile(r"^[-=_*\s]+|[-=_*\s]+$")
_RULE = re.compile(r"[-_=*—–]{3,}")
_ADDRESSEE = re.compile(r"(?:кому|тема|копия|to|cc|subject)\s*:.{0,500}?;?", re.IGNORECASE)
_SEPARATOR = re.compile("|".join(phrases.SEPARATORS), re.IGNORECASE)
_FORWARDED = re.compile("|".join(phrases.FORWARDED), re.IGNORECASE)
_FORWARD_SUBJECT = re.compile(phrases.FORWARD_SUBJECTS, re.IGNORECASE)
_FIELDS = {
    "from": phrases.FIELD_FROM,
    "date": phrases.FIELD_DATE,
    "to": phrases.FIELD_TO,
    "subject": phrases.FIELD_SUBJECT,
    "other": phrases.FIELD_OTHER,
}
_FIELD = re.compile(
    r"[*_\s|]*(?:"
    + "|".join(rf"(?P<{kind}>{'|'.join(names)})" for kind, names in _FIELDS.items())
    + r")\s*[*_]*\s*:[*_]*"
    r"(?P<value>.*)",
    re.IGNORECASE,
)


@cache
def _other_languages() -> tuple[re.Pattern[str], ...]:
    """Attributions in the languages that are not ours."""
    others = (
        values["wrote_header"]
        for name, values in MAIL_LANGUAGES.items()
        if name != "en" and "wrote_header" in values
    )
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in others)


def attribution_end(lines: Sequence[Line], at: int) -> int | None:
    """The index after an attribution that starts at a line, over as many lines as its program wrapped it."""
    joined = ""
    for index in range(at, min(at + _SPAN_LINES, len(lines))):
        line = lines[index]
        if line.role is not lines[at].role or line.is_blank or len(line.text) > _ATTRIBUTION_CHARS:
            return None
        joined = f"{joined} {line.text.strip()}".strip()
        if is_attribution(joined):
            return index + 1
    return None


def is_attribution(text: str) -> bool:
    """Whether a line says who wrote what follows, and when."""
    if len(text) > 2 * _ATTRIBUTION_CHARS or not text.rstrip().endswith((":", "：", "-")):
        return False
    bare = " ".join(_RULED.sub("", text.replace("\u202f", " ").replace("\u00a0", " ")).split())
    if not 8 <= len(bare) <= _ATTRIBUTION_CHARS:
        return False
    if bare != text.strip() and text.strip().endswith("-") and not bare.endswith(":"):
        bare += ":"  # Zoho: ---- On Tue ... wrote ----
    if not bare.endswith((":", "：")):
        return False
    if not _HINT.search(bare):
        return False
    if any(pattern.fullmatch(bare) for pattern in _ATTRIBUTIONS):
        return True
    if text.lstrip().startswith("--") and _NAMING.fullmatch(bare):
        return True  # Notes: ----- Vera Lind wrote: -----
    has_digit = any(letter.isdigit() for letter in bare)
    return has_digit and any(pattern.fullmatch(bare) for pattern in _other_languages())


def is_naming(text: str) -> bool:
    """Whether a line only names a writer: enough above a quote, nothing without one."""
    return bool(_NAMING.fullmatch(text.strip()[:_ATTRIBUTION_CHARS]))


def is_separator(text: str) -> bool:
    return bool(_SEPARATOR.fullmatch(text.strip()[:200]))


def is_forward_marker(text: str) -> bool:
    return bool(_FORWARDED.fullmatch(text.strip()[:200]))


def is_forward_subject(subject: str) -> bool:
    return bool(_FORWARD_SUBJECT.match(subject))


def is_field_block(lines: Sequence[Line], at: int) -> bool:
    """Whether a block of From, Sent, To and Subject starts at a line."""
    if not _FIELD.fullmatch(lines[at].text[:1000]):
        return False
    kinds: set[str] = set()
    strangers = 0
    has_proof = False
    for line in lines[at : at + _BLOCK_LINES]:
        if line.is_blank:
            continue
        match = _FIELD.fullmatch(line.text[:1000])
        kind = next((kind for kind in _FIELDS if match and match[kind]), "")
        strangers = 0 if kind else strangers + 1  # a long list of recipients, or a value on its own line
        if strangers > 2 or (kind in kinds and kind != "other"):
            break
        has_proof |= strangers < 2 and any(letter.isdigit() or letter == "@" for letter in line.text)
        kinds.add(kind)
    return has_proof and "from" in kinds and len(kinds & {"from", "date", "to", "subject"}) >= 3


def drop_introduction(written: list[Line]) -> None:
    """Take the rules and addressee lines away that stand right above an attribution or a block."""
    while written and (
        written[-1].is_blank
        or _RULE.fullmatch(written[-1].text.strip())
        or (_ADDRESSEE.fullmatch(written[-1].text.strip()) and written[-1].text.rstrip().endswith(";"))
    ):
        written.pop()


def is_original_start(lines: Sequence[Line], at: int) -> bool:
    """Whether everything from a line on was received."""
    line = lines[at]
    if line.role is Role.ORIGINAL_STARTS:
        return True
    return line.role is Role.WRITTEN and (is_separator(line.text) or is_field_block(lines, at))
