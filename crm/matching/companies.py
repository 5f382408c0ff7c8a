"""Whether two companies are one: their names, domains, telephones and cities, as bits of evidence that add up.

Companies are fewer than people and say less, so nothing is learned from them but how common a value is; the rest of
the weights (Fellegi and Sunter, as for people in model.py) is fixed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log2

from rapidfuzz.distance import OSA

from crm.matching.keys import PUBLIC_DOMAINS, company_words, domain_label
from crm.matching.letters import latin, sounds

# What a level says in bits, for (or against, below 0) one company. What is equal says the more the fewer have it.
_BITS: Mapping[tuple[str, str], float] = {
    ("name", "near"): 10.5,
    ("name", "part"): 5.0,
    ("name", "differ"): -7.0,
    ("domain", "near"): 9.0,
    ("domain", "differ"): -2.5,
    ("phone", "differ"): -1.0,
    ("place", "equal"): 3.0,
    ("place", "near"): 2.5,
    ("place", "differ"): -3.0,
}
# How many of one company's records have the very same value, and how much that says at most: a telephone is also
# shared by the firms of one house.
_AGREE = {"name": (0.8, 18.0), "domain": (0.5, 14.0), "phone": (0.6, 10.0)}
# Where few companies are known no value is taken for rare: as if so many more were known, and the value were the
# fifth part of one of theirs.
_UNSEEN, _UNSEEN_HOLDERS = 2_000.0, 0.2
# Copies per company before anything is known, and how many companies are taken to be there at least.
_COPIES, _FEWEST = 0.3, 30
_SHORTEST_SKETCH = 4


@dataclass(frozen=True)
class Firm:
    """Whatever is known of a company; every value but the id may be empty."""

    id: str
    name: str
    domain: str = ""
    phone: str = ""
    city: str = ""

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of the name as they sound, without the legal form."""
        return tuple(sounds(word)[0] for word in company_words(self.name) if sounds(word))

    @cached_property
    def values(self) -> Mapping[str, str]:
        """What is compared: each field in one spelling, those that are known."""
        label = "" if self.domain in PUBLIC_DOMAINS else domain_label(self.domain)
        known = {
            "name": "".join(self.words),
            "domain": label,
            "phone": "".join(filter(str.isdigit, self.phone))[-9:],  # with and without the country
            "place": latin(self.city).replace(" ", ""),
        }
        return {field: value for field, value in known.items() if value}


@dataclass(frozen=True)
class Likeness:
    """What one field says; `level` from `differ` to `equal`."""

    field: str
    level: str
    bits: float


def company_keys(firm: Firm) -> frozenset[str]:
    """Two records of one company nearly always share one: a mistake is in one half of the name, not in both."""
    keys = {_key(field, value) for field, value in firm.values.items() if field in _AGREE}
    name = firm.values.get("name", "")
    if len(name) >= _SHORTEST_SKETCH:
        half = max(_SHORTEST_SKETCH, len(name) // 2)
        keys |= {f"starts:{name[:half]}", f"ends:{name[-half:]}"}
    keys |= {f"word:{word}" for word in firm.words if len(word) >= _SHORTEST_SKETCH}
    return frozenset(keys)


def _key(field: str, value: str) -> str:
    return f"{field}:{value}"


def likeness(one: Firm, other: Firm, holders: Mapping[str, int], companies: int) -> list[Likeness]:
    """What each field that both have says, the strongest first; `holders` counts who has a key, of `companies`."""
    found = []
    for field in one.values.keys() & other.values.keys():
        level = _level(field, one, other)
        if level == "equal" and field in _AGREE:
            bits = _of_equal(field, holders.get(_key(field, one.values[field]), 2), companies)
        else:
            bits = _BITS[field, level]
        found.append(Likeness(field, level, round(bits, 1)))
    return sorted(found, key=lambda likeness: (-abs(likeness.bits), likeness.field))


def _of_equal(field: str, holders: int, companies: int) -> float:
    """The bits of a value that both have; the two themselves do not make it common."""
    agree, loudest = _AGREE[field]
    chance = (max(holders - 2, 0) + _UNSEEN_HOLDERS) / (companies + _UNSEEN)
    return min(log2(agree / chance), loudest)


def _level(field: str, one: Firm, other: Firm) -> str:
    left, right = one.values[field], other.values[field]
    if left == right or (field == "name" and set(_readings(one)) & set(_readings(other))):
        return "equal"
    if field == "name" and set(one.words) != set(other.words):
        shorter, longer = sorted((set(one.words), set(other.words)), key=len)
        if shorter <= longer and shorter:
            return "part"
    elif field == "name":
        return "equal"  # the same words in another order
    allowed = {"name": len(min(left, right, key=len)) // 5, "domain": 1, "place": 1}.get(field, 0)
    is_near = len(min(left, right, key=len)) > _SHORTEST_SKETCH and OSA.distance(left, right) <= min(
        allowed, 2
    )
    return "near" if is_near else "differ"


def _readings(firm: Firm) -> tuple[str, ...]:
    return sounds("".join(company_words(firm.name)))


def probability(found: Sequence[Likeness], companies: int) -> float:
    """The probability that the two are one company, of so many that the organization knows."""
    bits = log2(_COPIES / max(companies, _FEWEST)) + sum(likeness.bits for likeness in found)
    return float(1 / (1 + 2 ** -max(min(bits, 60.0), -60.0)))
