"""Two runs over the same cases side by side: by what contacts wanted, with intervals, and whether it is chance."""

from collections.abc import Sequence
from dataclasses import dataclass

from crm.evaluations.comparison import Comparison, compare
from crm.evaluations.models import EvalCase
from evals.stats import wilson


@dataclass(frozen=True)
class Share:
    """So many of `n`, with the 95 % interval."""

    passed: int
    n: int

    @property
    def value(self) -> float:
        return self.passed / self.n if self.n else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(self.passed, self.n)


@dataclass(frozen=True)
class Row:
    """One intent, or all of them where it is empty."""

    intent: str
    before: Share
    after: Share


@dataclass(frozen=True)
class Standing:
    rows: list[Row]
    comparison: Comparison


def side_by_side(before: Sequence[EvalCase], after: Sequence[EvalCase]) -> Standing:
    """Only cases that both have played are counted, so that both are of the same."""
    earlier = {case.key: case for case in before}
    later = {case.key: case for case in after if case.key in earlier}
    shared = [earlier[key] for key in later]
    intents = sorted({_intent(case) for case in shared})
    rows = [
        Row(
            intent,
            _share([case for case in shared if intent in ("", _intent(case))]),
            _share([case for case in later.values() if intent in ("", _intent(case))]),
        )
        for intent in ("", *intents)
    ]
    return Standing(rows, compare(shared, list(later.values())))


def _intent(case: EvalCase) -> str:
    return str(case.definition.get("stratum") or "other")


def _share(cases: Sequence[EvalCase]) -> Share:
    return Share(sum(case.is_passed is True for case in cases), len(cases))
