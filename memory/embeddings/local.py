"""multilingual-e5-small on onnxruntime, int8, without torch. One process a machine holds it: `getsale embed`."""

import asyncio
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Encoding, Tokenizer

from memory.embeddings.base import DIMENSIONS, PASSAGE, QUERY, Vectors
from memory.embeddings.build import MODEL, TOKENIZER

NAME = "multilingual-e5-small-int8"
BULK_THREADS = 2
# A batch is this many tokens at most, padding included, so that two of them keep both cores busy for a moment only.
_BATCH_TOKENS, _BATCH_TEXTS = 1024, 32
_BULK_NICENESS = 10


class LocalModel:
    """The model in this process; every call runs on the thread that makes it, and several may run at once."""

    def __init__(self, folder: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        # the arena keeps the memory of the largest batch for ever
        options.enable_cpu_mem_arena = False
        self._session = onnxruntime.InferenceSession(
            str(folder / MODEL), options, providers=["CPUExecutionProvider"]
        )
        self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))

    def tokenize(self, texts: Sequence[str]) -> list[Encoding]:
        """Cut off at 512 tokens, the prefix included."""
        return list(self._tokenizer.encode_batch_fast(list(texts)))

    def encode(self, encodings: Sequence[Encoding]) -> Vectors:
        """The vectors of one batch: float32[n, 384], unit norm."""
        longest = max(len(encoding.ids) for encoding in encodings)
        ids = np.zeros((len(encodings), longest), np.int64)
        mask = np.zeros((len(encodings), longest), np.float32)
        for row, encoding in enumerate(encodings):
            ids[row, : len(encoding.ids)] = encoding.ids
            mask[row, : len(encoding.ids)] = 1
        (vectors,) = self._session.run(None, {"ids": ids, "mask": mask})
        return np.asarray(vectors, np.float32)


class LocalEmbedder:
    """The local model behind the protocol. Questions have a thread of their own and never wait for bulk work."""

    def __init__(self, model: LocalModel) -> None:
        self.model = model
        self._questions = ThreadPoolExecutor(1, "embed-question")
        self._bulk = ThreadPoolExecutor(BULK_THREADS, "embed-bulk", initializer=_step_back)

    @property
    def name(self) -> str:
        return NAME

    async def embed_queries(self, texts: Sequence[str]) -> Vectors:
        vectors, _ = await self.embed([QUERY + text for text in texts], is_urgent=True)
        return vectors

    async def embed_passages(self, texts: Sequence[str]) -> Vectors:
        vectors, _ = await self.embed([PASSAGE + text for text in texts], is_urgent=False)
        return vectors

    async def embed(self, texts: Sequence[str], *, is_urgent: bool) -> tuple[Vectors, int]:
        """Vectors of texts that already carry their prefix, and how many tokens they are."""
        pool = self._questions if is_urgent else self._bulk
        loop = asyncio.get_running_loop()
        encodings = await loop.run_in_executor(pool, self.model.tokenize, texts)
        vectors = np.empty((len(texts), DIMENSIONS), np.float32)

        async def fill(rows: list[int]) -> None:
            batch = [encodings[row] for row in rows]
            vectors[rows] = await loop.run_in_executor(pool, self.model.encode, batch)

        async with asyncio.TaskGroup() as group:
            for rows in _batches([len(encoding.ids) for encoding in encodings]):
                group.create_task(fill(rows))
        return vectors, sum(len(encoding.ids) for encoding in encodings)

    async def close(self) -> None:
        self._questions.shutdown(cancel_futures=True)
        self._bulk.shutdown(cancel_futures=True)


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Rows of like length together, so that little is padded: the longest first, the last batch is a short one."""
    rows: list[int] = []
    for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        if rows and (len(rows) == _BATCH_TEXTS or (len(rows) + 1) * lengths[rows[0]] > _BATCH_TOKENS):
            yield rows
            rows = []
        rows.append(row)
    if rows:
        yield rows


def _step_back() -> None:
    """Let bulk threads yield to questions and to the rest of the product; Linux keeps a niceness per thread."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + _BULK_NICENESS)
