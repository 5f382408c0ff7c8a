"""What partners are owed: for the deals that are theirs, as amount and rate were when they were won."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.db import Database
from core.errors import Conflict, Unprocessable
from core.principal import Principal
from crm.bidi import partners
from crm.bidi.partners import basis_points_of, percent_of
from crm.commissions.actions import follow_deal, part_of
from crm.commissions.models import Commission, Total
from crm.commissions.queries import list_commissions, sum_commissions
from crm.deals.actions import create_deal, delete_deal, move_stage, update_deal
from crm.deals.models import Deal, DealEdit, NewDeal
from crm.deals.queries import get_deal
from crm.identity.models import Role
from crm.identity.queries import find_member_id
from crm.pipelines.actions import create_pipeline
from crm.pipelines.models import NewStage, Outcome, Stage
from crm.pipelines.queries import list_stages
from events.ids import BidiId, DealId, MemberId, UserId
from tests.support.organizations import add_member

STAGES = [
    NewStage("Proposal"),
    NewStage("Negotiation"),
    NewStage("Won", Outcome.WON),
    NewStage("Lost", Outcome.LOST),
]


@dataclass
class Scene:
    """An organization with a partner who gets ten per cent, and a deal of theirs."""

    db: Database
    owner: Principal
    partner: Principal
    bidi_id: BidiId
    member_id: MemberId
    stages: dict[str, Stage]

    async def deal(
        self, amount_minor: int = 99_995, *, owner: MemberId | None = None, currency: str = "EUR"
    ) -> Deal:
        async with self.db.transaction(self.owner, "test") as tx:
            new = NewDeal(
                "40 scanners",
                self.stages["Proposal"].id,
                amount_minor=amount_minor,
                currency=currency,
                owner_id=owner or self.member_id,
            )
            return await create_deal(tx, new)

    async def move(self, deal_id: DealId, stage: str) -> None:
        """Move it, and let what follows happen."""
        async with self.db.transaction(self.owner, "test") as tx:
            deal = await get_deal(tx, deal_id)
            await move_stage(tx, deal_id, self.stages[stage].id, version=deal.version)
        await self.follow(deal_id)

    async def follow(self, deal_id: DealId) -> None:
        async with self.db.transaction(self.owner, "test") as tx:
            await follow_deal(tx, deal_id)

    async def all(self, who: Principal | None = None) -> list[Commission]:
        async with self.db.transaction(who or self.owner, "test") as tx:
            return (await list_commissions(tx)).items

    async def totals(self, who: Principal | None = None) -> list[Total]:
        async with self.db.transaction(who or self.owner, "test") as tx:
            return await sum_commissions(tx)


async def _partner(db: Database, owner: Principal, basis_points: int) -> tuple[Principal, BidiId, MemberId]:
    person = await add_member(db, owner, Role.BIDI)
    async with db.transaction(owner, "test") as tx:
        bidi_id = await partners.seat_partner(tx, UserId(person.id), "Petra Partner", basis_points)
        member_id = await find_member_id(tx, person.id)
    assert member_id is not None
    return person, bidi_id, member_id


@pytest.fixture
async def scene(database: Database, organization: Principal) -> Scene:
    person, bidi_id, member_id = await _partner(database, organization, 1000)
    async with database.transaction(organization, "test") as tx:
        pipeline = await create_pipeline(tx, "Sales", STAGES)
        stages = {one.name: one for one in await list_stages(tx, pipeline.id)}
    return Scene(database, organization, person, bidi_id, member_id, stages)


async def test_a_partner_is_owed_a_part_of_a_deal_that_they_won(scene: Scene) -> None:
    deal = await scene.deal()

    await scene.move(deal.id, "Won")
    await scene.follow(deal.id)

    (owed,) = await scene.all()
    assert (owed.bidi_id, owed.deal_id, owed.basis_points) == (scene.bidi_id, deal.id, 1000)
    assert (owed.amount_minor, owed.commission_minor, owed.currency) == (99_995, 10_000, "EUR")
    assert await scene.totals() == [Total("EUR", 1, 99_995, 10_000)]


async def test_a_deal_of_a_colleague_or_of_nobody_owes_nothing(scene: Scene) -> None:
    async with scene.db.transaction(scene.owner, "test") as tx:
        own = await find_member_id(tx, scene.owner.id)
    deal = await scene.deal(owner=own)

    await scene.move(deal.id, "Won")

    assert await scene.all() == []


async def test_a_deal_that_stands_on_a_partners_seat_is_theirs_whoever_owns_it(scene: Scene) -> None:
    async with scene.db.transaction(scene.owner, "test") as tx:
        own = await find_member_id(tx, scene.owner.id)
        new = NewDeal(
            "Racks", scene.stages["Proposal"].id, amount_minor=500, owner_id=own, bidi_id=scene.bidi_id
        )
        deal = await create_deal(tx, new)

    await scene.move(deal.id, "Won")

    assert [one.commission_minor for one in await scene.all()] == [50]


async def test_what_was_owed_stays_when_rate_amount_and_owner_change_later(scene: Scene) -> None:
    deal = await scene.deal(1_000)
    await scene.move(deal.id, "Won")
    async with scene.db.transaction(scene.owner, "test") as tx:
        await partners.set_rate(tx, scene.bidi_id, 5000)
        version = (await get_deal(tx, deal.id)).version
        await update_deal(tx, deal.id, DealEdit(amount_minor=9_000_000, owner_id=None), version=version)

    await scene.follow(deal.id)

    assert [(one.amount_minor, one.commission_minor) for one in await scene.all()] == [(1_000, 100)]


@pytest.mark.parametrize("stage", ["Lost", "Negotiation"])
async def test_a_deal_that_is_lost_or_opened_again_takes_it_back(scene: Scene, stage: str) -> None:
    deal = await scene.deal(1_000)
    await scene.move(deal.id, "Won")

    await scene.move(deal.id, stage)

    (taken,) = await scene.all()
    assert taken.taken_back_at is not None
    assert await scene.totals() == []


async def test_a_deal_that_is_won_again_counts_anew_at_the_rate_of_then(scene: Scene) -> None:
    deal = await scene.deal(1_000)
    await scene.move(deal.id, "Won")
    await scene.move(deal.id, "Negotiation")
    async with scene.db.transaction(scene.owner, "test") as tx:
        await partners.set_rate(tx, scene.bidi_id, 2000)

    await scene.move(deal.id, "Won")

    assert await scene.totals() == [Total("EUR", 1, 1_000, 200)]
    assert len(await scene.all()) == 2


async def test_a_won_deal_in_the_trash_owes_nothing(scene: Scene) -> None:
    deal = await scene.deal(1_000)
    await scene.move(deal.id, "Won")
    async with scene.db.transaction(scene.owner, "test") as tx:
        await delete_deal(tx, deal.id)

    await scene.follow(deal.id)

    assert await scene.totals() == []


async def test_totals_are_by_currency(scene: Scene) -> None:
    for amount, currency in ((1_000, "EUR"), (3_000, "EUR"), (500, "USD")):
        deal = await scene.deal(amount, currency=currency)
        await scene.move(deal.id, "Won")

    assert await scene.totals() == [Total("EUR", 2, 4_000, 400), Total("USD", 1, 500, 50)]


async def test_a_partner_sees_their_own_and_others_nothing(scene: Scene) -> None:
    other, _, member_id = await _partner(scene.db, scene.owner, 500)
    viewer = await add_member(scene.db, scene.owner, Role.VIEWER)
    for owner in (scene.member_id, member_id):
        deal = await scene.deal(1_000, owner=owner)
        await scene.move(deal.id, "Won")

    assert len(await scene.all()) == 2
    assert [one.commission_minor for one in await scene.all(scene.partner)] == [100]
    assert [one.commission_minor for one in await scene.all(other)] == [50]
    assert await scene.totals(other) == [Total("EUR", 1, 1_000, 50)]
    assert (await scene.all(viewer), await scene.totals(viewer)) == ([], [])


async def test_pages_follow_each_other(scene: Scene) -> None:
    for amount in (100, 200, 300):
        deal = await scene.deal(amount)
        await scene.move(deal.id, "Won")

    async with scene.db.transaction(scene.owner, "test") as tx:
        first = await list_commissions(tx, limit=2)
        second = await list_commissions(tx, limit=2, cursor=first.next_cursor)

    assert [one.amount_minor for one in [*first.items, *second.items]] == [300, 200, 100]
    assert second.next_cursor is None


async def test_only_a_partner_has_a_rate(scene: Scene, database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        await tx.execute(
            "UPDATE bidi SET kind = 'internal', commission_basis_points = NULL WHERE id = %(id)s",
            id=scene.bidi_id,
        )
        with pytest.raises(Conflict):
            await partners.set_rate(tx, scene.bidi_id, 100)


async def test_earning_and_taking_back_are_on_record(scene: Scene) -> None:
    deal = await scene.deal(1_000)
    await scene.move(deal.id, "Won")
    await scene.move(deal.id, "Lost")

    async with scene.db.transaction(scene.owner, "test") as tx:
        kinds = await tx.value(
            "SELECT array_agg(type ORDER BY occurred_at) FROM events WHERE subject_kind = 'commission'"
        )
    assert kinds == ["commission.earned", "commission.taken_back"]


@pytest.mark.parametrize(("text", "points"), [("12.5", 1250), ("12,5 %", 1250), ("0", 0), ("100", 10_000)])
def test_a_rate_is_read_as_people_write_it(text: str, points: int) -> None:
    assert basis_points_of(text) == points


@pytest.mark.parametrize("text", ["", "ten", "-1", "100.01", "1.234", "NaN", "Infinity", "1e3"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(Unprocessable):
        basis_points_of(text)


@given(st.integers(0, 10_000))
def test_a_rate_that_is_shown_is_read_back(points: int) -> None:
    assert basis_points_of(percent_of(points)) == points


@given(st.integers(0, 2**60), st.integers(0, 10_000))
def test_a_part_is_never_off_by_more_than_half_a_cent(amount: int, points: int) -> None:
    assert abs(part_of(amount, points) * 10_000 - amount * points) <= 5_000
