"""The tools over REST: the same registry, and a key that makes a call happen once."""

from typing import Any

from core.db import Database
from crm.bidi.actions import update_bidi
from crm.bidi.models import Autonomy, BidiEdit
from crm.bidi.queries import get_bidi_of_agent
from crm.identity.models import Role
from crm.runs.visits import AGENT
from tests.api.conftest import Callers
from tests.support.callers import Caller
from tests.support.desk import Desk
from tools import registry


async def test_the_list_is_the_registry_as_far_as_the_caller_reaches(
    api: Caller, callers: Callers, desk: Desk
) -> None:
    viewer = await callers.member(desk.world.owner, Role.VIEWER)

    mine = {tool["name"]: tool for tool in (await api.get("/tools")).json()}
    theirs = {tool["name"] for tool in (await viewer.get("/tools")).json()}

    assert mine.keys() == registry.BY_NAME.keys() - {"recall"}
    assert mine["find_deals"].items() <= registry.describe(registry.BY_NAME["find_deals"]).items()
    assert {registry.BY_NAME[name].risk for name in theirs} == {"read"}


async def test_a_key_makes_a_call_happen_once(api: Caller, desk: Desk, database: Database) -> None:
    await _call(api, "list_pipelines", {})
    await _let_it_write(database, desk)
    wanted = {"record_kind": "contact", "record_id": str(desk.ids["contact_id"]), "body": "Once"}

    first = await _call(api, "create_note", wanted, key="k-1")
    again = await _call(api, "create_note", wanted, key="k-1")
    notes = await _call(api, "list_notes", {"record_kind": "contact", "record_id": wanted["record_id"]})

    assert first["status"] == "done"
    assert again == first
    assert [note["body"] for note in notes["content"]["notes"]].count("Once") == 1


async def test_the_run_of_a_program_is_read_by_its_person_and_taken_back(
    api: Caller, callers: Callers, desk: Desk, database: Database
) -> None:
    await _call(api, "list_pipelines", {})
    await _let_it_write(database, desk)
    colleague = await callers.member(desk.world.owner, Role.VIEWER)
    wanted = {"contact_id": str(desk.ids["contact_id"]), "note": "From a program"}
    told = await _call(api, "update_contact", wanted)
    run = f"/runs/{told['run_id']}"

    steps = (await api.get(f"{run}/steps")).json()
    refused = await colleague.get(run)
    await api.post(f"{run}/cancellation")
    reverted = (await api.post(f"{run}/revert")).json()

    assert [call["tool"] for call in steps["tool_calls"]] == ["list_pipelines", "update_contact"]
    assert [change["type"] for change in steps["changes"] if change["subject_kind"] == "contact"] == [
        "contact.updated"
    ]
    assert refused.status_code == 403
    assert [(line["field"], line["fate"]) for line in reverted["lines"]] == [("note", "restored")]


async def _call(api: Caller, tool: str, arguments: dict[str, str], *, key: str = "") -> dict[str, Any]:
    headers = {"Idempotency-Key": key} if key else {}
    body = {"tool": tool, "arguments": arguments}
    answer = await api.client.post("/tool-calls", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def _let_it_write(database: Database, desk: Desk) -> None:
    """An administrator lets programs write what matters little without asking."""
    async with database.transaction(desk.world.owner, "test") as tx:
        seat = await get_bidi_of_agent(tx, AGENT)
        await update_bidi(tx, seat.id, BidiEdit(autonomy=Autonomy.ASSIST), version=seat.version)
