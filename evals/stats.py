"""How sure a figure is, and what several figures come to together."""

from collections.abc import Sequence
from math import comb, sqrt

_Z = 1.96


def wilson(passed: float, n: int) -> tuple[float, float]:
    """The 95 % confidence interval of a share. Source: Wilson (1927), score interval."""
    if n == 0:
        return 0.0, 1.0
    share = passed / n
    middle = share + _Z * _Z / (2 * n)
    reach = _Z * sqrt(share * (1 - share) / n + _Z * _Z / (4 * n * n))
    return max(0.0, (middle - reach) / (1 + _Z * _Z / n)), min(1.0, (middle + reach) / (1 + _Z * _Z / n))


def macro_f1(pairs: Sequence[tuple[str, str]]) -> float:
    """The mean F1 over the right labels of (right, given) pairs."""
    labels = sorted({right for right, _ in pairs})
    return sum(_f1(label, pairs) for label in labels) / len(labels) if labels else 0.0


def _f1(label: str, pairs: Sequence[tuple[str, str]]) -> float:
    hits = sum(right == given == label for right, given in pairs)
    named = sum(given == label for _, given in pairs) + sum(right == label for right, _ in pairs)
    return 2 * hits / named if named else 0.0


def pass_hat_k(passed: int, tries: int, k: int) -> float:
    """How likely k tries of one case all pass, estimated without bias from its tries.

    Source: Yao et al. (2024), tau-bench, https://arxiv.org/abs/2406.12045, section 2.
    """
    return comb(passed, k) / comb(tries, k) if passed >= k else 0.0
