"""How many planted regressions were caught, told at the end of the whole test run."""

from collections.abc import Callable
from typing import Any

Record = Callable[[str, object], None]
PLANTED_REGRESSION = "planted regression"


def planted_line(reports: list[Any]) -> str | None:
    """From the reports of all workers; None when none was planted. Of one test the last word counts."""
    caught: dict[str, bool] = {}
    for report in reports:
        for name, value in getattr(report, "user_properties", ()):
            if name == PLANTED_REGRESSION:
                caught[report.nodeid] = bool(value)
    return f"planted regressions: {sum(caught.values())} of {len(caught)}" if caught else None
