"""A step of any graph with its span and its crash points."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from langgraph.runtime import Runtime
from opentelemetry import trace

from core import crashpoint

State = TypeVar("State")
_tracer = trace.get_tracer("getsale.agents")


class Step(Protocol[State]):
    """A node as LangGraph calls it."""

    async def __call__(self, state: State, *, runtime: Runtime[Any]) -> State: ...


def step(name: str, node: Callable[[State, Runtime[Any]], Awaitable[State]]) -> Step[State]:
    """A node as the graph runs it."""

    async def run(state: State, *, runtime: Runtime[Any]) -> State:
        crashpoint.reach(f"run.{name}.before")
        with _tracer.start_as_current_span(f"run {name}"):
            changed = await node(state, runtime)
        crashpoint.reach(f"run.{name}.after")
        return changed

    return run
