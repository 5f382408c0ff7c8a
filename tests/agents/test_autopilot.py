"""The inbox agent on autopilot: it answers what it may by itself, knowing no more than the contact may hear."""

import pytest
from pydantic import JsonValue

from crm.conversations.queries import list_messages
from tests.support.office import Office

THANKS = "Hello Vera, thank you for writing to us."


def _script(office: Office, intents: list[JsonValue], text: str = THANKS) -> None:
    triage: dict[str, JsonValue] = {"decision": "answer", "language": "en", "intents": intents}
    sentences: list[JsonValue] = [{"text": text, "evidence": []}]
    office.script(triage=[{"value": triage}], draft=[{"value": {"language": "en", "sentences": sentences}}])


@pytest.fixture
async def pilot(office: Office) -> Office:
    """The seat may answer greetings by itself."""
    async with office.db.transaction(office.owner, "test") as tx:
        await tx.execute(
            "UPDATE bidi SET autonomy = 'autopilot', autopilot_intents = '{greeting}' WHERE id = %(id)s",
            id=office.world.bidi_id,
        )
    return office


async def _sent(office: Office) -> list[str]:
    conversation = await office.world.conversation()
    async with office.db.transaction(office.owner, "test") as tx:
        messages = await list_messages(tx, conversation.id)
    return [message.body for message in messages if message.direction == "out"]


async def test_what_is_on_autopilot_is_answered_without_a_person(pilot: Office) -> None:
    _script(pilot, ["greeting"])

    run = await pilot.answer("Hi there, nice to meet you!")

    assert (run.outcome, await _sent(pilot)) == ("sent", [THANKS])
    assert {call.tool for call in await pilot.calls(run.id)} == {"recall", "send_reply"}


@pytest.mark.parametrize(
    ("intents", "text"),
    [(["greeting", "price"], THANKS), (["greeting"], "Hello Vera, it costs €3."), ([], THANKS)],
)
async def test_everything_else_waits_for_a_person(pilot: Office, intents: list[JsonValue], text: str) -> None:
    _script(pilot, intents, text)

    run = await pilot.answer("Hi there, nice to meet you!")

    assert (run.outcome, await _sent(pilot)) == ("drafted", [])
