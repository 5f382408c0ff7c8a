"""The inbox agent: it answers those who write to us, as far as it may, and hands the rest to people."""

from agents.agent import Agent, Trouble, Unwanted, by_forks
from agents.context import Thread, load_thread
from agents.inbox import graph, nodes, words
from agents.inbox.state import CHECKPOINTED, State
from agents.llm.base import ToolSpec
from agents.offer import offered
from core.db import Tx
from core.principal import Principal
from crm.bidi.models import Bidi
from crm.contacts.queries import get_contact
from crm.conversations import actions as conversations
from crm.conversations.models import HandoffReason, HolderKind
from crm.conversations.queries import get_conversation
from crm.runs.models import Run, RunStatus
from tools.base import Reach, Risk
from tools.registry import tools_for

KIND = "inbox"
_OUTCOMES = {
    "drafted": RunStatus.SUCCEEDED,
    "sent": RunStatus.SUCCEEDED,
    "handed_off": RunStatus.SUCCEEDED,
    "ignored": RunStatus.SUCCEEDED,
    "outrun": RunStatus.CANCELLED,
    "failed": RunStatus.FAILED,
}


def make() -> Agent[State, Thread]:
    """The agent with its graph compiled."""
    return Agent(
        kind=KIND,
        graph=graph.build().compile(),
        checkpointed=CHECKPOINTED,
        prompt=nodes.DRAFT,
        outcomes=_OUTCOMES,
        tools=_tools,
        principal=_principal,
        load=_load,
        conclude=_conclude,
        give_up=give_up,
        rewind=by_forks(graph.FORKS),
        recall=_recall,
        said=_said,
    )


def _tools(principal: Principal) -> tuple[ToolSpec, ...]:
    """A model may look things up by itself, but not what others said; what is written, the graph decides."""
    return offered(
        tool for tool in tools_for(principal) if tool.risk is Risk.READ and tool.reach is not Reach.NEW
    )


async def _principal(tx: Tx, run: Run, bidi: Bidi) -> Principal:
    return bidi.principal(run.id)


async def _load(tx: Tx, run: Run) -> Thread:
    thread = await load_thread(tx, run)
    if thread.conversation.holder_kind is HolderKind.PERSON:
        raise Unwanted("a person holds the conversation")
    return thread


async def _recall(tx: Tx, run: Run) -> Thread:
    return await load_thread(tx, run, as_then=True)


def _said(state: State) -> str:
    draft = state.get("draft")
    return draft.body if draft is not None else ""


async def _conclude(tx: Tx, run: Run, state: State) -> None:
    """Whatever it came to was done by tools."""


async def give_up(tx: Tx, run: Run, trouble: Trouble) -> None:
    """Give the conversation to people, unless one of them has it already."""
    if run.conversation_id is None:
        return
    conversation = await get_conversation(tx, run.conversation_id)
    language = (await get_contact(tx, conversation.contact_id)).language
    is_spent = trouble.status is RunStatus.BUDGET_EXCEEDED
    stop = (words.out_of_budget if is_spent else words.broken)(language, trouble.why)
    if conversation.holder_kind is not HolderKind.PERSON:
        await conversations.hand_off(
            tx,
            conversation.id,
            reason=HandoffReason(stop.reason),
            summary=stop.summary,
            next_step=stop.next_step,
        )
