"""LangGraph by itself with the checkpointing that our runs use: the measure to stay near."""

import asyncio
import time
from operator import add
from typing import Annotated, Any, TypedDict
from uuid import uuid4

from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.graph import END, START, StateGraph

from core.db import Database
from core.principal import Principal

# As many nodes as agents/inbox has on the way to a draft.
NODES = ("triage", "gather", "draft", "guard", "propose")


class _State(TypedDict):
    done: Annotated[list[str], add]


def _builder() -> StateGraph[Any, Any, Any, Any]:
    builder: StateGraph[Any, Any, Any, Any] = StateGraph(_State)
    for before, name in zip((START, *NODES), NODES, strict=False):

        async def node(state: _State, name: str = name) -> dict[str, list[str]]:
            return {"done": [name]}

        builder.add_node(name, node)
        builder.add_edge(before, name)
    builder.add_edge(NODES[-1], END)
    return builder


async def runs_per_second(url: str, principal: Principal, *, runs: int, at_once: int) -> float:
    """Drive a graph that does nothing, durability sync, one saver and one connection per run."""
    db = await Database(url, size=at_once).open()
    builder = _builder()
    gate = asyncio.Semaphore(at_once)

    async def one() -> None:
        async with gate, db.session(principal) as connection:
            graph = builder.compile(checkpointer=AsyncPostgresSaver(connection))
            config: Any = {"configurable": {"thread_id": str(uuid4())}}
            await graph.ainvoke({"done": []}, config, durability="sync")

    try:
        await asyncio.gather(*(one() for _ in range(at_once)))  # warm
        start = time.perf_counter()
        await asyncio.gather(*(one() for _ in range(runs)))
        return runs / (time.perf_counter() - start)
    finally:
        await db.close()
