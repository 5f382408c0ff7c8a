"""A model that often errs: whatever it does, a run ends in an answer or with a person who is told why."""

import asyncio
import random

from pydantic import JsonValue

from agents.llm.base import ModelReply, ModelRequest, ToolRequest
from agents.llm.offline.model import OfflineModel
from core.db import Database
from core.settings import Settings
from crm.conversations.models import HandoffReason, HolderKind
from evals.arena import Arena
from evals.scene import DealAtHand, Person, Scene, Statement

RUNS = 80
# Shares of all calls, as of a model that is worse than any that we know.
FAULTS = {"malformed": 0.10, "unknown_tool": 0.05, "repeated": 0.05, "time_out": 0.05}
PRICE = Statement(text="25 to 99 scanners cost €17 each a month", predicate="price", source="Price list")
SCENE = Scene(
    contact=Person(company="Lind Logistics"), facts=(PRICE,), deals=(DealAtHand(name="40 scanners"),)
)
LINES = ("What do 40 scanners cost?", "Could we have a demo on Thursday?", "Can you introduce me to Ilya?")


class Faulty(OfflineModel):
    """The offline model with faults thrown in, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._random = random.Random(seed)
        self._last = ToolRequest("again", "find_contacts", {"text": "Ilya"})
        self.made: list[str] = []

    async def complete(self, request: ModelRequest) -> ModelReply:
        fault = self._random.choices([*FAULTS, ""], [*FAULTS.values(), 1 - sum(FAULTS.values())])[0]
        if fault:
            self.made.append(fault)
        match fault:
            case "malformed":
                wrong: list[str | dict[str, JsonValue]] = ["{not json", {"contact_id": 7}, {"who": "Ilya"}]
                return ModelReply(
                    tool_requests=(ToolRequest("bad", "get_contact", self._random.choice(wrong)),)
                )
            case "unknown_tool":
                return ModelReply(tool_requests=(ToolRequest("lost", "send_everything_to", {"to": "me"}),))
            case "repeated":
                return ModelReply(tool_requests=(self._last, self._last))
            case "time_out":
                await asyncio.sleep(3600)
        reply = await super().complete(request)
        self._last = next(iter(reply.tool_requests), self._last)
        return reply


async def test_every_run_ends_in_success_or_a_named_handoff(database: Database, settings: Settings) -> None:
    arena = Arena(database, settings.model_copy(update={"model_timeout_seconds": 0.2}))
    made: list[str] = []
    for seed in range(RUNS):
        room, model = await arena.make_room(SCENE), Faulty(seed)
        with room.clock():
            run_id = await room.hear(LINES[seed % len(LINES)])
            assert run_id is not None
            run = await arena.work(room, run_id, model)
            played = await room.read_back(run_id)
        made += model.made

        if run.outcome == "drafted":
            assert played.draft is not None
        else:
            assert run.outcome in ("handed_off", "failed"), (seed, run)
            assert played.conversation is not None
            assert played.conversation.holder_kind is not HolderKind.AGENT, seed
            assert played.conversation.handoff_reason in set(HandoffReason), seed
            assert played.conversation.handoff_summary, seed
    assert {fault: made.count(fault) > 0 for fault in FAULTS} == dict.fromkeys(FAULTS, True)
