"""The tools over MCP, as the official client calls them, in both eras of the protocol."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from api.mcp import KEY
from core.db import Database
from core.ids import uuid7
from core.principal import Principal
from crm.api_keys.actions import revoke_api_key
from crm.bidi.actions import pause_bidi
from crm.bidi.queries import get_bidi_of_agent
from crm.contacts.queries import get_contact
from crm.identity.models import Role
from crm.runs import visits
from crm.runs.queries import get_run
from crm.runs.tool_calls import list_tool_calls
from events.ids import ApprovalId, ContactId, RunId
from graph.postgres import PostgresGraph
from tests.api.conftest import Callers
from tests.support.callers import Caller
from tests.support.desk import Desk
from tools.dispatch import Dispatcher

Connect = Callable[[Caller], AbstractAsyncContextManager[Client]]


@pytest.fixture(params=["legacy", "2026-07-28"])
def connect(request: pytest.FixtureRequest, site: str) -> Connect:
    """Connects somebody's program, once with the handshake and once without."""

    @asynccontextmanager
    async def connected(caller: Caller) -> AsyncIterator[Client]:
        headers = {"Authorization": f"Bearer {caller.secret}"}
        async with httpx2.AsyncClient(headers=headers, timeout=20) as http:
            transport = streamable_http_client(f"{site}/mcp", http_client=http)
            async with Client(transport, mode=request.param) as client:
                yield client

    return connected


async def called(client: Client, name: str, **arguments: Any) -> dict[str, Any]:
    """What the structured half of an answer says; both halves say the same."""
    result = await client.call_tool(name, arguments)
    told = result.structured_content
    assert isinstance(told, dict)
    assert result.is_error == (told["status"] in ("failed", "refused"))
    return told


async def test_a_program_lists_what_its_person_may_call(
    connect: Connect, api: Caller, callers: Callers, desk: Desk
) -> None:
    viewer = await callers.member(desk.world.owner, Role.VIEWER)

    async with connect(api) as mine, connect(viewer) as theirs:
        all_tools = {tool.name: tool for tool in (await mine.list_tools()).tools}
        few = {tool.name for tool in (await theirs.list_tools()).tools}

    assert {"find_contacts", "update_contact", "draft_reply", "recall_anywhere"} <= all_tools.keys()
    assert "recall" not in all_tools
    assert "find_contacts" in few
    assert "update_contact" not in few
    listed = all_tools["find_contacts"]
    assert listed.annotations is not None
    assert listed.annotations.read_only_hint is True
    assert listed.input_schema["type"] == "object"


async def test_reading_is_done_at_once(connect: Connect, api: Caller, desk: Desk) -> None:
    async with connect(api) as client:
        told = await called(client, "get_contact", contact_id=str(desk.ids["contact_id"]))

    assert told["status"] == "done"
    assert told["content"]["contact"]["id"] == str(desk.ids["contact_id"])


async def test_writing_waits_on_a_card_and_is_done_as_the_seat(
    connect: Connect, api: Caller, desk: Desk, database: Database
) -> None:
    contact_id = ContactId(desk.ids["contact_id"])

    async with connect(api) as client:
        told = await called(client, "update_contact", contact_id=str(contact_id), note="Likes short mails")
    card = (await api.get(f"/approvals/{told['approval_id']}")).json()
    approved = await api.post(f"/approvals/{told['approval_id']}/approval", {"is_checked": True})
    carried = await Dispatcher(database, PostgresGraph(database)).carry_out(
        desk.world.owner, ApprovalId(told["approval_id"])
    )

    assert told["status"] == "asked"
    assert told["approval_url"].endswith(f"/approvals/{told['approval_id']}")
    assert told["approval_url"] in told["error"]
    assert card["status"] == "open"
    assert approved.status_code == 200
    assert carried is not None
    assert carried.is_done
    async with database.transaction(desk.world.owner, "test") as tx:
        assert (await get_contact(tx, contact_id)).note == "Likes short mails"


async def test_what_a_model_gets_wrong_it_is_told_how_to_mend(connect: Connect, api: Caller) -> None:
    async with connect(api) as client:
        unknown = await called(client, "find_contact")
        malformed = await called(client, "get_contact", contact_id="Dana", tone="warm")
        absent = await called(client, "get_contact", contact_id=str(uuid7()))

    assert unknown["code"] == "unknown_tool"
    assert "find_contacts" in unknown["error"]
    assert malformed["code"] == "malformed"
    assert malformed["may_retry"]
    assert "contact_id" in malformed["error"]
    assert "tone" in malformed["error"]
    assert absent["code"] == "not_found"


async def test_a_foreign_id_answers_as_one_that_does_not_exist(
    connect: Connect, api: Caller, other_organization: Principal, database: Database, callers: Callers
) -> None:
    stranger = await callers.of(other_organization)
    made = (await stranger.post("/contacts", {"name": "Somebody else's"})).json()

    async with connect(api) as client:
        foreign = await called(client, "get_contact", contact_id=made["id"])
        absent = await called(client, "get_contact", contact_id=str(uuid7()))

    assert foreign["code"] == absent["code"] == "not_found"
    assert foreign["error"] == absent["error"]


async def test_a_program_may_do_no_more_than_its_person(
    connect: Connect, callers: Callers, desk: Desk
) -> None:
    viewer = await callers.member(desk.world.owner, Role.VIEWER)

    async with connect(viewer) as client:
        told = await called(client, "update_contact", contact_id=str(desk.ids["contact_id"]), note="Mine")

    assert told["status"] == "refused"
    assert told["code"] == "forbidden"


async def test_a_reply_is_proposed_only_to_a_conversation_that_was_read(
    connect: Connect, api: Caller, desk: Desk
) -> None:
    conversation_id = str(desk.ids["conversation_id"])

    async with connect(api) as client:
        blind = await called(client, "draft_reply", conversation_id=conversation_id, body="Yes, on Monday.")
        await called(client, "read_conversation", conversation_id=conversation_id)
        told = await called(client, "draft_reply", conversation_id=conversation_id, body="Yes, on Monday.")

    assert "read_conversation" in blind["error"]
    assert told["status"] == "done"
    assert told["content"]["status"] == "pending"


async def test_calls_that_follow_each_other_are_one_run_and_silence_ends_it(
    connect: Connect, api: Caller, desk: Desk, database: Database
) -> None:
    async with connect(api) as client:
        first = await called(client, "list_pipelines")
        second = await called(client, "list_tasks")
    run_id = RunId(first["run_id"])
    async with database.transaction(desk.world.owner, "test") as tx:
        await visits.leave_if_silent(tx, run_id)
        still = await get_run(tx, run_id)
        await tx.execute(
            "UPDATE tool_calls SET started_at = started_at - interval '16 minutes' WHERE run_id = %(id)s",
            id=run_id,
        )
        await visits.leave_if_silent(tx, run_id)
        ended = await get_run(tx, run_id)
        calls = await list_tool_calls(tx, run_id)
    async with connect(api) as client:
        third = await called(client, "list_pipelines")

    assert second["run_id"] == first["run_id"]
    assert still.status == "running"
    assert (ended.status, ended.outcome, ended.steps) == ("succeeded", "left", 2)
    assert [call.tool for call in calls] == ["list_pipelines", "list_tasks"]
    assert all(call.is_tainted for call in calls)
    assert third["run_id"] != first["run_id"]


async def test_a_call_that_is_repeated_under_its_key_is_made_once(
    connect: Connect, api: Caller, desk: Desk
) -> None:
    conversation_id = str(desk.ids["conversation_id"])
    wanted = {"conversation_id": conversation_id, "body": "Yes, on Monday."}
    key: Any = {KEY: "k-1"}

    async with connect(api) as client:
        await called(client, "read_conversation", conversation_id=conversation_id)
        first = (await client.call_tool("draft_reply", wanted, meta=key)).structured_content
        again = (await client.call_tool("draft_reply", wanted, meta=key)).structured_content

    assert not first["is_replayed"]
    assert again == first | {"is_replayed": True}


async def test_a_key_that_was_revoked_ends_in_the_middle_of_a_talk(
    connect: Connect, api: Caller, desk: Desk, database: Database
) -> None:
    async with connect(api) as client:
        await called(client, "list_pipelines")
        async with database.transaction(desk.world.owner, "test") as tx:
            await revoke_api_key(tx, api.key.id)

        with pytest.raises((MCPError, httpx2.HTTPError)):
            await client.call_tool("list_pipelines", {})


async def test_a_paused_seat_does_nothing_for_programs(
    connect: Connect, api: Caller, desk: Desk, database: Database
) -> None:
    async with connect(api) as client:
        await called(client, "list_pipelines")
        async with database.transaction(desk.world.owner, "test") as tx:
            await pause_bidi(tx, (await get_bidi_of_agent(tx, visits.AGENT)).id)
        told = await called(client, "list_pipelines")

    assert told["status"] == "failed"
    assert "paused" in told["error"]


async def test_nobody_without_a_key_speaks(site: str, callers: Callers) -> None:
    stranger = await callers.stranger()
    hello = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}

    answer = await stranger.post(
        "/mcp", json=hello, headers={"Accept": "application/json, text/event-stream"}
    )

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_the_seat_of_programs_is_given_no_conversation(
    connect: Connect, api: Caller, desk: Desk, database: Database
) -> None:
    async with connect(api) as client:
        await called(client, "list_pipelines")
    async with database.transaction(desk.world.owner, "test") as tx:
        seat = await get_bidi_of_agent(tx, visits.AGENT)

    given = await api.post(desk.path("/conversations/{conversation_id}/agent"), {"bidi_id": str(seat.id)})
    asked = await api.post(desk.path("/conversations/{conversation_id}/runs"), {"bidi_id": str(seat.id)})

    assert (given.status_code, asked.status_code) == (422, 422)
