"""Sets two runs side by side: which cases changed, and whether that is more than chance."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

from crm.evaluations.models import EvalCase

# A difference that chance brings about less often than this counts.
SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Change:
    """A case that two runs ended differently."""

    key: str
    before: EvalCase
    after: EvalCase

    @property
    def is_worse(self) -> bool:
        return self.before.is_passed is True


@dataclass(frozen=True)
class Comparison:
    """`shared` cases were played by both; only these are compared."""

    shared: int
    changes: list[Change]

    @property
    def worse(self) -> int:
        return sum(change.is_worse for change in self.changes)

    @property
    def better(self) -> int:
        return len(self.changes) - self.worse

    @property
    def chance(self) -> float:
        """How likely as many cases get worse by chance alone, of those that changed."""
        return sign_test(self.worse, self.better)

    @property
    def is_worse(self) -> bool:
        return self.chance < SIGNIFICANT


def compare(before: Sequence[EvalCase], after: Sequence[EvalCase]) -> Comparison:
    """The cases that both runs have played, told apart by key and by the number of the try."""
    earlier, later = _by_try(before), _by_try(after)
    shared = [name for name in earlier if name in later]
    changes = [
        Change(name[0], earlier[name], later[name])
        for name in shared
        if earlier[name].is_passed != later[name].is_passed
    ]
    return Comparison(len(shared), changes)


def _by_try(cases: Sequence[EvalCase]) -> dict[tuple[str, int], EvalCase]:
    found: dict[tuple[str, int], EvalCase] = {}
    for case in cases:
        if case.is_passed is None:
            continue
        number = 0
        while (case.key, number) in found:
            number += 1
        found[case.key, number] = case
    return found


def sign_test(worse: int, better: int) -> float:
    """How likely it is that at least `worse` of the cases that changed got worse, if each way were as likely.

    One-sided and exact. Source: McNemar (1947), with the binomial distribution for small numbers.
    """
    changed = worse + better
    if changed == 0:
        return 1.0
    return float(sum(comb(changed, k) for k in range(worse, changed + 1))) / 2.0**changed
