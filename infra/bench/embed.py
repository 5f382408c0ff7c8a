"""The embedding process alone: how soon it answers, how many texts it takes, and how much memory it holds.

The aims are what the same model does on two cores in a bare script; texts go over HTTP here, as the product sends them.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from itertools import cycle, islice
from pathlib import Path

import httpx2

from infra.bench import Report, percentile
from infra.embedder import Embedder, running_embedder
from memory.embeddings.base import PASSAGE, QUERY
from memory.embeddings.local import NAME

SECONDS = 4.0
SHORT, LONG, BATCH, AT_ONCE = 18, 172, 32, 4
AIMS = {(SHORT, 1): 200, (SHORT, BATCH): 288, (LONG, 1): 25, (LONG, BATCH): 22}
WORDS = {
    "en": [
        "the",
        "warehouse",
        "in",
        "the",
        "north",
        "counts",
        "forty",
        "scanners",
        "every",
        "morning",
        "and",
        "asks",
        "for",
        "a",
        "price",
        "before",
        "the",
        "delivery",
        "of",
        "the",
        "next",
        "month",
        "because",
        "their",
        "contract",
        "ends",
        "and",
        "a",
        "colleague",
        "wants",
        "to",
        "see",
        "how",
        "it",
        "works",
        "without",
        "a",
        "network",
    ],
    "ru": [
        "склад",
        "на",
        "севере",
        "каждое",
        "утро",
        "считает",
        "сорок",
        "сканеров",
        "и",
        "спрашивает",
        "цену",
        "до",
        "поставки",
        "следующего",
        "месяца",
        "потому",
        "что",
        "договор",
        "заканчивается",
        "и",
        "коллега",
        "хочет",
        "посмотреть",
        "как",
        "это",
        "работает",
        "без",
        "сети",
    ],
}


def run() -> Report:
    """Measure; takes about a minute and needs nothing running."""
    started = time.perf_counter()
    with running_embedder() as process:
        ready_seconds = time.perf_counter() - started
        return asyncio.run(_measure(process, ready_seconds))


async def _measure(process: Embedder, ready_seconds: float) -> Report:
    report = Report("embed")
    report.add("ready_after", ready_seconds, "s", 1)
    async with httpx2.AsyncClient(base_url=process.url, timeout=60, trust_env=False) as client:
        started = time.perf_counter()
        await _embed(client, [QUERY + "How much is it for fifty people?"])
        report.add("first_query", (time.perf_counter() - started) * 1000, "ms", 1)
        report.add("resident_idle", _resident_megabytes(process.pid), "MB", 1, aim=600)
        for language in WORDS:
            for length in (SHORT, LONG):
                texts = await _texts(client, language, length)
                await _one_by_one(client, report, f"{language}_{length}_tokens", texts)
                await _in_bulk(client, report, f"{language}_{length}_tokens", texts)
        await _beside_bulk(client, report)
    report.add("resident_after_bulk", _resident_megabytes(process.pid), "MB", 1, aim=600)
    return report


async def _embed(client: httpx2.AsyncClient, texts: list[str]) -> int:
    """Embed and return the number of tokens."""
    body = {"model": NAME, "input": texts, "encoding_format": "base64"}
    answer = await client.post("/embeddings", json=body)
    answer.raise_for_status()
    return int(answer.json()["usage"]["total_tokens"])


async def _texts(client: httpx2.AsyncClient, language: str, tokens: int) -> list[str]:
    """Texts of about so many tokens, each begins elsewhere in the word list."""
    words = WORDS[language]
    length = 1
    while await _embed(client, [QUERY + " ".join(islice(cycle(words), length))]) < tokens:
        length += 1
    return [" ".join(islice(cycle(words), start, start + length)) for start in range(BATCH)]


async def _for_a_while(work: Callable[[], Awaitable[int]]) -> tuple[float, int]:
    """Texts a second, and how many texts that was."""
    done, started = 0, time.perf_counter()
    while time.perf_counter() - started < SECONDS:
        done += await work()
    return done / (time.perf_counter() - started), done


async def _one_by_one(client: httpx2.AsyncClient, report: Report, name: str, texts: list[str]) -> None:
    """Questions, as recall asks them: one thread."""
    endless = cycle(texts)

    async def ask() -> int:
        await _embed(client, [QUERY + next(endless)])
        return 1

    rate, n = await _for_a_while(ask)
    report.add(f"{name}_one", rate, "1/s", n, aim=AIMS[_length(name), 1], better="higher")


async def _in_bulk(client: httpx2.AsyncClient, report: Report, name: str, texts: list[str]) -> None:
    """Passages, as ingestion sends them: several threads of a conversation at once, two cores."""
    passages = [PASSAGE + text for text in texts]

    async def send() -> int:
        await asyncio.gather(*(_embed(client, passages) for _ in range(AT_ONCE)))
        return AT_ONCE * len(passages)

    rate, n = await _for_a_while(send)
    report.add(f"{name}_bulk", rate, "1/s", n, aim=AIMS[_length(name), BATCH], better="higher")


def _length(name: str) -> int:
    return int(name.split("_")[1])


async def _beside_bulk(client: httpx2.AsyncClient, report: Report) -> None:
    """How long a question takes while bulk work keeps both cores busy."""
    texts = [PASSAGE + text for text in await _texts(client, "en", LONG)]
    bulk = asyncio.create_task(_embed(client, texts * 8))
    milliseconds = []
    while not bulk.done():
        started = time.perf_counter()
        await _embed(client, [QUERY + "How much is it for fifty people?"])
        milliseconds.append((time.perf_counter() - started) * 1000)
    report.add("query_beside_bulk_p50", percentile(milliseconds, 0.5), "ms", len(milliseconds))
    report.add("query_beside_bulk_p95", percentile(milliseconds, 0.95), "ms", len(milliseconds))


def _resident_megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024
