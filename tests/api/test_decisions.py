"""Deciding about drafts over REST: versions, races, and what happens to the message."""

import asyncio
from datetime import timedelta

import pytest

from core import clock
from core.db import Database
from crm.conversations.queries import list_messages
from tests.support.callers import Caller
from tests.support.desk import Desk


async def _outgoing(database: Database, desk: Desk) -> list[str]:
    async with database.transaction(desk.world.owner, "test") as tx:
        messages = await list_messages(tx, (await desk.world.conversation()).id)
    return [message.status for message in messages if message.direction == "out"]


async def test_of_many_who_approve_at_once_one_succeeds(api: Caller, database: Database, desk: Desk) -> None:
    path = desk.path("/drafts/{draft_id}/approval")

    answers = await asyncio.gather(*(api.post(path, {"version": 1}) for _ in range(12)))

    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 11
    assert await _outgoing(database, desk) == ["queued"]


async def test_an_older_version_is_stale(api: Caller, database: Database, desk: Desk) -> None:
    path = desk.path("/drafts/{draft_id}")
    await api.call("PATCH", path, {"version": 1, "body": "It costs €16."})

    answer = await api.post(f"{path}/approval", {"version": 1})

    assert answer.status_code == 412
    assert answer.json()["type"] == "urn:getsale:problem:stale"
    assert await _outgoing(database, desk) == []


async def test_a_contact_that_was_changed_meanwhile_is_stale(api: Caller, desk: Desk) -> None:
    path = desk.path("/contacts/{contact_id}")

    answers = [await api.call("PATCH", path, {"version": 1, "title": title}) for title in ("CEO", "CFO")]

    assert [answer.status_code for answer in answers] == [200, 412]
    assert (await api.get(path)).json()["title"] == "CEO"


async def test_a_draft_can_be_approved_for_later_and_taken_back(
    api: Caller, database: Database, desk: Desk
) -> None:
    path = desk.path("/drafts/{draft_id}")
    later = (clock.now() + timedelta(hours=2)).isoformat()

    await api.post(f"{path}/approval", {"version": 1, "send_at": later})
    scheduled = await _outgoing(database, desk)
    back = (await api.post(f"{path}/cancellation")).json()

    assert (scheduled, await _outgoing(database, desk)) == (["queued"], ["cancelled"])
    assert back["status"] == "pending"
    assert (await api.get(desk.path("/approvals/{draft_approval_id}"))).json()["status"] == "open"


async def test_writing_oneself_puts_the_draft_aside(api: Caller, desk: Desk) -> None:
    await api.post(desk.path("/conversations/{conversation_id}/messages"), {"body": "I am here."})

    draft = (await api.get(desk.path("/drafts/{draft_id}"))).json()
    conversation = (await api.get(desk.path("/conversations/{conversation_id}"))).json()

    assert (draft["status"], draft["reason"]) == ("superseded", "a person answered")
    assert conversation["holder_id"] == str(api.person.id)


async def test_a_run_ends_when_a_person_stops_it(api: Caller, desk: Desk) -> None:
    path = desk.path("/runs/{run_id}/cancellation")

    first, second = await api.post(path), await api.post(path)

    assert (first.json()["status"], second.status_code) == ("cancelled", 409)


async def test_no_agent_is_asked_into_a_persons_conversation(api: Caller, desk: Desk) -> None:
    await api.post(desk.path("/conversations/{conversation_id}/holder"))

    answer = await api.post(desk.path("/conversations/{conversation_id}/runs"), {})

    assert answer.status_code == 409


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/drafts/{draft_id}/snooze", {"version": 1, "until": "2020-01-01T00:00:00Z"}, "until"),
        ("/conversations/{conversation_id}/messages", {"body": " \n "}, "body"),
        ("/contacts", {"name": "Vera", "company_id": "{draft_id}"}, "company_id"),
        ("/contacts", {"name": "  "}, "name"),
    ],
)
async def test_a_value_that_makes_no_sense_is_named(
    api: Caller, desk: Desk, path: str, body: dict[str, object], field: str
) -> None:
    filled = {name: desk.path(value) if isinstance(value, str) else value for name, value in body.items()}

    answer = await api.post(desk.path(path), filled)

    assert (answer.status_code, answer.json()["field"]) == (422, field)


@pytest.mark.parametrize(
    "body",
    [
        {"version": 1, "until": "tomorrow"},
        {"version": 1, "until": "2026-12-01T09:00:00"},
        {"version": 1, "until": "9999-12-31T23:59:59-12:00"},
        {"version": 0, "until": "2026-12-01T09:00:00Z"},
        {"version": "one", "until": "2026-12-01T09:00:00Z"},
        {"version": 1, "until": "2026-12-01T09:00:00Z", "recipient": "somebody else"},
        {},
        [],
        None,
    ],
)
async def test_a_malformed_body_names_its_fields(api: Caller, desk: Desk, body: object) -> None:
    answer = await api.post(desk.path("/drafts/{draft_id}/snooze"), body)

    assert answer.status_code == 422
    assert answer.json()["fields"]


async def test_a_handle_of_somebody_else_is_a_conflict(api: Caller, desk: Desk) -> None:
    handle = {"kind": "email", "value": "vera@lind.example"}
    await api.post(desk.path("/contacts/{contact_id}/handles"), handle)

    answer = await api.post("/contacts", {"name": "Not Vera", "handles": [handle]})

    assert answer.status_code == 409
    assert "Not Vera" not in [contact["name"] for contact in (await api.get("/contacts")).json()["items"]]


async def test_a_decision_that_comes_too_late_says_what_was_decided(api: Caller, desk: Desk) -> None:
    path = desk.path("/drafts/{draft_id}")
    await api.post(f"{path}/rejection", {"version": 1})

    problem = (await api.post(f"{path}/approval", {"version": 1})).json()

    assert (problem["status"], problem["state"]) == (409, "rejected")
