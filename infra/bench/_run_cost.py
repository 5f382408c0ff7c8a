"""Runs of the inbox agent beside `create_agent`: how many in a second, what a tool call adds, what is kept of them.

All in one process over one database, with a scripted model that answers at once. What is compared is measured in turns,
a few at a time, and the middle of the ratios counts, so that whatever else the machine does falls on both.
"""

import asyncio
import gc
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from statistics import median
from typing import Any
from uuid import UUID, uuid4

import psycopg
from pydantic import JsonValue

from agents.llm.scripted import ScriptedModel, Turn
from agents.runtime import Runtime
from core import clock, telemetry
from core.db import Database
from core.principal import Principal
from core.settings import Settings
from crm.bidi.models import Autonomy
from crm.bidi.queries import get_bidi
from crm.conversations.actions import receive_message
from crm.conversations.models import InboundMessage
from crm.runs.actions import QuietWindow, RunRequest, claim_run, request_run
from events.ids import ContactId, ConversationId, RunId
from graph.postgres import PostgresGraph
from infra.bench import Report, percentile
from infra.bench._bare_agent import REPLY, TABLE, BareAgent
from infra.embedded import Urls
from infra.seed.workplace import Workplace
from memory.embeddings.remote import NoEmbedder
from memory.recall import Memories
from tools.base import RunContext, ToolContext
from tools.dispatch import Dispatcher
from tools.registry import BY_NAME

ROUNDS, BATCH = 9, 24
CALLS, CALLS_A_RUN = 200, 20
TURNS = 50
TEXT = "Could we have a demo on Thursday?"
_chats = count(760000001)
_SCRIPT: dict[str, list[dict[str, JsonValue]]] = {
    "triage": [{"value": {"decision": "answer", "language": "en", "intents": ["demo"]}}],
    "draft": [{"value": {"language": "en", "sentences": [{"text": REPLY, "evidence": [1]}]}}],
}


@dataclass
class Bench:
    """One organization with both agents over one pool."""

    db: Database
    urls: Urls
    principal: Principal
    workplace: Workplace
    report: Report
    bare: BareAgent = field(default_factory=BareAgent)

    def __post_init__(self) -> None:
        script = {task: [Turn.model_validate(turn) for turn in turns] for task, turns in _SCRIPT.items()}
        model = ScriptedModel(script)
        self.dispatcher = Dispatcher(self.db, PostgresGraph(self.db))
        self.runtime = Runtime(self.db, Settings(), self.dispatcher, lambda _: model)

    async def write(self, chat: int | None = None) -> tuple[ConversationId, ContactId]:
        """A contact writes a line, a new one unless it is told who."""
        chat_id, number = str(chat or next(_chats)), next(_chats)
        inbound = InboundMessage(
            f"c-{number}",
            chat_id,
            str(number),
            "Vera Lind",
            "en",
            (("telegram_id", chat_id),),
            TEXT,
            clock.now(),
        )
        async with self.db.transaction(self.principal, "bench") as tx:
            await receive_message(tx, self.workplace.account, inbound)
            conversation_id = await tx.value(
                "SELECT id FROM conversations WHERE external_id = %(id)s", id=chat_id
            )
            contact_id = await tx.value(
                "SELECT contact_id FROM conversations WHERE id = %(id)s", id=conversation_id
            )
        return ConversationId(conversation_id), ContactId(contact_id)

    async def ask(self, conversation_id: ConversationId) -> RunId:
        async with self.db.transaction(self.principal, "bench") as tx:
            request = RunRequest(self.workplace.bidi_id, "inbox", conversation_id)
            run_id = await request_run(tx, request, QuietWindow(0, 0))
        assert run_id is not None
        return run_id


async def measure(urls: Urls, principal: Principal, workplace: Workplace, report: Report) -> None:
    """Add every figure that needs no other process."""
    telemetry.set_up(Settings(log_level="warning"), "bench")
    with psycopg.connect(urls.database_url_migrator, autocommit=True) as admin:
        admin.execute(TABLE.encode())
    db = await Database(urls.database_url_worker, size=20).open()
    try:
        bench = Bench(db, urls, principal, workplace, report)
        await _throughput(bench)
        await _tool_calls(bench)
        await _checkpoints(bench)
    finally:
        await db.close()


# runs in a second ------------------------------------------------------------------------------------------------------


async def _throughput(bench: Bench) -> None:
    for at_once in (1, 8):
        ours: list[float] = []
        bare: list[float] = []
        for number in range(ROUNDS + 1):
            told = [await bench.write() for _ in range(BATCH)]
            asked = [await bench.ask(conversation_id) for conversation_id, _ in told]
            work: list[tuple[list[float], Sequence[Callable[[], Awaitable[object]]]]] = [
                (ours, [_ours(bench, run_id) for run_id in asked]),
                (bare, [_bare(bench, contact_id) for _, contact_id in told]),
            ]
            # each goes first in every other round
            for rates, jobs in work if number % 2 else reversed(work):
                rate = await _rate(jobs, at_once)
                if number:  # the first round warms plans and caches
                    rates.append(rate)
            print(f"runs, {at_once} at once: round {number} of {ROUNDS}", file=sys.stderr)
        runs = ROUNDS * BATCH
        ratio = median(one / other for one, other in zip(ours, bare, strict=True))
        bench.report.add(f"runs_per_second_{at_once}", median(ours), "1/s", runs)
        bench.report.add(f"runs_per_second_bare_{at_once}", median(bare), "1/s", runs)
        bench.report.add(f"runs_ratio_{at_once}", ratio, "x", runs, aim=0.6, better="higher")
    await _check_drafts(bench)


def _ours(bench: Bench, run_id: RunId) -> Callable[[], Awaitable[object]]:
    return lambda: bench.runtime.execute(bench.principal.organization_id, run_id)


def _bare(bench: Bench, contact_id: ContactId) -> Callable[[], Awaitable[object]]:
    return lambda: bench.bare.run(bench.db, bench.principal, UUID(str(contact_id)), TEXT, str(uuid4()))


async def _rate(jobs: Sequence[Callable[[], Awaitable[object]]], at_once: int) -> float:
    gate = asyncio.Semaphore(at_once)

    async def one(job: Callable[[], Awaitable[object]]) -> None:
        async with gate:
            await job()

    gc.collect()
    start = time.perf_counter()
    await asyncio.gather(*(one(job) for job in jobs))
    return len(jobs) / (time.perf_counter() - start)


async def _check_drafts(bench: Bench) -> None:
    """Both did the work: as many drafts, model calls and tool calls as there were runs of each."""
    runs = 2 * (ROUNDS + 1) * BATCH
    async with bench.db.transaction(bench.principal, "bench") as tx:
        drafts = await tx.value("SELECT count(*) FROM drafts WHERE body = %(body)s", body=REPLY)
        bare = await tx.value("SELECT count(*) FROM bench_drafts")
        calls = await tx.value(
            "SELECT count(*) FROM tool_calls t JOIN runs r ON r.id = t.run_id WHERE r.agent = 'inbox'"
        )
    if (drafts, bare, calls) != (runs, runs, 3 * runs):
        raise AssertionError(f"{runs} runs of each, but {drafts} and {bare} drafts, and {calls} tool calls.")


# what dispatch adds to a call ------------------------------------------------------------------------------------------


async def _tool_calls(bench: Bench) -> None:
    for kind, name in (("read", "get_contact"), ("write", "create_note")):
        added: list[float] = []
        whole: list[float] = []
        for number in range(CALLS // CALLS_A_RUN + 1):
            ctx, contact_id = await _leased(bench)
            for index in range(CALLS_A_RUN):
                own, dispatched = await _call_twice(
                    bench, ctx, name, _arguments(name, contact_id), str(index)
                )
                if number:  # the first run warms plans
                    whole.append(dispatched)
                    added.append(dispatched - own)
        bench.report.add(f"tool_added_{kind}_p50", percentile(added, 0.5), "ms", CALLS, aim=5.0)
        bench.report.add(f"tool_added_{kind}_p95", percentile(added, 0.95), "ms", CALLS)
        bench.report.add(f"tool_call_{kind}_p50", percentile(whole, 0.5), "ms", CALLS)


async def _leased(bench: Bench) -> tuple[RunContext, ContactId]:
    """A run that is at work, of a seat that may write by itself."""
    conversation_id, contact_id = await bench.write()
    run_id = await bench.ask(conversation_id)
    async with bench.db.transaction(bench.principal, "bench") as tx:
        run = await claim_run(tx, run_id, 3600)
        assert run is not None
        bidi = replace(await get_bidi(tx, bench.workplace.bidi_id), autonomy=Autonomy.ASSIST)
    return RunContext(run, bidi, bidi.principal(run.id)), contact_id


def _arguments(name: str, contact_id: ContactId) -> dict[str, Any]:
    if name == "get_contact":
        return {"contact_id": str(contact_id)}
    return {"record_kind": "contact", "record_id": str(contact_id), "body": "Likes short mails."}


async def _call_twice(
    bench: Bench, ctx: RunContext, name: str, arguments: dict[str, Any], key: str
) -> tuple[float, float]:
    """Milliseconds of the tool's function in a transaction of its own, and of the same call through dispatch."""
    tool, graph = BY_NAME[name], PostgresGraph(bench.db)
    args = tool.arguments.model_validate(arguments)
    memories = Memories(NoEmbedder(), graph)
    start = time.perf_counter()
    async with bench.db.transaction(ctx.principal, "bench") as tx:
        context = ToolContext(ctx, graph, memories, tx, lambda: bench.db.transaction(ctx.principal, "bench"))
        await tool.function(context, args)
    between = time.perf_counter()
    result = await bench.dispatcher.call(ctx, name, arguments, f"{name}.{key}")
    end = time.perf_counter()
    assert result.is_done, result.error
    return (between - start) * 1000, (end - between) * 1000


# what is kept of a thread ----------------------------------------------------------------------------------------------

_BYTES = """
    SELECT coalesce(sum(bytes), 0)
      FROM (SELECT thread_id, pg_column_size(c.*) AS bytes FROM checkpoints c
             UNION ALL SELECT thread_id, pg_column_size(b.*) FROM checkpoint_blobs b
             UNION ALL SELECT thread_id, pg_column_size(w.*) FROM checkpoint_writes w) AS kept
     WHERE thread_id = ANY(%(threads)s)
"""


async def _checkpoints(bench: Bench) -> None:
    """A conversation of as many turns, each answered: a thread of ours is a run, the bare one goes on."""
    chat, thread, threads = next(_chats), str(uuid4()), []
    for number in range(TURNS):
        conversation_id, contact_id = await bench.write(chat)
        run_id = await bench.ask(conversation_id)
        await bench.runtime.execute(bench.principal.organization_id, run_id)
        await bench.bare.run(bench.db, bench.principal, UUID(str(contact_id)), TEXT, thread)
        threads.append(str(run_id))
        if number % 10 == 0:
            print(f"turn {number} of {TURNS}", file=sys.stderr)
    async with bench.db.transaction(bench.principal, "bench") as tx:
        ours = await tx.value(_BYTES, threads=threads)
        bare = await tx.value(_BYTES, threads=[thread])
    bench.report.add("checkpoint_bytes_50_turns", float(ours), "B", TURNS, aim=1_000_000)
    bench.report.add("checkpoint_bytes_50_turns_bare", float(bare), "B", TURNS)
