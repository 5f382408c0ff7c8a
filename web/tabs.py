"""Saved views as the tabs of a table: where each leads, which one is open, and how many rows it has now."""

from dataclasses import dataclass
from uuid import UUID

from core import jsons
from core.db import Tx
from core.errors import NotFound, Unprocessable
from core.sql import count_rows
from crm.records.lists import listing_of, read_filter
from crm.views.models import Layout, View
from crm.views.queries import get_view, list_views
from events.ids import ViewId
from web.i18n import Words
from web.tables import COUNTED, State, Table

# The tab of the whole list; without it an address with nothing in it opens the view that comes first.
ALL = "all"
MOST = 50


@dataclass(frozen=True)
class Tab:
    """`count` is empty until it is asked for."""

    view: View
    href: str
    is_current: bool
    count: str = ""


@dataclass(frozen=True)
class Tabs:
    """`is_changed` says that the open view is looked at otherwise than it was saved, `first` is what opens by itself."""

    all_href: str
    all_count: str
    items: list[Tab]
    current: Tab | None
    is_changed: bool
    first: str


async def load_tabs(
    tx: Tx, table: Table, state: State, first: str, words: Words, *, counted: bool = False
) -> Tabs:
    """The shared views and one's own."""
    page = await list_views(tx, table.kind, limit=MOST)
    items = []
    for view in page.items:
        if view.layout is Layout.TABLE:
            count = await _count(tx, view, words) if counted else ""
            items.append(Tab(view, href_of(table, view), str(view.id) == state.view, count))
    current = next((tab for tab in items if tab.is_current), None)
    total = (
        _words(await count_rows(tx, await listing_of(tx, table.kind), limit=COUNTED + 1), words)
        if counted
        else ""
    )
    return Tabs(
        State(table.path, view=ALL).href(),
        total,
        items,
        current,
        current is not None and _content(state) != _content(state_of(table, current.view)),
        first,
    )


async def _count(tx: Tx, view: View, words: Words) -> str:
    """How many rows a view has now; empty where its filter means nothing any more."""
    try:
        listing, kept = await read_filter(tx, view.record_kind, view.filter)
    except Unprocessable:
        return "?"
    return _words(await count_rows(tx, listing, kept, limit=COUNTED + 1), words)


def _words(count: int, words: Words) -> str:
    return words.number(min(count, COUNTED)) + ("+" if count > COUNTED else "")


def state_of(table: Table, view: View) -> State:
    """What the address of a table says when a view is open as it was saved."""
    kept = jsons.dumps(view.filter) if view.filter else ""
    return State(table.path, filter=kept, sort=view.sort, columns=",".join(view.columns), view=str(view.id))


def href_of(table: Table, view: View) -> str:
    return state_of(table, view).href()


def _content(state: State) -> tuple[object, str, str]:
    try:
        kept = jsons.loads(state.filter) if state.filter else {}
    except ValueError:
        kept = {}
    return kept, state.sort, state.columns


async def find_first(tx: Tx, table: Table, first: str) -> str:
    """Where a table opens by itself; empty when no view comes first, or it is gone."""
    try:
        view = await get_view(tx, ViewId(UUID(first)))
    except (ValueError, NotFound):
        return ""
    return href_of(table, view) if view.record_kind is table.kind and view.deleted_at is None else ""
