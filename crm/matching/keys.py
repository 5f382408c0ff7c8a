"""Exact keys: the one spelling of a mail address, a phone number, a date, a company's name."""

import re
from datetime import date
from functools import lru_cache

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from crm.matching.letters import latin

# Mailboxes of a team, not of a person: sharing one says "same office".
ROLES = frozenset(
    [
        "info",
        "sales",
        "office",
        "admin",
        "hello",
        "contact",
        "contacts",
        "support",
        "mail",
        "team",
        "hr",
        "job",
        "jobs",
        "jobs",
        "career",
        "marketing",
        "zakaz",
        "zakupki",
        "reception",
        "secretary",
        "buh",
        "buhgalteria",
        "order",
        "orders",
        "shop",
        "manager",
        "director",
        "post",
        "inbox",
        "help",
        "service",
        "billing",
    ]
)
# Everybody may have an address here: sharing the domain says nothing.
PUBLIC_DOMAINS = frozenset(
    [
        "gmail.com",
        "googlemail.com",
        "yahoo.com",
        "hotmail.com",
        "outlook.com",
        "live.com",
        "msn.com",
        "icloud.com",
        "me.com",
        "aol.com",
        "gmx.de",
        "gmx.net",
        "web.de",
        "mail.com",
        "proton.me",
        "protonmail.com",
        "ymail.com",
        "mail.ru",
        "bk.ru",
        "list.ru",
        "inbox.ru",
        "internet.ru",
        "yandex.ru",
        "ya.ru",
        "yandex.com",
        "rambler.ru",
        "bigpond.com",
        "optusnet.com.au",
        "qq.com",
        "163.com",
    ]
)
# Providers that state that what follows a plus is only a tag; only Gmail also ignores dots.
_PLUS_IS_A_TAG = frozenset(
    [
        "gmail.com",
        "outlook.com",
        "hotmail.com",
        "live.com",
        "icloud.com",
        "me.com",
        "proton.me",
        "protonmail.com",
    ]
)
_GMAIL = frozenset({"gmail.com", "googlemail.com"})
_YANDEX = frozenset({"yandex.ru", "yandex.com", "ya.ru", "yandex.by", "yandex.kz"})


@lru_cache(maxsize=100_000)
def email_key(address: str) -> str:
    """What tells one mailbox from another, or '' for no address.

    Dots and `+tag` are dropped only where the provider says that they make no difference (Gmail; `+tag` also at
    Outlook, iCloud and Proton); Yandex takes dot and dash, and all its domains, for one. Elsewhere the address
    counts as it is written. This is for comparing: what is stored and written to is never changed by it.
    Source: https://support.google.com/mail/answer/7436150
    """
    try:
        mail = validate_email(address.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return ""
    local, domain = mail.local_part.lower(), mail.domain.lower()
    if domain in _PLUS_IS_A_TAG or domain in _GMAIL:
        local = local.split("+")[0] or local
    if domain in _GMAIL:
        local, domain = local.replace(".", ""), "gmail.com"
    if domain in _YANDEX:
        local, domain = local.replace(".", "-"), "yandex.ru"
    return f"{local}@{domain}"


@lru_cache(maxsize=100_000)
def phone_key(number: str, region: str | None = None) -> str:
    """A phone number in E.164, or '' for what cannot be one; `region` (`RU`, `AU`) reads numbers without a country."""
    text = number.strip()
    if not text:
        return ""
    try:
        parsed = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(parsed):
        return ""
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


_DATE = re.compile(r"^\s*(\d{1,4})[\s./-](\d{1,2})[\s./-](\d{1,4})")


def birth_of(text: str) -> str:
    """A date of birth as eight digits, year first: `1915-11-11`, `11.11.1915` and `19151111` are one; '' for none."""
    found = _DATE.match(text)
    if found is None:
        digits = re.sub(r"\D", "", text.split("T")[0].split(".")[0])
        return digits if len(digits) == 8 else ""
    one, month, three = found.groups()
    if len(one) == 4:
        year, day = one, three
    elif int(month) > 12:  # month first
        year, month, day = three, one, month
    else:
        year, day = three, one
    if len(year) != 4:
        return ""
    return f"{year}{int(month):02}{int(day):02}"


def as_date(birth: str) -> date | None:
    """The day that eight digits name, or None when there is none like that."""
    try:
        return date(int(birth[:4]), int(birth[4:6]), int(birth[6:8]))
    except ValueError:
        return None


_FORMS = frozenset(
    [
        "ооо",
        "оао",
        "зао",
        "пао",
        "ао",
        "ип",
        "нко",
        "тоо",
        "чп",
        "тов",
        "гк",
        "ано",
        "фгуп",
        "гуп",
        "муп",
        "ooo",
        "oao",
        "zao",
        "pao",
        "ao",
        "ip",
        "tov",
        "llc",
        "llp",
        "lp",
        "ltd",
        "limited",
        "inc",
        "incorporated",
        "corp",
        "corporation",
        "co",
        "company",
        "plc",
        "gmbh",
        "ag",
        "kg",
        "kgaa",
        "ohg",
        "ug",
        "eg",
        "se",
        "sa",
        "sas",
        "sarl",
        "sarlu",
        "srl",
        "spa",
        "bv",
        "nv",
        "ab",
        "as",
        "asa",
        "aps",
        "oy",
        "oyj",
        "sro",
        "doo",
        "dd",
        "kft",
        "zrt",
        "spzoo",
        "pty",
        "pte",
        "pvt",
        "private",
        "public",
        "holding",
        "group",
        "holdings",
        "the",
        "und",
        "and",
        "i",
        "компания",
        "группа",
        "холдинг",
        "корпорация",
        "фирма",
        "торговый",
        "дом",
        "общество",
    ]
)
_SPELLED_FORMS = re.compile(
    r"общество с ограниченной ответственностью|(?:публичное |закрытое |открытое )?акционерное общество"
    r"|индивидуальный предприниматель|limited liability company|sp\.?\s*z\s*o\.?\s*o\.?|s\.\s*r\.\s*o\.?"
    r"|g\.?m\.?b\.?h\.?|l\.\s*l\.\s*c\.?|s\.\s*a\.(?:\s*r\.\s*l\.)?|s\.\s*p\.\s*a\.|d\.\s*o\.\s*o\.?|b\.\s*v\.",
    re.IGNORECASE,
)


@lru_cache(maxsize=100_000)
def company_words(name: str) -> tuple[str, ...]:
    """The words that name a company, in Latin letters, without its legal form: `ООО «Ромашка»` -> `romashka`.

    A name that is nothing but legal forms stays whole.
    """
    bare = _SPELLED_FORMS.sub(" ", name)
    words = [word for word in re.findall(r"[^\W_]+", bare.casefold()) if word not in _FORMS]
    return tuple(latin(" ".join(words) or name).split())


_SECOND_LEVEL = frozenset(["co", "com", "org", "net", "gov", "edu", "ac", "msk", "spb"])


def domain_label(domain: str) -> str:
    """The part of a web domain that its owner chose: `shop.amber-foods.co.uk` -> `amber-foods`; '' for none."""
    labels = [label for label in domain.strip().lower().split(".")[:-1] if label not in _SECOND_LEVEL]
    return labels[-1] if labels else ""
