"""What holds for a whole organization, how long it keeps things, and whose it is."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from core import clock
from core.db import Database
from core.errors import AppError, Conflict, Forbidden, Stale, Unprocessable
from core.ids import uuid7
from core.principal import Principal, system
from crm.bidi import workspace
from crm.bidi.workspace import Workspace, WorkspaceEdit
from crm.copilot.actions import forget_chats, start_chat
from crm.identity.members import get_colleague
from crm.identity.models import Role, member_principal
from crm.identity.queries import find_member_id
from crm.identity.transfer import transfer_organization
from crm.notifications.actions import forget_notifications
from events.ids import MemberId, OrganizationId, UserId
from tests.support.changes import changes_of
from tests.support.organizations import add_member


async def _edit(db: Database, person: Principal, version: int = 1, **fields: Any) -> Workspace:
    async with db.transaction(person, "test") as tx:
        return await workspace.update_workspace(tx, WorkspaceEdit(**fields), version=version)


async def test_settings_are_changed_together_and_on_record(
    database: Database, organization: Principal
) -> None:
    changed = await _edit(
        database,
        organization,
        name="  Lind   Sales ",
        time_zone="Europe/Berlin",
        working_hours={"mon": ["09:00", "18:00"]},
        holidays=[date(2026, 12, 26), date(2026, 12, 25), date(2026, 12, 25)],
    )

    assert (changed.name, changed.time_zone, changed.version) == ("Lind Sales", "Europe/Berlin", 2)
    assert changed.holidays == [date(2026, 12, 25), date(2026, 12, 26)]
    async with database.transaction(organization, "test") as tx:
        (kept,) = await changes_of(tx, organization.organization_id)
    assert kept.type == "organization.updated"
    assert kept.changes["name"] == ["Test", "Lind Sales"]
    assert kept.changes["time_zone"] == ["UTC", "Europe/Berlin"]


REFUSED = [
    ({"name": " "}, "name"),
    ({"locale": "de"}, "locale"),
    ({"time_zone": "Mars/Olympus"}, "time_zone"),
    ({"working_hours": {"mon": ["18:00", "09:00"]}}, "working_hours"),
    ({"holidays": [date(2026, 1, 1) + timedelta(days=n) for n in range(401)]}, "holidays"),
    ({"chats_kept_days": 0}, "chats_kept_days"),
    ({"notifications_kept_days": 3651}, "notifications_kept_days"),
]


@pytest.mark.parametrize(("fields", "field"), REFUSED)
async def test_what_cannot_be_is_refused_by_its_field(
    database: Database, organization: Principal, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(Unprocessable) as refused:
        await _edit(database, organization, **fields)

    assert refused.value.fields["field"] == field


async def test_an_older_version_changes_nothing(database: Database, organization: Principal) -> None:
    await _edit(database, organization, name="First")

    with pytest.raises(Stale):
        await _edit(database, organization, name="Second")


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.BIDI, Role.VIEWER])
async def test_only_administrators_change_settings(
    database: Database, organization: Principal, role: Role
) -> None:
    person = await add_member(database, organization, role)

    with pytest.raises(Forbidden):
        await _edit(database, person, name="Mine")


async def test_what_is_kept_for_days_only_is_looked_for_at_once(
    database: Database, organization: Principal
) -> None:
    await _edit(database, organization, chats_kept_days=30)

    async with database.transaction(organization, "test") as tx:
        due_at = await tx.value("SELECT due_at FROM due_work WHERE kind = 'organization.tidy'")
    assert due_at <= clock.now()


async def test_old_chats_are_forgotten_and_others_kept(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        old, fresh = await start_chat(tx, "Who?"), await start_chat(tx, "When?")
        await tx.execute("UPDATE copilot_questions SET status = 'stopped'")
        await tx.execute(
            "UPDATE copilot_chats SET asked_at = %(at)s WHERE id = %(id)s",
            at=datetime(2020, 1, 1, tzinfo=UTC),
            id=old.chat_id,
        )

        forgotten = await forget_chats(tx, clock.now() - timedelta(days=30))

        left = await tx.value("SELECT array_agg(id) FROM copilot_chats")
        assert await forget_notifications(tx, clock.now()) == 0
    assert (forgotten, left) == (1, [fresh.chat_id])


async def _heir(db: Database, owner: Principal, role: Role) -> MemberId:
    person = await add_member(db, owner, role)
    async with db.transaction(owner, "test") as tx:
        member_id = await find_member_id(tx, person.id)
    assert member_id is not None
    return member_id


async def _transfer(db: Database, person: Principal, heir: MemberId, name: str = "Test") -> None:
    async with db.transaction(person, "test") as tx:
        await transfer_organization(tx, heir, confirmed_name=name)


async def test_who_hands_an_organization_over_is_an_administrator(
    database: Database, organization: Principal
) -> None:
    heir = await _heir(database, organization, Role.SUPERVISOR)

    await _transfer(database, organization, heir)

    async with database.transaction(organization, "test") as tx:
        own_id = await find_member_id(tx, organization.id)
        assert own_id is not None
        roles = [(await get_colleague(tx, one)).role for one in (heir, own_id)]
    assert roles == [Role.OWNER, Role.ADMIN]


@pytest.mark.parametrize("name", ["", "test", "Test Two"])
async def test_it_is_confirmed_by_the_name(database: Database, organization: Principal, name: str) -> None:
    heir = await _heir(database, organization, Role.ADMIN)

    with pytest.raises(Unprocessable, match="name"):
        await _transfer(database, organization, heir, name)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.SUPERVISOR, Role.BIDI, Role.VIEWER])
async def test_nobody_but_an_owner_hands_it_over(
    database: Database, organization: Principal, role: Role
) -> None:
    heir = await _heir(database, organization, Role.VIEWER)
    other = await add_member(database, organization, role)

    with pytest.raises(Forbidden):
        await _transfer(database, other, heir)


HEIRS: list[tuple[Role | None, type[AppError]]] = [(Role.OWNER, Conflict), (None, Unprocessable)]


@pytest.mark.parametrize(("role", "refusal"), HEIRS)
async def test_it_goes_to_a_member_who_is_no_owner(
    database: Database, organization: Principal, role: Role | None, refusal: type[AppError]
) -> None:
    heir = await _heir(database, organization, role) if role else MemberId(uuid7())

    with pytest.raises(refusal):
        await _transfer(database, organization, heir)


async def test_the_product_itself_hands_nothing_over(database: Database, organization: Principal) -> None:
    heir = await _heir(database, organization, Role.ADMIN)

    with pytest.raises(Conflict):
        await _transfer(database, system(organization.organization_id), heir)


def test_an_administrator_does_not_hold_what_is_the_owners() -> None:
    admin = member_principal(UserId(uuid7()), OrganizationId(uuid7()), Role.ADMIN)

    assert not admin.may("organization:transfer")
    assert not admin.may("organization:delete")
