"""The memory writer: it works without a thread, writes quarantined facts and promises, and nothing else."""

from agents.agent import Agent, Trouble, by_forks
from agents.llm.base import ToolSpec
from agents.memory_writer import graph, nodes
from agents.memory_writer.state import CHECKPOINTED, State
from agents.memory_writer.talk import Subject, load_subject
from core.db import Tx
from core.principal import Principal
from crm.bidi.models import Bidi
from crm.runs.models import Run, RunStatus
from crm.suggestions.watching import MEMORY_WRITER


def make() -> Agent[State, Subject]:
    """The agent with its graph compiled."""
    return Agent(
        kind=MEMORY_WRITER,
        graph=graph.build().compile(),
        checkpointed=CHECKPOINTED,
        prompt=nodes.EXTRACT,
        outcomes={"remembered": RunStatus.SUCCEEDED, "nothing": RunStatus.SUCCEEDED},
        tools=_tools,
        principal=_principal,
        load=load_subject,
        conclude=_conclude,
        give_up=_give_up,
        rewind=by_forks(graph.FORKS),
        recall=load_subject,
    )


def _tools(principal: Principal) -> tuple[ToolSpec, ...]:
    """A model that reads a conversation calls nothing: the graph writes what it found."""
    return ()


async def _principal(tx: Tx, run: Run, bidi: Bidi) -> Principal:
    return bidi.principal(run.id)


async def _conclude(tx: Tx, run: Run, state: State) -> None:
    """Whatever it came to was done by tools."""


async def _give_up(tx: Tx, run: Run, trouble: Trouble) -> None:
    """Nobody waits for it: the conversation is read again when it rests the next time, and the run says why."""
