"""What is checkpointed comes back as itself, and nothing else can be brought in through a checkpoint."""

import os
import typing
from dataclasses import dataclass, fields
from datetime import UTC, datetime

import pytest
from langgraph.checkpoint.serde import _msgpack

from agents import checkpoints
from agents.copilot import state as copilot
from agents.inbox.state import CHECKPOINTED as OF_INBOX
from agents.inbox.state import Basis, DraftText, State, Stop
from core.ids import uuid7
from tools.guard import Mark

BASIS = Basis("deal", uuid7(), "40 scanners", "8,160 EUR", "It is €8,160.", datetime.now(UTC), "confirmed")
EXAMPLES = [
    Stop("tool_failure", "The model said nothing.", "Answer.", is_failure=True),
    BASIS,
    DraftText("It is €8,160.", "en", [BASIS], ["the discount"], True),
    Mark("new_link", "https://x.example", "x"),
    copilot.Call("1", "get_record", "{}"),
    copilot.Turn("", [copilot.Call("1", "get_record", "{}")]),
    copilot.Cited(1, "message", uuid7(), "Vera", "Hello", uuid7()),
]
CHECKPOINTED = (*OF_INBOX, *copilot.CHECKPOINTED)


@dataclass(frozen=True)
class Stranger:
    text: str


def test_strict_msgpack_is_on_before_langgraph_is_imported() -> None:
    assert os.environ["LANGGRAPH_STRICT_MSGPACK"] == "true"
    assert _msgpack.STRICT_MSGPACK_ENABLED


def test_every_state_class_has_an_example() -> None:
    assert {type(example) for example in EXAMPLES} == set(CHECKPOINTED)


@pytest.mark.parametrize("value", EXAMPLES, ids=lambda value: type(value).__name__)
def test_a_state_class_comes_back_as_itself(value: object) -> None:
    serde = checkpoints.serializer(CHECKPOINTED)

    again = serde.loads_typed(serde.dumps_typed(value))

    assert again == value
    assert type(again) is type(value)


def test_a_class_that_the_state_does_not_name_is_not_built() -> None:
    stranger = checkpoints.serializer([*CHECKPOINTED, Stranger])
    payload = stranger.dumps_typed(Stranger("x"))

    assert not isinstance(checkpoints.serializer(CHECKPOINTED).loads_typed(payload), Stranger)


def test_no_channel_is_untyped() -> None:
    hints = [*typing.get_type_hints(State).values(), *typing.get_type_hints(copilot.State).values()]
    types = [*hints, *(field.type for kind in CHECKPOINTED for field in fields(kind))]

    assert not [kind for kind in types if kind in (typing.Any, dict, object)]


def test_a_draft_takes_few_bytes() -> None:
    kind, payload = checkpoints.serializer(CHECKPOINTED).dumps_typed(EXAMPLES[2])

    assert kind == "msgpack"
    assert len(payload) < 2_000
