"""Autonomy is earned intent by intent, never given to who has not earned it, and taken back at once."""

import random
from time import monotonic

import pytest

from core.db import Database
from core.errors import Conflict, Forbidden
from core.principal import Principal
from crm.bidi.earned import LEAST_BOUND, LEAST_DECISIONS, Record, lower_bound
from crm.bidi.queries import get_bidi
from crm.drafts import earning
from crm.drafts.models import IncidentKind
from tests.support.earning import decide
from tests.support.world import World, make_world

TRIALS, MOST = 1000, 500


def first_promotion(share: float, seed: int) -> int | None:
    """After how many decisions of reviewers who accept this share an agent would be promoted, who look after each."""
    reviewers, accepted = random.Random(seed), 0
    for decided in range(1, MOST + 1):
        accepted += reviewers.random() < share
        if Record("price", decided, accepted).is_earned:
            return decided
    return None


def test_a_bad_agent_is_never_promoted() -> None:
    assert [seed for seed in range(TRIALS) if first_promotion(0.8, seed) is not None] == []


def test_a_good_agent_is_promoted_within_five_hundred_decisions() -> None:
    promoted = [seed for seed in range(TRIALS) if first_promotion(0.98, seed) is not None]

    assert len(promoted) >= 0.95 * TRIALS


@pytest.mark.parametrize(
    ("accepted", "decided", "bound"),
    # Source: Wilson's interval as R's binom::binom.wilson computes it
    [(0, 0, 0.0), (96, 100, 0.9016), (95, 100, 0.8882), (100, 100, 0.9630), (0, 10, 0.0)],
)
def test_the_bound_is_wilsons(accepted: int, decided: int, bound: float) -> None:
    assert lower_bound(accepted, decided) == pytest.approx(bound, abs=5e-5)


def test_few_decisions_earn_nothing_however_good_they_are() -> None:
    assert lower_bound(99, 99) > LEAST_BOUND
    assert not Record("price", LEAST_DECISIONS - 1, LEAST_DECISIONS - 1).is_earned


@pytest.fixture
async def world(database: Database, organization: Principal) -> World:
    made = await make_world(database, organization)
    await made.receive("What does it cost?")
    return made


async def promote(world: World, intent: str = "price") -> list[str]:
    async with world.db.transaction(world.owner, "test") as tx:
        return (await earning.promote_intent(tx, world.bidi_id, intent)).autopilot_intents


async def intents_of(world: World) -> list[str]:
    async with world.db.transaction(world.owner, "test") as tx:
        return (await get_bidi(tx, world.bidi_id)).autopilot_intents


async def test_what_is_earned_can_be_given(world: World) -> None:
    await decide(world, 100)

    assert await promote(world) == ["price"]


@pytest.mark.parametrize(("accepted", "rejected"), [(99, 0), (95, 5)])
async def test_what_is_not_earned_cannot(world: World, accepted: int, rejected: int) -> None:
    await decide(world, accepted)
    if rejected:
        await decide(world, rejected, accepted=False)

    with pytest.raises(Conflict, match="not earned"):
        await promote(world)


async def test_one_intent_earns_nothing_for_another(world: World) -> None:
    await decide(world, 100)

    with pytest.raises(Conflict):
        await promote(world, "demo")


async def test_one_incident_takes_it_back_at_once_and_the_count_begins_anew(world: World) -> None:
    last = await decide(world, 100)
    await promote(world)

    began = monotonic()
    async with world.db.transaction(world.owner, "test") as tx:
        await earning.note_incident(tx, last, IncidentKind.COMPLAINED)
    took = monotonic() - began

    assert took <= 2
    assert await intents_of(world) == []
    with pytest.raises(Conflict):
        await promote(world)
    await decide(world, 100)
    assert await promote(world) == ["price"]


async def test_a_draft_that_nobody_approved_is_no_incident(world: World) -> None:
    draft = await world.draft()

    with pytest.raises(Conflict, match="never sent"):
        async with world.db.transaction(world.owner, "test") as tx:
            await earning.note_incident(tx, draft.id, IncidentKind.RECALLED)


@pytest.mark.parametrize(("accepted", "decided"), [(0, 0), (60, 60), (90, 100), (500, 1000), (99, 100)])
def test_what_is_still_to_go_is_the_least_that_earns_it(accepted: int, decided: int) -> None:
    more = Record("price", decided, accepted).to_go

    assert Record("price", decided + more, accepted + more).is_earned
    assert more == 0 or not Record("price", decided + more - 1, accepted + more - 1).is_earned


async def test_a_seat_does_not_promote_itself(world: World) -> None:
    await decide(world, 100)
    async with world.db.transaction(world.owner, "test") as tx:
        seat = (await get_bidi(tx, world.bidi_id)).principal()

    with pytest.raises(Forbidden):
        async with world.db.transaction(seat, "test") as tx:
            await earning.promote_intent(tx, world.bidi_id, "price")
