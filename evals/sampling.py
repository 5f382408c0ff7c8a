"""A fixed part of a data set: every language and kind of case in its share."""

from collections import defaultdict
from collections.abc import Sequence
from random import Random

from evals.cases import Case


def sample(cases: Sequence[Case], n: int, seed: int) -> list[Case]:
    """`n` of the cases, chosen by the seed alone, in their own order; all of them when there are no more."""
    if n >= len(cases):
        return list(cases)
    strata: dict[tuple[str, str], list[Case]] = defaultdict(list)
    for case in cases:
        strata[case.language, case.stratum].append(case)
    chosen: set[str] = set()
    for name, share in _shares({name: len(members) for name, members in strata.items()}, n).items():
        random = Random(f"{seed} {name}")
        chosen |= {case.id for case in random.sample(strata[name], share)}
    return [case for case in cases if case.id in chosen]


def _shares(sizes: dict[tuple[str, str], int], n: int) -> dict[tuple[str, str], int]:
    """How many of each stratum: its share rounded down, and one more where most was lost by that."""
    total = sum(sizes.values())
    shares = {name: n * size // total for name, size in sizes.items()}
    most_lost = sorted(sizes, key=lambda name: (-(n * sizes[name] % total), name))
    for name in most_lost[: n - sum(shares.values())]:
        shares[name] += 1
    return shares
