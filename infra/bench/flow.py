"""The path of a message, measured through real processes: webhook, draft, approval, channel, second browser."""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from uuid import UUID

import aiohttp

from core import clock
from core.db import Database
from core.principal import Principal
from crm.conversations.actions import receive_message
from crm.conversations.models import InboundMessage
from crm.drafts.queries import find_pending_draft
from crm.runs.actions import QuietWindow, RunRequest, request_run
from events.ids import ConversationId
from infra import embedded
from infra.bench import Report, percentile
from infra.bench import _office as office
from infra.bench._bare_langgraph import runs_per_second as bare_runs_per_second
from infra.bench._office import BotApi
from infra.embedded import Urls
from infra.fleet import PROCESSES, Fleet, running_fleet
from infra.migrate import migrate
from infra.seed.workplace import Workplace

MESSAGES = 100
RUNS = 200
AT_ONCE = 8
_WAIT_SECONDS = 30.0
_chats = count(730000001)


def run() -> Report:
    """Measure; takes about a minute and a half and needs nothing running."""
    with (
        tempfile.TemporaryDirectory(prefix="getsale-bench-") as folder,
        embedded.start(Path(folder)) as servers,
    ):
        migrate(servers.urls.database_url_migrator)
        return asyncio.run(_measure(Path(folder), servers.urls))


@dataclass(frozen=True)
class _Bench:
    """What the measurements share."""

    fleet: Fleet
    db: Database
    principal: Principal
    workplace: Workplace
    http: aiohttp.ClientSession
    bot_api: BotApi


async def _measure(folder: Path, urls: Urls) -> Report:
    report = Report("flow")
    db = await Database(urls.database_url, size=8).open()
    bot_api = BotApi()
    jar = aiohttp.CookieJar(unsafe=True)
    try:
        async with bot_api.serve(), aiohttp.ClientSession(cookie_jar=jar) as http:
            principal, workplace = await office.open_organization(db)
            quiet = {"LOG_LEVEL": "warning", "LEASE_SECONDS": "15"}
            async with running_fleet(folder, urls, bot_api.base, PROCESSES, **quiet) as fleet:
                bench = _Bench(fleet, db, principal, workplace, http, bot_api)
                await office.sign_in(http, fleet.base)
                await _memory(bench, report)
                await _path(bench, report)
                await _throughput(bench, report, urls)
    finally:
        await db.close()
    return report


# the path of one message, over and over ------------------------------------------------------------------------------


async def _path(bench: _Bench, report: Report) -> None:
    stored: list[float] = []
    drafted: list[float] = []
    approved: list[float] = []
    seen: list[float] = []
    token = await office.form_token(bench.http, bench.fleet.base, "/inbox")
    for number in range(MESSAGES + 10):
        times = await _one_message(bench, token)
        if number < 10:  # the first ones warm pools and plans
            continue
        for bucket, value in zip((stored, drafted, approved, seen), times, strict=True):
            bucket.append(value * 1000)
        if number % 25 == 0:
            _say(f"message {number} of {MESSAGES + 10}")
    for name, values, aim in (
        ("webhook_to_stored", stored, None),
        ("webhook_to_draft", drafted, 150.0),
        ("approve_to_channel", approved, None),
    ):
        report.add(f"{name}_p50", percentile(values, 0.5), "ms", len(values), aim=aim)
        report.add(f"{name}_p95", percentile(values, 0.95), "ms", len(values))
    report.add("commit_to_second_browser_p95", percentile(seen, 0.95), "ms", len(seen), aim=300.0)


async def _one_message(bench: _Bench, token: str) -> tuple[float, float, float, float]:
    """Seconds: webhook to stored, webhook to the draft on the page, approve to channel, commit to a second page."""
    chat_id = next(_chats)
    conversation_id = await _first_contact(bench, chat_id)
    async with _live_page(bench, conversation_id) as page, _live_page(bench, conversation_id) as second:
        start = time.perf_counter()
        await _webhook(bench, chat_id, "Could we have a demo on Thursday?")
        stored = time.perf_counter()
        drafted = await page.wait_for('class="draft', after=start)
        draft_id, version = await _draft(bench, conversation_id)
        await second.wait_for('class="draft', after=start)
        pressed = time.perf_counter()
        form = {"csrf_token": token, "version": str(version)}
        async with bench.http.post(
            f"{bench.fleet.base}/drafts/{draft_id}/approval", data=form, allow_redirects=False
        ) as answer:
            assert answer.status == 303, await answer.text()
        committed = time.perf_counter()
        seen = await second.wait_for("msg out", after=committed)
        await _until(lambda: str(chat_id) in bench.bot_api.taken)
    sent = bench.bot_api.taken[str(chat_id)][0]
    return stored - start, drafted - start, sent - pressed, max(0.0, seen - committed)


async def _first_contact(bench: _Bench, chat_id: int) -> ConversationId:
    """Open the conversation beforehand, as a chat that a page already shows."""
    inbound = InboundMessage(
        f"first-{chat_id}",
        str(chat_id),
        "0",
        "Vera Lind",
        "en",
        (("telegram_id", str(chat_id)),),
        "ok, thanks",
        clock.now(),
    )
    async with bench.db.transaction(bench.principal, "bench") as tx:
        await tx.execute("UPDATE triggers SET is_enabled = false")
        await receive_message(tx, bench.workplace.account, inbound)
        conversation_id = await tx.value(
            "SELECT id FROM conversations WHERE external_id = %(id)s", id=str(chat_id)
        )
    await _until_idle(bench)
    async with bench.db.transaction(bench.principal, "bench") as tx:
        await tx.execute("UPDATE triggers SET is_enabled = true")
    return ConversationId(conversation_id)


async def _until_idle(bench: _Bench, seconds: float = 10) -> None:
    """Wait until what was set off before is over, so that only what is measured is under way."""
    for _ in range(int(seconds * 100)):
        async with bench.db.transaction(bench.principal, "bench") as tx:
            if not await tx.value("SELECT count(*) FROM event_deliveries WHERE status = 'open'"):
                return
        await asyncio.sleep(0.01)


async def _webhook(bench: _Bench, chat_id: int, text: str) -> None:
    update = office.update(chat_id, text)
    async with office.post_update(bench.http, bench.fleet.base, bench.workplace.account, update) as answer:
        assert (await answer.json())["status"] == "accepted"


async def _draft(bench: _Bench, conversation_id: ConversationId) -> tuple[UUID, int]:
    async with bench.db.transaction(bench.principal, "bench") as tx:
        draft = await find_pending_draft(tx, conversation_id)
    assert draft is not None
    return draft.id, draft.version


class _LivePage:
    """A page's stream of fragments, each with the time at which it came."""

    def __init__(self) -> None:
        self.came: list[tuple[float, str]] = []
        self.news = asyncio.Event()

    async def read(self, answer: aiohttp.ClientResponse) -> None:
        block: list[bytes] = []
        async for line in answer.content:
            if line.strip():
                block.append(line)
                continue
            self.came.append((time.perf_counter(), b"".join(block).decode()))
            block = []
            self.news.set()

    async def wait_for(self, part: str, *, after: float) -> float:
        """When a fragment that holds `part` came."""
        async with asyncio.timeout(_WAIT_SECONDS):
            while True:
                self.news.clear()
                for came_at, html in self.came:
                    if came_at >= after and part in html:
                        return came_at
                await self.news.wait()


@asynccontextmanager
async def _live_page(bench: _Bench, conversation_id: ConversationId) -> AsyncIterator[_LivePage]:
    page = _LivePage()
    url = f"{bench.fleet.base}/live?conversation={conversation_id}&folder=all"
    async with bench.http.get(url, timeout=aiohttp.ClientTimeout(total=None)) as answer:
        reading = asyncio.create_task(page.read(answer))
        async with asyncio.timeout(_WAIT_SECONDS):
            await page.news.wait()  # the stream's first line: the page is subscribed
        try:
            yield page
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading


# throughput and memory -----------------------------------------------------------------------------------------------


async def _throughput(bench: _Bench, report: Report, urls: Urls) -> None:
    """One worker drains runs that wait for it; beside it, bare LangGraph with the same checkpointing."""
    conversations = await _waiting_conversations(bench, RUNS)
    bench.fleet.pause("worker")
    await _queue_runs(bench, conversations)
    bench.fleet.resume("worker")
    ours = await _drained(bench)
    _say("bare LangGraph")
    bare = await bare_runs_per_second(urls.database_url_worker, bench.principal, runs=RUNS, at_once=AT_ONCE)
    report.add("runs_per_second_one_worker", ours, "1/s", RUNS)
    report.add("runs_per_second_bare_langgraph", bare, "1/s", RUNS)
    report.add("runs_ratio_to_bare_langgraph", ours / bare, "x", RUNS, aim=0.6, better="higher")


async def _waiting_conversations(bench: _Bench, number: int) -> list[ConversationId]:
    """Conversations with one unanswered message each, received and settled before the runs are measured."""
    async with bench.db.transaction(bench.principal, "bench") as tx:
        await tx.execute("UPDATE triggers SET is_enabled = false")
    conversations = []
    for _ in range(number):
        chat_id = str(next(_chats))
        text = "Could we have a demo on Thursday?"
        inbound = InboundMessage(
            f"w-{chat_id}", chat_id, "1", "Vera Lind", "en", (("telegram_id", chat_id),), text, clock.now()
        )
        async with bench.db.transaction(bench.principal, "bench") as tx:
            await receive_message(tx, bench.workplace.account, inbound)
            id = await tx.value("SELECT id FROM conversations WHERE external_id = %(id)s", id=chat_id)
        conversations.append(ConversationId(id))
    await _until_idle(bench, seconds=60)
    return conversations


async def _queue_runs(bench: _Bench, conversations: list[ConversationId]) -> None:
    for conversation_id in conversations:
        async with bench.db.transaction(bench.principal, "bench") as tx:
            request = RunRequest(bench.workplace.bidi_id, "inbox", conversation_id)
            await request_run(tx, request, QuietWindow(0, 0))


async def _drained(bench: _Bench) -> float:
    """Runs per second between the first start and the last end."""
    for _ in range(3000):
        async with bench.db.transaction(bench.principal, "bench") as tx:
            waiting = await tx.value("SELECT count(*) FROM runs WHERE status IN ('queued', 'running')")
            if not waiting:
                seconds = await tx.value(
                    """
                    SELECT extract(epoch FROM max(finished_at) - min(started_at))::float
                      FROM (SELECT started_at, finished_at FROM runs ORDER BY created_at DESC LIMIT %(runs)s) AS last
                    """,
                    runs=RUNS,
                )
                return float(RUNS / seconds)
        await asyncio.sleep(0.1)
    raise TimeoutError("the runs did not end")


async def _memory(bench: _Bench, report: Report) -> None:
    await asyncio.sleep(2)
    pids = bench.fleet.pids()
    for name in PROCESSES:
        report.add(f"memory_{name}", _resident_megabytes(pids[name]), "MB", 1)


def _resident_megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:", 1)[1].split()[0]) / 1024


async def _until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(_WAIT_SECONDS):
        while not done():  # noqa: ASYNC110 (the far end is not ours to signal)
            await asyncio.sleep(0.002)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
