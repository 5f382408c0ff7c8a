"""Days, times and periods that a question names, in both languages, from where the asker is in time."""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal

from core.languages import words

Tense = Literal["past", "future"]
_WEEKDAYS = (
    ("mon", "понедельник"), ("tue", "вторник"), ("wed", "сред"), ("thu", "четверг"), ("fri", "пятниц"),
    ("sat", "суббот"), ("sun", "воскресен"),
)  # fmt: skip
_MONTHS = (
    ("jan", "январ"), ("feb", "феврал"), ("mar", "март"), ("apr", "апрел"), ("may", "мая"), ("jun", "июн"),
    ("jul", "июл"), ("aug", "август"), ("sep", "сентябр"), ("oct", "октябр"), ("nov", "ноябр"), ("dec", "декабр"),
)  # fmt: skip
_MAY = re.compile(r"^(?:may|ма[йяею]|мае)$")
_CLOCK = re.compile(
    r"(?<![\d.])(\d{1,2})(?:[:.](\d{2}))\s*(am|pm)?|\b(\d{1,2})\s*(am|pm)\b|\b(?:at|в)\s+(\d{1,2})\b(?!\s*[.:\d%]|\s*(?:am|pm)\b|\s+(?:дн|янв|фев|мар|апр|ма|июн|июл|авг|сен|окт|ноя|дек))"
)
_IN_DAYS = re.compile(
    r"(?:\bin|через)\s+(\d{1,3}|a|an|one|two|three)?\s*(days?|weeks?|month|день|дня|дней|недел\w+|месяц\w*)"
)
_ISO = re.compile(r"\b(20\d\d)-(\d{2})-(\d{2})\b")
_SMALL = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3}


@dataclass(frozen=True)
class Period:
    """From `since` up to, not with, `until`."""

    since: datetime
    until: datetime


def day_of(question: str, now: datetime) -> datetime | None:
    """The day that a text names, with its time of day, else at nine; None when it names none."""
    lowered = question.lower().replace("ё", "е")
    day = _named_day(lowered, now)
    if day is None:
        return None
    return (
        day.replace(hour=9)
        if (at := _clock(lowered)) is None
        else day.replace(hour=at.hour, minute=at.minute)
    )


def _named_day(lowered: str, now: datetime) -> datetime | None:
    today = _midnight(now)
    if iso := _ISO.search(lowered):
        return _safe(today, int(iso[1]), int(iso[2]), int(iso[3]))
    if re.search(r"day after tomorrow|послезавтра", lowered):
        return today + timedelta(days=2)
    if re.search(r"\btomorrow\b|завтра", lowered):
        return today + timedelta(days=1)
    if re.search(r"\btoday\b|сегодня", lowered):
        return today
    if ahead := _IN_DAYS.search(lowered):
        count = int(ahead[1]) if (ahead[1] or "").isdigit() else _SMALL.get(ahead[1] or "a", 1)
        unit = ahead[2]
        days = 7 if unit.startswith(("week", "недел")) else 30 if unit.startswith(("month", "месяц")) else 1
        return today + timedelta(days=count * days)
    if date := _calendar_day(lowered, today):
        return date
    for index, (english, russian) in enumerate(_WEEKDAYS):
        if re.search(rf"\b{english}(?:s|nes|rs|ur)?(?:day)?\b|\b{russian}\w*", lowered):
            ahead_days = (index - today.weekday()) % 7 or 7
            is_next = re.search(rf"(?:next|следующ\w+)\s+(?:{english}|{russian})", lowered)
            return today + timedelta(
                days=ahead_days + (7 if is_next and ahead_days < 7 - today.weekday() else 0)
            )
    if re.search(r"next week|следующей неделе", lowered):
        return today + timedelta(days=7 - today.weekday())
    return None


def _calendar_day(lowered: str, today: datetime) -> datetime | None:
    found = words(lowered)
    for before, word, after in zip(["", *found], found, [*found[1:], ""], strict=False):
        month = month_of(word)
        near = next(
            (part for part in (before, after) if re.fullmatch(r"\d{1,2}(?:st|nd|rd|th|го)?", part)), ""
        )
        if month and near:
            day = _safe(today, today.year, month, int(re.sub(r"\D", "", near)))
            if day is not None and day < today - timedelta(days=30):
                return _safe(today, today.year + 1, month, day.day)
            return day
    return None


def month_of(word: str) -> int:
    """The number of the month that a word names, or 0."""
    if _MAY.match(word):
        return 5
    for number, (english, russian) in enumerate(_MONTHS, start=1):
        if number != 5 and (
            (re.match(rf"{english}[a-z]*$", word) and len(word) > 2) or word.startswith(russian)
        ):
            return 0 if word in ("mark", "marketing", "market", "decide", "decided", "march's") else number
    return 0


def _safe(today: datetime, year: int, month: int, day: int) -> datetime | None:
    try:
        return today.replace(year=year, month=month, day=day)
    except ValueError:
        return None


def _clock(lowered: str) -> time | None:
    found = _CLOCK.search(lowered)
    if found is None:
        return None
    hour = int(found[1] or found[4] or found[6])
    half = found[3] or found[5]
    hour = hour % 12 + (12 if half == "pm" else 0) if half else hour
    return time(hour, int(found[2] or 0)) if hour < 24 and int(found[2] or 0) < 60 else None


def has_clock(question: str) -> bool:
    return _clock(question.lower()) is not None


def period_of(question: str, now: datetime) -> Period | None:
    """The stretch of time that a text names: a day, a week, a month, a quarter, a year; None when it names none."""
    lowered = question.lower().replace("ё", "е")
    today = _midnight(now)
    monday = today - timedelta(days=today.weekday())
    first = today.replace(day=1)
    quarter = first.replace(month=(first.month - 1) // 3 * 3 + 1)
    year = first.replace(month=1)
    shift = (
        -1
        if re.search(r"\blast\b|\bprevious\b|прошл", lowered)
        else 1
        if re.search(r"\bnext\b|следующ", lowered)
        else 0
    )
    if re.search(r"\bweek|недел", lowered):
        return Period(monday + timedelta(days=7 * shift), monday + timedelta(days=7 * (shift + 1)))
    if re.search(r"\bquarter|квартал", lowered):
        return Period(_months(quarter, 3 * shift), _months(quarter, 3 * (shift + 1)))
    if re.search(r"\bmonth\b|месяц[еа]?\b", lowered) and not re.search(
        r"by month|per month|по месяцам", lowered
    ):
        return Period(_months(first, shift), _months(first, shift + 1))
    if re.search(r"\byear\b|\bгод[у]?\b|\bгода\b", lowered):
        return Period(_months(year, 12 * shift), _months(year, 12 * (shift + 1)))
    if re.search(r"\byesterday\b|вчера", lowered):
        return Period(today - timedelta(days=1), today)
    if day := _named_day(lowered, now):
        return Period(day, day + timedelta(days=1))
    for word in words(lowered):
        if (month := month_of(word)) and not re.search(r"by month|по месяцам", lowered):
            since = first.replace(month=month)
            return Period(since, _months(since, 1))
    return None


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _months(first: datetime, count: int) -> datetime:
    month = first.month - 1 + count
    return first.replace(year=first.year + month // 12, month=month % 12 + 1)
