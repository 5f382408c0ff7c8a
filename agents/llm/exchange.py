"""Asks a model for a typed answer: time limit, tool calls, one repair, and the budget of the run."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from time import monotonic
from typing import TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

from agents.llm.base import (
    LanguageModel,
    ModelMessage,
    ModelReply,
    ModelRequest,
    ModelUnavailable,
)
from crm.runs.model_calls import ModelCall
from prompts import library

MAX_TOOL_ROUNDS = 4
MAX_REPAIRS = 1

Answer = TypeVar("Answer", bound=BaseModel)
CallTool = Callable[[str, dict[str, JsonValue], str], Awaitable[str]]


class ModelFailed(Exception):
    """The model gave nothing usable; the text says what it did, for the person who takes over."""


class BudgetExceeded(Exception):
    """The run has used up its steps, tokens, money or time; the text says which."""


@dataclass(frozen=True)
class Limits:
    """What one run may use; `seconds` of wall time from its start."""

    steps: int
    tokens: int
    cost_usd_micros: int
    seconds: float
    model_seconds: float


@dataclass
class Budget:
    """What a run has used so far, against its limits."""

    limits: Limits
    steps: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd_micros: int = 0
    started: float = 0.0

    def __post_init__(self) -> None:
        self.started = self.started or monotonic()

    @property
    def seconds_left(self) -> float:
        return self.limits.seconds - (monotonic() - self.started)

    def step(self) -> None:
        """Count a model or tool call before it is made. Raises: BudgetExceeded."""
        self.steps += 1
        if self.steps > self.limits.steps:
            raise BudgetExceeded(f"the run used all of its {self.limits.steps} steps")

    def count(self, call: ModelCall) -> None:
        """Add what a call used; failed ones count too."""
        self.tokens_in += call.tokens_in
        self.tokens_out += call.tokens_out
        self.cost_usd_micros += call.cost_usd_micros

    def check(self) -> None:
        """Raises: BudgetExceeded."""
        if self.tokens_in + self.tokens_out > self.limits.tokens:
            raise BudgetExceeded(f"the run used all of its {self.limits.tokens} tokens")
        if self.cost_usd_micros > self.limits.cost_usd_micros:
            raise BudgetExceeded(f"the run cost more than {self.limits.cost_usd_micros / 1e6:.2f} USD")


@dataclass(frozen=True)
class Exchange:
    """One question to a model. `check` names what is wrong with a well-formed answer, or returns nothing."""

    model: LanguageModel
    budget: Budget
    request: ModelRequest
    call_tool: CallTool | None = None


async def ask(
    exchange: Exchange, answer: type[Answer], check: Callable[[Answer], str] = lambda _: ""
) -> Answer:
    """The model's answer, after the tools that it called; a wrong one may be repaired once.

    Raises: ModelFailed, BudgetExceeded.
    """
    request, repairs, rounds = exchange.request, 0, 0
    while True:
        reply = await complete(exchange, request)
        if reply.tool_requests:
            problem, turns = await _call_tools(exchange, reply, rounds)
            rounds += 1
        else:
            found, problem = _read(reply.text, answer, check)
            if found is not None:
                return found
            turns = (ModelMessage("assistant", reply.text),)
        if problem:
            if repairs == MAX_REPAIRS:
                raise ModelFailed(problem)
            repairs += 1
            turns = (*turns, _repair(problem))
        request = replace(request, messages=(*request.messages, *turns))


async def complete(exchange: Exchange, request: ModelRequest) -> ModelReply:
    """One reply of the model within its time limit. Raises: ModelFailed, BudgetExceeded."""
    exchange.budget.step()
    limit = min(exchange.budget.limits.model_seconds, max(exchange.budget.seconds_left, 0.01))
    asked = replace(request, seconds=limit, record=exchange.budget.count)
    try:
        async with asyncio.timeout(limit):
            reply = await exchange.model.complete(asked)
    except TimeoutError as err:
        raise ModelFailed(f"the model gave no answer within {limit:.0f} seconds") from err
    except ModelUnavailable as err:
        raise ModelFailed(f"the model could not be asked: {err}") from err
    exchange.budget.check()
    return reply


async def _call_tools(
    exchange: Exchange, reply: ModelReply, rounds: int
) -> tuple[str, tuple[ModelMessage, ...]]:
    """Run what the model asked for; every request gets a turn, so that the exchange stays well formed."""
    offered = {tool.name for tool in exchange.request.tools}
    turns = [ModelMessage("assistant", reply.text, reply.tool_requests)]
    problem = "it keeps calling tools and does not answer" if rounds >= MAX_TOOL_ROUNDS else ""
    for index, wanted in enumerate(reply.tool_requests):
        if exchange.call_tool is None or wanted.name not in offered:
            problem = problem or f"there is no tool {wanted.name[:60]!r} here"
            text = problem
        elif isinstance(wanted.arguments, str):
            problem = problem or f"the arguments of {wanted.name} are no JSON object"
            text = problem
        else:
            exchange.budget.step()
            text = await exchange.call_tool(wanted.name, wanted.arguments, f"{rounds}.{index}")
        turns.append(ModelMessage("tool", text, tool_call_id=wanted.id))
    return problem, tuple(turns)


def _read(text: str, answer: type[Answer], check: Callable[[Answer], str]) -> tuple[Answer | None, str]:
    """The typed answer, or what is wrong with the text."""
    if not text.strip():
        return None, "the answer is empty"
    try:
        found = answer.model_validate_json(_json_part(text))
    except ValidationError as err:
        first = err.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the answer"
        return None, f"{where}: {first['msg']}"
    problem = check(found)
    return (None, problem) if problem else (found, "")


def _json_part(text: str) -> str:
    """The object inside the code fence or chatter that some models put around it."""
    start, end = text.find("{"), text.rfind("}")
    return text[start : end + 1] if 0 <= start < end else text


def _repair(problem: str) -> ModelMessage:
    return ModelMessage("user", library.load("inbox/repair").render(problem=problem))
