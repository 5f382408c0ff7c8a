"""The copilot: it acts for whoever asks, reads what both may read, and writes nothing that no person approved."""

from agents.agent import Agent, Trouble
from agents.copilot import graph, nodes
from agents.copilot.state import CHECKPOINTED, State
from agents.copilot.thread import ChatThread, asker_of, load_chat, recall_chat
from agents.llm.base import ToolSpec
from agents.offer import offered
from core.db import Tx
from core.errors import NotFound
from core.principal import Principal
from crm.bidi.models import Bidi
from crm.conversations.queries import get_message
from crm.copilot import actions as copilot
from crm.copilot.models import AGENT, Citation
from crm.identity.models import member_principal
from crm.runs.models import Run, RunStatus
from events.ids import MessageId, OrganizationId
from tools.registry import tools_for

# What serves the thread of an inbox run alone.
_NOT_FOR_COLLEAGUES = frozenset({"recall", "hand_off_conversation", "draft_reply", "withdraw_draft"})


def make() -> Agent[State, ChatThread]:
    """The agent with its graph compiled."""
    return Agent(
        kind=AGENT,
        graph=graph.build().compile(),
        checkpointed=CHECKPOINTED,
        prompt=nodes.ANSWER,
        outcomes={"answered": RunStatus.SUCCEEDED},
        tools=_tools,
        principal=_principal,
        load=load_chat,
        conclude=_conclude,
        give_up=_give_up,
        rewind=graph.rewind,
        recall=recall_chat,
        said=_said,
        asked=_asked,
        starts_tainted=False,
        recursion_limit=3 * nodes.MAX_ROUNDS + 6,
    )


def _tools(principal: Principal) -> tuple[ToolSpec, ...]:
    return offered(tool for tool in tools_for(principal) if tool.name not in _NOT_FOR_COLLEAGUES)


def _said(state: State) -> str:
    return state.get("answer", "")


def _asked(thread: ChatThread) -> str:
    """Everything that the colleague wrote in this chat so far, and what they look at."""
    seen = thread.shown.looking_at
    return "\n".join(
        [*(one.question for one in thread.earlier), thread.question.question, seen.name if seen else ""]
    )


async def _principal(tx: Tx, run: Run, bidi: Bidi) -> Principal:
    """The seat on behalf of its asker, with the role that they have now."""
    asker = await asker_of(tx, run)
    person = member_principal(asker.user_id, OrganizationId(tx.organization_id), asker.role)
    return bidi.principal(run.id).on_behalf_of(person)


async def _conclude(tx: Tx, run: Run, state: State) -> None:
    citations = [
        Citation(one.n, one.kind, one.source_id, one.label, one.quote, one.conversation_id)
        for one in state["citations"]
    ]
    await copilot.keep_answer(tx, run.id, state["answer"], [await _placed(tx, one) for one in citations])


async def _placed(tx: Tx, citation: Citation) -> Citation:
    """What was said stands in a conversation; a page that shows it wants to know in which."""
    if citation.kind not in ("message", "memory") or citation.conversation_id is not None:
        return citation
    try:
        message = await get_message(tx, MessageId(citation.id))
    except NotFound:
        return citation
    return Citation(
        citation.n, "message", citation.id, citation.label, citation.quote, message.conversation_id
    )


async def _give_up(tx: Tx, run: Run, trouble: Trouble) -> None:
    await copilot.keep_failure(tx, run.id, trouble.why)
