"""The benches: each module has `run() -> Report`, starts its own servers and measures side by side in one run."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Figure:
    """One measured number. `aim` is None where none is set; shares are 0 to 1."""

    value: float
    unit: str
    n: int
    aim: float | None = None
    met: bool | None = None


@dataclass
class Report:
    """The figures of one bench, in the order in which they were added."""

    bench: str
    figures: dict[str, Figure] = field(default_factory=dict)

    def add(
        self,
        name: str,
        value: float,
        unit: str,
        n: int,
        *,
        aim: float | None = None,
        better: Literal["lower", "higher"] = "lower",
    ) -> None:
        met = None if aim is None else (value <= aim if better == "lower" else value >= aim)
        self.figures[name] = Figure(round(value, 3), unit, n, aim, met)

    def as_json(self) -> dict[str, object]:
        return {
            "bench": self.bench,
            "figures": {name: asdict(figure) for name, figure in self.figures.items()},
        }

    def lines(self) -> list[str]:
        """One line per figure, for people."""
        return [_line(name, figure) for name, figure in self.figures.items()]


def _line(name: str, figure: Figure) -> str:
    verdict = "" if figure.aim is None else f"  aim {figure.aim:g}: {'met' if figure.met else 'MISSED'}"
    return f"{name:<36} {figure.value:>10g} {figure.unit:<6} n={figure.n}{verdict}"


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]
