"""Every model call of a run is a row, and the rows add up to what the provider itself counted."""

from collections.abc import AsyncIterator

import pytest

from agents.llm import openai_compatible
from agents.llm.endpoint import Endpoint
from agents.llm.openai_compatible import OpenAICompatible
from crm.runs.model_calls import CallTotals, ModelCall, list_model_calls, total_of_run
from crm.runs.models import Run, RunStatus
from tests.support.office import Office
from tests.support.openai_peer import ModelPeer, running_model_peer


@pytest.fixture
async def peer(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ModelPeer]:
    monkeypatch.setattr(openai_compatible, "_FIRST_WAIT_SECONDS", 0.02)
    async with running_model_peer() as running:
        yield running


@pytest.fixture
def modelled(office: Office, peer: ModelPeer) -> Office:
    """The office, asking the peer, which answers what the offline templates would."""
    office.model = OpenAICompatible(Endpoint("peer-large", peer.base_url, price_in_usd_micros=1_000_000))
    return office


async def _account(office: Office, run: Run) -> tuple[list[ModelCall], CallTotals]:
    async with office.db.transaction(office.owner, "test") as tx:
        return await list_model_calls(tx, run.id), await total_of_run(tx, run.id)


async def test_the_inbox_agent_works_over_the_protocol(modelled: Office) -> None:
    run = await modelled.answer("What would 40 scanners cost?")

    found = await modelled.draft()
    assert (run.status, run.model) == (RunStatus.SUCCEEDED, "peer-large at 127.0.0.1")
    assert found is not None
    assert "€17" in found[0].body


@pytest.mark.parametrize("mode", ["none", "429", "500", "half", "wrong_json", "unknown_tool", "empty"])
async def test_the_rows_of_a_run_equal_the_peers_count_to_the_token(
    modelled: Office, peer: ModelPeer, mode: str
) -> None:
    if mode != "none":
        await peer.fault(mode, retry_after=None)

    run = await modelled.answer("Could you introduce me to Tomas Ferreira?")
    theirs = await peer.usage()
    calls, total = await _account(modelled, run)

    assert (total.tokens_in, total.tokens_out) == (theirs["prompt_tokens"], theirs["completion_tokens"])
    assert (run.tokens_in, run.tokens_out) == (total.tokens_in, total.tokens_out)
    assert run.cost_usd_micros == total.cost_usd_micros == total.tokens_in
    assert len(calls) == theirs["calls"] + theirs["refused"]
    assert run.status is RunStatus.SUCCEEDED


async def test_a_run_that_a_model_fails_is_handed_to_a_person_and_counted(
    modelled: Office, peer: ModelPeer
) -> None:
    await peer.fault("wrong_json", count=9)

    run = await modelled.answer("What would 40 scanners cost?")
    theirs = await peer.usage()
    conversation = await modelled.conversation()
    _, total = await _account(modelled, run)

    assert run.outcome == "failed"
    assert conversation.handoff_reason == "tool_failure"
    assert total.tokens_in == theirs["prompt_tokens"] == run.tokens_in


async def test_a_run_that_goes_on_after_a_crash_counts_what_it_used_before(
    modelled: Office, peer: ModelPeer
) -> None:
    run_id = await modelled.ask("What would 40 scanners cost?")
    first = await modelled.work(run_id)
    async with modelled.db.transaction(modelled.owner, "test") as tx:
        await tx.execute(
            "UPDATE runs SET status = 'running', lease_until = now() - interval '1 s' WHERE id = %(id)s",
            id=run_id,
        )

    again = await modelled.work(run_id)
    theirs = await peer.usage()

    assert first.tokens_in > 0
    assert again.tokens_in == theirs["prompt_tokens"]
