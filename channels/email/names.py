"""Whether a line is somebody's name, in whichever alphabet either of them is written."""

import re

_LONGEST = 80
_MOST_WORDS = 4
# By letter, in the order of the alphabet: the two signs say nothing, so what stands for them is empty.
_LATIN = dict(zip("абвгдеёжзийклмнопрстуфхцчшщъыьэюя", (
    "a", "b", "v", "g", "d", "e", "e", "zh", "z", "i", "i", "k", "l", "m", "n", "o", "p", "r", "s", "t", "u", "f",
    "h", "c", "ch", "sh", "sch", "", "i", "", "e", "iu", "ia",
), strict=True))  # fmt: skip
_SPELLINGS = (("kh", "h"), ("ts", "c"), ("y", "i"), ("j", "i"), ("x", "ks"), ("ii", "i"), ("shch", "sch"))


def is_name_of(text: str, person: str) -> bool:
    """Whether a text is a person's name, or a part or the initials of it."""
    if len(text) > _LONGEST or any(letter.isdigit() for letter in text):
        return False
    words, own = _words(person), _words(text)
    if not 0 < len(own) <= _MOST_WORDS or all(len(word) == 1 for word in own):
        return False
    return all(word in words or (len(word) == 1 and _starts_one(word, words)) for word in own)


def _starts_one(initial: str, words: list[str]) -> bool:
    return any(word.startswith(initial) for word in words)


def _words(name: str) -> list[str]:
    """The words of a name in one spelling, so that Анна Петрова is Anna Petrova."""
    latin = "".join(_LATIN.get(letter, letter) for letter in name.lower())
    for old, new in _SPELLINGS:
        latin = latin.replace(old, new)
    return re.findall(r"[^\W\d_]+", latin)
