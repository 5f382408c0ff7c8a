"""A model that plays a script: for tests, benches and every way in which a real one can go wrong.

A script maps a task to its turns; the n-th answer of a run within a task is turn n, the last one stays:

    {"triage": [{"value": {"decision": "answer", "language": "en"}}],
     "draft": [{"text": "no idea"}, {"value": {...}}]}

A turn is one of `value` (an answer), `text` (verbatim), `tools` (a list of name and arguments), `hang` or
`unavailable`; `delay_seconds` goes with any of them.
"""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError

from agents.llm.base import ModelReply, ModelRequest, ModelUnavailable, ToolRequest
from agents.llm.exchanged import exchange_of
from core import clock
from core.errors import Unprocessable
from core.jsons import dumps
from crm.runs.model_calls import CallOutcome, ModelCall, UsageFrom


class ScriptedCall(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    arguments: dict[str, JsonValue] | str = {}


class Turn(BaseModel):
    """One answer of the script."""

    model_config = ConfigDict(extra="forbid")

    value: JsonValue = None
    text: str = ""
    tools: tuple[ScriptedCall, ...] = ()
    hang: bool = False
    unavailable: str = ""
    delay_seconds: float = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd_micros: int = 0


Script = Mapping[str, Sequence[Turn]]
_turns = TypeAdapter(dict[str, list[Turn]])


def read_script(path: Path) -> Script:
    """Raises: Unprocessable when the file is missing or is no script."""
    try:
        raw = path.read_text(encoding="utf-8")
        return _turns.validate_json(raw)
    except OSError as err:
        raise Unprocessable(f"The agent script {path} cannot be read; check AGENT_SCRIPT.") from err
    except ValidationError as err:
        raise Unprocessable(f"The agent script {path} is not a script: {err.errors()[0]['msg']}.") from err


class ScriptedModel:
    """Plays a script. Where it stands follows from the exchange alone, so a resumed run goes on rightly."""

    label = "scripted"
    context_tokens = 1_000_000

    def __init__(self, script: Script) -> None:
        self._script = script

    async def complete(self, request: ModelRequest) -> ModelReply:
        turns = self._script.get(request.task)
        if not turns:
            raise ModelUnavailable(f"The script has no turn for the task {request.task}.")
        answered = sum(message.role == "assistant" for message in request.messages)
        turn = turns[min(answered, len(turns) - 1)]
        reply = await _play(turn, answered)
        if turn.tokens_in or turn.tokens_out or turn.cost_usd_micros:
            request.record(_call(request, turn, reply))
        return reply


def _call(request: ModelRequest, turn: Turn, reply: ModelReply) -> ModelCall:
    """The usage that a turn claims, as a call to account for."""
    return ModelCall(
        task=request.task,
        model=ScriptedModel.label,
        attempt=1,
        outcome=CallOutcome.ANSWERED,
        usage_from=UsageFrom.PROVIDER,
        tokens_in=turn.tokens_in,
        tokens_out=turn.tokens_out,
        cost_usd_micros=turn.cost_usd_micros,
        started_at=clock.now(),
        exchange=exchange_of(request, reply),
    )


async def _play(turn: Turn, answered: int) -> ModelReply:
    if turn.hang:
        await asyncio.Event().wait()
    if turn.delay_seconds:
        await asyncio.sleep(turn.delay_seconds)
    if turn.unavailable:
        raise ModelUnavailable(turn.unavailable)
    return ModelReply(
        text=turn.text if turn.value is None else dumps(turn.value),
        tool_requests=tuple(
            ToolRequest(f"scripted-{answered}-{index}", call.name, call.arguments)
            for index, call in enumerate(turn.tools)
        ),
    )
