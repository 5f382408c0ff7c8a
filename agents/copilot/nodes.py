"""The steps of the copilot: think, act, check. Each reads the state and the desk, and returns what changed."""

import json
from collections.abc import Sequence

from langgraph.runtime import Runtime
from pydantic import JsonValue

from agents.copilot.contract import Returned
from agents.copilot.desk import Desk
from agents.copilot.sources import Sources, uncited, without_marks
from agents.copilot.speech import speaking, tell_step
from agents.copilot.state import Call, State, Turn
from agents.llm.base import ModelMessage, ModelReply, ModelRequest, ToolRequest
from agents.llm.exchange import Exchange, ModelFailed, complete
from core.jsons import dumps
from core.tokens import estimated_tokens
from crm.copilot.models import Question
from prompts import library
from tools.base import ToolResult

ANSWER, REPAIR = "copilot/answer", "copilot/repair"
TASK = "copilot"
MAX_ROUNDS = 8
MAX_REPAIRS = 1
MAX_ANSWER = 8000
_HISTORY_SHARE = 0.2
_RESULT_SHARE = 0.15
# What an endpoint without tool calls of its own writes its answer into.
_BRIEF_SCHEMA: dict[str, JsonValue] = {
    "type": "object",
    "properties": {"answer": {"type": "string"}},
    "required": ["answer"],
    "additionalProperties": False,
}


async def think(state: State, runtime: Runtime[Desk]) -> State:
    """Ask the model for its next calls, or for the answer."""
    desk, turns = runtime.context, state.get("turns", [])
    is_last = sum(bool(turn.calls) for turn in turns) >= MAX_ROUNDS
    _, results = await _read(desk, turns)
    async with speaking(desk) as say:
        request = ModelRequest(
            task=TASK,
            messages=_messages(desk, turns, results),
            schema={},
            brief_schema=_BRIEF_SCHEMA,
            tools=() if is_last else desk.tools,
            on_text=say,
        )
        reply = await complete(Exchange(desk.model, desk.budget, request), request)
    if reply.tool_requests:
        if is_last:
            raise ModelFailed("it keeps calling tools and does not answer")
        return {"turns": [*turns, Turn(reply.text, [_call(wanted) for wanted in reply.tool_requests])]}
    return {"turns": turns, "answer": _answer_in(reply)}


async def act(state: State, runtime: Runtime[Desk]) -> State:
    """Make the calls of the last turn; what they return is recorded with them and read again by `think`."""
    await _read(runtime.context, state["turns"])
    return {}


async def check(state: State, runtime: Runtime[Desk]) -> State:
    """Take an answer whose statements name what they rest on, or ask for a better one, once."""
    desk, turns, answer = runtime.context, state["turns"], state["answer"]
    sources, _ = await _read(desk, turns)
    problem = _problem(desk, sources, answer)
    if problem and sum(bool(turn.problem) for turn in turns) < MAX_REPAIRS:
        return {"turns": [*turns, Turn(answer, problem=problem)], "answer": ""}
    if not answer:
        raise ModelFailed("the answer is empty")
    return {"citations": sources.find(answer), "outcome": "answered", "detail": problem[:300]}


def _problem(desk: Desk, sources: Sources, answer: str) -> str:
    if not answer:
        return "The answer is empty."
    if len(answer) > MAX_ANSWER:
        return f"The answer has {len(answer)} characters; at most {MAX_ANSWER} fit."
    if missing := sources.missing(answer):
        return f"Nothing that you read has the number {min(missing)}."
    if not sources.is_empty and (bare := uncited(answer, desk.thread.shown.language)):
        return f'This says nothing about what it rests on: "{bare[0][:200]}"'
    return ""


def _answer_in(reply: ModelReply) -> str:
    """The answer of a reply, also out of the object that a model without tool calls writes."""
    text = reply.text.strip()
    if text.startswith("{"):
        try:
            found = json.loads(text)
        except ValueError:
            return text
        if isinstance(found, dict) and isinstance(found.get("answer"), str):
            return str(found["answer"]).strip()
    return text


def _call(wanted: ToolRequest) -> Call:
    arguments = wanted.arguments if isinstance(wanted.arguments, str) else dumps(wanted.arguments)
    return Call(wanted.id, wanted.name, arguments)


async def _read(desk: Desk, turns: Sequence[Turn]) -> tuple[Sources, dict[str, str]]:
    """What the calls of all turns returned, numbered; each is made once, whichever process asks first."""
    sources, results = Sources(), dict[str, str]()
    for place, turn in enumerate(turns):
        for index, call in enumerate(turn.calls):
            key = f"{place}.{index}"
            result = await _made(desk, call, key)
            results[key] = dumps(_returned(sources, call, result).model_dump(mode="json"))
    return sources, results


async def _made(desk: Desk, call: Call, key: str) -> ToolResult:
    if key not in desk.made:
        await tell_step(desk, call.name)
        try:
            arguments = json.loads(call.arguments)
        except ValueError:
            arguments = call.arguments
        desk.made[key] = await desk.call(call.name, arguments, key)
    return desk.made[key]


def _returned(sources: Sources, call: Call, result: ToolResult) -> Returned:
    figure_id = result.tool_call_id if call.name == "summarize_records" and result.is_done else None
    content = sources.number(result.content, figure_id=figure_id)
    return Returned(status=result.status.value, result=content, error=result.error)


def _messages(desk: Desk, turns: Sequence[Turn], results: dict[str, str]) -> tuple[ModelMessage, ...]:
    shown = desk.thread.shown
    prompt = library.load(ANSWER).render(
        **desk.seat, language={"en": "English", "ru": "Russian"}[shown.language]
    )
    room = int(desk.model.context_tokens * _RESULT_SHARE)
    messages = [
        ModelMessage("system", prompt),
        *_history(desk.thread.earlier, int(desk.model.context_tokens * _HISTORY_SHARE)),
        ModelMessage("user", shown.model_dump_json(exclude_none=True)),
    ]
    for place, turn in enumerate(turns):
        if turn.problem:
            told = library.load(REPAIR).render(problem=turn.problem)
            messages += [ModelMessage("assistant", turn.text), ModelMessage("user", told)]
            continue
        requests = tuple(ToolRequest(call.id, call.name, _object(call.arguments)) for call in turn.calls)
        messages.append(ModelMessage("assistant", turn.text, requests))
        messages += [
            ModelMessage("tool", _fitted(results[f"{place}.{index}"], room), tool_call_id=call.id)
            for index, call in enumerate(turn.calls)
        ]
    return tuple(messages)


def _history(earlier: Sequence[Question], tokens: int) -> list[ModelMessage]:
    """The newest questions and answers that fit, without the numbers, which were another run's."""
    kept: list[ModelMessage] = []
    for one in reversed(earlier):
        tokens -= estimated_tokens(one.question) + estimated_tokens(one.answer)
        if tokens < 0:
            break
        kept[:0] = [ModelMessage("user", one.question), ModelMessage("assistant", without_marks(one.answer))]
    return kept


def _fitted(text: str, tokens: int) -> str:
    """A result that a model has room for; what is cut says so."""
    if estimated_tokens(text) <= tokens:
        return text
    return text[: tokens * 2] + "… (cut: ask for less)"


def _object(arguments: str) -> dict[str, JsonValue] | str:
    try:
        found = json.loads(arguments)
    except ValueError:
        return arguments
    return found if isinstance(found, dict) else arguments
