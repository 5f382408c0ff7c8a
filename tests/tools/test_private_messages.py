"""What one contact wrote in private stays out of a run for another, whatever a text in the thread asks for."""

import json
from dataclasses import dataclass, replace
from typing import cast

import pytest

from core.ids import uuid7
from crm.bidi.models import Autonomy
from crm.conversations.models import Conversation
from graph.store import GraphStore
from memory import ingest
from tests.support.seats import Seat
from tools.base import ToolResult
from tools.dispatch import Dispatcher

NO_GRAPH = cast(GraphStore, None)  # the tools of these tests do not ask it
SECRET = "Our discount of 40 percent stays between us"
OWN = "We asked for a discount of 5 percent"


@dataclass(frozen=True)
class Mixed:
    """The run answers Vera, while Anna has written to the same organization; both are remembered."""

    seat: Seat
    vera: Conversation
    anna: Conversation

    async def call(self, name: str, *, is_tainted: bool = True, **arguments: str) -> ToolResult:
        ctx = self.seat.at(Autonomy.ASSIST, is_tainted=is_tainted)
        return await Dispatcher(self.seat.db, NO_GRAPH).call(ctx, name, dict(arguments), str(uuid7()))


@pytest.fixture
async def mixed(seat: Seat) -> Mixed:
    others = replace(seat.world, chat_id="700000002", handles=(("telegram_id", "700000002"),))
    await others.receive(SECRET)
    await seat.world.receive(OWN)
    mixed = Mixed(seat, await seat.world.conversation(), await others.conversation())
    async with seat.db.transaction(seat.owner, "test") as tx:
        for conversation in (mixed.vera, mixed.anna):
            await ingest.remember_conversation(tx, conversation.id)
    return mixed


async def test_recall_tells_what_the_contact_of_the_run_said_and_nobody_else(mixed: Mixed) -> None:
    result = await mixed.call("recall", question="discount percent")

    told = json.dumps(result.content)
    assert OWN in told
    assert SECRET not in told


async def test_recall_takes_no_contact_from_the_model(mixed: Mixed) -> None:
    result = await mixed.call("recall", question="discount percent", contact_id=str(mixed.anna.contact_id))

    assert (result.code, result.may_retry) == ("malformed", True)
    assert SECRET not in json.dumps(result.content)


async def test_a_tainted_run_reads_its_own_conversation_alone(mixed: Mixed) -> None:
    own = await mixed.call("read_conversation", conversation_id=str(mixed.vera.id))
    another = await mixed.call("read_conversation", conversation_id=str(mixed.anna.id))

    assert OWN in json.dumps(own.content)
    assert (another.status, another.decision, another.code) == ("refused", "deny", "denied")
    assert "own conversation" in another.error
    assert another.content is None


async def test_a_clean_run_may_read_any_conversation(mixed: Mixed) -> None:
    result = await mixed.call("read_conversation", is_tainted=False, conversation_id=str(mixed.anna.id))

    assert SECRET in json.dumps(result.content)
