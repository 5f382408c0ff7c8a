"""Asking a model: one repair, known tools, a time limit, a budget."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from pydantic import BaseModel, JsonValue

from agents.llm.base import ModelMessage, ModelRequest, ToolSpec
from agents.llm.exchange import Budget, BudgetExceeded, Exchange, Limits, ModelFailed, ask
from agents.llm.scripted import ScriptedModel, Turn, read_script
from core.errors import Unprocessable

GOOD: dict[str, JsonValue] = {"value": {"word": "yes"}}


class Word(BaseModel):
    word: str


class Asked:
    """An exchange with a script; `calls` are the tool calls that it led to."""

    def __init__(self, *turns: dict[str, JsonValue], **limits: float) -> None:
        self.calls: list[tuple[str, str]] = []
        script = {"say": [Turn.model_validate(turn) for turn in turns]}
        request = ModelRequest("say", (ModelMessage("user", "{}"),), {}, (ToolSpec("look", "Look.", {}),))
        self.budget = Budget(_limits(**limits))
        self.exchange = Exchange(ScriptedModel(script), self.budget, request, self._call)

    async def _call(self, name: str, arguments: dict[str, JsonValue], key: str) -> str:
        self.calls.append((name, key))
        return "seen"

    async def word(self) -> str:
        return (await ask(self.exchange, Word, lambda word: "say yes" if word.word != "yes" else "")).word


def _limits(
    steps: float = 10, tokens: float = 100, cost: float = 100, seconds: float = 5, model_seconds: float = 0.05
) -> Limits:
    return Limits(int(steps), int(tokens), int(cost), seconds, model_seconds)


async def test_a_good_answer_is_taken() -> None:
    assert await Asked(GOOD).word() == "yes"


async def test_an_answer_in_a_code_fence_is_taken() -> None:
    assert await Asked({"text": 'Sure!\n```json\n{"word": "yes"}\n```'}).word() == "yes"


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": "no idea"},
        {"text": ""},
        {"value": {"wrong": 1}},
        {"value": {"word": "no"}},
        {"tools": [{"name": "delete_everything"}]},
        {"tools": [{"name": "look", "arguments": "{broken"}]},
    ],
)
async def test_a_wrong_answer_is_repaired_once(wrong: dict[str, JsonValue]) -> None:
    assert await Asked(wrong, GOOD).word() == "yes"

    with pytest.raises(ModelFailed):
        await Asked(wrong, wrong, GOOD).word()


async def test_tools_are_called_before_the_answer_under_steady_keys() -> None:
    asked = Asked({"tools": [{"name": "look"}, {"name": "look"}]}, {"tools": [{"name": "look"}]}, GOOD)

    assert await asked.word() == "yes"
    assert asked.calls == [("look", "0.0"), ("look", "0.1"), ("look", "1.0")]


async def test_a_model_that_only_calls_tools_is_stopped() -> None:
    with pytest.raises(ModelFailed, match="keeps calling tools"):
        await Asked({"tools": [{"name": "look"}]}, steps=40).word()


async def test_a_model_that_hangs_is_stopped_by_its_time_limit() -> None:
    with pytest.raises(ModelFailed, match="no answer within"):
        await Asked({"hang": True}).word()


async def test_a_model_that_cannot_be_asked_says_why() -> None:
    with pytest.raises(ModelFailed, match="overloaded"):
        await Asked({"unavailable": "overloaded"}).word()


@pytest.mark.parametrize(
    ("turns", "limits", "what"),
    [
        ([{"tools": [{"name": "look"}]}], {"steps": 3}, "steps"),
        ([GOOD | {"tokens_in": 90, "tokens_out": 20}], {}, "tokens"),
        ([GOOD | {"cost_usd_micros": 101}], {}, "cost"),
    ],
)
async def test_a_run_stops_at_its_budget(
    turns: Sequence[dict[str, JsonValue]], limits: dict[str, float], what: str
) -> None:
    with pytest.raises(BudgetExceeded, match=what):
        await Asked(*turns, **limits).word()


def test_a_script_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unprocessable, match="cannot be read"):
        read_script(tmp_path / "nothing.json")
    (tmp_path / "broken.json").write_text("{]")
    with pytest.raises(Unprocessable, match="not a script"):
        read_script(tmp_path / "broken.json")
    (tmp_path / "good.json").write_text('{"say": [{"value": {"word": "yes"}}]}')
    assert read_script(tmp_path / "good.json")["say"][0].value == {"word": "yes"}
