"""The real model, built once per machine, and the process that serves it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.settings import Settings
from infra.servers.processes import free_port
from memory.embeddings import server
from memory.embeddings.build import prepare
from memory.embeddings.local import LocalEmbedder, LocalModel
from memory.embeddings.remote import RemoteEmbedder


@pytest.fixture(scope="session")
def built() -> Path:
    """The folder of the built model."""
    return prepare(Settings().embeddings_cache.expanduser())


@pytest.fixture(scope="session")
async def local(built: Path) -> AsyncIterator[LocalEmbedder]:
    """The model in this process."""
    embedder = LocalEmbedder(LocalModel(built))
    yield embedder
    await embedder.close()


@pytest.fixture(scope="session")
async def embeddings_url(local: LocalEmbedder) -> AsyncIterator[str]:
    """The address of a server over the model."""
    port = free_port()
    async with server.serving(Settings(metrics_port=port)) as running:
        running.embedder = LocalEmbedder(local.model)
        yield f"http://127.0.0.1:{port}/v1"


@pytest.fixture
async def remote(embeddings_url: str) -> AsyncIterator[RemoteEmbedder]:
    """The client of that server, as the worker has it."""
    embedder = RemoteEmbedder(Settings(embeddings_url=embeddings_url))
    yield embedder
    await embedder.close()
