"""The promise: one organization never sees another. Every probe that can be enumerated, and none leaks."""

import pytest

from tests.support.isolation.harness import Harness
from tests.support.isolation.probes import Outcome, run
from tests.support.isolation.summary import PROBES, Record


async def test_no_probe_leaks(harness: Harness, record_property: Record) -> None:
    outcome = await _probe(harness, record_property, depth=1)

    assert outcome.told == []
    assert outcome.total >= 1000


@pytest.mark.full
async def test_no_probe_leaks_with_any_id(harness: Harness, record_property: Record) -> None:
    outcome = await _probe(harness, record_property, depth=12)

    assert outcome.told == []
    assert outcome.total >= 5000


async def _probe(harness: Harness, record_property: Record, depth: int) -> Outcome:
    await harness.warm_up()
    outcome = await run(harness.theatre, harness.probes(depth=depth))
    record_property(PROBES, {**outcome.counts, "leaks": len(outcome.findings)})
    return outcome
