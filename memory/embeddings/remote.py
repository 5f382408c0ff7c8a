"""Embeddings from any endpoint that speaks OpenAI's protocol: `getsale embed` of this machine, or another one."""

import base64
import binascii
from collections.abc import Sequence

import httpx2
import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from core import crashpoint, http
from core.addresses import OPERATOR
from core.errors import AppError
from core.settings import Settings
from memory.embeddings.base import DIMENSIONS, PASSAGE, QUERY, EmbeddingsAway, Vectors

# Texts of one request; endpoints refuse more than 2048 of them or about 300,000 tokens.
_REQUEST_TEXTS = 128


class _Row(BaseModel):
    model_config = ConfigDict(extra="ignore")

    index: int
    embedding: str | list[float]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")

    data: list[_Row]


class RemoteEmbedder:
    """One endpoint and one of its models. A question has a short time limit, because whoever asks it can do without."""

    def __init__(self, settings: Settings) -> None:
        self._url = f"{settings.embeddings_url.rstrip('/')}/embeddings"
        self._model = settings.embeddings_model
        self._prefixes = (QUERY, PASSAGE) if "e5" in self._model.lower() else ("", "")
        self._question_seconds = settings.embeddings_question_seconds
        self._client = http.client(OPERATOR, timeout_seconds=settings.embeddings_timeout_seconds)
        key = settings.embeddings_api_key.get_secret_value()
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    @property
    def name(self) -> str:
        return self._model

    async def embed_queries(self, texts: Sequence[str]) -> Vectors:
        texts = [self._prefixes[0] + text for text in texts]
        return await self._embed(texts, timeout_seconds=self._question_seconds)

    async def embed_passages(self, texts: Sequence[str]) -> Vectors:
        texts = [self._prefixes[1] + text for text in texts]
        parts = [texts[start : start + _REQUEST_TEXTS] for start in range(0, len(texts), _REQUEST_TEXTS)]
        if not parts:
            return np.empty((0, DIMENSIONS), np.float32)
        return np.concatenate([await self._embed(part, timeout_seconds=None) for part in parts])

    async def _embed(self, texts: Sequence[str], *, timeout_seconds: float | None) -> Vectors:
        body: dict[str, object] = {"model": self._model, "input": list(texts), "encoding_format": "base64"}
        if self._prefixes == ("", ""):
            body["dimensions"] = DIMENSIONS
        timeout = httpx2.USE_CLIENT_DEFAULT if timeout_seconds is None else timeout_seconds
        crashpoint.reach("embed.call.before")
        try:
            answer = await self._client.post(self._url, json=body, headers=self._headers, timeout=timeout)
            answer.raise_for_status()
            rows = _Answer.model_validate_json(answer.content).data
            vectors = np.stack([_vector(row) for row in sorted(rows, key=lambda row: row.index)])
        except (httpx2.HTTPError, AppError, ValidationError, ValueError) as err:
            raise EmbeddingsAway(f"{self._url} gave no vectors: {type(err).__name__}.") from err
        crashpoint.reach("embed.call.after")
        if vectors.shape != (len(texts), DIMENSIONS):
            raise EmbeddingsAway(f"{self._url} gave {vectors.shape}, not {(len(texts), DIMENSIONS)}.")
        return _at_unit_length(vectors)

    async def close(self) -> None:
        await self._client.aclose()


def _vector(row: _Row) -> Vectors:
    """An embedding as either encoding has it. Raises: ValueError."""
    if isinstance(row.embedding, list):
        return np.array(row.embedding, np.float32)
    try:
        return np.frombuffer(base64.b64decode(row.embedding, validate=True), "<f4").astype(np.float32)
    except binascii.Error as err:
        raise ValueError("the vector is not base64") from err


def _at_unit_length(vectors: Vectors) -> Vectors:
    lengths: Vectors = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)


class NoEmbedder:
    """Stands where no endpoint is set: recall goes by text alone, and rows wait for their vectors."""

    name = "none"

    async def embed_queries(self, texts: Sequence[str]) -> Vectors:
        raise EmbeddingsAway("EMBEDDINGS_URL is not set.")

    async def embed_passages(self, texts: Sequence[str]) -> Vectors:
        raise EmbeddingsAway("EMBEDDINGS_URL is not set.")

    async def close(self) -> None:
        return


def connect(settings: Settings) -> RemoteEmbedder | NoEmbedder:
    """The embedder that the settings name."""
    return RemoteEmbedder(settings) if settings.embeddings_url else NoEmbedder()
