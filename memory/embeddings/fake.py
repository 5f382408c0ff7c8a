"""An embedder for unit tests: texts that share words, or the beginnings of words, are near each other."""

import re
import zlib
from collections.abc import Sequence

import numpy as np

from memory.embeddings.base import DIMENSIONS, EmbeddingsAway, Vectors

_STEM = 5


class FakeEmbedder:
    """Deterministic and instant; `is_away` makes every call fail as a server that is down does."""

    def __init__(self, name: str = "fake") -> None:
        self.name = name
        self.is_away = False
        self.passages = 0

    async def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return self._vectors(texts)

    async def embed_passages(self, texts: Sequence[str]) -> Vectors:
        vectors = self._vectors(texts)
        self.passages += len(texts)
        return vectors

    def _vectors(self, texts: Sequence[str]) -> Vectors:
        if self.is_away:
            raise EmbeddingsAway("The fake was told to be away.")
        vectors = np.zeros((len(texts), DIMENSIONS), np.float32)
        for row, text in enumerate(texts):
            vectors[row, 0] = 0.1  # a text without words has a direction too
            for word in re.findall(r"\w+", text.lower()):
                vectors[row, zlib.crc32(word[:_STEM].encode()) % DIMENSIONS] += 1
        lengths: Vectors = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / lengths

    async def close(self) -> None:
        return
