"""The offline model's intents on the sentences that nothing was tuned on, in both languages; stems alone beside it."""

import asyncio
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from agents.llm.offline.intents import NOTHING_NEAR, Intent, Nearness, classify
from agents.llm.offline.meanings import Meanings
from core.languages import Language, language_of
from core.settings import Settings
from evals.intents import LABELS, LANGUAGES, Judgement, Sentence, labelled
from infra.bench import Report, percentile
from memory.embeddings.server import load

AIM = 0.85


def run() -> Report:
    """Measure, with the embedding model in this process; takes half a minute and needs nothing running."""
    return asyncio.run(_measure())


async def _measure() -> Report:
    report = Report("intents")
    embedder = await asyncio.to_thread(load, Settings())
    try:
        with tempfile.TemporaryDirectory(prefix="getsale-bench-") as folder:
            meanings = Meanings(embedder, Path(folder))
            start = time.perf_counter()
            await meanings.prepare()
            report.add("examples_embedded_and_fitted", time.perf_counter() - start, "s", 1)
            for language in LANGUAGES:
                await _language(report, meanings, language)
    finally:
        await embedder.close()
    return report


async def _language(report: Report, meanings: Meanings, language: Language) -> None:
    rows = labelled(language, "test")
    near: dict[str, Mapping[Intent, float]] = {}
    took = []
    for row in rows:
        start = time.perf_counter()
        near |= await meanings.of([row.text])
        took.append((time.perf_counter() - start) * 1000)
    judged = _judged(rows, language, near)
    low, high = judged.interval
    report.add(f"accuracy_{language}", judged.accuracy, "share", len(rows), aim=AIM, better="higher")
    report.add(f"accuracy_{language}_low_95", low, "share", len(rows))
    report.add(f"accuracy_{language}_high_95", high, "share", len(rows))
    report.add(f"macro_f1_{language}", judged.macro_f1, "share", len(rows))
    stems_alone = _judged(rows, language, NOTHING_NEAR)
    report.add(f"accuracy_{language}_stems_alone", stems_alone.accuracy, "share", len(rows))
    for intent in LABELS:
        asked = sum(row.intent is intent for row in rows)
        report.add(f"recall_{language}_{intent}", judged.recall(intent), "share", asked)
    report.add(f"sentence_{language}_p50", percentile(took, 0.5), "ms", len(took))
    report.add(f"sentence_{language}_p95", percentile(took, 0.95), "ms", len(took))


def _judged(rows: Sequence[Sentence], language: Language, near: Nearness) -> Judgement:
    """Every sentence read as the inbox agent reads it in a conversation of that language."""
    given = [
        classify(row.text, language_of(row.text, language), near.get(row.text))[0].intent for row in rows
    ]
    return Judgement([row.intent for row in rows], given)
