"""What was typed with the wrong keyboard layout or in the other alphabet: `ghbdtn` is `привет`, `petrov` is `петров`."""

_LATIN = "`qwertyuiop[]asdfghjkl;'zxcvbnm,." + '~QWERTYUIOP{}ASDFGHJKL:"ZXCVBNM<>'
_CYRILLIC = "ёйцукенгшщзхъфывапролджэячсмитьбю" + "ЁЙЦУКЕНГШЩЗХЪФЫВАПРОЛДЖЭЯЧСМИТЬБЮ"
_TO_CYRILLIC = str.maketrans(_LATIN, _CYRILLIC)
# On the Russian layout `?` lies where `,` is on the English one; signs that both have stay as they are.
_TO_LATIN = str.maketrans(_CYRILLIC, _LATIN)

# As passports and mail addresses spell Russian names; longer pairs are read first.
_SPELLINGS = (
    ("shch", "щ"), ("sch", "щ"), ("yo", "ё"), ("zh", "ж"), ("kh", "х"), ("ts", "ц"), ("ch", "ч"), ("sh", "ш"),
    ("yu", "ю"), ("iu", "ю"), ("ya", "я"), ("ia", "я"), ("iy", "ий"), ("ey", "ей"), ("ay", "ай"), ("oy", "ой"),
    ("a", "а"), ("b", "б"), ("c", "к"), ("d", "д"), ("e", "е"), ("f", "ф"), ("g", "г"), ("h", "х"), ("i", "и"),
    ("j", "й"), ("k", "к"), ("l", "л"), ("m", "м"), ("n", "н"), ("o", "о"), ("p", "п"), ("q", "к"), ("r", "р"),
    ("s", "с"), ("t", "т"), ("u", "у"), ("v", "в"), ("w", "в"), ("x", "кс"), ("y", "ы"), ("z", "з"),
)  # fmt: skip
_ROMAN = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "zh", "з": "z", "и": "i", "й": "y",
    "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f",
    "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ы": "y", "ь": "", "э": "e", "ю": "yu",
    "я": "ya",
}  # fmt: skip


def is_cyrillic(text: str) -> bool:
    """Whether a word has a Russian letter."""
    return any("а" <= letter <= "я" or letter == "ё" for letter in text.lower())


def other_layout(text: str) -> str:
    """The same keys on the other layout, English for Russian and the other way round."""
    return text.translate(_TO_LATIN if is_cyrillic(text) else _TO_CYRILLIC)


def other_alphabet(word: str) -> str:
    """A lower-case word as the other alphabet would spell it; of several spellings the commonest."""
    if is_cyrillic(word):
        return "".join(_ROMAN.get(letter, letter) for letter in word)
    spelled, place = [], 0
    while place < len(word):
        latin, cyrillic = next(
            ((latin, cyrillic) for latin, cyrillic in _SPELLINGS if word.startswith(latin, place)),
            (word[place], word[place]),
        )
        spelled.append(cyrillic)
        place += len(latin)
    return "".join(spelled)
