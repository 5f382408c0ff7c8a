"""Which pairs of records are worth comparing: those that share a key. Each key survives other mistakes."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from crm.matching.letters import sounds
from crm.matching.people import Name, Traits, is_role, telling_locals

Pairs = NDArray[np.int64]  # shape (n, 2): positions of the two records

LARGEST_BLOCK = 80


def keys_of(person: Traits) -> frozenset[str]:
    """Every key of a person. Two records of one person nearly always share one, two strangers seldom do.

    No key needs more than two values, so a record that lost or garbled the others is still found; keys of both
    names are in alphabetical order, so that swapped ones meet.
    """
    return frozenset([*_handle_keys(person), *_name_keys(person), *_birth_keys(person), *_place_keys(person)])


def _handle_keys(person: Traits) -> Iterable[str]:
    for phone in person.phones:
        yield f"phone:{phone[-9:]}"
    for email in person.emails:
        if is_role(email):
            continue
        yield f"email:{email}"
    for local in telling_locals(person):
        yield f"local:{''.join(filter(str.isalnum, local))}"


def _name_keys(person: Traits) -> Iterable[str]:
    given, surname = person.given, person.surname
    if given.sound and surname.sound:
        first, second = sorted((given.sound, surname.sound))
        yield f"full:{first}:{second}"
        first, second = sorted((given.sound[:3], surname.sound[:3]))
        yield f"starts:{first}:{second}"
        yield f"initial:{given.sound[:1]}:{surname.sound}"
        yield f"ends:{given.sound[-3:]}:{surname.sound[-4:]}"
    for group in given.groups:
        if surname.sound:
            yield f"nick:{group}:{surname.sound[:4]}"
    for name in (given, surname):
        if sounds(person.company) and name.sound:
            yield f"company:{sounds(person.company)[0]}:{name.sound[:4]}"


def _birth_keys(person: Traits) -> Iterable[str]:
    if not person.birth:
        return
    year, month, day = person.birth[:4], person.birth[4:6], person.birth[6:]
    yield f"birth:{year}:{':'.join(sorted((month, day)))}"
    for name in _names(person):
        yield f"year:{year}:{name.sound[:4]}"
        yield f"day:{month}{day}:{name.sound[:3]}"
    if person.postcode:
        yield f"year:{year}:{person.postcode}"
    if person.suburb:
        yield f"month:{year[2:]}{month}:{person.suburb[:4]}"


def _place_keys(person: Traits) -> Iterable[str]:
    if person.street:
        yield f"street:{person.street}:{person.number}"
        if person.postcode:
            yield f"street:{person.street[:5]}:{person.postcode}"
        if person.suburb:
            yield f"street:{person.street[:5]}:{person.suburb[:5]}"
        for name in _names(person):
            yield f"street:{person.street[:6]}:{name.sound[:3]}"
    for name in _names(person):
        if person.postcode:
            yield f"post:{person.postcode}:{name.sound[:3]}"
        if person.suburb:
            yield f"suburb:{person.suburb[:6]}:{name.sound[:4]}"
    if person.postcode and person.number:
        yield f"door:{person.postcode}:{person.number}"


def _names(person: Traits) -> Iterable[Name]:
    return (name for name in (person.given, person.surname) if name.sound)


def find_pairs(left: Sequence[frozenset[str]], right: Sequence[frozenset[str]] | None = None) -> Pairs:
    """The pairs that share a key, each once: inside `left`, or of one of `left` and one of `right`.

    A key that more than a few dozen share tells nothing and is passed over: what is worth finding shares a rarer one.
    """
    blocks = _blocks(left)
    if right is None:
        found = [_inside(members) for members in blocks.values() if 1 < len(members) <= LARGEST_BLOCK]
        width = len(left)
    else:
        others = _blocks(right)
        found = [
            _across(members, others[key])
            for key, members in blocks.items()
            if key in others and len(members) * len(others[key]) <= LARGEST_BLOCK**2 // 2
        ]
        width = len(right)
    if not found:
        return np.empty((0, 2), dtype=np.int64)
    all_pairs = np.concatenate(found)
    codes = np.unique(all_pairs[:, 0] * width + all_pairs[:, 1])
    return np.stack((codes // width, codes % width), axis=1)


def _blocks(keys: Sequence[frozenset[str]]) -> dict[str, list[int]]:
    blocks: dict[str, list[int]] = {}
    for position, own in enumerate(keys):
        for key in own:
            blocks.setdefault(key, []).append(position)
    return blocks


def _inside(members: list[int]) -> Pairs:
    places = np.asarray(members, dtype=np.int64)
    first, second = np.triu_indices(len(members), 1)
    return np.stack((places[first], places[second]), axis=1)


def _across(members: list[int], others: list[int]) -> Pairs:
    first = np.repeat(np.asarray(members, dtype=np.int64), len(others))
    second = np.tile(np.asarray(others, dtype=np.int64), len(members))
    return np.stack((first, second), axis=1)
