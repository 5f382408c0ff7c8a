"""What a burst names: quantities, days and times, people, conditions of payment."""

import re
from dataclasses import dataclass

from core.languages import Language

_MONTHS_EN = "january|february|march|april|may|june|july|august|september|october|november|december"
_MONTHS_RU = "января|февраля|марта|апреля|мая|июня|июля|августа|сентября|октября|ноября|декабря"
_DAYS_EN = "monday|tuesday|wednesday|thursday|friday|saturday|sunday"
_DAYS_RU = {
    "понедельник": "в понедельник",
    "вторник": "во вторник",
    "сред": "в среду",
    "четверг": "в четверг",
    "пятниц": "в пятницу",
    "суббот": "в субботу",
    "воскресень": "в воскресенье",
}

# A number that counts things, not hours, money or a date: the word after it decides.
_QUANTITY = {
    "en": re.compile(
        r"\b(?P<number>\d{1,3}(?:[ ,]\d{3})+|\d+)\s+(?:more\s+)?"
        rf"(?!(?:am|pm|o'clock|hours?|minutes?|min|days?|weeks?|months?|years?|euros?|eur|usd|dollars?|percent|{_MONTHS_EN})\b)"
        r"(?P<noun>[a-z]{3,}(?:\s(?:seats|licen[cs]es|devices|scanners|users))?)",
        re.IGNORECASE,
    ),
    "ru": re.compile(
        r"\b(?P<number>\d{1,3}(?:[ \u00a0]\d{3})+|\d+)\s+"
        rf"(?!(?:час|минут|мин|дн|день|недел|месяц|год|лет|евро|руб|доллар|процент|утра|вечера|дня|{_MONTHS_RU}))"
        r"(?P<noun>[а-яё]{2,})",
        re.IGNORECASE,
    ),
}
_CONDITIONS: dict[str, re.Pattern[str]] = {
    "year": re.compile(r"\b(?:year|yearly|annual|annually|за год|годов\w+|на год)\b", re.IGNORECASE),
    "discount": re.compile(r"\b(?:discounts?|скидк\w+)\b", re.IGNORECASE),
    "vat": re.compile(r"\b(?:vat|ндс)\b", re.IGNORECASE),
}
_NAME = {
    "en": re.compile(
        r"(?i:\bintroduce\s+(?:me|us)\s+to|\bintro(?:duction)?\s+to|\bconnect\s+(?:me|us)\s+with|"
        r"\bin\s+touch\s+with|\banyone\s+at|\bsomeone\s+at|\bsomebody\s+at|\bknow|\bmeet|\bat)\s+"
        r"(?P<name>[A-Z][\w-]+(?:\s+[A-Z][\w-]+)?)"
    ),
    "ru": re.compile(r"(?<![.!?…]\s)(?<!^)\b(?P<name>[А-ЯЁ][а-яё-]{2,}(?:\s+[А-ЯЁ][а-яё-]{2,})?)"),
}


@dataclass(frozen=True)
class Quantity:
    """How many, and of what in the words of the text: `40 scanners`."""

    number: int
    text: str


def quantities(text: str, language: Language) -> list[Quantity]:
    """Every counted thing of a text, in order."""
    return [
        Quantity(int(re.sub(r"\D", "", match["number"])), f"{match['number']} {match['noun']}")
        for match in _QUANTITY[language].finditer(text)
    ]


def conditions(text: str) -> list[str]:
    """Conditions of payment that a text names: year, discount, vat."""
    return [name for name, pattern in _CONDITIONS.items() if pattern.search(text)]


def names(text: str, language: Language) -> list[str]:
    """People or companies that a request for an introduction names, as written."""
    return [match["name"] for match in _NAME[language].finditer(text)]


def when(text: str, language: Language) -> str:
    """Day and time as the sentence would say them again (`on Thursday at 10:00`), or nothing."""
    found = (_day_en(text), _time_en(text)) if language == "en" else (_day_ru(text), _time_ru(text))
    return " ".join(part for part in found if part)


def _day_en(text: str) -> str:
    day = re.search(rf"\b(?P<next>next\s+|this\s+)?(?P<day>{_DAYS_EN})\b", text, re.IGNORECASE)
    if day:
        prefix = day["next"].lower() if day["next"] else "on "
        return f"{prefix}{day['day'].capitalize()}"
    date = re.search(
        rf"\b(?:(\d{{1,2}})(?:st|nd|rd|th)?\s+({_MONTHS_EN})|({_MONTHS_EN})\s+(\d{{1,2}}))\b", text, re.I
    )
    if date:
        number, month = (date[1], date[2]) if date[1] else (date[4], date[3])
        return f"on {number} {month.capitalize()}"
    near = re.search(
        r"\b(?:(?:the\s+)?day after tomorrow|tomorrow(?:\s+(?:morning|afternoon|evening))?|"
        r"today|(?:next|this)\s+week|next\s+month)\b",
        text,
        re.IGNORECASE,
    )
    return near.group().lower() if near else ""


def _time_en(text: str) -> str:
    time = re.search(
        r"\b(?:(?P<prefix>at|after|before|around|by)\s+)?"
        r"(?P<time>\d{1,2}[:.]\d{2}(?:\s*[ap]m)?|\d{1,2}\s*[ap]m)\b|\b(?P<bare>(?:at|after|before)\s+\d{1,2})\b(?!\s*[%€$\w])",
        text,
        re.IGNORECASE,
    )
    if not time:
        return ""
    return time["bare"].lower() if time["bare"] else f"{(time['prefix'] or 'at').lower()} {time['time']}"


def _day_ru(text: str) -> str:
    lowered = text.lower()
    for root, phrase in _DAYS_RU.items():
        found = re.search(rf"\b(следующ\w+\s+)?{root}\w*", lowered)
        if found:
            if not found[1]:
                return phrase
            preposition, day = phrase.split(" ", 1)
            neuter = {"в среду": "следующую", "в пятницу": "следующую", "в субботу": "следующую"}
            word = neuter.get(phrase, "следующее" if root == "воскресень" else "следующий")
            return f"{'в' if preposition == 'во' else preposition} {word} {day}"
    date = re.search(rf"\b(\d{{1,2}})(?:-?го)?\s+({_MONTHS_RU})\b", lowered)
    if date:
        return f"{date[1]} {date[2]}"
    near = re.search(
        r"\b(?:послезавтра|завтра(?:\s+(?:утром|днем|днём|вечером))?|сегодня|на\s+(?:следующей|этой|той)\s+неделе)\b",
        lowered,
    )
    return near.group() if near else ""


def _time_ru(text: str) -> str:
    lowered = text.lower()
    time = re.search(r"\b(?:(?P<prefix>в|после|до|около|к)\s+)?(?P<time>\d{1,2}[:.]\d{2})\b", lowered)
    if time:
        return f"{time['prefix'] or 'в'} {time['time']}"
    bare = re.search(
        r"\b(?:в|после|до|около|к)\s+\d{1,2}(?:\s+(?:час\w*|утра|вечера|дня))?(?=[\s,.?!)]|$)", lowered
    )
    if bare and not re.search(rf"{re.escape(bare.group())}\s+(?:{_MONTHS_RU})", lowered):
        return bare.group()
    part = re.search(r"\bпосле обеда\b", lowered)
    return part.group() if part else ""
