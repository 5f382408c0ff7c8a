"""Whom a text addresses by name, and whether that is its reader."""

import re
from collections.abc import Iterable

from core.languages import in_latin
from crm.matching.nicknames import groups_of

_NAME = r"[A-ZА-ЯЁ][\w’'-]+(?:\s+[A-ZА-ЯЁ][\w’'-]+){0,2}"
_GREETING = (
    r"(?:[Hh]ello|[Hh]i|[Hh]ey|[Dd]ear|[Gg]reetings|[Gg]ood (?:morning|afternoon|evening|day)|[Зз]дравствуйте|[Дд]обрый (?:день|вечер)"
    r"|[Дд]оброе утро|[Пп]ривет(?:ствую)?|[Уу]важаем(?:ый|ая)|[Дд]орог(?:ой|ая))"
)
_THANKS = r"(?:[Tt]hank you(?: so much| very much)?|[Tt]hanks|[Сс]пасибо(?: большое)?|[Бб]лагодарю)"
_END = r"\s*(?=[,!.:;\n—–-]|$)"
_SPOKEN = (
    re.compile(rf"{_GREETING}[,]?[ \t]+(?P<name>{_NAME}){_END}"),
    re.compile(rf"{_THANKS},[ \t]+(?P<name>{_NAME}){_END}"),
    # the name first: "Тимур, здравствуйте!"
    re.compile(rf"(?:^|\n)(?P<name>{_NAME}),\s+{_GREETING}\b"),
)
# Words that stand where a name would.
_NOBODY = frozenset(
    ["sir", "madam", "team", "all", "everyone", "everybody", "there", "customer", "client", "colleague", "colleagues", "friend", "friends", "mr", "mrs", "ms", "dr", "mister", "again", "господин", "госпожа", "коллеги", "коллега", "клиент", "друзья", "друг", "команда", "все", "доктор", "thank", "thanks", "we", "i", "yes", "спасибо", "да", "мы"]
)  # fmt: skip


def strangers(body: str, name: str) -> list[str]:
    """The names by which the body addresses its reader and that are not theirs, in any spelling or short form."""
    if not name.strip():
        return []
    spoken = (match["name"] for pattern in _SPOKEN for match in pattern.finditer(body))
    return list(dict.fromkeys(one for one in spoken if not _is_called(one, name)))


def _is_called(spoken: str, name: str) -> bool:
    words = [word for word in spoken.split() if word.casefold() not in _NOBODY]
    return not words or any(_is_same(word, part) for word in words for part in name.split())


def _is_same(spoken: str, own: str) -> bool:
    one, other = _letters(spoken), _letters(own)
    if one == other or _groups(spoken) & _groups(own):
        return True
    # a Russian ending: «Дарье», «Тимура»
    shorter, longer = sorted((one, other), key=len)
    return len(shorter) >= 4 and longer.startswith(shorter[:-1]) and len(longer) - len(shorter) <= 2


def _groups(name: str) -> set[int]:
    return {*groups_of(name.casefold()), *groups_of(_letters(name))}


def _letters(name: str) -> str:
    return "".join(_plain(in_latin(name.casefold())))


def _plain(text: str) -> Iterable[str]:
    return (letter for letter in text if letter.isalpha())
