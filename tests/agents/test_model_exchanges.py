"""What was asked of models and what they answered is kept with their calls: as it was sent, bounded, for some days."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from agents.llm.endpoint import Endpoint
from agents.llm.openai_compatible import OpenAICompatible
from core import clock
from core.db import Database
from core.errors import NotFound
from core.principal import Principal
from crm.runs import model_exchanges
from crm.runs.model_calls import list_model_calls
from crm.runs.model_exchanges import (
    LONGEST_EXCHANGE,
    LONGEST_TEXT,
    ExchangeTurn,
    ModelExchange,
    RequestedCall,
    bounded,
)
from crm.runs.models import Run
from tests.support.office import Office
from tests.support.openai_peer import ModelPeer, running_model_peer
from tests.support.organizations import make_organization

QUESTION = "Could you introduce me to Tomas Ferreira?"


@pytest.fixture
async def peer() -> AsyncIterator[ModelPeer]:
    async with running_model_peer() as running:
        yield running


async def _said(office: Office, run: Run) -> list[ModelExchange | None]:
    async with office.db.transaction(office.owner, "test") as tx:
        calls = await list_model_calls(tx, run.id)
        return [await model_exchanges.find_model_exchange(tx, run.id, call.id) for call in calls]


async def test_what_a_model_was_sent_and_answered_stands_at_its_call(office: Office, peer: ModelPeer) -> None:
    office.model = OpenAICompatible(Endpoint("peer-large", peer.base_url))

    run = await office.answer(QUESTION)
    said = [one for one in await _said(office, run) if one is not None]

    triage, *_, last = said
    assert [turn.role for turn in triage.messages] == ["system", "user"]
    assert QUESTION in triage.messages[1].text
    assert '"decision"' in triage.answer.text
    asked = next(one for one in said if one.answer.requests)
    assert "find_introduction" in asked.tools
    assert asked.answer.requests[0].name == "find_introduction"
    assert "target_id" in asked.answer.requests[0].arguments
    assert [turn.role for turn in last.messages[-2:]] == ["assistant", "tool"]
    assert last.messages[-2].requests == asked.answer.requests
    assert "Tomas Ferreira" in last.messages[-1].text


async def test_a_small_model_is_kept_with_the_brief_words_that_it_got(
    office: Office, peer: ModelPeer
) -> None:
    endpoint = Endpoint("peer-small", peer.base_url, tool_choice="structured", is_small=True)
    office.model = OpenAICompatible(endpoint)

    run = await office.answer("What would 40 scanners cost?")
    small = (await _said(office, run))[0]
    office.model = OpenAICompatible(replace(endpoint, is_small=False))
    again = await office.answer("And 50 of them?")
    large = (await _said(office, again))[0]

    assert small is not None
    assert large is not None
    assert small.messages[0].text.startswith("You sort the messages")
    assert large.messages[0].text.startswith("You are Mira")


async def test_a_call_that_broke_keeps_what_had_come(office: Office, peer: ModelPeer) -> None:
    office.model = OpenAICompatible(Endpoint("peer-large", peer.base_url))
    await peer.fault("half")

    run = await office.answer("What would 40 scanners cost?")
    said = [one for one in await _said(office, run) if one is not None]

    assert said[0].messages == said[1].messages
    assert said[1].answer.text.startswith(said[0].answer.text)
    assert len(said[0].answer.text) < len(said[1].answer.text)


async def test_the_offline_templates_are_kept_like_any_model(office: Office) -> None:
    run = await office.answer("What would 40 scanners cost?")

    first, *_ = await _said(office, run)

    assert first is not None
    assert "What would 40 scanners cost?" in first.messages[1].text
    assert '"decision":"answer"' in first.answer.text


async def test_with_no_days_nothing_of_it_is_kept(office: Office) -> None:
    run_id = await office.ask("What would 40 scanners cost?")

    run = await office.work(run_id, office.settings.model_copy(update={"model_exchange_days": 0}))

    said = await _said(office, run)
    assert said
    assert set(said) == {None}


async def test_what_was_said_is_forgotten_after_its_days_and_the_account_stays(
    office: Office, database: Database
) -> None:
    run = await office.answer("What would 40 scanners cost?")
    keep = timedelta(days=office.settings.model_exchange_days)
    async with database.transaction(office.owner, "test") as tx:
        due_at = await tx.value(
            "SELECT due_at FROM due_work WHERE kind = %(kind)s", kind=model_exchanges.FORGET
        )
        early = await model_exchanges.forget_old_exchanges(tx, keep)

    with clock.frozen(due_at):
        async with database.transaction(office.owner, "test") as tx:
            forgotten = await model_exchanges.forget_old_exchanges(tx, keep)
            calls = await list_model_calls(tx, run.id)
            with pytest.raises(NotFound, match="no more"):
                await model_exchanges.get_model_exchange(tx, run.id, calls[0].id)

    assert (early, forgotten) == (0, len(calls))


async def test_another_organization_finds_nothing_of_it(office: Office, database: Database) -> None:
    run = await office.answer("What would 40 scanners cost?")
    stranger: Principal = await make_organization(database)
    async with database.transaction(office.owner, "test") as tx:
        calls = await list_model_calls(tx, run.id)

    async with database.transaction(stranger, "test") as tx:
        with pytest.raises(NotFound):
            await model_exchanges.find_model_exchange(tx, run.id, calls[0].id)
        assert await tx.value("SELECT count(*) FROM model_exchanges") == 0


def test_an_exchange_is_bounded_and_keeps_its_ends() -> None:
    middle = [ExchangeTurn("tool", f"{number}" * 30_000) for number in range(9)]
    long = ModelExchange(
        (ExchangeTurn("system", "You are Mira."), *middle),
        ("find_contacts",),
        ExchangeTurn("assistant", "", (RequestedCall("find_contacts", "x" * 99_000),)),
    )

    kept = bounded(long)

    turns = [*kept.messages, kept.answer]
    assert sum(len(turn.text) for turn in turns) + len(kept.answer.requests[0].arguments) <= LONGEST_EXCHANGE
    assert kept.messages[0] == long.messages[0]
    assert (kept.messages[-1].text, kept.messages[-1].left_out) == ("8" * LONGEST_TEXT, 30_000 - LONGEST_TEXT)
    assert (kept.messages[1].text, kept.messages[1].left_out) == ("", 30_000)
    assert kept.answer.left_out == 99_000 + len("find_contacts") - LONGEST_TEXT


def test_what_the_database_cannot_keep_is_replaced() -> None:
    kept = bounded(ModelExchange((), (), ExchangeTurn("assistant", "a\0b \ud800")))

    assert kept.answer.text == "a\N{REPLACEMENT CHARACTER}b ?"
