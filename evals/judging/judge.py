"""Lets ragas judge samples in a process of its own, and answers what it asks with the product's models."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from agents.llm.base import LanguageModel, ModelMessage, ModelRequest, ModelUnavailable
from core.jsons import dumps
from crm.runs.model_calls import ModelCall
from memory.embeddings.base import Embedder, EmbeddingsAway

PROCESS = Path(__file__).with_name("ragas_process.py")
LOCK = Path(__file__).with_name("requirements.lock")
RAGAS = next(line.split()[0] for line in LOCK.read_text().splitlines() if line.startswith("ragas=="))
_LONGEST_LINE_BYTES = 64 << 20
# A small model on two cores takes a minute for a long prompt.
_ANSWER_SECONDS = 300.0
_START_SECONDS, _END_SECONDS = 120.0, 5.0


class JudgeFailed(Exception):
    """The judge's process did not start, or ended. The text says why."""


@dataclass(frozen=True)
class Interpreter:
    """A Python that has what `requirements.lock` pins, and all that its processes have in their environment."""

    path: Path
    variables: Mapping[str, str]


@dataclass(frozen=True)
class Sample:
    """One metric of one case: `fields` are what ragas takes for it."""

    case_key: str
    metric: str
    fields: Mapping[str, JsonValue]


@dataclass(frozen=True)
class Judged:
    """A value from 0 to 1, or in `failure` why the judge came to none."""

    value: float | None
    failure: str = ""


@dataclass
class Judge:
    """A process of ragas at work. `prompts` are those of its metrics, by name, with hash and text."""

    process: asyncio.subprocess.Process
    model: LanguageModel
    embedder: Embedder
    seed: int
    record: Callable[[ModelCall], None]
    prompts: dict[str, JsonValue] = field(default_factory=dict)
    _waiting: dict[int, asyncio.Future[Judged]] = field(default_factory=dict)
    _lines: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def judge(self, sample: Sample) -> Judged:
        """Raises: JudgeFailed when the process ends before it has judged."""
        number = len(self._waiting) + 1
        self._waiting[number] = asyncio.get_running_loop().create_future()
        task = {"kind": "task", "number": number, "metric": sample.metric, "fields": dict(sample.fields)}
        await self._write(task)
        return await self._waiting[number]

    async def start(self) -> None:
        """Raises: JudgeFailed."""
        try:
            async with asyncio.timeout(_START_SECONDS):
                told = await self._read()
        except TimeoutError as err:
            raise JudgeFailed(f"The judge did not start in {_START_SECONDS:.0f} s.") from err
        if told is None or told["kind"] != "ready":
            raise JudgeFailed("The judge ended before it had started; its errors are above.")
        self.prompts = told["prompts"]

    async def serve(self) -> None:
        """Answer until the process ends; whoever waits then learns that it ended."""
        try:
            async with asyncio.TaskGroup() as group:
                while (told := await self._read()) is not None:
                    if told["kind"] == "score":
                        found = Judged(told.get("value"), told.get("failure", ""))
                        self._waiting[told["number"]].set_result(found)
                    else:
                        group.create_task(self._reply(told))
        finally:
            for one in self._waiting.values():
                if not one.done():
                    one.set_exception(JudgeFailed("The judge ended in the middle; its errors are above."))

    async def _reply(self, told: dict[str, Any]) -> None:
        reply: dict[str, Any] = {"kind": "reply", "number": told["number"]}
        try:
            reply["answer"] = await (self._answer(told) if told["kind"] == "ask" else self._embed(told))
        except (ModelUnavailable, EmbeddingsAway) as err:
            reply["failure"] = str(err)
        await self._write(reply)

    async def _answer(self, told: dict[str, Any]) -> str:
        request = ModelRequest(
            task="judge",
            messages=(ModelMessage("user", told["prompt"]),),
            schema=told["schema"],
            seconds=_ANSWER_SECONDS,
            seed=self.seed,
            record=self.record,
        )
        return (await self.model.complete(request)).text

    async def _embed(self, told: dict[str, Any]) -> list[list[float]]:
        vectors = await self.embedder.embed_queries(told["texts"])
        return [[float(number) for number in row] for row in vectors]

    async def _read(self) -> dict[str, Any] | None:
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        return json.loads(line) if line else None

    async def _write(self, told: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        async with self._lines:
            self.process.stdin.write(f"{dumps(told)}\n".encode())
            try:
                await self.process.stdin.drain()
            except (BrokenPipeError, ConnectionResetError) as err:
                raise JudgeFailed("The judge has ended; its errors are above.") from err


@asynccontextmanager
async def judging(
    interpreter: Interpreter,
    model: LanguageModel,
    embedder: Embedder,
    *,
    seed: int = 0,
    record: Callable[[ModelCall], None] = lambda _: None,
) -> AsyncIterator[Judge]:
    """A judge at work, with no key and no address of ours. Raises: JudgeFailed."""
    process = await asyncio.create_subprocess_exec(
        str(interpreter.path),
        "-I",
        str(PROCESS),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LONGEST_LINE_BYTES,
        env=dict(interpreter.variables),
    )
    judge = Judge(process, model, embedder, seed, record)
    serving: asyncio.Task[None] | None = None
    try:
        await judge.start()
        serving = asyncio.create_task(judge.serve())
        yield judge
    finally:
        if serving is not None:
            serving.cancel()
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Its input ends, and with it the process; one that does not listen is killed."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        async with asyncio.timeout(_END_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
