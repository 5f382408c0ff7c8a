"""One spelling of a word for every alphabet and every way of writing Cyrillic in Latin letters."""

import re
import unicodedata
from functools import lru_cache

_LATIN = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "zh", "з": "z", "и": "i", "й": "y",
    "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f",
    "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ы": "y", "ь": "", "э": "e", "ю": "yu", "я": "ya",
    "і": "i", "ї": "yi", "є": "ye", "ґ": "g", "ў": "u",
}  # fmt: skip
_MARKED = str.maketrans(
    {"č": "ch", "š": "sh", "ž": "zh", "ß": "ss", "ł": "l", "ø": "o", "æ": "ae", "œ": "oe", "đ": "d"}
)

# From any romanisation (GOST, ISO 9, passports old and new, BGN, French, German, Polish) to one sketch of the sound.
# A capital stands for a sound that takes several letters; the order matters.
_SOUNDS = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"s?chtch|shch|stch|schtsch|szcz|(?<!t)sch", "S"),
        (r"tsch|tch|cz", "C"),
        (r"sh|sz", "S"),
        (r"ch", "C"),
        (r"zh", "Z"),
        (r"dz?Z|dj", "J"),
        (r"kh", "h"),
        (r"ph", "f"),
        (r"th", "t"),
        (r"ck|q", "k"),
        (r"x", "ks"),
        (r"(?<=[aeiou])h(?=[^aeiou]|$)", ""),
        (r"ts|tz", "c"),
        (r"c(?=[aourlkt]|$)", "k"),
        (r"gu(?=[ei])", "g"),
        (r"(?:ow|off)$", "ov"),
        (r"(?:ew|eff)$", "ev"),
    )
)
_SOFT = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"(?:^|(?<=[^aeiouyj]))[yj]o", "e"),
        (r"[yj]e|^ie", "e"),
        (r"[yj]", "i"),
        (r"w", "v"),
        (r"(.)\1+", r"\1"),
    )
)
_ENGLISH = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in ((r"j", "J"), (r"(?:^|(?<=[^aeiou]))w", "u"), (r"oo", "u"), (r"ee|ea", "i"))
)
_LOOKS_GERMAN = re.compile(r"w|j|sch|ch")
_GERMAN = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"tsch", "C"),
        (r"schtsch", "S"),
        (r"sch", "S"),
        (r"ch", "h"),
        (r"tz|z", "c"),
        (r"(?<![^aeiouy])s(?=[aeiouy])", "z"),
    )
)


@lru_cache(maxsize=200_000)
def latin(text: str) -> str:
    """The words in lower-case Latin letters and digits, one space between them: `Щёлков-Ян` -> `shchelkov yan`."""
    spelled = "".join(_LATIN.get(letter, letter) for letter in text.casefold().translate(_MARKED))
    bare = unicodedata.normalize("NFKD", spelled.translate(_MARKED))
    kept = "".join(letter for letter in bare if not unicodedata.combining(letter) and letter not in "'’`ʹʺ\"")
    return " ".join(re.findall(r"[^\W_]+", kept))


def plain(text: str) -> str:
    """The letters of a name and nothing else, in its own alphabet, `ё` as `е`: what equal spelling is told by."""
    bare = unicodedata.normalize("NFKD", text.casefold().replace("ё", "е").replace("й", "и"))
    return "".join(letter for letter in bare if letter.isalnum())


@lru_cache(maxsize=200_000)
def sounds(word: str) -> tuple[str, ...]:
    """How a name may sound, as one to three sketches: names that share one are the same in another spelling.

    `Юрий`, `Yuriy`, `Iurii` and `Jurij` share one; a Latin `j` or `w` may be read the English way, as in
    `John` and `Джон`, a `w`, `j` or `sch` the German way, as in `Sajzew` and `Зайцев`.
    """
    spelt = latin(word).replace(" ", "")
    letters = spelt
    for pattern, sound in _SOUNDS:
        letters = pattern.sub(sound, letters)
    read = [_soften(letters)]
    english = letters
    for pattern, sound in _ENGLISH:
        english = pattern.sub(sound, english)
    read.append(_soften(english))
    if _LOOKS_GERMAN.search(spelt):
        german = spelt
        for pattern, sound in _GERMAN:
            german = pattern.sub(sound, german)
        read.append(_soften(german))
    return tuple(dict.fromkeys(sketch for sketch in read if sketch))


def _soften(letters: str) -> str:
    for pattern, sound in _SOFT:
        letters = pattern.sub(sound, letters)
    return letters
