"""The follow-up agent: it works without a thread, and does nothing but suggest."""

from agents.agent import Agent, Trouble, by_forks
from agents.follow_up import graph, nodes
from agents.follow_up.occasion import Subject, load_subject, recall_subject
from agents.follow_up.state import CHECKPOINTED, State
from agents.llm.base import ToolSpec
from core.db import Tx
from core.principal import Principal
from crm.bidi.models import Bidi
from crm.runs.models import Run, RunStatus
from crm.suggestions.watching import FOLLOW_UP


def make() -> Agent[State, Subject]:
    """The agent with its graph compiled."""
    return Agent(
        kind=FOLLOW_UP,
        graph=graph.build().compile(),
        checkpointed=CHECKPOINTED,
        prompt=nodes.ADVISE,
        outcomes={
            "suggested": RunStatus.SUCCEEDED,
            "kept": RunStatus.SUCCEEDED,
            "known": RunStatus.SUCCEEDED,
        },
        tools=_tools,
        principal=_principal,
        load=load_subject,
        conclude=_conclude,
        give_up=_give_up,
        rewind=by_forks(graph.FORKS),
        recall=recall_subject,
    )


def _tools(principal: Principal) -> tuple[ToolSpec, ...]:
    """The model advises from what it is shown; the graph makes the calls."""
    return ()


async def _principal(tx: Tx, run: Run, bidi: Bidi) -> Principal:
    return bidi.principal(run.id)


async def _conclude(tx: Tx, run: Run, state: State) -> None:
    """Whatever it came to was done by tools."""


async def _give_up(tx: Tx, run: Run, trouble: Trouble) -> None:
    """Nobody waits for it; the run says why, and a deal that still stands is looked at again."""
