"""What ends a letter and says nothing: names, phones, lines that programs and lawyers add."""

import re

from channels.email import phrases
from channels.email.names import is_name_of

_TAIL_LINES = 20
_NAMED_TAIL_LINES = 12
_WINDOW_LINES = 60
_SHORT = 120
_READ_CHARS = 1_000
_NAME = r"[A-ZА-ЯЁ][\w.'’-]*(?:\s+[A-ZА-ЯЁ(\"«][\w.'’)\"»-]*){0,3}[.!]?"
_STRONG = "|".join(phrases.CLOSINGS)
_WEAK = "|".join(phrases.WEAK_CLOSINGS)
# "Med vänlig hälsning / Best regards": whatever language stands beside ours
_CLOSING = re.compile(
    rf"(?:[^/|]{{2,40}}[/|]\s*)?(?i:{_STRONG})\s*[,.!;—–-]*\s*(?:{_NAME})?(?:[,|/].{{0,100}})?"
)
_WEAK_ALONE = re.compile(rf"(?i:(?:{_WEAK}))\s*(?P<comma>[,—–-]*)[!.]?\s*")
_WEAK_NAMED = re.compile(rf"(?i:(?:{_WEAK}))\s*[,—–-]+\s*(?P<name>{_NAME})")
_BARE_NAME = re.compile(rf"[-—–/~]{{0,2}}\s*{_NAME},?")
_FULL_NAME = re.compile(r"[A-ZА-ЯЁ][\w.'’-]+(?:\s+[A-ZА-ЯЁ][\w.'’-]*){1,3}(?:\s*[,|/(].{0,80})?")
_DELIMITER = re.compile(r"(?:--|—|––|——)\s*|_{2,}\s*")
_RULE = re.compile(r"[-=*~–—]{3,}\s*")
_ADDED = re.compile("|".join(f"(?:{pattern})" for pattern in phrases.ADDED_BY_PROGRAM), re.IGNORECASE)
_DISCLAIMER = re.compile("|".join(f"(?:{pattern})" for pattern in phrases.DISCLAIMERS), re.IGNORECASE)
_BANNER = re.compile("|".join(f"(?:{pattern})" for pattern in phrases.BANNERS), re.IGNORECASE)
_POSTSCRIPT = re.compile(phrases.POSTSCRIPT, re.IGNORECASE)
_CONTACT = re.compile(
    r"\+?\d[\d\s().-]{6,}\d|[\w.+-]{1,64}@[\w-]{1,64}\.\w|https?://|www\.|\b(?:tel|phone|mob|mobile|cell|fax|skype|telegram|whatsapp)\b|"
    r"\b(?:тел|моб|телефон|факс|скайп|телеграм|сайт)\b",
    re.IGNORECASE,
)


def without_banner(lines: list[str]) -> list[str]:
    """Without the warning that a gateway puts above mails from outside."""
    start = next((index for index, line in enumerate(lines) if line.strip()), 0)
    end = start
    while end < len(lines) and lines[end].strip():
        end += 1
    paragraph = " ".join(line.strip() for line in lines[start : min(end, start + 8)])[:_READ_CHARS]
    if (
        end > start
        and _BANNER.fullmatch(lines[start].strip()[:_READ_CHARS])
        and not _BANNER.fullmatch(paragraph)
    ):
        return lines[start + 1 :]
    return lines[end:] if paragraph and _BANNER.fullmatch(paragraph) else lines


def without_signature(lines: list[str], sender: str) -> list[str]:
    """The lines up to the signature, and a postscript after it; `sender` is the name that the mail says."""
    kept = [line for line in lines if not _ADDED.fullmatch(line.strip(" \t*_[]<>-"))]
    kept = _cut(kept, _at_disclaimer(kept))
    kept = _cut(kept, _at_delimiter(kept))
    kept = _cut(kept, _at_closing(kept, sender))
    kept = _cut(kept, _at_name(kept, sender))
    return _cut(kept, _at_contacts(kept))


def _cut(lines: list[str], at: int | None) -> list[str]:
    if at is None:
        return lines
    postscript = next((i for i in range(at, len(lines)) if _POSTSCRIPT.match(lines[i].strip())), None)
    if postscript is None:
        return lines[:at]
    return [*lines[:at], "", *lines[postscript:]]


def _last_filled(lines: list[str], limit: int) -> list[int]:
    """The places of the last lines with anything on them; a signature is nowhere else."""
    found: list[int] = []
    for index in range(len(lines) - 1, -1, -1):
        if lines[index].strip():
            found.append(index)
        if len(found) == limit:
            break
    return found[::-1]


def _at_disclaimer(lines: list[str]) -> int | None:
    above = ""
    for index, line in enumerate(lines):
        starts_paragraph = not above or bool(_RULE.fullmatch(above))
        if starts_paragraph and _DISCLAIMER.match(
            " ".join(lines[index : index + 4])[:_READ_CHARS].strip(" *_\t")
        ):
            return index
        above = line.strip()
    return None


def _at_delimiter(lines: list[str]) -> int | None:
    for index, line in enumerate(lines):
        if _DELIMITER.fullmatch(line.strip()):
            return index
    rules = (index for index in _last_filled(lines, _TAIL_LINES) if _RULE.fullmatch(lines[index].strip()))
    return next((index for index in rules if _is_tail(lines[index + 1 :], _NAMED_TAIL_LINES)), None)


def _at_closing(lines: list[str], sender: str) -> int | None:
    first = next((index for index, line in enumerate(lines) if line.strip()), 0)
    for index in _last_filled(lines, _WINDOW_LINES):
        text = lines[index].strip(" \t*_")
        rest = lines[index + 1 :]
        if _CLOSING.fullmatch(text[:_READ_CHARS]) and _is_tail(rest, _TAIL_LINES):
            return index
        is_weak = index > first and _is_weak_closing(text, rest, sender)
        if is_weak and _is_tail(rest, _NAMED_TAIL_LINES, no_sentences=True):
            return index
    return None


def _is_weak_closing(text: str, rest: list[str], sender: str) -> bool:
    named = _WEAK_NAMED.fullmatch(text[:_READ_CHARS])
    if named:
        return is_name_of(named["name"], sender)
    alone = _WEAK_ALONE.fullmatch(text[:_READ_CHARS])
    following = next((line.strip(" \t*_") for line in rest if line.strip()), "")
    return bool(alone and alone["comma"] and _BARE_NAME.match(following))


def _at_name(lines: list[str], sender: str) -> int | None:
    """The sender's own name on a line by itself, near the end; with a Thanks or Cheers right above it."""
    filled = _last_filled(lines, _NAMED_TAIL_LINES + 2)
    for place in range(1, len(filled)):
        above, index = filled[place - 1], filled[place]
        text = lines[index].strip(" \t*_-—–/~,.!")
        is_own = is_name_of(re.split(r"\s*[,|/(]", text[:_READ_CHARS])[0], sender)
        # after a colon it is a name that was asked for
        if (
            not is_own
            or lines[above].rstrip().endswith(":")
            or not _is_tail(lines[index + 1 :], _NAMED_TAIL_LINES)
        ):
            continue
        word_above = lines[above].strip(" \t*_")
        is_closed = place > 1 and "!" not in word_above and bool(_WEAK_ALONE.fullmatch(word_above))
        return above if is_closed else index
    return None


def _at_contacts(lines: list[str]) -> int | None:
    """A last paragraph that is a name with phones and addresses."""
    filled = _last_filled(lines, _NAMED_TAIL_LINES + 2)
    for place in range(1, len(filled)):
        above, index = filled[place - 1], filled[place]
        starts_paragraph = index - above > 1
        if not starts_paragraph or not _FULL_NAME.fullmatch(lines[index].strip(" \t*_")[:_READ_CHARS]):
            continue
        rest = [lines[each] for each in filled[place + 1 :]]
        has_contacts = any(_CONTACT.search(line[:_READ_CHARS]) for line in rest)
        if has_contacts and not lines[above].rstrip().endswith(":") and _is_tail(rest, _NAMED_TAIL_LINES):
            return index
    return None


def _is_tail(lines: list[str], limit: int, *, no_sentences: bool = False) -> bool:
    """Whether nothing but signature lines is left: few, short, no questions. A postscript is looked at by itself."""
    count = 0
    for line in lines:
        text = line.strip()
        if _POSTSCRIPT.match(text) or _DISCLAIMER.match(text[:_READ_CHARS]):
            break
        count += bool(text)
        is_prose = len(text) > _SHORT and not _CONTACT.search(text[:_READ_CHARS])
        is_sentence = no_sentences and text.endswith((".", "!", ";", ":")) and len(text.split()) > 2
        is_question = text.endswith("?") and len(text.split()) > 2
        if is_prose or is_sentence or is_question or count > limit:
            return False
    return True
