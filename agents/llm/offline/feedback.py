"""What a colleague's feedback on a draft asks for, as far as templates can follow it."""

import re
from dataclasses import dataclass

from core.languages import Language

_ADD = re.compile(
    r"^\s*(?:please\s+|пожалуйста,?\s+)?(?:also\s+|ещё\s+|еще\s+)?"
    r"(?:add|mention|say|write|tell\s+(?:him|her|them)|добавь(?:те)?|напиши(?:те)?|скажи(?:те)?|упомяни(?:те)?|укажи(?:те)?)"
    r"\s*(?:,?\s*(?:that|что)\b|[:,])?\s+(?P<text>.+)$",
    re.IGNORECASE | re.DOTALL,
)
_SHORT = re.compile(
    r"\b(?:short(?:er)?|brief(?:er)?|concise|короче|покороче|кратко|сократи\w*)\b", re.IGNORECASE
)
_FRIENDLY = re.compile(
    r"\b(?:friendl\w+|warm(?:er)?|kinder|теплее|дружелюбн\w+|мягче|приветлив\w+)\b", re.IGNORECASE
)
_FORMAL = re.compile(r"\b(?:formal\w*|polite\w*|официальн\w+|формальн\w+|строже|вежлив\w+)\b", re.IGNORECASE)
_CALL = re.compile(
    r"\b(?:(?:offer|suggest|propose)\b.*\b(?:call|meeting|demo)|(?:предлож\w+)\b.*\b(?:созвон\w*|встреч\w*|звон\w*|показ\w*))\b",
    re.IGNORECASE | re.DOTALL,
)
_NO_PRICE = re.compile(
    r"\b(?:(?:no|without|remove|drop|don't mention|do not mention)\s+(?:the\s+)?(?:price|amount|sum)"
    r"|без\s+(?:цен\w*|сумм\w*)|(?:убери\w*|не\s+называй\w*|не\s+пиши\w*)\s+(?:цен\w+|сумм\w+))\b",
    re.IGNORECASE,
)
_NO_GREETING = re.compile(
    r"\b(?:(?:no|without|drop|remove)\s+(?:the\s+)?greeting|без\s+приветстви\w+)\b", re.IGNORECASE
)
_ENGLISH = re.compile(r"\b(?:in english|на английск\w+|по-английски)\b", re.IGNORECASE)
_RUSSIAN = re.compile(r"\b(?:in russian|на русск\w+|по-русски)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Wishes:
    """The wishes that were understood; `is_ignored` when there was feedback and none of it was."""

    add: str = ""
    language: Language | None = None
    is_short: bool = False
    is_friendly: bool = False
    is_formal: bool = False
    call: bool = False
    hides_price: bool = False
    hides_greeting: bool = False
    is_ignored: bool = False


def read_feedback(text: str) -> Wishes:
    """Sort out what the feedback asks for."""
    if not text.strip():
        return Wishes()
    addition = _ADD.match(text)
    wishes = Wishes(
        add=_sentence(addition["text"]) if addition else "",
        language="en" if _ENGLISH.search(text) else "ru" if _RUSSIAN.search(text) else None,
        is_short=bool(_SHORT.search(text)) and not addition,
        is_friendly=bool(_FRIENDLY.search(text)) and not addition,
        is_formal=bool(_FORMAL.search(text)) and not addition,
        call=bool(_CALL.search(text)),
        hides_price=bool(_NO_PRICE.search(text)),
        hides_greeting=bool(_NO_GREETING.search(text)),
    )
    return wishes if wishes != Wishes() else Wishes(is_ignored=True)


def _sentence(text: str) -> str:
    stripped = text.strip().strip('«»"“”')
    sentence = stripped[:1].upper() + stripped[1:]
    return sentence if sentence.endswith((".", "!", "?", "…")) else f"{sentence}."
