"""Two agents on autopilot that write to each other: both stop soon, and a person of each side is told why."""

import pytest

from agents.inbox import nodes
from core.db import Database
from core.principal import Principal
from core.settings import Settings
from crm.conversations.actions import compose_message, give_to_agent
from crm.conversations.models import MAX_ANSWERS_ALONE, Message
from crm.conversations.queries import list_messages
from crm.runs.models import Run
from tests.support.office import Office, make_office

# Neither copies the other, which would be noticed by itself.
REPLIES = ("Hello Vera, thank you for writing to us.", "Hello Vera, good to hear from you.")


@pytest.fixture
async def pair(
    database: Database, organization: Principal, other_organization: Principal, settings: Settings
) -> list[Office]:
    """Two organizations whose agents greet by themselves, as often a day as they like."""
    offices = [await make_office(database, owner, settings) for owner in (organization, other_organization)]
    for office, reply in zip(offices, REPLIES, strict=True):
        async with database.transaction(office.owner, "test") as tx:
            await tx.execute(
                """
                UPDATE bidi
                   SET autonomy = 'autopilot', autopilot_intents = '{greeting}', daily_cap = 10000
                 WHERE id = %(id)s
                """,
                id=office.world.bidi_id,
            )
        office.script(
            triage=[{"value": {"decision": "answer", "language": "en", "intents": ["greeting"]}}],
            draft=[{"value": {"language": "en", "sentences": [{"text": reply, "evidence": []}]}}],
        )
    return offices


async def test_they_stop_and_each_side_is_told(pair: list[Office]) -> None:
    runs = await _let_them_talk(pair, "Hello from the other machine!", at_most=100)

    assert len(runs) <= 2 * MAX_ANSWERS_ALONE + 1
    assert [run.outcome for run in runs[:-1]] == ["sent"] * (len(runs) - 1)
    assert runs[-1].outcome == "handed_off"
    stopped = await pair[(len(runs) - 1) % 2].conversation()
    assert stopped.handoff_reason == "usage_limit"
    assert f"{MAX_ANSWERS_ALONE} times in a row" in (await _summary(pair[(len(runs) - 1) % 2]))


async def test_what_comes_after_is_not_answered_either_until_a_person_writes(
    pair: list[Office], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodes, "MAX_ANSWERS_ALONE", 2)
    await _let_them_talk(pair, "Hello from the other machine!", at_most=100)
    ours = pair[0]
    sent = len(await _sent(ours))

    again = await ours.answer("Hello, are you there?")
    conversation = await ours.conversation()
    async with ours.db.transaction(ours.owner, "test") as tx:
        await compose_message(tx, conversation.id, body="This is Anna, a person.")
        await give_to_agent(tx, conversation.id, ours.world.bidi_id)
    after = await ours.answer("Hello, are you there?")

    assert again.outcome == "handed_off"
    assert after.outcome == "sent"
    assert len(await _sent(ours)) == sent + 2


async def _let_them_talk(pair: list[Office], words: str, *, at_most: int) -> list[Run]:
    """Whatever one sends, the other receives; every run of both, until one of them sends nothing."""
    runs: list[Run] = []
    while len(runs) < at_most:
        office = pair[len(runs) % 2]
        before = len(await _sent(office)) if len(runs) > 1 else 0
        runs.append(await office.answer(words))
        said = await _sent(office)
        if len(said) == before:
            return runs
        words = said[-1].body
    return runs


async def _sent(office: Office) -> list[Message]:
    conversation = await office.conversation()
    async with office.db.transaction(office.owner, "test") as tx:
        return [one for one in await list_messages(tx, conversation.id) if one.direction == "out"]


async def _summary(office: Office) -> str:
    conversation = await office.conversation()
    async with office.db.transaction(office.owner, "test") as tx:
        text = await tx.value(
            "SELECT handoff_summary FROM conversations WHERE id = %(id)s", id=conversation.id
        )
    return str(text)
