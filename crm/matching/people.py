"""A person as a record gives them, and the traits that two records are compared by."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from crm.matching.keys import (
    PUBLIC_DOMAINS,
    ROLES,
    birth_of,
    company_words,
    domain_label,
    email_key,
    phone_key,
)
from crm.matching.letters import latin, plain, sounds
from crm.matching.nicknames import groups_of, known_given_names

MOST_HANDLES = 3


@dataclass(frozen=True)
class Person:
    """Whatever is known of somebody; every value may be empty, misspelt or in another one's place."""

    id: str
    given_name: str = ""
    surname: str = ""
    street: str = ""
    suburb: str = ""
    postcode: str = ""
    state: str = ""
    date_of_birth: str = ""
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    company: str = ""


@dataclass(frozen=True)
class Name:
    """One name: as it is spelt, in Latin letters, how it may sound, and the groups of nicknames it is in."""

    plain: str = ""
    latin: str = ""
    sounds: tuple[str, ...] = ()
    groups: tuple[int, ...] = ()

    @property
    def sound(self) -> str:
        return self.sounds[0] if self.sounds else ""


@dataclass(frozen=True)
class Traits:
    """What is compared. `middle` is a patronymic, a middle initial, or what tells a son from his father (`jr`)."""

    given: Name
    surname: Name
    middle: str
    birth: str
    street: str
    number: str
    suburb: str
    postcode: str
    state: str
    phones: tuple[str, ...]
    emails: tuple[str, ...]
    company: str


_PATRONYMIC = re.compile(r"^\w{2,}(?:[eoy]vich|[eoy]vna|ichna|inichna|ich)$")
_GENERATION = {
    "jr": "jr", "junior": "jr", "младший": "jr", "мл": "jr", "sr": "sr", "senior": "sr", "старший": "sr", "ст": "sr",
    "ii": "ii", "iii": "iii", "iv": "iv",
}  # fmt: skip
_TITLES = frozenset(["mr", "mrs", "ms", "miss", "dr", "prof", "sir", "г-н", "г-жа", "господин", "госпожа"])


def split_name(full_name: str) -> tuple[str, str]:
    """A full name as (given name with what stands beside it, surname), in either order: `Петров Иван Ильич`.

    A word that is a known given name is taken for it; otherwise the first word is.
    """
    if "," in full_name:
        surname, _, given = full_name.partition(",")
        if given.strip().casefold().strip(".") not in _GENERATION:
            return given.strip(), surname.strip()
    words = [
        word for word in full_name.replace(",", " ").split() if word.casefold().strip(".") not in _TITLES
    ]
    if len(words) < 2:
        return full_name.strip(), ""
    beside = [word for word in words[1:] if _is_beside(word)]
    names = [word for word in words if word not in beside]
    if len(names) < 2:
        return full_name.strip(), ""
    known = [any(sketch in known_given_names() for sketch in sounds(word)) for word in names]
    last_is_given = known[-1] and not known[0]
    cut = len(names) - 1
    first, last = (names[cut:], names[:cut]) if last_is_given else (names[:cut], names[cut:])
    return " ".join([*first, *beside]), " ".join(last)


def _is_beside(word: str) -> bool:
    bare = word.casefold().strip(".")
    return bare in _GENERATION or len(bare) == 1 or bool(_PATRONYMIC.match(latin(word)))


def traits_of(person: Person, region: str | None = None) -> Traits:
    """The traits of a record; `region` is where phone numbers without a country belong."""
    given, middle = _apart(person.given_name)
    surname, beside = _apart(person.surname)
    suburb, postcode = person.suburb, person.postcode
    if _is_number(suburb) and not _is_number(postcode):
        suburb, postcode = postcode, suburb
    number, street = _street(person.street)
    return Traits(
        given=_name(given),
        surname=_name(surname),
        middle=middle or beside,
        birth=birth_of(person.date_of_birth),
        street=street,
        number=number,
        suburb=latin(suburb).replace(" ", ""),
        postcode=latin(postcode.removesuffix(".0")).replace(" ", ""),
        state=latin(person.state).replace(" ", ""),
        phones=_kept(phone_key(phone, region) or _digits(phone) for phone in person.phones),
        emails=_kept(email_key(email) or email.strip().lower() for email in person.emails),
        company="".join(company_words(person.company)) or _employer(person.emails),
    )


def _apart(name: str) -> tuple[str, str]:
    """A name and what stands beside it."""
    words = name.replace(",", " ").split()
    beside = [word for word in words[1:] if _is_beside(word)]
    kept = [word for word in words if word not in beside]
    return " ".join(kept), "".join(_GENERATION.get(w.casefold().strip("."), latin(w)) for w in beside[:1])


def _name(text: str) -> Name:
    letters = latin(text).replace(" ", "")
    return Name(plain(text), letters, sounds(text), groups_of(text)) if letters else Name()


def _is_number(text: str) -> bool:
    digits = sum(letter.isdigit() for letter in text)
    return digits >= 3 and digits * 2 > len(text.strip())


def _digits(text: str) -> str:
    """What cannot be read as a phone number is still compared by its digits."""
    return re.sub(r"\D", "", text)


def _kept(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))[:MOST_HANDLES]


_STREET_WORDS = {
    "street": "st", "str": "st", "road": "rd", "avenue": "ave", "av": "ave", "place": "pl", "crescent": "cres",
    "cr": "cres", "circuit": "cct", "court": "ct", "close": "cl", "drive": "dr", "parade": "pde", "terrace": "tce",
    "lane": "ln", "boulevard": "blvd", "highway": "hwy", "square": "sq", "flat": "unit", "apartment": "unit",
    "apt": "unit", "ulitsa": "ul", "prospekt": "pr", "prt": "pr", "prkt": "pr", "pereulok": "per", "ploshchad": "pl",
    "shosse": "sh", "dom": "", "d": "", "kv": "", "kvartira": "", "korpus": "k", "naberezhnaya": "nab", "bulvar": "bul",
}  # fmt: skip


def _street(text: str) -> tuple[str, str]:
    """(house number, the street's words in alphabetical order)."""
    words = [_STREET_WORDS.get(word, word) for word in latin(text).split()]
    numbers = [word for word in words if word[:1].isdigit()]
    names = sorted(word for word in words if word and not word[:1].isdigit())
    return "-".join(numbers), " ".join(names)


def _employer(emails: Iterable[str]) -> str:
    """The company that an address is at: `n.west@amber-foods.co.uk` -> `amberfoods`."""
    for email in emails:
        domain = email.strip().lower().partition("@")[2]
        if domain and domain not in PUBLIC_DOMAINS:
            label = domain_label(domain)
            return "".join(company_words(label.replace("-", " "))) if label else ""
    return ""


def is_role(email: str) -> bool:
    """Whether an address is a team's: `info@`, `sales@`."""
    return email.partition("@")[0] in ROLES


_SHORTEST_LOCAL_PART = 5


def telling_locals(person: Traits) -> list[str]:
    """What stands before the @ and says more than the name does: `jsmith@` at two firms is two people's, `krazykat7@`
    one's."""
    locals_ = [email.partition("@")[0] for email in person.emails if not is_role(email)]
    return [
        text for text in locals_ if len(text) >= _SHORTEST_LOCAL_PART and not _is_from_the_name(text, person)
    ]


def _is_from_the_name(local: str, person: Traits) -> bool:
    """Whether nothing but the names, initials and separators is in it."""
    for sketch in sounds("".join(filter(str.isalnum, local))):
        rest = sketch
        for name in sorted((*person.given.sounds, *person.surname.sounds), key=len, reverse=True):
            rest = rest.replace(name, "", 1)
        if len(rest) <= 1:
            return True
    return False
