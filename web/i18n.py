"""English and Russian: catalogues read at start, and dates, times, sizes and money as each language writes them."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.core import Locale, negotiate_locale
from babel.dates import format_datetime
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal
from babel.support import Translations

from core import clock
from core.money import digits_of

LOCALES = ("en", "ru")
# The context of the sentences that errors are raised with.
REFUSAL = "refusal"
CATALOGUES = Path(__file__).parent / "locale"
# Babel abbreviates with a full stop and up to four letters ("нояб."); a list has room for three.
_MONTHS_RU = ("янв", "фев", "мар", "апр", "мая", "июн", "июл", "авг", "сен", "окт", "ноя", "дек")


@lru_cache
def _catalogue(locale: str) -> Catalog | None:
    source = CATALOGUES / locale / "LC_MESSAGES" / "messages.po"
    if not source.exists():
        return None
    with source.open("rb") as lines:
        return read_po(lines, locale=locale)


def messages(locale: str, context: str) -> dict[str, str]:
    """What a language says of one context, by the English of it; empty for the language that the code is in."""
    catalogue = _catalogue(locale)
    return {str(one.id): str(one.string) for one in catalogue or () if one.context == context}


@lru_cache
def translations(locale: str) -> NullTranslations:
    """The catalogue of a language, compiled in memory: no build step, no binary in the repository."""
    catalogue = _catalogue(locale)
    if catalogue is None:
        return NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)


def choose(accept_language: str | None) -> str:
    """The language to greet somebody in who is not signed in yet."""
    wanted = [part.split(";")[0].strip() for part in (accept_language or "").split(",")]
    return negotiate_locale([w for w in wanted if w], LOCALES, sep="-") or LOCALES[0]


class Words:
    """What templates say in one language and one time zone."""

    def __init__(self, locale: str, time_zone: str) -> None:
        self.locale = locale
        self.zone = ZoneInfo(time_zone)
        self._catalogue = translations(locale)
        self._babel = Locale.parse(locale)

    def gettext(self, message: str, **values: object) -> str:
        text = self._catalogue.gettext(message)
        return text % values if values else text

    def pgettext(self, context: str, message: str) -> str:
        """A word that has several meanings, in the one that the context says."""
        return self._catalogue.pgettext(context, message)

    def ngettext(self, one: str, many: str, number: int, **values: object) -> str:
        return self._catalogue.ngettext(one, many, number) % {"num": number, **values}

    def local(self, at: datetime) -> datetime:
        return at.astimezone(self.zone)

    def today(self) -> date:
        return self.local(clock.now()).date()

    def time(self, at: datetime) -> str:
        return f"{self.local(at):%H:%M}"

    def short_date(self, at: datetime | date) -> str:
        """Day and month, with the year when it is not this one: `3 Nov`, `3 ноя 2025`."""
        day = self.local(at).date() if isinstance(at, datetime) else at
        month = _MONTHS_RU[day.month - 1] if self.locale == "ru" else self._pattern("MMM", day)
        year = f" {day.year}" if day.year != self.today().year else ""
        return f"{day.day} {month}{year}"

    def weekday(self, at: datetime) -> str:
        return self._pattern("EEE", self.local(at).date())

    def moment(self, at: datetime) -> str:
        """The shortest unmistakable time: an hour today, a weekday this week, else a date."""
        days = (self.today() - self.local(at).date()).days
        if days in (0, 1):
            return self.time(at)
        return self.weekday(at) if 0 < days < 7 else self.short_date(at)

    def when(self, at: datetime) -> str:
        """A time in words that also works for the future: `today 14:00`, `Thu 9:00`, `3 Nov 9:00`."""
        days = (self.local(at).date() - self.today()).days
        if days == 0:
            return self.time(at)
        if abs(days) < 7:
            return f"{self.weekday(at)} {self.time(at)}"
        return f"{self.short_date(at)} {self.time(at)}"

    def due(self, at: datetime) -> str:
        days = (self.local(at).date() - self.today()).days
        if days == 0:
            return self.gettext("today")
        return self.gettext("tomorrow") if days == 1 else self.short_date(at)

    def is_past(self, at: datetime) -> bool:
        return at < clock.now()

    def field(self, at: datetime | None) -> str:
        """What a field of date and time holds; it knows no zone, so it is the reader's."""
        return f"{self.local(at):%Y-%m-%dT%H:%M}" if at else ""

    def full_date(self, day: date) -> str:
        """A day with its weekday, as a heading: `Thursday, 3 December`."""
        pattern = "EEEE, d MMMM" if day.year == self.today().year else "EEEE, d MMMM y"
        text = self._pattern(pattern, day)
        return text[:1].upper() + text[1:]

    def is_overdue(self, at: datetime) -> bool:
        return self.local(at).date() <= self.today()

    def day(self, at: datetime) -> str:
        """The heading of a day in a thread."""
        day = self.local(at).date()
        if day == self.today():
            return self.gettext("Today")
        if day == self.today() - timedelta(days=1):
            return self.gettext("Yesterday")
        pattern = "EEEE, d MMMM" if day.year == self.today().year else "d MMMM y"
        text = self._pattern(pattern, day)
        return text[:1].upper() + text[1:]

    def clock_in(self, time_zone: str) -> str:
        return f"{clock.now().astimezone(ZoneInfo(time_zone)):%H:%M}"

    def size(self, size_bytes: int) -> str:
        units = ("Б", "КБ", "МБ") if self.locale == "ru" else ("B", "kB", "MB")
        scale = 0 if size_bytes < 1000 else 1 if size_bytes < 1_000_000 else 2
        number = format_decimal(round(size_bytes / 1000**scale, 1 if scale == 2 else 0), locale=self._babel)
        return f"{number}\N{NO-BREAK SPACE}{units[scale]}"

    def number(self, number: float | Decimal) -> str:
        """With the group and decimal signs of the language: `48,310`, `48 310`."""
        return str(format_decimal(number, locale=self._babel))

    def money(self, amount_minor: int, currency: str) -> str:
        """Whole units without decimals; amounts are in the currency's minor units."""
        digits, scale = digits_of(currency), 10 ** digits_of(currency)
        is_whole = amount_minor % scale == 0
        pattern = self._babel.currency_formats["standard"].pattern
        pattern = pattern.replace(".00", "" if is_whole or not digits else "." + "0" * digits)
        text: str = format_currency(
            Decimal(amount_minor) / scale,
            currency,
            pattern,
            locale=self._babel,
            currency_digits=False,
            # Russian groups digits from five of them on.
            group_separator=self.locale != "ru" or amount_minor >= 10_000 * scale,
        )
        if text.startswith(currency):
            return text.replace(currency, f"{currency}\N{NO-BREAK SPACE}")
        return text

    def cost(self, usd_micros: int) -> str:
        """What something cost, in millionths of a dollar, with as many decimals as it has: `$0.0041`."""
        dollars = Decimal(usd_micros) / 1_000_000
        pattern = self._babel.currency_formats["standard"].pattern.replace(".00", ".00####")
        return str(format_currency(dollars, "USD", pattern, locale=self._babel, currency_digits=False))

    def days_since(self, at: datetime) -> int:
        """Whole days between a moment and now."""
        return max(0, (clock.now() - at).days)

    def span(self, began: datetime, ended: datetime | None) -> str:
        """How long something lasted, or lasts: in days, or in hours and minutes on the first one."""
        minutes = int(((ended or clock.now()) - began).total_seconds() // 60)
        if minutes >= 24 * 60:
            return self.ngettext("%(num)s day", "%(num)s days", minutes // (24 * 60))
        if minutes >= 60:
            return self.ngettext("%(num)s hour", "%(num)s hours", minutes // 60)
        return self.ngettext("%(num)s minute", "%(num)s minutes", max(0, minutes))

    def weekday_name(self, day: int) -> str:
        """The short name of a weekday, 0 for Monday."""
        return str(self._babel.days["stand-alone"]["abbreviated"][day])

    def language(self, code: str) -> str:
        name = self._babel.languages.get(code, code)
        return str(name[:1].upper() + name[1:])

    def _pattern(self, pattern: str, day: date) -> str:
        return format_datetime(datetime(day.year, day.month, day.day), pattern, locale=self._babel)
