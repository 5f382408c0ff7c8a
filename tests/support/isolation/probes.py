"""What a probe is, and how a row of them is run."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from itertools import groupby

from tests.support.isolation.theatre import Theatre


@dataclass(frozen=True)
class Probe:
    """One thing that the attacker tries; `ask` tells in words what it gave away, or nothing.

    `kind` is the door (sql, function, http, tool ...), `subject` what stands behind it (a table, a route, a tool).
    """

    kind: str
    subject: str
    name: str
    ask: Callable[[], Awaitable[list[str]]]


@dataclass(frozen=True)
class Finding:
    """A leak, and the probe that found it."""

    kind: str
    subject: str
    probe: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind} {self.subject} [{self.probe}]: {self.what}"


@dataclass
class Outcome:
    """What a row of probes came to."""

    counts: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.counts.total()

    @property
    def told(self) -> list[str]:
        """The findings in words."""
        return [str(finding) for finding in self.findings]


async def run(theatre: Theatre, probes: Iterable[Probe], *, until_found: bool = False) -> Outcome:
    """Ask every probe; after each subject nothing of the victim may have changed."""
    outcome = Outcome()
    await theatre.sweep()
    before = await theatre.victims_rows()
    for (kind, subject), group in groupby(probes, key=lambda probe: (probe.kind, probe.subject)):
        await theatre.revive()
        for probe in group:
            outcome.counts[kind] += 1
            outcome.findings += [Finding(kind, subject, probe.name, what) for what in await probe.ask()]
            if until_found and outcome.findings:
                return outcome
        after = await theatre.victims_rows()
        changed = [table for table in before if before[table] != after.get(table)]
        outcome.findings += [
            Finding(kind, subject, "afterwards", f"rows of the victim's {table} changed") for table in changed
        ]
        before = after
        if until_found and outcome.findings:
            return outcome
    return outcome
