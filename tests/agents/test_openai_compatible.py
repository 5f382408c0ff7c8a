"""The OpenAI-compatible client over real HTTP: what it asks, what it makes of answers, and of everything that fails."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import pytest
from pydantic import BaseModel, JsonValue

from agents.llm import openai_compatible, wire
from agents.llm.base import ModelMessage, ModelReply, ModelRequest, ModelUnavailable, ToolRequest, ToolSpec
from agents.llm.endpoint import Endpoint
from agents.llm.exchange import Budget, Exchange, Limits, ModelFailed, ask
from agents.llm.fallback import WithFallback
from agents.llm.openai_compatible import OpenAICompatible
from core.addresses import Reach
from crm.runs.model_calls import CallOutcome, ModelCall, UsageFrom
from tests.support.openai_peer import ModelPeer, running_model_peer

GOOD: dict[str, Any] = {"value": {"word": "yes", "why": "Потому что мы так решили"}}
LOOK = ToolSpec(
    "find_contacts", "Find people.", {"type": "object", "properties": {"text": {"type": "string"}}}
)


class Word(BaseModel):
    word: str
    why: str = ""


@dataclass
class Asking:
    """One model at the peer, and everything that it recorded."""

    peer: ModelPeer
    model: OpenAICompatible
    calls: list[ModelCall] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    tools: tuple[ToolSpec, ...] = ()

    def request(self, seconds: float = 20) -> ModelRequest:
        turns = (ModelMessage("system", "Answer.", brief="Say it."), ModelMessage("user", "Есть ли скидка?"))
        return ModelRequest(
            "say",
            turns,
            Word.model_json_schema(),
            self.tools,
            seconds=seconds,
            record=self.calls.append,
            on_text=self.heard.append,
        )

    async def reply(self, seconds: float = 20) -> ModelReply:
        return await self.model.complete(self.request(seconds))

    async def word(self, seconds: float = 20) -> tuple[str, list[tuple[str, JsonValue]]]:
        """A whole exchange with its repair; the answer, and the tools that were called for it."""
        called: list[tuple[str, JsonValue]] = []

        async def call_tool(name: str, arguments: dict[str, JsonValue], key: str) -> str:
            called.append((name, arguments))
            return "[]"

        budget = Budget(Limits(20, 100_000, 1_000_000, 60, seconds))
        found = await ask(Exchange(self.model, budget, self.request(), call_tool), Word)
        assert budget.tokens_in + budget.tokens_out > 0
        return found.word, called

    @property
    def outcomes(self) -> list[str]:
        return [str(call.outcome) for call in self.calls]


@pytest.fixture
async def peer() -> AsyncIterator[ModelPeer]:
    async with running_model_peer() as running:
        yield running


@pytest.fixture
def asking(peer: ModelPeer, monkeypatch: pytest.MonkeyPatch) -> Asking:
    monkeypatch.setattr(openai_compatible, "_FIRST_WAIT_SECONDS", 0.02)
    endpoint = Endpoint(
        "peer-large",
        peer.base_url,
        "sk-test",
        price_in_usd_micros=2_500_000,
        price_out_usd_micros=10_000_000,
    )
    return Asking(peer, OpenAICompatible(endpoint))


def structured(asking: Asking, **more: Any) -> Asking:
    """The same peer, asked for tools by a schema."""
    endpoint = Endpoint("peer-small", asking.peer.base_url, tool_choice="structured", **more)
    return Asking(asking.peer, OpenAICompatible(endpoint), tools=asking.tools)


async def test_an_answer_is_streamed_and_put_together(asking: Asking) -> None:
    await asking.peer.answer(GOOD)

    reply = await asking.reply()

    assert Word.model_validate_json(reply.text).why == "Потому что мы так решили"
    assert "".join(asking.heard) == reply.text
    assert len(asking.heard) > 5
    assert asking.calls[0].first_token_ms is not None


async def test_the_answer_is_bound_to_the_strict_schema(asking: Asking) -> None:
    await asking.peer.answer(GOOD)

    await asking.reply()
    asked = (await asking.peer.requests())[0]

    bound = asked["response_format"]["json_schema"]
    assert (bound["strict"], bound["schema"]["required"]) == (True, ["word", "why"])
    assert bound["schema"]["additionalProperties"] is False
    assert asked["stream_options"] == {"include_usage": True}


async def test_tool_calls_that_arrive_in_pieces_are_put_together(asking: Asking) -> None:
    asking.tools = (LOOK,)
    wanted = [{"name": "find_contacts", "arguments": {"text": name}} for name in ("Вера Линд", "Tomas")]
    await asking.peer.answer({"tools": wanted})

    reply = await asking.reply()

    assert reply.tool_requests == (
        ToolRequest("call_0", "find_contacts", {"text": "Вера Линд"}),
        ToolRequest("call_1", "find_contacts", {"text": "Tomas"}),
    )


@pytest.mark.parametrize("is_structured", [False, True])
async def test_a_tool_round_goes_there_and_back(asking: Asking, is_structured: bool) -> None:
    asking.tools = (LOOK,)
    asked = structured(asking) if is_structured else asking
    await asked.peer.answer({"tools": [{"name": "find_contacts", "arguments": {"text": "Vera"}}]}, GOOD)

    word, called = await asked.word()
    second = (await asked.peer.requests())[1]

    assert (word, called) == ("yes", [("find_contacts", {"text": "Vera"})])
    assert ("tools" in second) != is_structured
    assert second["messages"][-1]["role"] == ("user" if is_structured else "tool")


async def test_a_structured_choice_lists_each_tool_beside_the_answer(asking: Asking) -> None:
    asking.tools = (LOOK,)
    asked = structured(asking)
    await asked.peer.answer(GOOD)

    await asked.reply()
    body = (await asked.peer.requests())[0]

    call, answer = body["response_format"]["json_schema"]["schema"]["oneOf"]
    assert call["properties"]["tool"] == {"const": "find_contacts"}
    assert call["required"] == ["tool", "args"]
    assert list(answer["properties"]) == ["word", "why"]
    assert "find_contacts(text): Find people." in body["messages"][0]["content"]


async def test_a_small_model_reads_the_brief_wording_and_is_kept_short(asking: Asking) -> None:
    asked = structured(asking, is_small=True, output_tokens=200)
    await asked.peer.answer(GOOD)

    await asked.reply()
    body = (await asked.peer.requests())[0]

    assert (body["messages"][0]["content"], body["max_tokens"], body["temperature"]) == ("Say it.", 200, 0)


# Everything that a badly-working model does: one repair puts it right.
@pytest.mark.parametrize("mode", ["empty", "wrong_json", "cut_short", "broken_tool_call", "unknown_tool"])
async def test_a_bad_answer_is_repaired(asking: Asking, mode: str) -> None:
    asking.tools = (LOOK,)
    await asking.peer.answer(GOOD, GOOD)
    await asking.peer.fault(mode)

    assert await asking.word() == ("yes", [])


@pytest.mark.parametrize("mode", ["empty", "wrong_json", "cut_short", "broken_tool_call", "unknown_tool"])
async def test_an_answer_that_stays_bad_ends_in_a_reason(asking: Asking, mode: str) -> None:
    asking.tools = (LOOK,)
    await asking.peer.answer(GOOD, GOOD)
    await asking.peer.fault(mode, count=2)

    with pytest.raises(ModelFailed):
        await asking.word()


@pytest.mark.parametrize(
    "text",
    [
        '<tools>\n{"name": "find_contacts", "arguments": {"text": "Vera"}}\n</tools>',
        '<tool_call>{"name": "find_contacts", "arguments": "{\\"text\\": \\"Vera\\"}"}',
        'I will look.\n```json\n{"tool": "find_contacts", "args": {"text": "Vera"}}\n```',
        '<think>{"name": "no"} hm</think>{"name": "find_contacts", "parameters": {"text": "Vera"}}',
    ],
)
async def test_a_call_that_a_model_wrote_as_text_is_a_call(asking: Asking, text: str) -> None:
    asking.tools = (LOOK,)
    await asking.peer.answer({"text": text}, GOOD)

    assert await asking.word() == ("yes", [("find_contacts", {"text": "Vera"})])


# Everything that a badly-working server does once: the second try succeeds.
@pytest.mark.parametrize(
    ("mode", "outcome"),
    [
        ("429", CallOutcome.LIMITED),
        ("500", CallOutcome.FAILED),
        ("drop", CallOutcome.FAILED),
        ("half", CallOutcome.BROKEN),
        ("unfinished", CallOutcome.BROKEN),
        ("garbage", CallOutcome.BROKEN),
        ("error_event", CallOutcome.BROKEN),
    ],
)
async def test_a_fault_that_passes_is_tried_again(asking: Asking, mode: str, outcome: CallOutcome) -> None:
    await asking.peer.answer(GOOD, GOOD)
    await asking.peer.fault(mode, retry_after=None)

    reply = await asking.reply()

    assert Word.model_validate_json(reply.text).word == "yes"
    assert asking.outcomes == [outcome, CallOutcome.ANSWERED]


async def test_retry_after_is_waited_for(asking: Asking) -> None:
    await asking.peer.answer(GOOD)
    await asking.peer.fault("429", retry_after=0.4)
    began = monotonic()

    await asking.reply()

    assert 0.4 <= monotonic() - began < 3


async def test_a_wait_that_is_longer_than_the_time_left_is_not_waited_for(asking: Asking) -> None:
    await asking.peer.fault("429", retry_after=30)
    began = monotonic()

    with pytest.raises(ModelUnavailable, match="429"):
        await asking.reply(seconds=5)

    assert monotonic() - began < 3


@pytest.mark.parametrize(("mode", "hint"), [("401", "key"), ("404", "model")])
async def test_a_refusal_is_not_tried_again_and_says_what_to_check(
    asking: Asking, mode: str, hint: str
) -> None:
    await asking.peer.fault(mode)

    with pytest.raises(ModelUnavailable, match=hint) as failed:
        await asking.reply()

    assert asking.outcomes == ["refused"]
    assert "sk-test" not in str(failed.value)


async def test_an_answer_without_end_is_stopped_and_named(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "MAX_CHARACTERS", 400)
    await asking.peer.answer({"text": "endless " * 200})

    with pytest.raises(ModelUnavailable, match="longer than 400 characters"):
        await asking.reply()

    assert asking.outcomes == [CallOutcome.BROKEN]
    assert len("".join(asking.heard)) <= 400
    assert asking.calls[0].usage_from is UsageFrom.ESTIMATE


async def test_arguments_without_end_are_stopped_and_named(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "MAX_CHARACTERS", 400)
    asking.tools = (LOOK,)
    await asking.peer.answer({"tools": [{"name": "find_contacts", "arguments": {"text": "a" * 2000}}]})

    with pytest.raises(ModelUnavailable, match="longer than 400 characters"):
        await asking.reply()


@pytest.mark.parametrize("mode", ["", "tools_as_text"])
async def test_more_calls_than_any_reply_needs_are_a_broken_answer(asking: Asking, mode: str) -> None:
    asking.tools = (LOOK,)
    calls = [{"name": "find_contacts", "arguments": {"text": str(n)}} for n in range(33)]
    await asking.peer.answer({"tools": calls})
    if mode:
        await asking.peer.fault(mode)

    with pytest.raises(ModelUnavailable, match="more than 32 tools"):
        await asking.reply()

    assert asking.outcomes == [CallOutcome.BROKEN]


async def test_an_answer_nested_without_end_is_text_that_is_no_call(asking: Asking) -> None:
    asking.tools = (LOOK,)
    await asking.peer.answer({"text": '{"a":' * 2000})

    reply = await asking.reply()

    assert reply.tool_requests == ()


async def test_a_server_without_schemas_gets_the_schema_in_words(asking: Asking) -> None:
    await asking.peer.answer(GOOD, GOOD)
    await asking.peer.fault("no_schemas", count=2)

    await asking.reply()
    again = await asking.reply()
    asked = await asking.peer.requests()

    assert Word.model_validate_json(again.text).word == "yes"
    assert [("response_format" in body) for body in asked] == [True, False, False]
    assert '"word"' in asked[1]["messages"][0]["content"]


async def test_a_server_that_stays_away_ends_in_a_reason(asking: Asking) -> None:
    await asking.peer.fault("500", count=9)

    with pytest.raises(ModelUnavailable, match="500"):
        await asking.reply()

    assert asking.outcomes == ["failed"] * openai_compatible.MAX_ATTEMPTS


@pytest.mark.parametrize("fault", [{"mode": "hang"}, {"mode": "stall"}, {"mode": "slow", "seconds": 30}])
async def test_a_model_that_says_nothing_more_is_left_when_its_time_is_up(
    asking: Asking, fault: dict[str, Any]
) -> None:
    await asking.peer.answer(GOOD)
    await asking.peer.fault(**fault)

    with pytest.raises(ModelFailed, match="no answer within"):
        await asking.word(seconds=0.5)


async def test_a_slow_first_token_in_time_is_waited_for(asking: Asking) -> None:
    await asking.peer.answer(GOOD)
    await asking.peer.fault("slow", seconds=0.3)

    await asking.reply()

    assert (asking.calls[0].first_token_ms or 0) >= 300


@pytest.mark.parametrize("mode", ["500", "401", "hang"])
async def test_the_fallback_answers_when_the_first_model_does_not(asking: Asking, mode: str) -> None:
    second = OpenAICompatible(Endpoint("peer-small", asking.peer.base_url))
    model = WithFallback(asking.model, second)
    await asking.peer.answer(*[GOOD] * 3)
    await asking.peer.fault(mode, count=openai_compatible.MAX_ATTEMPTS if mode == "500" else 1)

    first = await model.complete(asking.request(seconds=3))
    again = await model.complete(asking.request(seconds=3))
    models = [body["model"] for body in await asking.peer.requests()]

    assert Word.model_validate_json(first.text) == Word.model_validate_json(again.text)
    assert models[-2:] == ["peer-small", "peer-small"]
    assert model.label == "peer-small at 127.0.0.1, in place of peer-large at 127.0.0.1"


async def test_a_tenants_endpoint_does_not_lead_inside(peer: ModelPeer) -> None:
    model = OpenAICompatible(Endpoint("peer-large", peer.base_url, reach=Reach()))

    with pytest.raises(ModelUnavailable, match="GETSALE_INTERNAL_HOSTS"):
        await model.complete(Asking(peer, model).request())

    assert await peer.requests() == []


async def test_the_operators_organization_is_not_told_to_an_endpoint(
    peer: ModelPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-the-operator")

    model = OpenAICompatible(Endpoint("peer-large", peer.base_url))

    assert "org-of-the-operator" not in str(model._client.default_headers)


# -- accounting ---------------------------------------------------------------------------------------------------


async def _accounts(asking: Asking) -> tuple[tuple[int, int], tuple[int, int]]:
    """Tokens in and out: by our calls, and by the peer's own count."""
    counted = await asking.peer.usage()
    ours = sum(call.tokens_in for call in asking.calls), sum(call.tokens_out for call in asking.calls)
    return ours, (counted["prompt_tokens"], counted["completion_tokens"])


@pytest.mark.parametrize(
    "mode", ["none", "429", "500", "drop", "half", "unfinished", "garbage", "error_event"]
)
async def test_our_account_equals_the_peers_to_the_token(asking: Asking, mode: str) -> None:
    await asking.peer.answer(GOOD, GOOD)
    if mode != "none":
        await asking.peer.fault(mode, retry_after=None, tokens=7)

    await asking.reply()
    ours, theirs = await _accounts(asking)

    assert ours == theirs
    assert theirs[0] > 0


@pytest.mark.parametrize("is_structured", [False, True])
async def test_tool_rounds_and_repairs_are_counted_to_the_token(asking: Asking, is_structured: bool) -> None:
    asking.tools = (LOOK,)
    asked = structured(asking) if is_structured else asking
    await asked.peer.answer(
        {"tools": [{"name": "find_contacts", "arguments": {"text": "Vera"}}]}, {"text": "no idea"}, GOOD
    )
    budget = Budget(Limits(20, 100_000, 1_000_000, 60, 20))

    async def call_tool(name: str, arguments: dict[str, JsonValue], key: str) -> str:
        return "[]"

    await ask(Exchange(asked.model, budget, asked.request(), call_tool), Word)
    theirs = await asked.peer.usage()

    assert (budget.tokens_in, budget.tokens_out) == (theirs["prompt_tokens"], theirs["completion_tokens"])
    assert theirs["calls"] == 3


async def test_a_stream_that_we_leave_half_way_is_estimated_and_says_so(asking: Asking) -> None:
    await asking.peer.answer(GOOD)
    await asking.peer.fault("stall", tokens=6)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await asking.reply()
    (theirs,) = (await asking.peer.usage())["by_call"]

    (call,) = asking.calls
    assert (call.outcome, call.usage_from) == (CallOutcome.CUT_OFF, UsageFrom.ESTIMATE)
    assert call.tokens_out == theirs["completion_tokens"] == 6
    assert 0 < call.tokens_in <= theirs["prompt_tokens"]


async def test_a_report_that_never_came_is_estimated_and_says_so(asking: Asking) -> None:
    await asking.peer.answer(GOOD)
    await asking.peer.fault("no_usage")

    await asking.reply()
    theirs = await asking.peer.usage()

    (call,) = asking.calls
    assert (call.outcome, call.usage_from) == (CallOutcome.ANSWERED, UsageFrom.ESTIMATE)
    assert call.tokens_out == theirs["completion_tokens"]


async def test_calls_that_cost_the_provider_nothing_count_nothing(asking: Asking) -> None:
    await asking.peer.fault("500", count=3)

    with pytest.raises(ModelUnavailable):
        await asking.reply()

    assert {(call.usage_from, call.tokens_in, call.tokens_out) for call in asking.calls} == {("none", 0, 0)}
    assert (await asking.peer.usage())["calls"] == 0


async def test_a_call_costs_what_its_tokens_cost(asking: Asking) -> None:
    await asking.peer.answer(GOOD)

    await asking.reply()

    (call,) = asking.calls
    assert call.cost_usd_micros == round(call.tokens_in * 2.5 + call.tokens_out * 10)
