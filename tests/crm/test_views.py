"""Saved views: how a list is looked at, one's own or shared."""

from uuid import uuid4

import pytest

from core.db import Database
from core.errors import NotFound, Stale, Unprocessable
from core.principal import Principal
from crm.identity.models import SCOPES, Role
from crm.views.actions import create_view, delete_view, restore_view, update_view
from crm.views.models import Layout, NewView, View, ViewEdit
from crm.views.queries import get_view, list_views
from events.ids import RecordKind


def _new(name: str = "Directors", **more: object) -> NewView:
    return NewView(RecordKind.CONTACT, name, **more)  # type: ignore[arg-type]


def _colleague(of: Principal) -> Principal:
    return Principal(of.kind, uuid4(), of.organization_id, scopes=SCOPES[Role.BIDI])


async def _names(db: Database, principal: Principal) -> list[str]:
    async with db.transaction(principal, "test") as tx:
        return [view.name for view in (await list_views(tx, RecordKind.CONTACT)).items]


async def _view(db: Database, owner: Principal, new: NewView) -> View:
    async with db.transaction(owner, "test") as tx:
        return await create_view(tx, new)


async def test_colleagues_see_what_is_shared_and_nothing_else(
    database: Database, organization: Principal
) -> None:
    own = await _view(database, organization, _new("Own"))
    await _view(database, organization, _new("Shared", is_shared=True))
    colleague = _colleague(organization)

    assert await _names(database, organization) == ["Own", "Shared"]
    assert await _names(database, colleague) == ["Shared"]
    async with database.transaction(colleague, "test") as tx:
        with pytest.raises(NotFound):
            await get_view(tx, own.id)
        with pytest.raises(NotFound):
            await delete_view(tx, own.id, version=own.version)


async def test_views_are_paged_in_the_order_of_their_places(
    database: Database, organization: Principal
) -> None:
    first = await _view(database, organization, _new("First"))
    await _view(database, organization, _new("Second"))
    async with database.transaction(organization, "test") as tx:
        await update_view(tx, first.id, ViewEdit(position=9), version=first.version)

        page = await list_views(tx, RecordKind.CONTACT, limit=1)
        following = await list_views(tx, RecordKind.CONTACT, limit=1, cursor=page.next_cursor)

    assert [view.name for view in (*page.items, *following.items)] == ["Second", "First"]
    assert following.next_cursor is None


async def test_a_removed_view_comes_back_as_it_was(database: Database, organization: Principal) -> None:
    kept = {"field": "name", "op": "contains", "value": "lind"}
    view = await _view(
        database, organization, _new(filter=kept, sort="-updated_at", columns=("name", "title"))
    )

    async with database.transaction(organization, "test") as tx:
        removed = await delete_view(tx, view.id, version=view.version)
        listed = (await list_views(tx)).items
        restored = await restore_view(tx, view.id)

    assert removed.deleted_at is not None
    assert listed == []
    assert (restored.filter, restored.sort, restored.columns) == (kept, "-updated_at", ["name", "title"])


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"filter": {"field": "shoe_size", "op": "empty"}}, "shoe_size"),
        ({"sort": "-shoe_size"}, "sort"),
        ({"columns": ("shoe_size",)}, "columns"),
        ({"columns": ("name", "name")}, "columns"),
        ({"layout": Layout.BOARD}, "layout"),
        ({"name": "  "}, "name"),
    ],
)
async def test_a_view_of_what_is_not_there_is_refused(
    database: Database, organization: Principal, more: dict[str, object], field: str
) -> None:
    with pytest.raises(Unprocessable) as refused:
        await _view(database, organization, _new(**{"name": "Directors", **more}))  # type: ignore[arg-type]

    assert refused.value.fields["field"] == field


async def test_a_lost_update_is_refused(database: Database, organization: Principal) -> None:
    view = await _view(database, organization, _new())

    async with database.transaction(organization, "test") as tx:
        await update_view(tx, view.id, ViewEdit(name="Buyers"), version=view.version)
        with pytest.raises(Stale, match="Buyers was changed"):
            await update_view(tx, view.id, ViewEdit(name="Sellers"), version=view.version)
