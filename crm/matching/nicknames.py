"""Which given names may be one: short forms and the other language's form, from two lists kept as data."""

import tomllib
from functools import cache, lru_cache
from pathlib import Path

from crm.matching.letters import sounds

MOST_GROUPS = 6
_LISTS = ("nicknames.en.toml", "nicknames.ru.toml")


@lru_cache(maxsize=100_000)
def groups_of(given_name: str) -> tuple[int, ...]:
    """The numbers of the groups of names that this one belongs to; names that share a group may be one."""
    found = {group for sketch in sounds(given_name) for group in _groups().get(sketch, ())}
    return tuple(sorted(found)[:MOST_GROUPS])


@cache
def _groups() -> dict[str, frozenset[int]]:
    groups: dict[str, set[int]] = {}
    for number, names in enumerate(_lines()):
        for name in names:
            for sketch in sounds(name):
                groups.setdefault(sketch, set()).add(number)
    return {sketch: frozenset(numbers) for sketch, numbers in groups.items()}


def _lines() -> list[list[str]]:
    lines: list[list[str]] = []
    for name in _LISTS:
        lines += tomllib.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))["names"]
    return lines


@cache
def known_given_names() -> frozenset[str]:
    """The sketches of every name in the lists: tells which word of a full name is the given one."""
    return frozenset(_groups())
