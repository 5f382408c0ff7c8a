"""Our requests and replies as the OpenAI protocol writes them: messages, tools, schemas, and streams put together."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from openai.types.chat import ChatCompletionChunk
from pydantic import JsonValue

from agents.llm.base import ModelMessage, ModelReply, ModelRequest, ToolRequest, ToolSpec
from agents.llm.endpoint import Endpoint
from core.jsons import dumps
from crm.runs.model_exchanges import ExchangeTurn, ModelExchange, RequestedCall

# What strict decoding does not know, or turns into a grammar too large; our own validation checks it anyway.
_NOT_ENFORCED = frozenset({"default", "title", "minLength", "maxLength", "uniqueItems", "format"})
_THINKING = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
_TAGGED = re.compile(r"<(tools?|tool_calls?|function_call)>(.*?)(?:</\1>|\Z)", re.DOTALL)
# Many times what a long-winded model thinks and writes for one reply; an endpoint that never ends is stopped here.
MAX_CHARACTERS = 400_000
MAX_CALLS = 32


def body(endpoint: Endpoint, request: ModelRequest, unsupported: frozenset[str]) -> dict[str, Any]:
    """The parameters of one streamed call, without those that the endpoint has refused before."""
    if endpoint.is_small:
        request = _briefly(request)
    schema, by_schema = request.schema, endpoint.tool_choice == "structured"
    if by_schema and request.tools:
        schema = choice_schema(schema, request.tools)
    messages = _by_schema(request) if by_schema else [_native(message) for message in request.messages]
    if schema and "response_format" in unsupported:
        messages[0]["content"] += f"\nThe schema of your answer:\n{dumps(schema)}"
    parameters: dict[str, Any] = {
        "model": endpoint.model,
        "messages": messages,
        "stream": True,
        "stream_options": {"include_usage": True},
        "response_format": _response_format(request.task, schema),
        "tools": [] if by_schema else [_tool(tool) for tool in request.tools],
        "max_tokens": endpoint.output_tokens,
    }
    fixed = {"temperature": 0} if endpoint.is_small else {}
    if request.seed is not None:
        fixed["seed"] = request.seed
    return {name: value for name, value in parameters.items() if value and name not in unsupported} | {
        name: value for name, value in fixed.items() if name not in unsupported
    }


def _briefly(request: ModelRequest) -> ModelRequest:
    """The request as a small model gets it; tools that take an id are none for it, as it is shown no ids."""
    return replace(
        request,
        messages=tuple(replace(turn, text=turn.brief or turn.text) for turn in request.messages),
        schema=request.brief_schema or request.schema,
        tools=tuple(tool for tool in request.tools if '"uuid"' not in dumps(tool.schema)),
    )


def _response_format(task: str, schema: Mapping[str, JsonValue]) -> dict[str, Any] | None:
    if not schema:
        return None
    return {"type": "json_schema", "json_schema": {"name": task, "strict": True, "schema": strict(schema)}}


def strict(schema: Any) -> Any:
    """The schema as strict decoding wants it: every property required, no other ones, no limits on lengths."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    kept = {key: value for key, value in schema.items() if key not in _NOT_ENFORCED}
    if not isinstance(kept.get("properties"), Mapping):
        return {key: strict(value) for key, value in kept.items()}
    # Below `properties` stand names of ours: one may be called `title`.
    properties = {name: strict(value) for name, value in kept["properties"].items()}
    rest = {key: strict(value) for key, value in kept.items() if key != "properties"}
    return {**rest, "properties": properties, "required": list(properties), "additionalProperties": False}


def choice_schema(answer: Mapping[str, JsonValue], tools: Sequence[ToolSpec]) -> dict[str, JsonValue]:
    """Either one call, `{"tool": name, "args": {...}}`, or the answer."""
    definitions: dict[str, Any] = {}
    choices: list[Any] = []
    for tool in tools:
        arguments: dict[str, Any] = dict(tool.schema)
        definitions |= arguments.pop("$defs", {})
        choices.append({"type": "object", "properties": {"tool": {"const": tool.name}, "args": arguments}})
    own: dict[str, Any] = dict(answer)
    definitions |= own.pop("$defs", {})
    answers = own.pop("oneOf", None) or [own]
    return {"oneOf": [*choices, *answers], "$defs": definitions}


def _tool(tool: ToolSpec) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": dict(tool.schema)}
    return {"type": "function", "function": function}


def _native(message: ModelMessage) -> dict[str, Any]:
    turn: dict[str, Any] = {"role": message.role, "content": message.text}
    if message.role == "tool":
        turn["tool_call_id"] = message.tool_call_id
    if message.tool_requests:
        turn["tool_calls"] = [
            {"id": wanted.id, "type": "function", "function": _function(wanted)}
            for wanted in message.tool_requests
        ]
    return turn


def _function(wanted: ToolRequest) -> dict[str, str]:
    # Servers read the arguments again, and fail on text that is no JSON.
    arguments = "{}" if isinstance(wanted.arguments, str) else dumps(wanted.arguments)
    return {"name": wanted.name, "arguments": arguments}


def _by_schema(request: ModelRequest) -> list[dict[str, Any]]:
    """Tool turns in plain words; turns of one side in a row are one, as small models' templates want it."""
    turns: list[dict[str, Any]] = []
    for message in request.messages:
        role, words = message.role, message.text
        if message.tool_requests:
            words = "\n".join(dumps({"tool": w.name, "args": w.arguments}) for w in message.tool_requests)
        if role == "system" and request.tools:
            words = f"{words}\n{_tool_list(request.tools)}"
        if role == "tool":
            role, words = "user", f"The tool returned: {words}"
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += f"\n\n{words}"
        else:
            turns.append({"role": role, "content": words})
    return turns


def _tool_list(tools: Sequence[ToolSpec]) -> str:
    lines = [f"- {tool.name}({', '.join(_parameters(tool))}): {_summary(tool)}" for tool in tools]
    opening = 'Before the answer you may call tools, one at a time, as {"tool": name, "args": {...}}:'
    return "\n".join([opening, *lines])


def _parameters(tool: ToolSpec) -> list[str]:
    properties = tool.schema.get("properties", {})
    return list(properties) if isinstance(properties, Mapping) else []


def _summary(tool: ToolSpec) -> str:
    return tool.description.partition("\n")[0]


def exchange(
    endpoint: Endpoint, request: ModelRequest, parameters: Mapping[str, Any], stream: "Stream"
) -> ModelExchange:
    """What was said in a call: the turns as they were sent, and what came back, as far as it came."""
    asked = _briefly(request) if endpoint.is_small else request
    return ModelExchange(
        tuple(_turn(sent) for sent in parameters["messages"]),
        tuple(tool.name for tool in asked.tools),
        ExchangeTurn("assistant", stream.text, stream.requested),
    )


def _turn(sent: Mapping[str, Any]) -> ExchangeTurn:
    functions = [call["function"] for call in sent.get("tool_calls", ())]
    requests = tuple(RequestedCall(function["name"], function["arguments"]) for function in functions)
    return ExchangeTurn(sent["role"], sent["content"], requests)


class TooMuch(Exception):
    """The answer is larger than any of use; the text says in what."""


@dataclass
class _Call:
    """A tool call as its pieces arrive."""

    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass
class Stream:
    """An answer as it arrives. `usage` is what the provider reported, `deltas` how many pieces held something."""

    offered: frozenset[str]
    text: str = ""
    finish: str = ""
    usage: tuple[int, int] | None = None
    deltas: int = 0
    size: int = 0
    calls: dict[int, _Call] = field(default_factory=dict)

    def add(self, chunk: ChatCompletionChunk) -> str:
        """Take one piece; returns the words in it. Raises: TooMuch."""
        if chunk.usage is not None:
            self.usage = chunk.usage.prompt_tokens, chunk.usage.completion_tokens
        words = ""
        for choice in chunk.choices or []:
            self.finish = choice.finish_reason or self.finish
            words += choice.delta.content or choice.delta.refusal or ""
            for piece in choice.delta.tool_calls or []:
                self._add_call(piece.index, piece.id, piece.function)
            self.deltas += bool(words or choice.delta.tool_calls)
        self._grow(words)
        self.text += words
        return words

    def _grow(self, *pieces: str) -> None:
        self.size += sum(map(len, pieces))
        if self.size > MAX_CHARACTERS:
            raise TooMuch(f"the answer is longer than {MAX_CHARACTERS} characters")

    def _add_call(self, index: int | None, id: str | None, function: Any) -> None:
        # Some servers leave the index out: a piece with an id then begins the next call.
        last = max(self.calls, default=-1)
        at = index if index is not None else last + bool(id) if self.calls else 0
        call = self.calls.setdefault(at, _Call())
        _limit_calls(len(self.calls))
        self._grow(id or "")
        call.id = call.id or id or ""
        if function is not None:
            self._grow(function.name or "", function.arguments or "")
            call.name = call.name or function.name or ""
            call.arguments += function.arguments or ""

    @property
    def words(self) -> str:
        """Everything that the model wrote, to be measured."""
        return self.text + "".join(call.name + call.arguments for call in self.calls.values())

    @property
    def requested(self) -> tuple[RequestedCall, ...]:
        """The calls as they were written down so far."""
        return tuple(RequestedCall(call.name, call.arguments) for _, call in sorted(self.calls.items()))

    def reply(self) -> ModelReply:
        """The whole answer; calls that a model wrote as text are calls all the same. Raises: TooMuch."""
        if self.calls:
            calls = tuple(_request(index, call) for index, call in sorted(self.calls.items()))
            return ModelReply(self.text, calls)
        text = _THINKING.sub("", self.text).strip()
        written = _written_calls(text, self.offered)
        _limit_calls(len(written))
        return ModelReply(text="" if written else text, tool_requests=written)


def _limit_calls(count: int) -> None:
    if count > MAX_CALLS:
        raise TooMuch(f"the answer calls more than {MAX_CALLS} tools at once")


def _request(index: int, call: _Call) -> ToolRequest:
    found = _object(call.arguments or "{}")
    return ToolRequest(call.id or f"call-{index}", call.name, call.arguments if found is None else found)


def _written_calls(text: str, offered: frozenset[str]) -> tuple[ToolRequest, ...]:
    """Calls inside tags, or an answer that is nothing but a call of an offered tool."""
    tagged = [found[2] for found in _TAGGED.finditer(text)]
    named = [_named(part) for block in tagged or [text] for part in _objects(block)]
    calls = [call for call in named if call is not None and (tagged or call[0] in offered)]
    return tuple(ToolRequest(f"text-{index}", name, args) for index, (name, args) in enumerate(calls))


def _named(found: Mapping[str, JsonValue]) -> tuple[str, dict[str, JsonValue] | str] | None:
    """The call that an object describes: `{"name", "arguments"}` or `{"tool", "args"}`."""
    name = found.get("tool", found.get("name"))
    arguments = found.get("args", found.get("arguments", found.get("parameters")))
    if not isinstance(name, str) or not isinstance(arguments, dict | str):
        return None
    return name, (_object(arguments) or arguments) if isinstance(arguments, str) else arguments


def _objects(text: str) -> list[dict[str, JsonValue]]:
    """Every JSON object of a text, one after the other, whatever stands between them."""
    found, at, decoder = [], text.find("{"), json.JSONDecoder()
    while at >= 0:
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = at + 1
        else:
            found.append(value)
        at = text.find("{", end)
    return found


def _object(text: str) -> dict[str, JsonValue] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
