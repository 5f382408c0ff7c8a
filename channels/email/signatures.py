"""What ends a letter and says nothing: names, phones, lines that programs and lawyers add."""

import re

from channels.email import phrases

_TAIL_LINES = 20
_NAMED_TAIL_LINES = 12
_SHORT = 120
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
    r"\+?\d[\d\s().-]{6,}\d|[\w.+-]+@[\w-]+\.\w+|https?://|www\.|\b(?:tel|phone|mob|mobile|cell|fax|skype|telegram|whatsapp)\b|"
    r"\b(?:тел|моб|телефон|факс|скайп|телеграм|сайт)\b",
    re.IGNORECASE,
)
_LATIN = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
        [
            "a",
            "b",
            "v",
            "g",
            "d",
            "e",
            "e",
            "zh",
            "z",
            "i",
            "i",
            "k",
            "l",
            "m",
            "n",
            "o",
            "p",
            "r",
            "s",
            "t",
            "u",
            "f",
            "h",
            "c",
            "ch",
            "sh",
            "sch",
            "",
            "i",
            "",
            "e",
            "iu",
            "ia",
        ],
        strict=True,
    )
)
_SPELLINGS = (("kh", "h"), ("ts", "c"), ("y", "i"), ("j", "i"), ("x", "ks"), ("ii", "i"), ("shch", "sch"))


def without_banner(lines: list[str]) -> list[str]:
    """Without the warning that a gateway puts above mails from outside."""
    start = next((index for index, line in enumerate(lines) if line.strip()), 0)
    end = start
    while end < len(lines) and lines[end].strip():
        end += 1
    paragraph = " ".join(line.strip() for line in lines[start:end])
    if end > start and _BANNER.fullmatch(lines[start].strip()) and not _BANNER.fullmatch(paragraph):
        return lines[start + 1 :]
    return lines[end:] if paragraph and _BANNER.fullmatch(paragraph) else lines


def without_signature(lines: list[str], sender: str) -> list[str]:
    """The lines up to the signature, and a postscript after it; `sender` is the name that the mail says."""
    kept = [line for line in lines if not _ADDED.fullmatch(line.strip(" \t*_[]<>-"))]
    kept = _cut(kept, _at_disclaimer(kept))
    kept = _cut(kept, _at_delimiter(kept))
    kept = _cut(kept, _at_closing(kept, sender))
    return _cut(_cut(kept, _at_name(kept, sender)), _at_contacts(kept))


def _cut(lines: list[str], at: int | None) -> list[str]:
    if at is None:
        return lines
    postscript = next((i for i in range(at, len(lines)) if _POSTSCRIPT.match(lines[i].strip())), None)
    if postscript is None:
        return lines[:at]
    return [*lines[:at], "", *lines[postscript:]]


def _at_disclaimer(lines: list[str]) -> int | None:
    for index in range(len(lines)):
        starts_paragraph = (
            index == 0 or not lines[index - 1].strip() or bool(_RULE.fullmatch(lines[index - 1].strip()))
        )
        if starts_paragraph and _DISCLAIMER.match(" ".join(lines[index : index + 4]).strip(" *_\t")):
            return index
    return None


def _at_delimiter(lines: list[str]) -> int | None:
    for index, line in enumerate(lines):
        if _DELIMITER.fullmatch(line.strip()):
            return index
        if _RULE.fullmatch(line.strip()) and _is_tail(lines[index + 1 :], _NAMED_TAIL_LINES):
            return index
    return None


def _at_closing(lines: list[str], sender: str) -> int | None:
    for index, line in enumerate(lines):
        text = line.strip(" \t*_")
        rest = lines[index + 1 :]
        if _CLOSING.fullmatch(text) and _is_tail(rest, _TAIL_LINES):
            return index
        is_first = not any(each.strip() for each in lines[:index])
        if (
            not is_first
            and _is_weak_closing(text, rest, sender)
            and _is_tail(rest, _NAMED_TAIL_LINES, no_sentences=True)
        ):
            return index
    return None


def _is_weak_closing(text: str, rest: list[str], sender: str) -> bool:
    following = [line.strip(" \t*_") for line in rest if line.strip()]
    named = _WEAK_NAMED.fullmatch(text)
    if named:
        return _is_name_of(named["name"], sender)
    alone = _WEAK_ALONE.fullmatch(text)
    return bool(alone and alone["comma"] and following and _BARE_NAME.match(following[0]))


def _at_name(lines: list[str], sender: str) -> int | None:
    """The sender's own name on a line by itself, near the end; with a Thanks or Cheers right above it."""
    filled = [index for index, line in enumerate(lines) if line.strip()]
    for place in range(max(1, len(filled) - _NAMED_TAIL_LINES), len(filled)):
        index = filled[place]
        if lines[filled[place - 1]].rstrip().endswith(":"):
            continue  # a name that was asked for
        text = lines[index].strip(" \t*_-—–/~,.!")
        if _is_name_of(re.split(r"\s*[,|/(]", text)[0], sender) and _is_tail(
            lines[index + 1 :], _NAMED_TAIL_LINES
        ):
            above = filled[place - 1]
            has_word_above = (
                place > 1
                and bool(_WEAK_ALONE.fullmatch(lines[above].strip(" \t*_")))
                and "!" not in lines[above]
            )
            return above if has_word_above else index
    return None


def _is_name_of(text: str, sender: str) -> bool:
    """Whether a text is a name of the sender, or a part or the initials of it."""
    words, own = _words(sender), _words(text)
    if any(letter.isdigit() for letter in text):
        return False
    return (
        bool(own)
        and len(own) <= 4
        and any(len(word) > 1 for word in own)
        and all(
            word in words or (len(word) == 1 and any(each.startswith(word) for each in words)) for word in own
        )
    )


def _at_contacts(lines: list[str]) -> int | None:
    """A last paragraph that is a name with phones and addresses."""
    for index in range(1, len(lines)):
        if lines[index - 1].strip() or not _FULL_NAME.fullmatch(lines[index].strip(" \t*_")):
            continue
        before = next((line.strip() for line in reversed(lines[:index]) if line.strip()), ":")
        rest = [line for line in lines[index + 1 :] if line.strip()]
        if before.endswith(":") or not rest or not _is_tail(rest, _NAMED_TAIL_LINES):
            continue
        if any(_CONTACT.search(line) for line in rest):
            return index
    return None


def _is_tail(lines: list[str], limit: int, *, no_sentences: bool = False) -> bool:
    """Whether nothing but signature lines is left: few, short, no questions. A postscript is looked at by itself."""
    count = 0
    for line in lines:
        text = line.strip()
        if _POSTSCRIPT.match(text) or _DISCLAIMER.match(text):
            break
        count += bool(text)
        is_prose = len(text) > _SHORT and not _CONTACT.search(text)
        is_sentence = no_sentences and text.endswith((".", "!", ";", ":")) and len(text.split()) > 2
        if is_prose or is_sentence or (text.endswith("?") and len(text.split()) > 2):
            return False
    return count <= limit


def _words(name: str) -> list[str]:
    """The words of a name in one spelling, so that Анна Петрова is Anna Petrova."""
    latin = "".join(_LATIN.get(letter, letter) for letter in name.lower())
    for old, new in _SPELLINGS:
        latin = latin.replace(old, new)
    return re.findall(r"[^\W\d_]+", latin)
