"""Throw-away organizations: the real runtime works in them, time stands still, and nothing leaves."""

import pytest

from agents.inbox.contract import Case
from agents.llm.base import ModelReply, ModelRequest
from agents.llm.offline.model import OfflineModel
from core import clock
from core.db import Database
from core.settings import Settings
from crm.conversations.models import MessageStatus
from evals.arena import Arena
from evals.scene import NOW, Acquaintance, DealAtHand, Paper, Person, Said, Scene, Statement

PRICE = Statement(
    predicate="price", text="25 to 99 scanners cost €17 each a month, paid yearly", source="Price list"
)


@pytest.fixture
def arena(database: Database, settings: Settings) -> Arena:
    return Arena(database, settings)


async def test_a_room_is_answered_in_by_the_real_runtime(arena: Arena) -> None:
    room = await arena.make_room(Scene(contact=Person(company="Lind Logistics"), facts=(PRICE,)))

    with room.clock():
        run_id = await room.hear("Hello", "What do 40 scanners cost?")
        assert run_id is not None
        run = await arena.work(room, run_id, OfflineModel())
        played = await room.read_back(run_id)

    assert run.outcome == "drafted"
    assert played.draft is not None
    assert "€17" in played.draft.body
    assert played.approval is not None
    assert [call.tool for call in played.calls] == ["brief_contact", "recall", "draft_reply"]


class _Listening(OfflineModel):
    """The offline model, with an ear for what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[ModelRequest] = []

    async def complete(self, request: ModelRequest) -> ModelReply:
        self.heard.append(request)
        return await super().complete(request)


async def test_time_stands_still_in_a_room(arena: Arena) -> None:
    room, model = await arena.make_room(Scene()), _Listening()

    with room.clock():
        run_id = await room.hear("Could we have a demo on Thursday?")
        assert run_id is not None
        await arena.work(room, run_id, model)
        played = await room.read_back(run_id)

    shown = [Case.model_validate_json(request.messages[1].text) for request in model.heard]
    assert {case.now for case in shown} == {NOW}
    assert {message.occurred_at for message in played.messages} == {NOW}
    assert clock.now() > NOW


async def test_what_is_approved_in_a_room_is_written_down_and_leaves_nowhere(
    arena: Arena, database: Database
) -> None:
    room = await arena.make_room(Scene(facts=(PRICE,)))

    with room.clock():
        run_id = await room.hear("What do 40 scanners cost?")
        assert run_id is not None
        await arena.work(room, run_id, OfflineModel())
        approved = await room.approve()
        played = await room.read_back(run_id)

    assert approved is not None
    assert [message.body for message in played.messages][1:] == [approved.body]
    assert played.messages[-1].status is MessageStatus.QUEUED
    assert await room.approve() is None
    async with database.transaction(room.owner, "test") as tx:
        assert await tx.value("SELECT count(*) FROM due_work WHERE kind = 'channel.listen'") == 0


async def test_who_asks_us_to_stop_is_heard_before_any_agent(arena: Arena) -> None:
    room = await arena.make_room(Scene())

    with room.clock():
        run_id = await room.hear("stop")
        played = await room.read_back()

    assert run_id is None
    assert played.handoff_reason == "customer_request"


async def test_a_scene_is_there_when_the_contact_writes(arena: Arena) -> None:
    scene = Scene(
        contact=Person(company="Lind Logistics"),
        deals=(DealAtHand(name="40 scanners", amount_minor=816000),),
        notes=("Prefers short mails",),
        tasks=("Send the price list",),
        documents=(Paper(name="FAQ.md", text="# Delivery\n\nScanners arrive within five days."),),
        acquaintances=(Acquaintance(name="Tomas Ferreira"),),
        history=(Said(by="contact", text="Hi"), Said(by="us", text="Hello Vera", minutes_ago=1400)),
    )

    room = await arena.make_room(scene)

    with room.clock():
        await room.hear("When do the scanners arrive?")
        played = await room.read_back()
    assert set(room.ids) == {"company", "contact", "deal", "note", "task", "document", "acquaintance"}
    assert [message.body for message in played.messages][:2] == ["Hi", "Hello Vera"]


async def test_two_rooms_know_nothing_of_each_other(arena: Arena) -> None:
    rooms = [await arena.make_room(Scene(facts=(PRICE,))) for _ in range(2)]

    with rooms[0].clock():
        await rooms[0].hear("What do 40 scanners cost?")

    with pytest.raises(LookupError):
        await rooms[1].conversation()
