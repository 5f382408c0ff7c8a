"""Earned autonomy: when what people decided about an agent's drafts lets it answer an intent by itself.

Source: domain rules §8; the interval is Wilson's score interval (E. B. Wilson, 1927), the lower end of 95 %.
"""

from bisect import bisect_left
from dataclasses import dataclass
from math import sqrt

LEAST_DECISIONS = 100
LEAST_BOUND = 0.9
_Z = 1.959964  # two-sided 95 %


@dataclass(frozen=True)
class Record:
    """What people decided about drafts on one intent since its last incident."""

    intent: str
    decided: int
    accepted: int

    @property
    def bound(self) -> float:
        return lower_bound(self.accepted, self.decided)

    @property
    def is_earned(self) -> bool:
        return self.decided >= LEAST_DECISIONS and self.bound >= LEAST_BOUND

    @property
    def to_go(self) -> int:
        """How many more drafts, each accepted unedited, would earn it; 0 when it is earned."""
        # each acceptance raises the bound, so the first that is enough can be halved down to
        most = LEAST_DECISIONS + 20 * (self.decided + 1)
        return bisect_left(range(most), True, key=lambda more: self._after(more).is_earned)

    def _after(self, more: int) -> "Record":
        return Record(self.intent, self.decided + more, self.accepted + more)


def lower_bound(accepted: int, decided: int) -> float:
    """The lower end of the interval for the share that is accepted, 0 to 1; 0 without decisions."""
    if decided == 0:
        return 0.0
    share, spread = accepted / decided, _Z * _Z / decided
    margin = _Z * sqrt((share * (1 - share) + spread / 4) / decided)
    return max(0.0, (share + spread / 2 - margin) / (1 + spread))
