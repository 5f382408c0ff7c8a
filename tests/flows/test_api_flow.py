"""A program does what a person does: hears of a message by socket, reads the draft by REST, approves it."""

from itertools import count

from tests.support.callers import caller_of
from tests.support.sockets import logged_in
from tests.support.stage import Stage
from tests.support.watching import received

_chats = count(720000001)


async def test_a_program_hears_of_a_draft_and_approves_it(stage: Stage) -> None:
    chat_id = next(_chats)
    owner = stage.world.owner
    async with (
        caller_of(stage.fleet.base, stage.world.db, owner) as api,
        logged_in(stage.fleet.base, api) as line,
    ):
        await line.subscribe(f"organization:{owner.organization_id}")
        await stage.peer.send("Hello! Could we have a demo on Thursday?", chat_id=chat_id, name="Vera Lind")
        told = await line.hear("event")
        while told["name"] != "ai.draft.generated":
            told = await line.hear("event")
        page = await api.get("/drafts", status="pending", conversation_id=told["conversation_id"])
        draft = page.json()["items"][0]
        approved = await api.post(f"/drafts/{draft['id']}/approval", {"version": draft["version"]})
        while told["name"] != "message.sent":
            told = await line.hear("event")

    assert approved.json()["status"] == "approved"
    assert await received(stage, chat_id) == [draft["body"]]
