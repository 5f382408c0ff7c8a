"""What a sentence wants, by meaning: how near its vector is to those of labelled examples, in either language.

A radial kernel over the vectors, solved as a ridge regression onto the intents (closed form, so deterministic). Source:
Rifkin, Yeo, Poggio, "Regularized least-squares classification" (2003). Width, ridge and share were chosen by five-fold
cross-validation on the tuning part of evals/datasets/intents.*.jsonl; tests/evals/test_intents.py repeats it.
"""

import asyncio
import hashlib
import json
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from time import monotonic
from typing import Any
from zipfile import BadZipFile

import numpy as np
import structlog
from numpy.typing import NDArray

from agents.llm.offline.intents import Intent, Nearness
from memory.embeddings.base import Embedder, EmbeddingsAway, Vectors

_log = structlog.get_logger("agents")

# The ridge; with fewer examples of cleaner wording it could be smaller.
_RIDGE = 0.03
_RETRY_SECONDS = 5.0
_KEPT_SENTENCES = 512
_EMBEDDED_AT_ONCE = 8
_FORMAT = 1

_INTENTS = tuple(Intent)


@dataclass(frozen=True)
class Example:
    """A labelled sentence."""

    intent: Intent
    text: str


@cache
def examples() -> tuple[Example, ...]:
    """Every labelled sentence of both languages: the model knows them all, whatever language is heard."""
    return tuple(_examples())


def _examples() -> Iterator[Example]:
    for language in ("en", "ru"):
        written = _read(f"intents.{language}.toml")
        spoken = _read(f"spoken.{language}.toml")
        for intent in Intent:
            texts = [*written[intent]["examples"], *spoken.get(intent, [])]
            yield from (Example(intent, text) for text in texts)


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath(name).read_text("utf-8"))


@dataclass(frozen=True)
class Meaning:
    """The fitted classifier. Shapes: `mean` [384], `examples` [n, 384], `weights` [n, intents], `prior` [intents]."""

    mean: NDArray[np.float32]
    examples: NDArray[np.float32]
    weights: NDArray[np.float32]
    prior: NDArray[np.float32]

    def near(self, vectors: Vectors) -> list[Mapping[Intent, float]]:
        """How near each text is to each intent, about 0 to 1."""
        rows = _kernel(_centred(vectors, self.mean), self.examples) @ self.weights + self.prior
        return [dict(zip(_INTENTS, map(float, row), strict=True)) for row in rows]


def fit(vectors: Vectors, intents: Sequence[Intent]) -> Meaning:
    """Fit to examples; takes about a third of a second for two thousand."""
    mean: NDArray[np.float32] = vectors.mean(axis=0)
    rows = _centred(vectors, mean)
    targets = np.eye(len(_INTENTS))[[_INTENTS.index(intent) for intent in intents]]
    prior = targets.mean(axis=0)
    kernel = _kernel(rows, rows).astype(np.float64) + _RIDGE * np.eye(len(rows))
    weights = np.linalg.solve(kernel, targets - prior)
    return Meaning(mean, rows, weights.astype(np.float32), prior.astype(np.float32))


def _centred(vectors: Vectors, mean: NDArray[np.float32]) -> NDArray[np.float32]:
    """Vectors of e5 all point the same way; what tells them apart is what is left without their mean."""
    rows = vectors - mean
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-9), np.float32)


def _kernel(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(np.exp(left @ right.T - 1), np.float32)


class Meanings:
    """Reads sentences by meaning. Examples are embedded once per model and machine, and kept in `folder`.

    Until that is done, and while the embedding model is away, every sentence is unknown and stems alone decide.
    """

    def __init__(self, embedder: Embedder, folder: Path) -> None:
        self._embedder = embedder
        self._folder = folder
        self._meaning: Meaning | None = None
        self._preparing: asyncio.Task[None] | None = None
        self._next_question = 0.0
        self._known: dict[str, Mapping[Intent, float]] = {}

    async def of(self, sentences: Sequence[str]) -> Nearness:
        """Sentences by how near they are to each intent; one question to the model for all that are new."""
        found = {sentence: self._known[sentence] for sentence in sentences if sentence in self._known}
        unknown = [sentence for sentence in dict.fromkeys(sentences) if sentence not in found]
        if self._meaning is None or not unknown or monotonic() < self._next_question:
            return found
        try:
            return {**found, **await self._ask(self._meaning, unknown)}
        except EmbeddingsAway:
            self._next_question = monotonic() + _RETRY_SECONDS
            return found

    def start(self) -> None:
        """Get ready in the background of the running loop; goes on until the embedding model has answered."""
        self._preparing = asyncio.create_task(self.prepare())

    async def prepare(self) -> None:
        """Get ready, however long the embedding model is away."""
        while self._meaning is None:
            try:
                self._meaning = await learn(self._embedder, self._folder)
            except EmbeddingsAway as err:
                _log.info("intents.stems_alone", reason=str(err))
                await asyncio.sleep(_RETRY_SECONDS)

    async def _ask(self, meaning: Meaning, sentences: list[str]) -> Nearness:
        rows = meaning.near(await self._embedder.embed_queries(sentences))
        asked = dict(zip(sentences, rows, strict=True))
        if len(self._known) + len(asked) > _KEPT_SENTENCES:
            self._known.clear()
        self._known |= asked  # triage and draft read the same burst
        return asked


async def learn(embedder: Embedder, folder: Path) -> Meaning:
    """The classifier that fits the examples: as an earlier process kept it, else made now. Raises: EmbeddingsAway."""
    path = folder / f"intents-{_fingerprint(embedder.name)}.npz"
    kept = await asyncio.to_thread(_load, path)
    if kept is not None:
        return kept
    texts = [example.text for example in examples()]
    # Asked as the sentences are that they are compared with, and few at a time, so that no sentence waits for long.
    parts = [texts[start : start + _EMBEDDED_AT_ONCE] for start in range(0, len(texts), _EMBEDDED_AT_ONCE)]
    vectors = np.concatenate([await embedder.embed_queries(part) for part in parts])
    return await asyncio.to_thread(_fit_and_keep, vectors, path)


def _fingerprint(model: str) -> str:
    """Changes with the model, the examples and the way in which they are fitted."""
    told = [model, _FORMAT, _RIDGE, [(example.intent, example.text) for example in examples()]]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def _load(path: Path) -> Meaning | None:
    """What an earlier process kept, unless there is nothing or it cannot be read."""
    try:
        with np.load(path) as kept:
            return Meaning(kept["mean"], kept["examples"], kept["weights"], kept["prior"])
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None


def _fit_and_keep(vectors: Vectors, path: Path) -> Meaning:
    """Fit, and write for the next process; a disk that refuses costs only that."""
    meaning = fit(vectors, [example.intent for example in examples()])
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".npz", delete=False) as file:
            np.savez(file, **vars(meaning))
        Path(file.name).replace(path)
    return meaning
