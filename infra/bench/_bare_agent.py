"""The same work by LangGraph alone: `create_agent`, the Postgres checkpointer, durability sync, a draft in a row.

Two model calls and three tool calls, as the inbox agent makes for a reply: two that read, one that drafts. Nothing else
of the product is there: no lease, policy, budget, audit, evidence, guard or event.
"""

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any
from uuid import UUID, uuid4

from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from psycopg import AsyncConnection

from core.db import Database
from core.principal import Principal

TABLE = """
    CREATE TABLE bench_drafts (
        organization_id uuid NOT NULL, id uuid PRIMARY KEY, contact_id uuid NOT NULL, body text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
    );
    GRANT SELECT, INSERT ON bench_drafts TO getsale_app, getsale_worker
"""
REPLY = "Yes, Thursday works. I will send an invitation."
_rows: ContextVar[tuple[AsyncConnection[Any], UUID]] = ContextVar("rows")


class _Scripted(BaseChatModel):
    """Asks who the contact of the last question is and what was said, then for a draft; answers in no time."""

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        return self

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        asked = max(n for n, message in enumerate(messages) if isinstance(message, HumanMessage))
        about = {"contact_id": str(messages[asked].content).split()[0]}
        wanted: list[tuple[str, dict[str, str]]] = [("brief", about), ("recall", about)]
        if asked < len(messages) - 1:
            wanted = [("draft", {**about, "body": REPLY})]
        calls = [{"name": name, "args": args, "id": str(uuid4())} for name, args in wanted]
        return ChatResult(generations=[ChatGeneration(message=AIMessage("", tool_calls=calls))])

    async def _agenerate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        return self._generate(messages)


@tool
async def brief(contact_id: str) -> str:
    """Who the contact is."""
    rows, _ = _rows.get()
    found = await rows.execute(
        "SELECT id, name, title, language, note FROM contacts WHERE id = %s", (contact_id,)
    )
    return str(await found.fetchone())


@tool
async def recall(contact_id: str) -> str:
    """What was said before."""
    rows, _ = _rows.get()
    found = await rows.execute(
        """
        SELECT m.body
          FROM messages m
          JOIN conversations c ON (c.organization_id, c.id) = (m.organization_id, m.conversation_id)
         WHERE c.contact_id = %s
         ORDER BY m.seq DESC
         LIMIT 10
        """,
        (contact_id,),
    )
    return str(await found.fetchall())


@tool(return_direct=True)
async def draft(contact_id: str, body: str) -> str:
    """Propose a reply."""
    rows, organization_id = _rows.get()
    draft_id = uuid4()
    await rows.execute(
        "INSERT INTO bench_drafts (organization_id, id, contact_id, body) VALUES (%s, %s, %s, %s)",
        (organization_id, draft_id, contact_id, body),
    )
    return str(draft_id)


class BareAgent:
    """`create_agent`, compiled once; each run has a connection for its checkpoints and one for its tools."""

    def __init__(self) -> None:
        self._agent: Any = create_agent(
            _Scripted(),
            [brief, recall, draft],
            system_prompt="You answer for a sales team. Be warm, brief and exact.",
        )

    async def run(self, db: Database, principal: Principal, contact_id: UUID, text: str, thread: str) -> None:
        async with db.session(principal) as checkpoints, db.session(principal) as rows:
            _rows.set((rows, principal.organization_id))
            agent = self._agent.copy({"checkpointer": AsyncPostgresSaver(checkpoints)})
            asked = {"messages": [HumanMessage(f"{contact_id} {text}")]}
            await agent.ainvoke(asked, {"configurable": {"thread_id": thread}}, durability="sync")
