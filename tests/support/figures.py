"""Figures that tests measured, told at the end of the whole test run, one line each."""

from collections.abc import Callable
from typing import Any

Record = Callable[[str, object], None]
FIGURE = "figure"


def figure_lines(reports: list[Any]) -> list[str]:
    """From the reports of all workers. Of one test the last word counts."""
    told: dict[tuple[str, int], str] = {}
    for report in reports:
        figures = [value for name, value in getattr(report, "user_properties", ()) if name == FIGURE]
        told |= {(report.nodeid, number): str(value) for number, value in enumerate(figures)}
    return list(told.values())
