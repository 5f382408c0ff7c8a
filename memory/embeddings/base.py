"""What every embedding model can do."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

DIMENSIONS = 384
# What the E5 models were trained with (arXiv 2212.03533, section 4.3): questions and passages are told apart by it.
QUERY, PASSAGE = "query: ", "passage: "

Vectors = NDArray[np.float32]


class EmbeddingsAway(Exception):
    """The model could not be asked; the text says why. Whoever only ranks by it goes on without it."""


class Embedder(Protocol):
    """Turns texts into vectors: float32[n, 384], unit norm. Questions and passages are told apart by the caller."""

    @property
    def name(self) -> str:
        """Names the model and its version; stored with every vector, so that two models are never compared."""
        ...

    async def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of questions. Raises: EmbeddingsAway."""
        ...

    async def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Vectors of what is searched. Raises: EmbeddingsAway."""
        ...

    async def close(self) -> None: ...
