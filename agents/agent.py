"""What every kind of agent brings along, so that the runtime need not know any of them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from langgraph.graph.state import CompiledStateGraph

from agents.desk import Desk, Thread
from agents.llm.base import ToolSpec
from core.db import Tx
from core.principal import Principal
from crm.bidi.models import Bidi
from crm.runs.models import Run, RunStatus

State = TypeVar("State", bound=Mapping[str, Any])


class Unwanted(Exception):
    """Nobody wants this run any more; the text says why."""


@dataclass(frozen=True)
class Trouble:
    """Why a run ended without what was asked of it: out of budget, or broken. `why` is for people."""

    status: RunStatus
    why: str


@dataclass(frozen=True)
class Fork:
    """How a finished run goes on again from one of its steps: as if `after` had just ended, with the `kept` channels of
    its state, all of which were written by earlier steps; without an `after` it begins anew."""

    after: str | None = None
    kept: tuple[str, ...] = ()


@dataclass(frozen=True)
class Beginning:
    """Where a replay begins: as if `after` had just ended with this state, or anew."""

    after: str | None = None
    state: Mapping[str, Any] = field(default_factory=dict)


class NeverThere(Exception):
    """The run never came to the step from which it is to go on."""


Rewind = Callable[[str, Mapping[str, Any]], Beginning]


def by_forks(forks: Mapping[str, Fork]) -> Rewind:
    """How a run whose graph has no loops goes back to one of its steps: a fork for each."""

    def rewind(step: str, left: Mapping[str, Any]) -> Beginning:
        fork = forks[step]
        return Beginning(fork.after, {name: left[name] for name in fork.kept if name in left})

    return rewind


def _nothing(_: object) -> str:
    """No colleague asked for it, and nobody is told anything."""
    return ""


@dataclass(frozen=True)
class Agent(Generic[State, Thread]):
    """One kind of agent. `graph` is compiled once, without a checkpointer; each run works on a copy with its own.

    `principal` says who acts in a run, asked as the system; `load`, asked as that principal, reads what the run is about
    before its first call, or raises `Unwanted`. The graph ends with an `outcome` of `outcomes` in its
    state. Then `conclude` keeps what the run came to, or `give_up` tells people of a run that came to nothing; both
    commit together with the end of the run. `asked` gives the words of the
    colleague who asked for it, which are trusted; `starts_tainted` says that a run has read text from outside when it begins.
    `rewind` tells from the state that a run ended with how it is run again, dry, from a step of its `Shape`, or raises
    `NeverThere`; `recall` then reads what it was about, as it was then, and `said` is what somebody would have read.
    """

    kind: str
    graph: CompiledStateGraph[Any, Desk[Thread], Any, Any]
    checkpointed: tuple[type[Any], ...]
    prompt: str
    outcomes: Mapping[str, RunStatus]
    tools: Callable[[Principal], tuple[ToolSpec, ...]]
    principal: Callable[[Tx, Run, Bidi], Awaitable[Principal]]
    load: Callable[[Tx, Run], Awaitable[Thread]]
    conclude: Callable[[Tx, Run, State], Awaitable[None]]
    give_up: Callable[[Tx, Run, Trouble], Awaitable[None]]
    rewind: Rewind
    recall: Callable[[Tx, Run], Awaitable[Thread]]
    said: Callable[[State], str] = _nothing
    asked: Callable[[Thread], str] = _nothing
    starts_tainted: bool = True
    recursion_limit: int = 25
