"""The closing line of the harness, printed at the end of the whole test run."""

from collections import Counter
from collections.abc import Callable
from typing import Any

Record = Callable[[str, object], None]
PROBES, PLANTED = "isolation probes", "isolation planted"


def closing_line(reports: list[Any]) -> str | None:
    """What the probes and the planted leaks came to, from the reports of all workers; None when none ran."""
    counts: Counter[str] = Counter()
    planted: list[bool] = []
    for report in reports:
        for name, value in getattr(report, "user_properties", ()):
            if name == PROBES:
                counts.update(value)
            elif name == PLANTED:
                planted.append(bool(value))
    if not counts and not planted:
        return None
    leaks = counts.pop("leaks", 0)
    kinds = ", ".join(f"{kind} {count:,}" for kind, count in counts.items())
    probed = f"{counts.total():,} probes ({kinds}), {leaks} leaks" if counts else "no probes"
    found = f"{sum(planted)} of {len(planted)} planted leaks found" if planted else "no leak was planted"
    return f"isolation: {probed}; {found}"
