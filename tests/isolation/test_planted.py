"""The harness proves itself first: every planted leak is found by the ordinary probes, and undone."""

import pytest

from tests.support.isolation.faults import FAULTS, Fault
from tests.support.isolation.harness import Harness
from tests.support.isolation.probes import run
from tests.support.isolation.summary import PLANTED, Record

# one worker builds the theatre once
pytestmark = pytest.mark.xdist_group("isolation")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_it_is_found(harness: Harness, fault: Fault, record_property: Record) -> None:
    async with fault.plant(harness):
        await harness.warm_up()
        planted = await run(harness.theatre, harness.only(fault.kind, fault.subjects), until_found=True)
    clean = await run(harness.theatre, harness.only(fault.kind, fault.subjects))

    record_property(PLANTED, bool(planted.findings))
    assert planted.findings, f"{planted.total} probes did not find it"
    assert clean.told == []
