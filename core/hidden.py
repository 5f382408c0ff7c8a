"""Characters that are not seen or look like others: found, shown and taken out.

Source: Unicode Technical Report 36, "Unicode Security Considerations", and the attacks of trojansource.codes:
zero-width and tag characters hide text, bidirectional controls reorder it, look-alike letters imitate it.
"""

import re

_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff"
)
# An emoji is held together by joiners and a presentation sign; there they hide nothing.
_EMOJI = re.compile("(?<=[\u2000-\u3300\U0001f000-\U0001faff\ufe0f])[\u200d\ufe0f]+")
_HIDDEN = re.compile(f"[{_INVISIBLE}\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_WORD = re.compile(r"[^\W\d_]+")
_LATIN, _CYRILLIC, _GREEK = (
    re.compile(f"[{letters}]", re.IGNORECASE) for letters in ("a-z", "а-яё", "α-ωϲϳ")
)
_NAMES = {
    "\u00ad": "SHY", "\u200b": "ZWSP", "\u200c": "ZWNJ", "\u200d": "ZWJ", "\u200e": "LRM", "\u200f": "RLM",
    "\u202a": "LRE", "\u202b": "RLE", "\u202c": "PDF", "\u202d": "LRO", "\u202e": "RLO", "\u2060": "WJ",
    "\u2066": "LRI", "\u2067": "RLI", "\u2068": "FSI", "\u2069": "PDI", "\ufeff": "BOM",
}  # fmt: skip


def without(text: str) -> str:
    """The text without characters that are not seen; emoji stay whole."""
    kept = _EMOJI.sub("", text)
    return _HIDDEN.sub("", kept)


def has_hidden(text: str) -> bool:
    return bool(_HIDDEN.search(_EMOJI.sub("", text)))


def is_mixed(word: str) -> bool:
    """Whether a word has letters of two alphabets that look alike."""
    return sum(bool(alphabet.search(word)) for alphabet in (_LATIN, _CYRILLIC, _GREEK)) > 1


def mixed_words(text: str) -> list[str]:
    """Words with letters of more than one alphabet: `раураl` is not `paypal`."""
    return list(dict.fromkeys(word for word in _WORD.findall(without(text)) if is_mixed(word)))


def findings(text: str) -> list[str]:
    """What a reader would not see: words around hidden characters, and words of mixed letters."""
    plain = _EMOJI.sub("", text)
    around = [word for word in plain.split() if _HIDDEN.search(word)]
    if not around and _HIDDEN.search(plain):
        around = [plain[:40]]
    return [*dict.fromkeys(around), *mixed_words(text)]


def shown(text: str) -> str:
    """The text with its hidden characters by name, as `pay⟨ZWSP⟩pal`."""
    return _HIDDEN.sub(lambda found: f"⟨{name_of(found.group())}⟩", text)


def name_of(character: str) -> str:
    return _NAMES.get(character, f"U+{ord(character):04X}")
