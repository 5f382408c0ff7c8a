"""What the peer answers: its script, or the offline templates, as text, schema-bound JSON or tool calls."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agents.llm.base import ModelMessage, ModelRequest, ModelUnavailable, ToolRequest, ToolSpec
from agents.llm.offline.model import OfflineModel
from core.jsons import dumps
from infra.peers.openai.state import Fault, Mode, Peer, Turn, Wanted

_RETURNED = "The tool returned: "


@dataclass(frozen=True)
class Answer:
    """Text or tool calls, and the reason to finish."""

    text: str = ""
    tools: tuple[Wanted, ...] = ()
    finish: str = "stop"


async def answer_to(peer: Peer, body: Mapping[str, Any], fault: Fault | None) -> Answer:
    """The next answer, as the fault lets it be."""
    turn = peer.turns.popleft() if peer.turns else await _offline(body)
    return _spoiled(_shaped(turn, body), fault)


async def _offline(body: Mapping[str, Any]) -> Turn:
    """What the offline templates would say to the same case."""
    request = ModelRequest(
        task=str(_format(body).get("name", "")),
        messages=tuple(_message(turn) for turn in body["messages"]),
        schema={},
        tools=tuple(_offered(body)),
    )
    try:
        reply = await OfflineModel().complete(request)
    except (ModelUnavailable, StopIteration, ValueError):
        return Turn(text="ok")
    calls = tuple(Wanted(name=call.name, arguments=call.arguments) for call in reply.tool_requests)
    # A schema leaves room for one call at a time.
    return Turn(text=reply.text, tools=calls if body.get("tools") else calls[:1])


def _format(body: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (body.get("response_format") or {}).get("json_schema") or {}
    return found


def _offered(body: Mapping[str, Any]) -> list[ToolSpec]:
    """The tools of the request, whichever way it offers them."""
    names = [tool["function"]["name"] for tool in body.get("tools") or []]
    choices = (_format(body).get("schema") or {}).get("oneOf") or []
    names += [choice["properties"]["tool"]["const"] for choice in choices if "tool" in choice["properties"]]
    return [ToolSpec(name, "", {}) for name in names]


def _message(turn: Mapping[str, Any]) -> ModelMessage:
    """A turn as the templates know it; tool turns in plain words become tool turns again."""
    content, role = str(turn.get("content") or ""), turn["role"]
    if role == "user" and content.startswith(_RETURNED):
        return ModelMessage("tool", content.removeprefix(_RETURNED))
    calls = turn.get("tool_calls") or []
    if role == "assistant" and content.startswith('{"tool":'):
        written = json.loads(content)
        return ModelMessage(role, "", (ToolRequest("", written["tool"], written["args"]),))
    requests = tuple(ToolRequest(call["id"], call["function"]["name"], {}) for call in calls)
    return ModelMessage(role, content, requests, turn.get("tool_call_id", ""))


def _shaped(turn: Turn, body: Mapping[str, Any]) -> Answer:
    """The turn as the request wants it: calls by the protocol when it offers tools so, else by the schema."""
    if turn.tools and body.get("tools"):
        return Answer(turn.text, turn.tools, "tool_calls")
    if turn.tools:
        return Answer(dumps({"tool": turn.tools[0].name, "args": turn.tools[0].arguments}))
    return Answer(turn.text if turn.value is None else dumps(turn.value))


def _spoiled(answer: Answer, fault: Fault | None) -> Answer:
    """What a badly-working model makes of it."""
    match fault.mode if fault else None:
        case Mode.EMPTY:
            return Answer()
        case Mode.WRONG_JSON:
            return Answer('{"decision": "perhaps", "language": 7}')
        case Mode.CUT_SHORT:
            return Answer(answer.text[: max(1, len(answer.text) // 2)], finish="length")
        case Mode.BROKEN_TOOL_CALL:
            return Answer(
                tools=(Wanted(name="find_contacts", arguments='{"text": "Ver'),), finish="tool_calls"
            )
        case Mode.UNKNOWN_TOOL:
            return Answer(tools=(Wanted(name="wire_money", arguments={"amount": 5}),), finish="tool_calls")
        case Mode.TOOLS_AS_TEXT:
            calls = answer.tools or (Wanted(name="find_contacts", arguments={"text": "Vera"}),)
            lines = [dumps({"name": call.name, "arguments": call.arguments}) for call in calls]
            return Answer("<tools>\n" + "\n".join(lines) + "\n</tools>")
        case _:
            return answer
