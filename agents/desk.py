"""What one run has in its hands while it works: nothing of it is checkpointed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from pydantic import JsonValue

from agents.llm.base import LanguageModel, ToolSpec
from agents.llm.exchange import Budget
from tools.base import RunContext, ToolResult

Thread = TypeVar("Thread")


class Publish(Protocol):
    """The fan-out to open pages, inside the run's organization."""

    async def __call__(self, message: Mapping[str, str], *, about: UUID) -> None: ...


async def _nobody_listens(message: Mapping[str, str], *, about: UUID) -> None:
    """No page is told."""


class ToolCaller(Protocol):
    """The dispatcher, as a run uses it."""

    async def call(self, ctx: RunContext, name: str, arguments: object, call_key: str) -> ToolResult: ...


class LeaseLost(Exception):
    """The run was cancelled or taken over: this process writes nothing more in its name."""


@dataclass
class Desk(Generic[Thread]):
    """A leased run with what it is about, its model, its tools and its budget.

    `tools` are those that a model may call by itself; `scratch` and `made` keep what was read,
    and are read again after a crash.
    `publish` tells the open pages of the organization what is not worth keeping.
    """

    ctx: RunContext
    thread: Thread
    model: LanguageModel
    caller: ToolCaller
    budget: Budget
    tools: tuple[ToolSpec, ...] = ()
    scratch: dict[str, JsonValue] = field(default_factory=dict)
    made: dict[str, ToolResult] = field(default_factory=dict)
    publish: Publish = _nobody_listens

    @property
    def seat(self) -> dict[str, str]:
        """How prompts name the seat."""
        return {"seat": self.ctx.bidi.name, "persona": self.ctx.bidi.persona}

    async def call(self, name: str, arguments: object, call_key: str) -> ToolResult:
        """Call a tool once per key; a resumed run gets the recorded result.

        Raises: LeaseLost, BudgetExceeded.
        """
        self.budget.step()
        # Who answers may change within a run: a model that fails has a fallback.
        ctx = replace(self.ctx, model=self.model.label)
        result = await self.caller.call(ctx, name, arguments, call_key)
        if result.code == "taken_over":
            raise LeaseLost
        return result
