"""Records in, scored pairs out: the whole way from a list of people to who may be whom."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from crm.matching.blocking import Pairs, find_pairs, keys_of
from crm.matching.clusters import agree, groups_of, pairs_inside
from crm.matching.comparing import Compared, Floats, Table
from crm.matching.model import Model, fit, random_pairs
from crm.matching.people import Person, Traits, traits_of

THRESHOLD = 0.5
_CHUNK = 250_000
_STRANGERS = 400_000
_FITTED_ON = 1_500_000
_SEED = 1


@dataclass(frozen=True)
class Scored:
    """`pairs`: int[n, 2], positions in the list (left, right); `scores`: float[n], probabilities."""

    pairs: Pairs
    scores: Floats


def score_people(
    left: Sequence[Person], right: Sequence[Person] | None = None, *, region: str | None = None
) -> Scored:
    """Every candidate pair with the probability that it is one person: inside `left`, or of `left` and `right`."""
    traits = [traits_of(person, region) for person in (*left, *(right or ()))]
    return score_traits(traits, None if right is None else len(left))


def score_traits(traits: Sequence[Traits], split: int | None = None) -> Scored:
    """As `score_people`; with `split`, only pairs of one before and one from that position on."""
    keys = [keys_of(one) for one in traits]
    pairs = find_pairs(keys) if split is None else _linked(keys, split)
    if not len(pairs):
        return Scored(pairs, np.empty(0))
    table = Table(traits)
    model = _fitted(table, pairs, split)
    scores = np.concatenate([model.probability(table.compare(chunk)) for chunk in _chunks(pairs)])
    scored = Scored(pairs, scores)
    return scored if split is not None else _heard(scored, table, model)


def _heard(scored: Scored, table: Table, model: Model) -> Scored:
    """The same after every group of records has been heard as a whole; its pairs that shared no key are added."""
    groups = groups_of(table.size, scored.pairs, scored.scores)
    inside = pairs_inside(groups)
    if not len(inside):
        return scored
    odds = np.concatenate([model.odds(table.compare(chunk)) for chunk in _chunks(inside)])
    known = {(one, other): odd for (one, other), odd in zip(inside.tolist(), odds.tolist(), strict=True)}
    scores = {
        (one, other): score
        for (one, other), score in zip(scored.pairs.tolist(), scored.scores.tolist(), strict=True)
    }
    scores |= {(one, other): score for one, other, score in agree(groups, known)}
    return Scored(np.array(list(scores), dtype=np.int64), np.fromiter(scores.values(), float, len(scores)))


def _linked(keys: Sequence[frozenset[str]], split: int) -> Pairs:
    pairs: Pairs = find_pairs(keys[:split], keys[split:]) + np.array([0, split])
    return pairs


def _fitted(table: Table, pairs: Pairs, split: int | None) -> Model:
    size = table.size
    total = size * (size - 1) / 2 if split is None else split * (size - split)
    count = min(_STRANGERS, int(total) * 20)
    if split is None:
        drawn = random_pairs(size, size, count, _SEED, inside=True)
    else:
        drawn = random_pairs(split, size - split, count, _SEED, inside=False) + np.array([0, split])
    if len(pairs) > _FITTED_ON:
        picked = np.random.default_rng(_SEED).choice(len(pairs), _FITTED_ON, replace=False)
        total *= _FITTED_ON / len(pairs)
        pairs = pairs[picked]
    return fit(
        _together([table.compare(chunk) for chunk in _chunks(pairs)]), table.compare(drawn), size, total
    )


def _together(parts: list[Compared]) -> Compared:
    return Compared(
        np.concatenate([part.levels for part in parts]), np.concatenate([part.shares for part in parts])
    )


def _chunks(pairs: Pairs) -> list[Pairs]:
    """In pieces, so that memory does not grow with the number of pairs."""
    return [pairs[start : start + _CHUNK] for start in range(0, max(len(pairs), 1), _CHUNK)]
