"""Seeded records in the manner of FEBRL's address data: originals, and copies as clerks and scanners garble them."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from crm.matching.people import Person

_GIVEN = [
    "james",
    "emily",
    "joshua",
    "sophie",
    "thomas",
    "olivia",
    "jack",
    "chloe",
    "daniel",
    "isabella",
    "matthew",
    "georgia",
    "benjamin",
    "hannah",
    "nicholas",
    "lachlan",
    "jessica",
    "samuel",
    "ella",
    "william",
    "charlotte",
    "liam",
    "grace",
    "ryan",
    "lucy",
    "luke",
    "mia",
    "alexander",
    "zoe",
    "jacob",
    "sarah",
    "ethan",
    "lily",
    "connor",
    "amy",
    "cooper",
    "ruby",
    "oliver",
    "madison",
    "harrison",
    "emma",
    "mitchell",
    "caitlin",
    "joel",
    "holly",
    "jordan",
    "kate",
    "dylan",
    "maddison",
    "noah",
    "alyssa",
    "isaac",
    "tahlia",
    "max",
    "jasmine",
    "riley",
    "abbey",
    "hayden",
    "brianna",
    "cameron",
    "imogen",
    "adam",
    "bella",
    "bailey",
    "claire",
    "blake",
    "kiara",
    "finn",
    "eliza",
    "jayden",
    "erin",
    "angus",
    "molly",
    "kyle",
    "annabelle",
    "tyler",
    "sienna",
    "michael",
    "alice",
    "aidan",
    "bethany",
    "harry",
    "courtney",
    "brodie",
    "nicole",
    "hugo",
    "rachel",
    "kai",
    "eva",
    "david",
    "laura",
    "patrick",
    "lara",
    "charlie",
    "phoebe",
    "john",
    "ebony",
    "jake",
    "amber",
    "xavier",
    "taylor",
    "callum",
    "amelia",
    "andrew",
    "brooke",
]
_SURNAMES = [
    "smith",
    "jones",
    "williams",
    "brown",
    "wilson",
    "taylor",
    "johnson",
    "white",
    "martin",
    "anderson",
    "thompson",
    "nguyen",
    "thomas",
    "walker",
    "harris",
    "lee",
    "ryan",
    "robinson",
    "kelly",
    "king",
    "davis",
    "wright",
    "evans",
    "roberts",
    "green",
    "hall",
    "wood",
    "jackson",
    "clarke",
    "patel",
    "khan",
    "lewis",
    "james",
    "phillips",
    "mason",
    "mitchell",
    "rose",
    "davies",
    "rodriguez",
    "cox",
    "alexander",
    "garcia",
    "campbell",
    "webb",
    "ross",
    "scott",
    "baker",
    "young",
    "hill",
    "morgan",
    "reid",
    "clark",
    "miles",
    "matthews",
    "dixon",
    "coleman",
    "ryan",
    "burns",
    "ford",
    "goode",
    "dolan",
    "neumann",
    "paine",
    "rees",
    "ridley",
    "crossman",
    "lock",
    "swaffer",
    "howell",
    "mccarthy",
    "blake",
    "bishop",
    "berry",
    "hughes",
    "crook",
    "rawlings",
    "matthewson",
    "broadby",
    "koerber",
    "lowe",
    "browne",
    "turale",
    "meaney",
    "webster",
]
_STREETS = [
    "stanley",
    "pinkerton",
    "maribyrnong",
    "duffy",
    "kitchener",
    "dixon",
    "hawkesbury",
    "northbourne",
    "limestone",
    "mugga",
    "livingston",
    "ballard",
    "bunker",
    "belconnen",
    "atkinson",
    "florey",
    "howitt",
    "jamieson",
    "kinsella",
    "lawson",
    "mcbryde",
    "narrabundah",
    "osburn",
    "petterd",
    "quiros",
    "rosenthal",
    "sturt",
    "tardent",
    "tyson",
    "ulverstone",
    "vagabond",
    "wybalena",
    "yarralumla",
    "zeal",
    "ashburner",
    "beeston",
    "carrodus",
    "dumaresq",
    "eastman",
    "freda",
]
_KINDS = ("street", "place", "circuit", "crescent", "close", "avenue", "road", "drive", "court", "parade")
_SUBURBS = [
    "winston hills",
    "richlands",
    "new farm",
    "st lucia",
    "toowoomba",
    "frankston",
    "dianella",
    "ascot vale",
    "port macquarie",
    "bundaberg",
    "canning vale",
    "mornington",
    "glenelg",
    "penrith",
    "blacktown",
    "southport",
    "liverpool",
    "ballarat",
    "geelong",
    "castle hill",
    "hornsby",
    "kew",
    "carina",
    "hawthorn",
    "cranbourne",
    "dubbo",
    "orange",
    "rockhampton",
    "launceston",
    "mosman",
    "epping",
    "thornbury",
    "warragul",
    "noosa heads",
    "moe",
    "sale",
    "ryde",
    "como",
    "ultimo",
]
_STATES = ("nsw", "vic", "qld", "wa", "sa", "tas", "act", "nt")
_ONSETS = [
    "b",
    "br",
    "c",
    "ch",
    "cl",
    "d",
    "dr",
    "f",
    "fl",
    "g",
    "gr",
    "h",
    "j",
    "k",
    "l",
    "m",
    "mc",
    "n",
    "p",
    "pr",
    "r",
    "s",
    "sh",
    "st",
    "t",
    "tr",
    "v",
    "w",
]
_NUCLEI = ["a", "e", "i", "o", "u", "ai", "ea", "oo", "ie", "au"]
_CODAS = [
    "ck",
    "ll",
    "n",
    "nd",
    "ng",
    "r",
    "rd",
    "rt",
    "s",
    "st",
    "t",
    "tt",
    "x",
    "y",
    "ley",
    "son",
    "ton",
    "man",
    "field",
    "worth",
]


@dataclass(frozen=True)
class Dirt:
    """How badly copies are garbled. Shares are of copies (copied, swapped) or of values."""

    changes_per_copy: int = 4
    changes_per_value: int = 2
    lost: float = 0.1
    other_value: float = 0.04
    swapped_names: float = 0.04
    most_copies: int = 1


@dataclass(frozen=True)
class Labelled:
    """Records and which person each is of; `others` is the second file where there are two."""

    people: list[Person]
    person_of: dict[str, int]
    others: list[Person] | None = None

    @property
    def matches(self) -> set[tuple[str, str]]:
        """The true pairs, each as its ids in order (left, right for two files)."""
        if self.others is not None:
            by_person = {self.person_of[one.id]: one.id for one in self.people}
            return {
                (by_person[self.person_of[o.id]], o.id)
                for o in self.others
                if self.person_of[o.id] in by_person
            }
        groups: dict[int, list[str]] = {}
        for one in self.people:
            groups.setdefault(self.person_of[one.id], []).append(one.id)
        return {
            (min(a, b), max(a, b)) for own in groups.values() for i, a in enumerate(own) for b in own[i + 1 :]
        }


def make(originals: int, copies: int, dirt: Dirt, seed: int, *, apart: bool = False) -> Labelled:
    """`originals` people and `copies` garbled records of them; `apart` puts the copies in a second file."""
    dice = random.Random(seed)
    surnames = _SURNAMES + [_invented(dice) for _ in range(400)]
    people = [_person(dice, f"rec-{n}-org", surnames) for n in range(originals)]
    person_of = {person.id: n for n, person in enumerate(people)}
    made: list[Person] = []
    made_of: dict[int, int] = {}
    order = dice.sample(range(originals), originals)
    while len(made) < copies:
        n = order[len(made) % originals] if dirt.most_copies == 1 else _skewed(dice, originals)
        if made_of.get(n, 0) >= dirt.most_copies:
            continue
        number = made_of[n] = made_of.get(n, 0) + 1
        copy = _garbled(dice, people[n], f"rec-{n}-dup-{number - 1}", dirt, surnames)
        person_of[copy.id] = n
        made.append(copy)
    if apart:
        return Labelled(people, person_of, made)
    mixed = people + made
    dice.shuffle(mixed)
    return Labelled(mixed, person_of)


def _invented(dice: random.Random) -> str:
    syllables = dice.choice((1, 2, 2))
    return "".join(dice.choice(_ONSETS) + dice.choice(_NUCLEI) for _ in range(syllables)) + dice.choice(
        _CODAS
    )


def _skewed(dice: random.Random, size: int) -> int:
    """A few people have many copies."""
    return int(size * dice.random() ** 2.2)


def _zipf(dice: random.Random, values: list[str] | tuple[str, ...]) -> str:
    return values[min(int(len(values) * dice.random() ** 2), len(values) - 1)]


def _person(dice: random.Random, name: str, surnames: list[str]) -> Person:
    street = f"{dice.randint(1, 300)} {_zipf(dice, _STREETS) if dice.random() < 0.6 else _invented(dice)}"
    born = date(1900, 1, 1) + timedelta(days=dice.randint(0, 36_500))
    whole = Person(
        id=name,
        given_name=_zipf(dice, _GIVEN) if dice.random() < 0.9 else _invented(dice),
        surname=_zipf(dice, surnames),
        street=f"{street} {dice.choice(_KINDS)}",
        suburb=_zipf(dice, _SUBURBS) if dice.random() < 0.7 else _invented(dice),
        postcode=str(dice.randint(2000, 2000 + 2000)),
        state=_zipf(dice, _STATES),
        date_of_birth=born.strftime("%Y%m%d"),
    )
    lost = {field: "" for field in _FIELDS if dice.random() < 0.02}
    return replace(whole, **lost)  # type: ignore[arg-type]


_FIELDS = ("given_name", "surname", "street", "suburb", "postcode", "state", "date_of_birth")


def _garbled(dice: random.Random, person: Person, name: str, dirt: Dirt, surnames: list[str]) -> Person:
    values = {field: str(getattr(person, field)) for field in _FIELDS}
    left = dict.fromkeys(_FIELDS, dirt.changes_per_value)
    for _ in range(dice.randint(1, dirt.changes_per_copy)):
        field = dice.choice([field for field in _FIELDS if left[field]] or list(_FIELDS))
        left[field] -= 1
        values[field] = _changed(dice, field, values[field], dirt, surnames)
    if dice.random() < dirt.swapped_names:
        values["given_name"], values["surname"] = values["surname"], values["given_name"]
    if dice.random() < 0.01:
        values["suburb"], values["postcode"] = values["postcode"], values["suburb"]
    return Person(id=name, **values)  # type: ignore[arg-type]


def _changed(dice: random.Random, field: str, value: str, dirt: Dirt, surnames: list[str]) -> str:
    draw = dice.random()
    if not value or draw < dirt.lost:
        return ""
    if draw < dirt.lost + dirt.other_value:
        return str(getattr(_person(dice, "", surnames), field))
    if field == "date_of_birth":
        return _digit(dice, value)
    return dice.choice(_MISTAKES)(dice, value)


def _digit(dice: random.Random, value: str) -> str:
    place = dice.randrange(len(value))
    if dice.random() < 0.3 and place:
        return value[: place - 1] + value[place] + value[place - 1] + value[place + 1 :]
    return value[:place] + dice.choice("0123456789") + value[place + 1 :]


def _insert(dice: random.Random, value: str) -> str:
    place = dice.randint(0, len(value))
    return value[:place] + dice.choice("aeioulnrst" if not value.isdigit() else "0123456789") + value[place:]


def _delete(dice: random.Random, value: str) -> str:
    place = dice.randrange(len(value))
    return value[:place] + value[place + 1 :]


def _substitute(dice: random.Random, value: str) -> str:
    place = dice.randrange(len(value))
    return (
        value[:place]
        + dice.choice("abcdeghiklmnoprstuvwy" if not value.isdigit() else "0123456789")
        + value[place + 1 :]
    )


def _transpose(dice: random.Random, value: str) -> str:
    if len(value) < 2:
        return value
    place = dice.randrange(len(value) - 1)
    return value[:place] + value[place + 1] + value[place] + value[place + 2 :]


def _sound(dice: random.Random, value: str) -> str:
    pairs = [
        ("ph", "f"),
        ("ck", "k"),
        ("ie", "y"),
        ("ee", "ea"),
        ("c", "k"),
        ("s", "z"),
        ("i", "y"),
        ("ou", "u"),
        ("ll", "l"),
    ]
    fitting = [pair for pair in pairs if pair[0] in value]
    return value.replace(*dice.choice(fitting), 1) if fitting else _substitute(dice, value)


def _space(dice: random.Random, value: str) -> str:
    if " " in value and dice.random() < 0.5:
        return value.replace(" ", "", 1)
    place = dice.randint(0, len(value))
    return value[:place] + " " + value[place:]


def _words(dice: random.Random, value: str) -> str:
    words = value.split()
    dice.shuffle(words)
    return " ".join(words)


_MISTAKES: tuple[Callable[[random.Random, str], str], ...] = (
    _insert, _delete, _substitute, _transpose, _sound, _space, _words,
)  # fmt: skip
