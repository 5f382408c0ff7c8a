"""The suites: each measures one thing that agents do."""

from collections.abc import Mapping

from core.errors import Unprocessable
from evals.suites import confidentiality, drafts, handoff, triage
from evals.suites.base import Suite

SUITES: Mapping[str, Suite] = {
    suite.name: suite for suite in (triage.SUITE, handoff.SUITE, confidentiality.SUITE, drafts.SUITE)
}


def find_suite(name: str) -> Suite:
    """Raises: Unprocessable, naming those that there are."""
    if name not in SUITES:
        raise Unprocessable(f"There is no suite {name!r}; there are: {', '.join(SUITES)}.")
    return SUITES[name]
