"""Lists of the API: pages that miss nothing and repeat nothing, and filters."""

import pytest

from core.db import Database
from core.principal import Principal
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from tests.api.conftest import Callers
from tests.support.callers import Caller
from tests.support.desk import Desk
from tests.support.world import World, make_world


async def _pages(api: Caller, path: str, limit: int) -> list[list[str]]:
    pages: list[list[str]] = []
    cursor: str | None = None
    while cursor or not pages:
        page = (await api.get(path, limit=limit, **({"cursor": cursor} if cursor else {}))).json()
        pages.append([item["id"] for item in page["items"]])
        cursor = page["next_cursor"]
    return pages


@pytest.fixture
async def busy(database: Database, organization: Principal) -> World:
    """Five people have written, one of them five times, and each has a draft."""
    world = await make_world(database, organization)
    for number in range(5):
        world.chat_id = f"{700000001 + number}"
        world.handles = (("telegram_id", world.chat_id),)
        await world.receive("Hello")
        await world.draft()
    for _ in range(4):
        await world.receive("Are you there?")
    return world


@pytest.mark.parametrize("path", ["/conversations", "/drafts", "/approvals", "/contacts"])
async def test_pages_hold_everything_once(api: Caller, busy: World, path: str) -> None:
    whole = (await _pages(api, path, 100))[0]

    pages = await _pages(api, path, 2)

    assert [len(page) for page in pages] == [2, 2, 1]
    assert [item for page in pages for item in page] == whole


async def test_messages_come_newest_first(api: Caller, busy: World) -> None:
    conversation = await busy.conversation()
    path = f"/conversations/{conversation.id}/messages"

    first = (await api.get(path, limit=2)).json()
    second = (await api.get(path, limit=2, cursor=first["next_cursor"])).json()

    assert [item["seq"] for item in first["items"] + second["items"]] == [5, 4, 3, 2]


async def test_conversations_are_filtered(api: Caller, desk: Desk) -> None:
    contact = desk.ids["contact_id"]

    found = {
        query: len((await api.get(f"/conversations?{query}")).json()["items"])
        for query in (
            "status=open",
            "status=resolved",
            "channel=telegram",
            "channel=email",
            f"contact_id={contact}",
            f"contact_id={desk.ids['draft_id']}",
            f"holder_id={desk.ids['bidi_id']}",
            "is_unread=true",
            "is_unread=false",
        )
    }

    assert list(found.values()) == [1, 0, 1, 0, 1, 0, 1, 1, 0]


@pytest.mark.parametrize(
    ("path", "hit", "miss"),
    [
        ("/drafts", "status=pending", "status=rejected"),
        ("/approvals", "kind=tool_call&status=open&is_snoozed=false", "is_snoozed=true"),
        ("/runs", "status=queued", "status=failed"),
    ],
)
async def test_other_lists_are_filtered(api: Caller, desk: Desk, path: str, hit: str, miss: str) -> None:
    found = [len((await api.get(f"{path}?{query}")).json()["items"]) for query in (hit, miss)]

    assert found == [1, 0]


async def test_contacts_are_found_by_what_is_known_of_them(
    api: Caller, database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        await create_contact(tx, NewContact("Вера Линд", handles=(("email", "Vera@Lind.example"),)))
        await create_contact(tx, NewContact("Tomas Ferreira", title="Procurement"))

    found = [(await api.get("/contacts", q=text)).json()["items"] for text in ("вера", "LIND.ex", "procure")]

    assert [[contact["name"] for contact in page] for page in found] == [
        ["Вера Линд"],
        ["Вера Линд"],
        ["Tomas Ferreira"],
    ]


@pytest.mark.parametrize("cursor", ["nonsense", "WyJ4IiwieSJd", "W10"])
@pytest.mark.parametrize("path", ["/conversations", "/drafts", "/approvals", "/runs", "/contacts"])
async def test_a_made_up_cursor_is_refused(api: Caller, path: str, cursor: str) -> None:
    answer = await api.get(path, cursor=cursor)

    assert answer.status_code == 422
    assert "cursor" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/conversations", "/drafts", "/approvals", "/contacts", "/api-keys"])
async def test_a_cursor_leads_on_in_its_own_list_only(
    api: Caller, busy: World, callers: Callers, other_organization: Principal, path: str
) -> None:
    if path == "/api-keys":
        await api.post(path, {"scopes": ["contacts:read"]})
    cursor = (await api.get(path, limit=1)).json()["next_cursor"]
    neighbour = await callers.of(other_organization)

    goes_on = await api.get(path, limit=2, cursor=cursor)
    refused = [
        await neighbour.get(path, limit=1, cursor=cursor),
        await api.get(path, limit=1, cursor=cursor, status="open"),
        await api.get("/runs", cursor=cursor),
    ]

    assert goes_on.status_code == 200
    assert [answer.status_code for answer in refused] == [422, 422, 422]
    assert {answer.json()["field"] for answer in refused if "field" in answer.json()} == {"cursor"}
