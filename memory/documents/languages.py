"""Which of the two languages a text is written in."""

import re

_LETTER = re.compile(r"[^\W\d_]")
_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)


def language_of(text: str) -> str:
    """`ru` or `en`; names of products are Latin in Russian texts too, so less than half of the letters decides."""
    return "ru" if len(_CYRILLIC.findall(text)) * 5 > len(_LETTER.findall(text)) * 2 else "en"
