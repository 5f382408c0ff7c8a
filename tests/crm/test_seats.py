"""Seats: who sits where, what an agent's seat may be told to do, and who may say so."""

from uuid import uuid4

import pytest

from core.db import Database
from core.errors import Conflict, Forbidden, Stale, Unprocessable
from core.principal import Principal
from crm.bidi import actions as seats
from crm.bidi.models import Autonomy, Bidi, BidiEdit, BidiKind, NewBidi
from crm.bidi.queries import get_bidi, list_seats
from crm.identity.models import Role, member_principal
from crm.runs import halting
from events.ids import OrganizationId, UserId
from tests.support.changes import changes_of
from tests.support.world import World, make_world


@pytest.fixture
async def world(database: Database, organization: Principal) -> World:
    return await make_world(database, organization)


async def change(world: World, edit: BidiEdit, *, version: int | None = None) -> Bidi:
    async with world.db.transaction(world.owner, "test") as tx:
        bidi = await get_bidi(tx, world.bidi_id)
        return await seats.update_bidi(tx, world.bidi_id, edit, version=version or bidi.version)


async def test_a_seat_is_changed_and_says_what_differs(world: World) -> None:
    edit = BidiEdit(
        languages=["ru"],
        capacity=5,
        working_hours={"mon": ["09:00", "18:00"]},
        account_ids=[world.account.id],
    )

    bidi = await change(world, edit)
    again = await change(world, edit)

    assert (bidi.languages, bidi.capacity, bidi.version) == (["ru"], 5, 2)
    assert bidi.account_ids == [world.account.id]
    assert again.version == 2
    async with world.db.transaction(world.owner, "test") as tx:
        changes = await changes_of(tx, world.bidi_id)
    assert [change.type for change in changes] == ["bidi.created", "bidi.updated"]


async def test_who_read_an_older_seat_is_told(world: World) -> None:
    await change(world, BidiEdit(name="Noor"))

    with pytest.raises(Stale):
        await change(world, BidiEdit(name="Mira"), version=1)


@pytest.mark.parametrize(
    ("edit", "field"),
    [
        (BidiEdit(name=" "), "name"),
        (BidiEdit(time_zone="Mars/Olympus"), "time_zone"),
        (BidiEdit(working_hours={"someday": ["09:00", "18:00"]}), "working_hours"),
        (BidiEdit(working_hours={"mon": ["18:00", "09:00"]}), "working_hours"),
        (BidiEdit(working_hours={"mon": ["nine", "six"]}), "working_hours"),
        (BidiEdit(working_hours={"mon": ["09:00"]}), "working_hours"),
        (BidiEdit(account_ids=[uuid4()]), "account_ids"),
        (BidiEdit(responsible_user_id=UserId(uuid4())), "responsible_user_id"),
    ],
)
async def test_what_no_seat_can_be_is_refused_by_name(world: World, edit: BidiEdit, field: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        await change(world, edit)

    assert refused.value.fields["field"] == field


async def test_an_agent_may_do_no_more_than_whoever_answers_for_it(world: World) -> None:
    async with world.db.transaction(world.owner, "test") as tx:
        await tx.execute("UPDATE members SET role = 'viewer'")

    with pytest.raises(Unprocessable, match="contacts:write"):
        await change(world, BidiEdit(scopes=["contacts:read", "contacts:write"]))

    assert (await change(world, BidiEdit(scopes=["contacts:read"]))).scopes == ["contacts:read"]


async def test_an_account_has_one_seat(world: World) -> None:
    await change(world, BidiEdit(account_ids=[world.account.id]))
    new = NewBidi(BidiKind.AI, "Noor", "inbox", responsible_user_id=UserId(world.owner.id))

    with pytest.raises(Unprocessable, match="another seat"):
        async with world.db.transaction(world.owner, "test") as tx:
            await seats.create_bidi(tx, new, BidiEdit(account_ids=[world.account.id]))


async def test_a_member_sits_on_one_seat_until_it_is_archived(world: World) -> None:
    new = NewBidi(BidiKind.INTERNAL, "Vera", user_id=UserId(world.owner.id))
    async with world.db.transaction(world.owner, "test") as tx:
        first = await seats.create_bidi(tx, new, BidiEdit())

    with pytest.raises(Conflict):
        async with world.db.transaction(world.owner, "test") as tx:
            await seats.create_bidi(tx, new, BidiEdit())

    async with world.db.transaction(world.owner, "test") as tx:
        await halting.archive_seat(tx, first.id)
        second = await seats.create_bidi(tx, new, BidiEdit())
        shown = await list_seats(tx, kind=BidiKind.INTERNAL)
    assert [seat.id for seat in shown.items] == [second.id]


@pytest.mark.parametrize(
    "new",
    [NewBidi(BidiKind.AI, "Noor"), NewBidi(BidiKind.EXTERNAL, "Partner"), NewBidi(BidiKind.AI, "X", "cook")],
)
async def test_a_seat_of_nobody_is_not_made(world: World, new: NewBidi) -> None:
    with pytest.raises(Unprocessable):
        async with world.db.transaction(world.owner, "test") as tx:
            await seats.create_bidi(tx, new, BidiEdit())


async def test_a_person_has_no_autonomy(world: World) -> None:
    new = NewBidi(BidiKind.INTERNAL, "Vera", user_id=UserId(world.owner.id))

    with pytest.raises(Unprocessable):
        async with world.db.transaction(world.owner, "test") as tx:
            await seats.create_bidi(tx, new, BidiEdit(autonomy=Autonomy.AUTOPILOT))


async def test_an_archived_seat_stays_as_it_was(world: World) -> None:
    async with world.db.transaction(world.owner, "test") as tx:
        await halting.archive_seat(tx, world.bidi_id)

    with pytest.raises(Conflict):
        await change(world, BidiEdit(name="Noor"))
    with pytest.raises(Conflict):
        async with world.db.transaction(world.owner, "test") as tx:
            await seats.resume_bidi(tx, world.bidi_id)


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.BIDI, Role.VIEWER])
async def test_only_who_manages_seats_stops_them(world: World, role: Role) -> None:
    other = member_principal(UserId(uuid4()), OrganizationId(world.owner.organization_id), role)

    for act in (halting.pause_agents, lambda tx: halting.pause_seat(tx, world.bidi_id)):
        with pytest.raises(Forbidden):
            async with world.db.transaction(other, "test") as tx:
                await act(tx)
