"""How likely two records are one person: Fellegi and Sunter's weights, learned by EM from the records themselves.

A pair is one of five things: the same person, two of one family, two of one family with one name (father and son),
two of one office, or strangers. Relatives share a surname, a street and often a telephone; with strangers as the only
other explanation all of that would count as proof of being one person.
Source: I. P. Fellegi, A. B. Sunter, A Theory for Record Linkage, JASA 64 (1969); W. E. Winkler, Using the EM
Algorithm for Weight Computation in the Fellegi-Sunter Model (2000) for EM and for weights by a value's frequency.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from crm.matching.comparing import LEVELS, MISSING, MOST_LEVELS, Compared, Field, Floats


class Relation(IntEnum):
    """What two records may be to each other."""

    SAME = 0
    FAMILY = 1
    NAMESAKE = 2
    OFFICE = 3
    STRANGERS = 4


# How far each relation makes a field agree: 1 as the same person's records do, 0 as strangers' do.
_SHARED: dict[Relation, dict[Field, float]] = {
    Relation.SAME: dict.fromkeys(Field, 1.0),
    Relation.FAMILY: {
        Field.SURNAME: 0.9, Field.STREET: 0.9, Field.PLACE: 0.95, Field.PHONE: 0.6, Field.EMAIL: 0.1, Field.COMPANY: 0.1,
    },
    Relation.NAMESAKE: {
        Field.GIVEN: 1.0, Field.SURNAME: 1.0, Field.STREET: 0.9, Field.PLACE: 0.95, Field.PHONE: 0.6, Field.EMAIL: 0.1,
        Field.COMPANY: 0.1,
    },
    Relation.OFFICE: {
        Field.STREET: 0.6, Field.PLACE: 0.7, Field.PHONE: 0.4, Field.COMPANY: 0.95,
    },
    Relation.STRANGERS: {},
}  # fmt: skip
# Where a relation has a pattern of its own: colleagues have a domain in common and hardly ever an address; a father and
# a son of one name are born a generation apart.
_OWN: dict[tuple[Relation, Field], tuple[float, ...]] = {
    (Relation.OFFICE, Field.EMAIL): (0.3, 0.67, 0.02, 0.005, 0.005),
    (Relation.NAMESAKE, Field.BIRTH): (0.95, 0.049, 0.0004, 0.0003, 0.0003),
}
# The relations before anything is known, as pairs per record.
_PAIRS_PER_RECORD = {
    Relation.SAME: 0.3,
    Relation.FAMILY: 0.03,
    Relation.NAMESAKE: 0.002,
    Relation.OFFICE: 0.5,
}

# How records of one person usually agree, from the least to the most alike (see LEVELS).
_AGREEMENT: dict[Field, tuple[float, ...]] = {
    Field.GIVEN: (0.04, 0.03, 0.06, 0.12, 0.75),
    Field.SURNAME: (0.03, 0.02, 0.07, 0.13, 0.75),
    Field.MIDDLE: (0.02, 0.05, 0.13, 0.8),
    Field.BIRTH: (0.001, 0.01, 0.025, 0.1, 0.861),
    Field.STREET: (0.12, 0.1, 0.18, 0.6),
    Field.PLACE: (0.04, 0.03, 0.13, 0.15, 0.65),
    Field.PHONE: (0.25, 0.05, 0.7),
    Field.EMAIL: (0.3, 0.07, 0.07, 0.06, 0.5),
    Field.COMPANY: (0.2, 0.1, 0.7),
}
# How strangers agree, where there are too few records to count it.
_CHANCE: dict[Field, tuple[float, ...]] = {
    Field.GIVEN: (0.93, 0.045, 0.005, 0.01, 0.01),
    Field.SURNAME: (0.96, 0.033, 0.004, 0.001, 0.002),
    Field.MIDDLE: (0.9, 0.02, 0.06, 0.02),
    Field.BIRTH: (0.45, 0.525, 0.024, 0.0009, 0.0001),
    Field.STREET: (0.975, 0.02, 0.004, 0.001),
    Field.PLACE: (0.84, 0.15, 0.008, 0.001, 0.001),
    Field.PHONE: (0.9989, 0.001, 0.0001),
    Field.EMAIL: (0.979, 0.02, 0.0005, 0.0004, 0.0001),
    Field.COMPANY: (0.988, 0.004, 0.008),
}
# A suggestion that is wrong costs a person more than one that is missing: strangers get the benefit of the doubt, and
# the score leans so far (as odds) to their side.
_CAREFUL = 2.0
# Sons who bear their father's name, per pair of relatives: only where families are seen at all are there any.
_NAMESAKES = 0.1
# Equal weights for what is assumed and for what so many observed pairs say.
_ASSUMED_MATCHES = 50.0
_ASSUMED_STRANGERS = 2_000.0
_FEWEST_SEEN = 10.0
_ROUNDS = 25
_LEAST = 1e-12


@dataclass(frozen=True)
class Model:
    """`agreement` and `chance`: float[fields, levels], how records of one person and of strangers agree;
    `pairs_of`: float[relations], how many of all pairs are in each relation."""

    agreement: Floats
    chance: Floats
    pairs_of: Floats

    def odds(self, compared: Compared) -> Floats:
        """The natural logarithm of the odds that each pair is one person, on the careful side."""
        joint = self._joint(compared)
        others: Floats = np.logaddexp.reduce(joint[:, 1:], axis=1)
        odds: Floats = joint[:, Relation.SAME] - others - np.log(_CAREFUL)
        return odds

    def probability(self, compared: Compared) -> Floats:
        return 1 / (1 + np.exp(-np.clip(self.odds(compared), -700, 700)))

    def relations(self, compared: Compared) -> Floats:
        """float[pairs, relations]: the probability of each relation."""
        joint = self._joint(compared)
        whole: Floats = np.logaddexp.reduce(joint, axis=1)
        return np.exp(joint - whole[:, None])

    def weights(self, compared: Compared) -> Floats:
        """float[pairs, fields]: how much each field speaks for one person against strangers, in bits."""
        weights = np.zeros(compared.levels.shape)
        for field in Field:
            same, chance = self._of_field(compared, field)
            weights[:, field] = np.log2(same / chance)
        return weights

    def _joint(self, compared: Compared) -> Floats:
        joint = np.tile(np.log(self.pairs_of), (len(compared.levels), 1))
        for field in Field:
            same, chance = self._of_field(compared, field)
            for relation in Relation:
                shared = _SHARED[relation].get(field, 0.0)
                likely = shared * same + (1 - shared) * chance
                if (relation, field) in _OWN:
                    likely = np.append(_OWN[relation, field], 1.0)[
                        compared.levels[:, field]
                    ]  # 1 where one is missing
                joint[:, relation] += np.log(likely)
        return joint

    def _of_field(self, compared: Compared, field: Field) -> tuple[Floats, Floats]:
        """How likely the level of each pair is for one person, and for strangers; 1 where a value is missing."""
        level = compared.levels[:, field]
        same = self.agreement[field][level]
        chance = self.chance[field][level]
        is_equal = level == len(LEVELS[field]) - 1
        chance = np.where(is_equal, compared.shares[:, field], chance)
        known = level != MISSING
        return np.where(known, same, 1.0), np.where(known, np.maximum(chance, _LEAST), 1.0)


def usual(records: int, pairs: float) -> Model:
    """The model before any record has been looked at; `pairs` is how many pairs the records make."""
    share = np.array(
        [records * _PAIRS_PER_RECORD.get(relation, 0.0) / max(pairs, 1.0) for relation in Relation]
    )
    share = np.clip(share, 1e-12, 0.2)
    share[Relation.STRANGERS] = 1 - share.sum()
    return Model(_table(_AGREEMENT), _table(_CHANCE), share)


def _table(rows: dict[Field, tuple[float, ...]]) -> Floats:
    table = np.full((len(Field), MOST_LEVELS), 1.0)
    for field, row in rows.items():
        table[field, : len(row)] = np.array(row) / sum(row)
    return table


def fit(candidates: Compared, strangers: Compared, records: int, pairs: float) -> Model:
    """Learn from the records themselves, without examples.

    `candidates` are pairs that share a key (pairs that share none are no matches), `strangers` pairs drawn at random;
    `pairs` is the number of pairs that the candidates were found among. Where there are few of them, what is usual
    decides.
    """
    start = usual(records, pairs)
    chance = _blend(start.chance, _counts(strangers, np.ones(len(strangers.levels))), _ASSUMED_STRANGERS)
    model = Model(start.agreement, chance, start.pairs_of)
    for _ in range(_ROUNDS):
        relation = model.relations(candidates)
        agreement = _blend(start.agreement, _counts(candidates, relation[:, Relation.SAME]), _ASSUMED_MATCHES)
        agreement[Field.BIRTH] = _rarely_another(agreement[Field.BIRTH], start.agreement[Field.BIRTH])
        found = relation.sum(axis=0) + start.pairs_of * pairs * 0.05
        share = np.maximum(found / max(pairs, 1.0), _seen_at_random(model, strangers))
        usual_share = start.pairs_of[Relation.NAMESAKE] / 2
        share[Relation.NAMESAKE] = max(_NAMESAKES * share[Relation.FAMILY], usual_share)
        share[Relation.STRANGERS] = max(0.5, 1 - share[:-1].sum())
        settled = np.abs(np.log(share[0] / model.pairs_of[0])) < 1e-3
        model = Model(agreement, chance, share)
        if settled:
            break
    return model


def _seen_at_random(model: Model, strangers: Compared) -> Floats:
    """The shares of relatives and colleagues among pairs drawn at random: most of those share no key."""
    if not len(strangers.levels):
        return np.zeros(len(Relation))
    found = model.relations(strangers)
    share: Floats = found.mean(axis=0)
    share[found.sum(axis=0) < _FEWEST_SEEN] = 0.0
    share[Relation.SAME] = 0.0
    return share


def _counts(compared: Compared, weight: Floats) -> Floats:
    counts = np.zeros((len(Field), MOST_LEVELS))
    for field in Field:
        level = compared.levels[:, field]
        known = level >= 0
        counts[field] = np.bincount(level[known], weights=weight[known], minlength=MOST_LEVELS)
    return counts


def _blend(assumed: Floats, counts: Floats, pseudo: float) -> Floats:
    blended = np.ones_like(assumed)
    for field in Field:
        size = len(LEVELS[field])
        given = assumed[field, :size] * pseudo + counts[field, :size]
        blended[field, :size] = given / given.sum()
    return blended


def _rarely_another(learned: Floats, assumed: Floats) -> Floats:
    """Relatives of one name do not teach that one person has two dates of birth.

    A date that was written down wrong beyond recognition is no more frequent than one of which a part still shows;
    that the two lie a generation apart is not learned at all.
    """
    generation, differ, part, *_ = range(len(LEVELS[Field.BIRTH]))
    changed = learned.copy()
    changed[generation] = min(learned[generation], assumed[generation])
    changed[differ] = min(learned[differ], learned[part])
    known = slice(part, len(LEVELS[Field.BIRTH]))
    changed[known] *= (1 - changed[:part].sum()) / changed[known].sum()
    return changed


def random_pairs(left: int, right: int, count: int, seed: int, *, inside: bool) -> NDArray[np.int64]:
    """Pairs drawn at random; `inside` says that both come from the same records."""
    random = np.random.default_rng(seed)
    pairs = np.stack((random.integers(0, left, count), random.integers(0, right, count)), axis=1)
    return pairs[pairs[:, 0] != pairs[:, 1]] if inside else pairs
