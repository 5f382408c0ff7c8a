"""English and Russian, told apart by their letters, and the words of both without their endings."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

import snowballstemmer

Language = Literal["en", "ru"]

_WORD = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?")
_LETTER = re.compile(r"[^\W\d_]")
_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
_LATIN = re.compile(r"[a-z]", re.IGNORECASE)
_LATIN_OF = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "zh", "з": "z", "и": "i", "й": "y",
    "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f",
    "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ы": "y", "ь": "", "э": "e", "ю": "yu", "я": "ya",
}  # fmt: skip
_FEWEST_LETTERS = 2
_CYRILLIC_ENOUGH = 3
_LATIN_ENOUGH = 12
_ENGLISH, _RUSSIAN = snowballstemmer.stemmer("english"), snowballstemmer.stemmer("russian")


def language_of(text: str, default: str) -> Language:
    """The language of a message, by most of its letters; `default` decides when there are too few."""
    letters = len(_LETTER.findall(text))
    if letters < _FEWEST_LETTERS:
        return _of_code(default)
    return "ru" if len(_CYRILLIC.findall(text)) * 2 > letters else "en"


def language_of_document(text: str) -> Language:
    """The language of a document; names of products are Latin in Russian ones too, so less than half decides."""
    return "ru" if len(_CYRILLIC.findall(text)) * 5 > len(_LETTER.findall(text)) * 2 else "en"


def language_of_sender(text: str, language_code: str = "") -> Language:
    """What a person writes in; where the letters do not tell, what their own program is set to.

    A link or an address in a Russian line is Latin, and a short Latin line may be a name: neither decides.
    """
    cyrillic, latin = len(_CYRILLIC.findall(text)), len(_LATIN.findall(text))
    if cyrillic >= _CYRILLIC_ENOUGH and cyrillic >= latin / 2:
        return "ru"
    return "en" if latin >= _LATIN_ENOUGH else _of_code(language_code)


def _of_code(code: str) -> Language:
    return "ru" if code.lower().startswith("ru") else "en"


def words(text: str) -> list[str]:
    """Lower-case words and numbers, in order; ё is е."""
    return [word.replace("’", "'") for word in _WORD.findall(text.lower().replace("ё", "е"))]


def spans(text: str) -> Iterator[tuple[str, int, int]]:
    """The words of a text as `words` gives them, each with where it begins and ends."""
    for match in _WORD.finditer(text):
        yield match[0].lower().replace("ё", "е").replace("’", "'"), match.start(), match.end()


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """A word without its endings, in the language of its script."""
    stemmer = _RUSSIAN if _CYRILLIC.search(word) else _ENGLISH
    return str(stemmer.stemWord(word))


def stems(text: str) -> list[str]:
    """The stems of a text, in order."""
    return [stem(word) for word in words(text)]


def in_latin(text: str) -> str:
    """Small Cyrillic letters by Latin ones, as Russian passports spell names: `щука` is `shchuka`."""
    return "".join(_LATIN_OF.get(letter, letter) for letter in text)
