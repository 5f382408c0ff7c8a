"""The suites: each measures one thing that agents do."""

from collections.abc import Mapping

from core.errors import Unprocessable
from evals.suites import (
    backtest,
    conduct,
    confidentiality,
    copilot,
    decisions,
    drafts,
    handoff,
    talks,
    tools,
    triage,
)
from evals.suites.base import Suite

SUITES: Mapping[str, Suite] = {
    suite.name: suite
    for suite in (
        triage.SUITE,
        handoff.SUITE,
        confidentiality.SUITE,
        drafts.SUITE,
        tools.SUITE,
        copilot.SUITE,
        conduct.SUITE,
        talks.SUITE,
    )
}
# Suites without cases of their own: theirs are what an organization's people decided and wrote.
OF_PEOPLE: Mapping[str, Suite] = {suite.name: suite for suite in (decisions.SUITE, backtest.SUITE)}


def find_suite(name: str) -> Suite:
    """Raises: Unprocessable, naming those that there are."""
    if name not in SUITES and name not in OF_PEOPLE:
        raise Unprocessable(f"There is no suite {name!r}; there are: {', '.join(SUITES)}.")
    return SUITES.get(name) or OF_PEOPLE[name]
