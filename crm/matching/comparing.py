"""How alike two records are, field by field, for many pairs at once: a level per field, and how common the value is."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz
from rapidfuzz.distance import OSA, JaroWinkler
from rapidfuzz.process import cpdist

from crm.matching.blocking import Pairs
from crm.matching.keys import PUBLIC_DOMAINS
from crm.matching.letters import sounds
from crm.matching.nicknames import MOST_GROUPS
from crm.matching.people import MOST_HANDLES, Name, Traits, is_role, telling_locals

Ints = NDArray[np.int32]
Levels = NDArray[np.int8]
Floats = NDArray[np.float64]

MISSING = -1


class Field(IntEnum):
    """What is compared, in the order of the columns."""

    GIVEN = 0
    SURNAME = 1
    MIDDLE = 2
    BIRTH = 3
    STREET = 4
    PLACE = 5
    PHONE = 6
    EMAIL = 7
    COMPANY = 8


# The levels of each field from the least to the most alike; the last is equality, whose weight depends on the value.
LEVELS: dict[Field, tuple[str, ...]] = {
    Field.GIVEN: ("differ", "resemble", "near", "alias", "equal"),
    Field.SURNAME: ("differ", "resemble", "near", "alias", "equal"),
    Field.MIDDLE: ("differ", "near", "initial", "equal"),
    Field.BIRTH: ("generation", "differ", "part", "near", "equal"),
    Field.STREET: ("differ", "part", "near", "equal"),
    Field.PLACE: ("differ", "state", "one", "near", "equal"),
    Field.PHONE: ("differ", "near", "equal"),
    Field.EMAIL: ("differ", "domain", "near", "local", "equal"),
    Field.COMPANY: ("differ", "near", "equal"),
}
MOST_LEVELS = max(len(levels) for levels in LEVELS.values())


@dataclass(frozen=True)
class Compared:
    """`levels`: int8[pairs, fields], -1 where a side has no value; `shares`: float[pairs, fields], the part of all
    records that has the value where both are equal, else 1."""

    levels: Levels
    shares: Floats


class _Words:
    """The different values of a field: each record holds a number, each value is looked at once."""

    def __init__(self, values: Sequence[str]) -> None:
        seen: dict[str, int] = {}
        self.of = np.fromiter(
            (MISSING if not value else seen.setdefault(value, len(seen)) for value in values),
            dtype=np.int32,
            count=len(values),
        )
        self.text = np.array([*seen, ""], dtype=object)  # the last one answers for MISSING

    def at(self, places: NDArray[Any]) -> list[str]:
        return self.text[self.of[places]].tolist()  # type: ignore[no-any-return]


def _shares(numbers: Ints, background: float, pseudo: float) -> Floats:
    """For each record, the part of all that has its value, pulled towards what is usual where there are few records."""
    counts = np.bincount(numbers[numbers >= 0].ravel(), minlength=1).astype(float)
    known = max(1, int((numbers >= 0).sum()))
    share = (counts + background * pseudo) / (known + pseudo)
    return np.where(numbers >= 0, share[np.maximum(numbers, 0)], 1.0)


class _NameColumn:
    def __init__(self, names: Sequence[Name], vocabulary: dict[str, int]) -> None:
        self.plain = _Words([name.plain for name in names])
        self.latin = _Words([name.latin for name in names])
        self.sounds = _padded([[vocabulary[s] for s in name.sounds] for name in names], 3)
        self.groups = _padded([name.groups for name in names], MOST_GROUPS)
        self.is_missing = self.latin.of == MISSING


def _padded(rows: Sequence[Sequence[int]], width: int) -> Ints:
    full = np.full((len(rows), width), MISSING, dtype=np.int32)
    for place, row in enumerate(rows):
        full[place, : len(row)] = row[:width]
    return full


def _meet(left: Ints, right: Ints) -> NDArray[np.bool_]:
    """Whether the rows of two padded arrays have a number in common."""
    met = np.zeros(len(left), dtype=bool)
    for column in range(left.shape[1]):
        one = left[:, column : column + 1]
        met |= ((one == right) & (one >= 0)).any(axis=1)
    return met


class Table:
    """Records laid out for comparing pairs of them by position."""

    def __init__(self, people: Sequence[Traits]) -> None:
        self.size = len(people)
        vocabulary: dict[str, int] = {}
        for person in people:
            for sketch in (*person.given.sounds, *person.surname.sounds):
                vocabulary.setdefault(sketch, len(vocabulary))
        both = [person.given for person in people] + [person.surname for person in people]
        self._names = _NameColumn(both, vocabulary)  # one column, so that swapped names can be compared
        self._middle = _Words([person.middle for person in people])
        self._birth = _Words([person.birth for person in people])
        self._address = _Words([f"{p.street} {p.number}".strip() for p in people])
        self._street = _Words([person.street for person in people])
        self._number = _Words([person.number for person in people])
        self._suburb = _Words([person.suburb for person in people])
        self._postcode = _Words([person.postcode for person in people])
        self._state = _Words([person.state for person in people])
        # as it sounds: a firm is written in either alphabet too
        self._company = _Words([(sounds(person.company) or ("",))[0] for person in people])
        self._phones, self._phone = _handles([person.phones for person in people])
        self._emails, self._email = _handles([person.emails for person in people])
        self._locals, _ = _handles([telling_locals(person) for person in people])
        self._domains, _ = _handles(
            [[e.partition("@")[2] for e in p.emails if _is_corporate(e)] for p in people]
        )
        self._personal, _ = _handles([[e for e in person.emails if not is_role(e)] for person in people])

    def compare(self, pairs: Pairs) -> Compared:
        """Every field of every pair."""
        left, right = pairs[:, 0], pairs[:, 1]
        levels = np.full((len(pairs), len(Field)), MISSING, dtype=np.int8)
        shares = np.ones((len(pairs), len(Field)))
        self._compare_names(left, right, levels, shares)
        for field, column in (
            (Field.MIDDLE, self._middles(left, right)),
            (Field.BIRTH, self._births(left, right)),
            (Field.STREET, self._streets(left, right)),
            (Field.PLACE, self._places(left, right)),
            (Field.PHONE, self._phone_levels(left, right)),
            (Field.EMAIL, self._email_levels(left, right)),
            (Field.COMPANY, self._companies(left, right)),
        ):
            levels[:, field] = column
            shares[:, field] = self._share_of[field][left] if field in self._share_of else 1.0
        shares[:, Field.PHONE] = _rarest(self._phones, self._phone_share, left, right)
        shares[:, Field.EMAIL] = _rarest(self._emails, self._email_share, left, right)
        return Compared(levels, shares)

    # names -------------------------------------------------------------------------------------------------------
    def _compare_names(self, left: Any, right: Any, levels: Levels, shares: Floats) -> None:
        n = self.size
        given, surname = self._name_levels(left, right), self._name_levels(left + n, right + n)
        crossed, back = self._name_levels(left, right + n), self._name_levels(left + n, right)
        # a value in the other one's place is at most as good as another spelling
        crossed, back = np.minimum(crossed, 3), np.minimum(back, 3)
        straight_sum = np.where(given < 0, 1, given) + np.where(surname < 0, 1, surname)
        crossed_sum = np.where(crossed < 0, 1, crossed) + np.where(back < 0, 1, back)
        is_swapped = crossed_sum > straight_sum + 1
        levels[:, Field.GIVEN] = np.where(is_swapped, crossed, given)
        levels[:, Field.SURNAME] = np.where(is_swapped, back, surname)
        share = self._name_share
        shares[:, Field.GIVEN] = np.where(is_swapped, share[left], np.maximum(share[left], share[right]))
        shares[:, Field.SURNAME] = np.where(
            is_swapped, share[left + n], np.maximum(share[left + n], share[right + n])
        )

    def _name_levels(self, left: Any, right: Any) -> Levels:
        names = self._names
        level = np.zeros(len(left), dtype=np.int8)
        equal = names.plain.of[left] == names.plain.of[right]
        alias = _meet(names.sounds[left], names.sounds[right]) | _meet(
            names.groups[left], names.groups[right]
        )
        level[alias] = 3
        level[equal] = 4
        open_ = ~(equal | alias)
        missing = names.is_missing[left] | names.is_missing[right]
        todo = np.flatnonzero(open_ & ~missing)
        if len(todo):
            level[todo] = _alike(names.latin.at(left[todo]), names.latin.at(right[todo]))
        level[missing] = MISSING
        return level

    @cached_property
    def _name_share(self) -> Floats:
        n = self.size
        sound = self._names.sounds[:, 0]
        return np.concatenate((_shares(sound[:n], 0.005, 500), _shares(sound[n:], 0.0008, 1000)))

    # other fields ------------------------------------------------------------------------------------------------
    @cached_property
    def _share_of(self) -> dict[Field, Floats]:
        place = np.minimum(_shares(self._postcode.of, 0.001, 500), _shares(self._suburb.of, 0.001, 500))
        return {
            Field.MIDDLE: _shares(self._middle.of, 0.02, 100),
            Field.BIRTH: _shares(self._birth.of, 0.00005, 2000),
            Field.STREET: _shares(self._address.of, 0.0001, 500),
            Field.PLACE: place,
            Field.COMPANY: _shares(self._company.of, 0.001, 500),
        }

    @cached_property
    def _phone_share(self) -> Floats:
        return _shares(self._phones, 0.00005, 1000)

    @cached_property
    def _email_share(self) -> Floats:
        return _shares(self._emails, 0.00002, 1000)

    def _middles(self, left: Any, right: Any) -> Levels:
        column = self._middle
        level, todo = _equality(column.of[left], column.of[right], 3)
        for place, one, other in zip(todo, column.at(left[todo]), column.at(right[todo]), strict=True):
            if one[:1] == other[:1] and 1 in (len(one), len(other)):
                level[place] = 2
            elif JaroWinkler.similarity(one, other) >= 0.88:
                level[place] = 1
        return level

    def _births(self, left: Any, right: Any) -> Levels:
        column = self._birth
        level, todo = _equality(column.of[left], column.of[right], 4)
        if not len(todo):
            return level
        ones, others = column.at(left[todo]), column.at(right[todo])
        distance = cpdist(ones, others, scorer=OSA.distance, dtype=np.int32)
        years = np.abs(_number(ones, 0, 4) - _number(others, 0, 4))
        months = _number(ones, 4, 6) == _number(others, 4, 6)
        days = _number(ones, 6, 8) == _number(others, 6, 8)
        swapped = (_number(ones, 4, 6) == _number(others, 6, 8)) & (
            _number(ones, 6, 8) == _number(others, 4, 6)
        )
        parts = (years == 0).astype(int) + months + days
        found = np.where((years >= 15) & (years <= 60) & (distance >= 4), 0, 1)
        found = np.where((parts >= 2) | (distance == 2) & (years < 15), 2, found)
        found = np.where((distance <= 1) | swapped & (years == 0), 3, found)
        level[todo] = found
        return level

    def _streets(self, left: Any, right: Any) -> Levels:
        column = self._address
        level, todo = _equality(column.of[left], column.of[right], 3)
        if not len(todo):
            return level
        a, b = left[todo], right[todo]
        numbers = _known_equal(self._number.of[a], self._number.of[b])
        one_number_lost = (self._number.of[a] < 0) | (self._number.of[b] < 0)
        ratio = cpdist(self._street.at(a), self._street.at(b), scorer=fuzz.token_sort_ratio, dtype=np.float32)
        same_street = _known_equal(self._street.of[a], self._street.of[b]) | (ratio >= 84)
        near = same_street & (numbers | one_number_lost)
        level[todo] = np.where(near, 2, np.where(same_street | numbers & (ratio >= 60), 1, 0))
        return level

    def _places(self, left: Any, right: Any) -> Levels:
        suburb, s_todo = _equality(self._suburb.of[left], self._suburb.of[right], 2)
        if len(s_todo):
            alike = cpdist(
                self._suburb.at(left[s_todo]), self._suburb.at(right[s_todo]), scorer=JaroWinkler.similarity
            )
            suburb[s_todo] = np.where(alike >= 0.88, 1, 0)
        code, c_todo = _equality(self._postcode.of[left], self._postcode.of[right], 2)
        if len(c_todo):
            far = cpdist(
                self._postcode.at(left[c_todo]),
                self._postcode.at(right[c_todo]),
                scorer=OSA.distance,
                dtype=np.int32,
            )
            code[c_todo] = np.where(far <= 1, 1, 0)
        state, _ = _equality(self._state.of[left], self._state.of[right], 1)
        best, least = np.maximum(suburb, code), np.minimum(suburb, code)
        level = np.where(state == 1, 1, 0).astype(np.int8)
        level[best == 2] = 2
        level[(best == 2) & (least == MISSING)] = 3  # the only one that both have
        level[(best >= 1) & (least == 1)] = 3
        level[(best == 2) & (least == 2)] = 4
        level[(best == MISSING) & (state == MISSING)] = MISSING
        return level

    def _phone_levels(self, left: Any, right: Any) -> Levels:
        a, b = self._phones[left], self._phones[right]
        level = np.where(_meet(a, b), 2, 0).astype(np.int8)
        missing = (a[:, 0] < 0) | (b[:, 0] < 0)
        todo = np.flatnonzero((level == 0) & ~missing)
        if len(todo):
            ones = [text[-9:] for text in self._phone[a[todo, 0]].tolist()]
            others = [text[-9:] for text in self._phone[b[todo, 0]].tolist()]
            level[todo] = cpdist(ones, others, scorer=OSA.distance, dtype=np.int32) <= 1
        level[missing] = MISSING
        return level

    def _email_levels(self, left: Any, right: Any) -> Levels:
        a, b = self._emails[left], self._emails[right]
        missing = (a[:, 0] < 0) | (b[:, 0] < 0)
        level = _meet(self._domains[left], self._domains[right]).astype(np.int8)
        todo = np.flatnonzero(~missing)
        ones = self._email[a[todo, 0]].tolist()
        others = self._email[b[todo, 0]].tolist()
        if len(todo):
            near = cpdist(ones, others, scorer=OSA.distance, dtype=np.int32) <= 1
            level[todo] = np.where(near, 2, level[todo])
        level[_meet(self._locals[left], self._locals[right])] = 3
        level[_meet(self._personal[left], self._personal[right])] = 4
        # a team's address that both have is no more than the same office
        level[_meet(a, b) & (level < 4)] = 1
        level[missing] = MISSING
        return level

    def _companies(self, left: Any, right: Any) -> Levels:
        column = self._company
        level, todo = _equality(column.of[left], column.of[right], 2)
        if len(todo):
            ratio = cpdist(column.at(left[todo]), column.at(right[todo]), scorer=fuzz.ratio)
            level[todo] = np.where(ratio >= 85, 1, 0)
        return level


def _rarest(numbers: Ints, shares: Floats, left: Any, right: Any) -> Floats:
    """The share of the rarest value that both sides have, 1 where they have none in common."""
    rarest = np.ones(len(left))
    ones, others, common = numbers[left], numbers[right], shares[left]
    for column in range(numbers.shape[1]):
        one = ones[:, column : column + 1]
        met = ((one == others) & (one >= 0)).any(axis=1)
        rarest = np.where(met, np.minimum(rarest, common[:, column]), rarest)
    return rarest


def _is_corporate(email: str) -> bool:
    return email.partition("@")[2] not in PUBLIC_DOMAINS


def _handles(rows: Sequence[Sequence[str]]) -> tuple[Ints, NDArray[Any]]:
    """Up to three values a record as numbers, and what each number stands for."""
    seen: dict[str, int] = {}
    numbers = [[seen.setdefault(value, len(seen)) for value in row] for row in rows]
    return _padded(numbers, MOST_HANDLES), np.array([*seen, ""], dtype=object)


def _equality(left: Ints, right: Ints, equal: int) -> tuple[Levels, NDArray[np.int64]]:
    """The level where the values are equal or one is missing, and the places where they are neither."""
    missing = (left < 0) | (right < 0)
    level = np.where(left == right, equal, 0).astype(np.int8)
    level[missing] = MISSING
    return level, np.flatnonzero((left != right) & ~missing)


def _known_equal(left: Ints, right: Ints) -> NDArray[np.bool_]:
    equal: NDArray[np.bool_] = (left == right) & (left >= 0)
    return equal


def _number(texts: list[str], start: int, end: int) -> Ints:
    return np.fromiter((int(text[start:end]) for text in texts), dtype=np.int32, count=len(texts))


def _alike(ones: list[str], others: list[str]) -> Levels:
    """0 to 2 for names that are neither equal nor another spelling."""
    similarity = cpdist(ones, others, scorer=JaroWinkler.similarity, dtype=np.float32)
    distance = cpdist(ones, others, scorer=OSA.distance, dtype=np.int32)
    shorter = np.fromiter(
        (min(len(a), len(b)) for a, b in zip(ones, others, strict=True)), np.int32, len(ones)
    )
    initial = np.fromiter(
        (min(len(a), len(b)) == 1 and a[0] == b[0] for a, b in zip(ones, others, strict=True)),
        bool,
        len(ones),
    )
    level = np.where((similarity >= 0.8) | (distance <= 2) & (shorter >= 5), 1, 0)
    near = (
        (distance <= 1) & (shorter >= 3)
        | (similarity >= 0.92) & (shorter >= 4)
        | (distance <= 2) & (shorter >= 8)
    )
    return np.where(near | initial, 2, level).astype(np.int8)
