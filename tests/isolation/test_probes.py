"""The promise: one organization never sees another. Every probe that can be enumerated, and none leaks."""

import pytest

from tests.support.isolation.harness import Harness
from tests.support.isolation.probes import Outcome, run
from tests.support.isolation.stores import interleave
from tests.support.isolation.summary import PROBES, Record
from tests.support.organizations import make_organization

# one worker builds the theatre once
pytestmark = pytest.mark.xdist_group("isolation")


async def test_no_probe_leaks(harness: Harness, record_property: Record) -> None:
    outcome = await _probe(harness, record_property, depth=1)

    assert outcome.told == []
    assert outcome.total >= 1000


@pytest.mark.full
async def test_no_probe_leaks_with_any_id(harness: Harness, record_property: Record) -> None:
    outcome = await _probe(harness, record_property, depth=4)

    assert outcome.told == []
    assert outcome.total >= 5000


async def test_pooled_connections_keep_no_tenant(harness: Harness) -> None:
    assert await _interleave(harness, 1_000) == []


@pytest.mark.full
async def test_pooled_connections_keep_no_tenant_for_long(harness: Harness) -> None:
    assert await _interleave(harness, 10_000) == []


async def _interleave(harness: Harness, requests: int) -> list[str]:
    """Twenty organizations over the four connections of one pool."""
    owners = [await make_organization(harness.theatre.db, name=f"Crowd {n}") for n in range(20)]
    return await interleave(harness.theatre.db, owners, requests=requests, seed=requests)


async def _probe(harness: Harness, record_property: Record, depth: int) -> Outcome:
    await harness.warm_up()
    outcome = await run(harness.theatre, harness.probes(depth=depth))
    record_property(PROBES, {**outcome.counts, "leaks": len(outcome.findings)})
    return outcome
