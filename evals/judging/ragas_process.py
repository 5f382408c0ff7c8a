"""The process in which ragas runs: it knows nothing of the product, has no key and asks whoever started it.

Lines of JSON, one object each. It reads a `task` (a metric and its fields) and writes a `score`, or why there is none;
in between it writes an `ask` (a prompt and the schema of the answer) or an `embed` (texts) and reads the `reply`.
What libraries print goes to stderr. It ends with its input.
"""

import asyncio
import hashlib
import json
import math
import os
import sys
from collections.abc import Sequence
from typing import Any

from ragas.embeddings.base import BaseRagasEmbedding
from ragas.llms.base import InstructorBaseRagasLLM
from ragas.messages import AIMessage, HumanMessage, ToolCall, ToolMessage
from ragas.metrics import collections as metrics

_LONGEST_LINE_BYTES = 64 << 20


class Wire:
    """The lines to and from the product; each question waits for the reply with its number."""

    def __init__(self, reader: asyncio.StreamReader, out: int) -> None:
        self._reader = reader
        self._out = os.fdopen(out, "w", encoding="utf-8")
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._asked = 0

    def write(self, told: dict[str, Any]) -> None:
        print(json.dumps(told), file=self._out, flush=True)

    async def ask(self, told: dict[str, Any]) -> Any:
        self._asked += 1
        reply = self._waiting[self._asked] = asyncio.get_running_loop().create_future()
        self.write({**told, "number": self._asked})
        return await reply

    async def tasks(self) -> Any:
        """Every task, as it comes; replies go to whoever waits for them."""
        while line := await self._reader.readline():
            told = json.loads(line)
            if told["kind"] == "task":
                yield told
                continue
            reply = self._waiting.pop(told["number"])
            if told.get("failure"):
                reply.set_exception(RuntimeError(told["failure"]))
            else:
                reply.set_result(told["answer"])


class Judge(InstructorBaseRagasLLM):  # type: ignore[misc]  # ragas is not in the environment that is checked
    """The product's model."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def generate(self, prompt: str, response_model: Any) -> Any:
        raise TypeError("The judge answers `agenerate` only.")

    async def agenerate(self, prompt: str, response_model: Any) -> Any:
        schema = response_model.model_json_schema()
        answer = await self._wire.ask({"kind": "ask", "prompt": prompt, "schema": schema})
        return response_model.model_validate_json(answer)


class Embeddings(BaseRagasEmbedding):  # type: ignore[misc]  # as above
    """The product's embeddings."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire

    def embed_text(self, text: str, **kwargs: Any) -> list[float]:
        raise TypeError("Texts are embedded by `aembed_text` only.")

    async def aembed_text(self, text: str, **kwargs: Any) -> list[float]:
        return (await self.aembed_texts([text]))[0]

    async def aembed_texts(self, texts: Sequence[str], **kwargs: Any) -> list[list[float]]:
        vectors: list[list[float]] = await self._wire.ask({"kind": "embed", "texts": list(texts)})
        return vectors


def _metrics(judge: Judge, embeddings: Embeddings) -> dict[str, Any]:
    return {
        "faithfulness": metrics.Faithfulness(llm=judge),
        "answer_relevancy": metrics.AnswerRelevancy(llm=judge, embeddings=embeddings),
        "context_precision": metrics.ContextPrecision(llm=judge),
        "context_recall": metrics.ContextRecall(llm=judge),
        "agent_goal_accuracy": metrics.AgentGoalAccuracyWithReference(llm=judge),
        "topic_adherence": metrics.TopicAdherence(llm=judge),
    }


def _prompts(metric: Any) -> dict[str, Any]:
    """The instructions of a metric, and a hash of them with their examples."""
    held = [value for value in vars(metric).values() if hasattr(value, "instruction")]
    examples = [str(getattr(prompt, "examples", "")) for prompt in held]
    whole = "\n".join([*(prompt.instruction for prompt in held), *examples])
    return {
        "sha256": hashlib.sha256(whole.encode()).hexdigest(),
        "text": "\n\n".join(prompt.instruction for prompt in held),
    }


def _fields(told: dict[str, Any]) -> dict[str, Any]:
    """What a metric takes; a talk is a list of messages of ragas."""
    fields = dict(told)
    if isinstance(fields.get("user_input"), list):
        fields["user_input"] = [_message(one) for one in fields["user_input"]]
    return fields


def _message(told: dict[str, Any]) -> HumanMessage | AIMessage | ToolMessage:
    match told["role"]:
        case "human":
            return HumanMessage(content=told["text"])
        case "tool":
            return ToolMessage(content=told["text"])
    calls = [ToolCall(name=call["name"], args=call["args"]) for call in told["calls"]]
    return AIMessage(content=told["text"], tool_calls=calls or None)


async def _score(wire: Wire, metric: Any, task: dict[str, Any]) -> None:
    """One metric of one case; a judge that fails is told as a failure, never as a value."""
    told = {"kind": "score", "number": task["number"]}
    try:
        value = float((await metric.ascore(**_fields(task["fields"]))).value)
    except Exception as err:  # whatever breaks in a library or in a judge's answer is told
        wire.write({**told, "failure": f"{type(err).__name__}: {err}"[:600]})
        return
    if math.isnan(value):
        wire.write({**told, "failure": "The judge found nothing to judge."})
    else:
        wire.write({**told, "value": value})


async def _serve(out: int) -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_LONGEST_LINE_BYTES)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    wire = Wire(reader, out)
    known = _metrics(Judge(wire), Embeddings(wire))
    wire.write({"kind": "ready", "prompts": {name: _prompts(metric) for name, metric in known.items()}})
    at_work = [asyncio.create_task(_score(wire, known[task["metric"]], task)) async for task in wire.tasks()]
    for one in at_work:  # nobody is there any more to answer them
        one.cancel()


if __name__ == "__main__":
    own = os.dup(1)
    os.dup2(2, 1)
    asyncio.run(_serve(own))
