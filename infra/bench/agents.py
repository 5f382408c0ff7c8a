"""What a run costs beside its model, and beside bare LangGraph; how long after the model's first token the asker reads it."""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web

from core.db import Database
from core.jsons import dumps
from infra import embedded
from infra.bench import Report, _run_cost, percentile
from infra.bench import _office as office
from infra.bench._office import BotApi
from infra.embedded import Urls
from infra.fleet import PROCESSES, Fleet, running_fleet
from infra.migrate import migrate

QUESTIONS, WARM = 60, 5
WORDS = 40
_THINKING_SECONDS, _WORD_SECONDS, _WAIT_SECONDS = 0.05, 0.01, 30.0


def run() -> Report:
    """Measure; takes about three minutes and needs nothing running."""
    with (
        tempfile.TemporaryDirectory(prefix="getsale-bench-") as folder,
        embedded.start(Path(folder)) as servers,
    ):
        migrate(servers.urls.database_url_migrator)
        return asyncio.run(_measure(Path(folder), servers.urls))


async def _measure(folder: Path, urls: Urls) -> Report:
    report = Report("agents")
    db = await Database(urls.database_url, size=4).open()
    bot_api, model = BotApi(), _Model()
    jar = aiohttp.CookieJar(unsafe=True)
    try:
        async with bot_api.serve(), model.serve(), aiohttp.ClientSession(cookie_jar=jar) as http:
            principal, workplace = await office.open_organization(db)
            asked = {"OPENAI_BASE_URL": model.base, "OPENAI_API_KEY": "bench", "AGENT_MODEL": "bench"}
            async with running_fleet(
                folder, urls, bot_api.base, PROCESSES, LOG_LEVEL="warning", **asked
            ) as fleet:
                await office.sign_in(http, fleet.base)
                await _first_tokens(fleet, http, model, report)
            # once no other process of ours is at work
            await _run_cost.measure(urls, principal, workplace, report)
    finally:
        await db.close()
    return report


@dataclass
class _Model:
    """An endpoint that thinks for a moment and then writes a word at a time; it notes when its first word left."""

    base: str = ""
    first_word_at: list[float] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await asyncio.sleep(_THINKING_SECONDS)
        for number in range(WORDS):
            if number == 0:
                self.first_word_at.append(time.perf_counter())
            await _send(response, {"content": f"word{number} "}, None)
            await asyncio.sleep(_WORD_SECONDS)
        await _send(response, {}, "stop")
        await response.write(b"data: [DONE]\n\n")
        return response

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[None]:
        application = web.Application()
        application.router.add_post("/v1/chat/completions", self.answer)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.base = f"{site.name}/v1"
        try:
            yield
        finally:
            await runner.cleanup()


async def _send(response: web.StreamResponse, delta: dict[str, str], finish: str | None) -> None:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk = {
        "id": "bench",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "bench",
        "choices": [choice],
    }
    await response.write(f"data: {dumps(chunk)}\n\n".encode())


async def _first_tokens(fleet: Fleet, http: aiohttp.ClientSession, model: _Model, report: Report) -> None:
    """One question after the other in one chat, read over the stream that the page reads."""
    token = await office.form_token(http, fleet.base, "/inbox")
    chat = await _ask(http, f"{fleet.base}/copilot", token)
    waits: list[float] = []
    async with http.get(
        f"{fleet.base}/live/copilot/{chat}", timeout=aiohttp.ClientTimeout(total=None)
    ) as stream:
        lines = _events(stream)
        await _until_answered(lines)
        for number in range(QUESTIONS + WARM):
            await _ask(http, f"{fleet.base}/copilot/{chat}/questions", token)
            seen = await _first_word(lines)
            if number >= WARM:
                waits.append((seen - model.first_word_at[-1]) * 1000)
            await _until_answered(lines)
            if number % 20 == 0:
                print(f"question {number} of {QUESTIONS + WARM}", file=sys.stderr)
    report.add("copilot_first_token_p50", percentile(waits, 0.5), "ms", len(waits))
    report.add("copilot_first_token_p95", percentile(waits, 0.95), "ms", len(waits), aim=100.0)


async def _ask(http: aiohttp.ClientSession, url: str, token: str) -> str:
    """The id of the chat that the question went to."""
    form = {"csrf_token": token, "question": "What is new?"}
    async with http.post(url, data=form, allow_redirects=False) as answer:
        assert answer.status == 303, await answer.text()
        return answer.headers["Location"].rsplit("/", 1)[1]


async def _events(stream: aiohttp.ClientResponse) -> AsyncIterator[str]:
    """Each server-sent event as it comes."""
    event = ""
    async for raw in stream.content:
        line = raw.decode()
        event += line
        if line == "\n":
            yield event
            event = ""


async def _first_word(events: AsyncIterator[str]) -> float:
    """When the first word of an answer was there."""
    async with asyncio.timeout(_WAIT_SECONDS):
        async for event in events:
            if "word0" in event:
                return time.perf_counter()
    raise AssertionError("The stream ended before an answer began.")


async def _until_answered(events: AsyncIterator[str]) -> None:
    async with asyncio.timeout(_WAIT_SECONDS):
        async for event in events:
            if event.startswith("event: answered"):
                return
