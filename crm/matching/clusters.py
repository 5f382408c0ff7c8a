"""What a group of records says about its pairs: copies too garbled to meet each other both meet the original."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from crm.matching.blocking import Pairs
from crm.matching.comparing import Floats

# Only pairs that are this likely bring records into one group.
_LINKS = 0.5
# One pair has no more say than this (natural logarithm of odds), so that one mistake does not decide for a group.
_LOUDEST = 7.0
_LARGEST_GROUP = 60


def groups_of(size: int, pairs: Pairs, scores: Floats) -> list[list[int]]:
    """The groups of three to a few dozen records that likely pairs hold together."""
    parent = list(range(size))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    for one, other in pairs[scores >= _LINKS].tolist():
        parent[root(one)] = root(other)
    groups: dict[int, list[int]] = {}
    for place in range(size):
        groups.setdefault(root(place), []).append(place)
    return [group for group in groups.values() if 3 <= len(group) <= _LARGEST_GROUP]


def pairs_inside(groups: list[list[int]]) -> Pairs:
    """Every pair of every group, the smaller position first."""
    found = [(min(a, b), max(a, b)) for group in groups for i, a in enumerate(group) for b in group[i + 1 :]]
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def agree(groups: list[list[int]], odds: dict[tuple[int, int], float]) -> Iterator[tuple[int, int, float]]:
    """(one, other, probability) for every pair of the groups, once all pairs of a group have had their say.

    Records are brought together while the pairs between them are likely on average; a pair that ends up together is
    at least as likely as that average, one that ends up apart is no match, however alike the two look.
    """
    for group in groups:
        table = _table(group, odds)
        together = _together(table)
        for i, one in enumerate(group):
            for j in range(i + 1, len(group)):
                direct = table[i, j]
                said = max(direct, together[i, j]) if together[i, j] > 0 else min(direct, -0.1)
                yield (*sorted((one, group[j])), float(1 / (1 + np.exp(-said))))  # type: ignore[misc]


def _table(group: list[int], odds: dict[tuple[int, int], float]) -> NDArray[np.float64]:
    size = len(group)
    table = np.zeros((size, size))
    for i, one in enumerate(group):
        for j in range(i + 1, size):
            pair = (one, group[j]) if one < group[j] else (group[j], one)
            table[i, j] = table[j, i] = np.clip(odds[pair], -_LOUDEST, _LOUDEST)
    return table


def _together(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average linkage: for each pair the average at which it was brought together, -1 for those that never were."""
    result = np.full(table.shape, -1.0)
    linkage = table.copy()
    np.fill_diagonal(linkage, -np.inf)
    members = [[place] for place in range(len(table))]
    while True:
        one, other = np.unravel_index(np.argmax(linkage), linkage.shape)
        best = linkage[one, other]
        if best <= 0:
            return result
        for a in members[one]:
            for b in members[other]:
                result[a, b] = result[b, a] = best
        weight_one, weight_other = len(members[one]), len(members[other])
        merged = (linkage[one] * weight_one + linkage[other] * weight_other) / (weight_one + weight_other)
        linkage[one], linkage[:, one] = merged, merged
        linkage[other], linkage[:, other] = -np.inf, -np.inf
        linkage[one, one] = -np.inf
        members[one] += members[other]
