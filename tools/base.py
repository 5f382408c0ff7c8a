"""What a tool is: a typed function with a scope, a risk and a reach, and the context it runs in."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar, get_type_hints
from uuid import UUID

from pydantic import BaseModel, ConfigDict, JsonValue

from core.db import Tx
from core.principal import Principal
from core.trust import Trust
from crm.bidi.models import Bidi
from crm.policy.models import Decision as Decision
from crm.policy.models import Impact as Impact
from crm.policy.models import Reach as Reach
from crm.policy.models import Risk as Risk
from crm.runs.models import Run
from events.ids import ConversationId, RunId
from graph.store import GraphStore
from memory.recall import Memories


class ToolStatus(StrEnum):
    """`asked`: a person has to decide first; the run goes on without it."""

    DONE = "done"
    ASKED = "asked"
    REFUSED = "refused"
    FAILED = "failed"


class ToolRetry(Exception):
    """The call was wrong in a way that the model can mend; the text says how."""


class ToolFailed(Exception):
    """The call cannot succeed now; the text says why and what else to do."""


class Arguments(BaseModel):
    """Base of all tool arguments: a name that a tool does not know is a mistake, not noise."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


@dataclass(frozen=True)
class Source:
    """Where a returned value comes from, and how far its text may be trusted."""

    kind: str
    id: UUID
    trust: Trust = Trust.CONFIRMED


@dataclass(frozen=True)
class RunContext:
    """The run on whose behalf tools are called; made by the agent runtime when it has leased the run.

    The run's fence is the lease's: once somebody else has leased the run, no call of this context has an effect.
    `is_tainted` says that the run has read text from outside before its first call, as every inbox run has.
    `model` and `prompt` name what writes the drafts of this run; they are stored with each. `asked` is what a colleague
    asked this run to do, in their words, which are trusted. A run that is `is_counterpart_scoped` reads this thread,
    what this same person told us and what may be published, and is refused everything else.
    """

    run: Run
    bidi: Bidi
    principal: Principal
    is_tainted: bool = True
    model: str = ""
    prompt: str = ""
    asked: str = ""
    is_counterpart_scoped: bool = False

    @property
    def run_id(self) -> RunId:
        return self.run.id

    @property
    def conversation_id(self) -> ConversationId | None:
        """The thread that the run serves; without one it answers a colleague."""
        return self.run.conversation_id


@dataclass(frozen=True)
class ToolContext:
    """What a tool function gets: the run, the graph, memory, and a transaction when it is declared with `tx=True`.

    A tool with `tx=False` asks dispatch for a short one with `short_tx()` and holds none while it waits. `why` says, as
    codes, what a tool's `otherwise` stands in for.
    """

    run: RunContext
    graph: GraphStore
    memories: Memories
    open_tx: Tx | None
    short_tx: Callable[[], AbstractAsyncContextManager[Tx]]
    why: tuple[str, ...] = ()

    @property
    def tx(self) -> Tx:
        if self.open_tx is None:
            raise RuntimeError("This tool is declared with tx=False; open a transaction with ctx.short_tx().")
        return self.open_tx

    @property
    def principal(self) -> Principal:
        return self.run.principal


@dataclass(frozen=True)
class ToolResult:
    """What became of one call. `error` is a text for the model and `code` its class for the program that called.

    `may_retry` says that a call with mended arguments may work; `is_replayed` that this was recorded earlier.
    """

    status: ToolStatus
    decision: Decision
    content: JsonValue = None
    error: str = ""
    code: str = ""
    may_retry: bool = False
    is_untrusted: bool = False
    is_replayed: bool = False
    tool_call_id: UUID | None = None

    @property
    def is_done(self) -> bool:
        return self.status is ToolStatus.DONE


Args = TypeVar("Args", bound=BaseModel)
Function = Callable[[ToolContext, Args], Awaitable[object]]


@dataclass(frozen=True)
class Tool(Generic[Args]):
    """One entry of the registry. `is_repeatable` says whether a call whose fate is unknown may be run again.

    `is_counterpart_safe` says that it returns nothing but the run's thread, what the same person told us, and what may
    be published. `otherwise` is what is done instead of putting a card before people.
    """

    name: str
    description: str
    arguments: type[Args]
    function: Function[Args]
    scope: str
    risk: Risk
    reach: Reach
    impact: Impact | Callable[[Args], Impact]
    has_tx: bool
    returns_untrusted: bool
    is_repeatable: bool
    timeout_seconds: float
    is_counterpart_safe: bool = False
    otherwise: Function[Args] | None = None

    def impact_of(self, args: Args) -> Impact:
        return self.impact if isinstance(self.impact, Impact) else self.impact(args)


def tool(
    *,
    scope: str,
    risk: Risk,
    reach: Reach = Reach.SELF,
    impact: Impact | Callable[[Args], Impact] = Impact.ORDINARY,
    tx: bool = True,
    returns_untrusted: bool = False,
    is_repeatable: bool | None = None,
    is_counterpart_safe: bool = False,
    otherwise: Function[Args] | None = None,
    timeout_seconds: float = 10,
) -> Callable[[Function[Args]], Tool[Args]]:
    """Declare `async def name(ctx: ToolContext, args: Model) -> Result` a tool; the model reads its docstring.

    `impact` may depend on the arguments. With `tx=True` dispatch opens the transaction in which the effect and
    its record commit together; with `tx=False` none is open, and only a repeatable tool is run again after a crash.
    """

    def declare(function: Function[Args]) -> Tool[Args]:
        name = getattr(function, "__name__", "")
        if not function.__doc__:
            raise TypeError(f"The tool {name} has no docstring; the model reads nothing else.")
        return Tool(
            name=name,
            description=function.__doc__.strip(),
            arguments=get_type_hints(function)["args"],
            function=function,
            scope=scope,
            risk=risk,
            reach=reach,
            impact=impact,
            has_tx=tx,
            returns_untrusted=returns_untrusted,
            is_repeatable=risk is Risk.READ if is_repeatable is None else is_repeatable,
            timeout_seconds=timeout_seconds,
            is_counterpart_safe=is_counterpart_safe,
            otherwise=otherwise,
        )

    return declare
