"""The server in OpenAI's protocol, asked by the product's own client and by OpenAI's."""

import httpx2
import numpy as np
import openai
import pytest

from core.settings import Settings
from infra.servers.processes import free_port
from memory.embeddings import server
from memory.embeddings.base import EmbeddingsAway
from memory.embeddings.local import NAME, LocalEmbedder
from memory.embeddings.remote import RemoteEmbedder, connect

TEXTS = ["How much is it for fifty people?", "Сколько стоит на пятьдесят человек?"]


async def test_the_client_gets_what_the_model_says(remote: RemoteEmbedder, local: LocalEmbedder) -> None:
    assert np.allclose(await remote.embed_queries(TEXTS), await local.embed_queries(TEXTS), atol=1e-4)
    assert np.allclose(await remote.embed_passages(TEXTS), await local.embed_passages(TEXTS), atol=1e-4)


async def test_more_texts_than_one_request_takes_keep_their_order(remote: RemoteEmbedder) -> None:
    texts = [f"number {n} of many" for n in range(300)]

    vectors = await remote.embed_passages(texts)

    one = await remote.embed_passages(texts[257:258])
    assert vectors.shape == (300, 384)
    assert int((vectors @ one[0]).argmax()) == 257


@pytest.mark.parametrize("encoding", ["float", "base64"])
async def test_openais_own_client_is_understood(embeddings_url: str, encoding: str) -> None:
    async with openai.AsyncOpenAI(base_url=embeddings_url, api_key="none") as client:
        made = await client.embeddings.create(
            model=NAME,
            input=[f"query: {TEXTS[0]}"],
            encoding_format="float" if encoding == "float" else "base64",
        )

    assert made.usage.total_tokens > 5
    assert len(made.data) == 1


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        ({"input": [], "model": NAME}, 400, "input"),
        ({"input": "", "model": NAME}, 400, "input"),
        ({"input": ["a"], "model": "another"}, 404, "another"),
        ({"input": ["a"], "model": NAME, "dimensions": 512}, 400, "dimensions"),
        ("no object", 400, "body"),
    ],
)
async def test_a_wrong_request_is_refused_by_name(
    embeddings_url: str, body: object, status: int, word: str
) -> None:
    async with httpx2.AsyncClient() as client:
        answer = await client.post(f"{embeddings_url}/embeddings", json=body)

    assert answer.status_code == status
    assert word in answer.json()["error"]["message"]


async def test_it_is_alive_at_once_and_ready_when_the_model_is_there() -> None:
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    async with server.serving(Settings(metrics_port=port)), httpx2.AsyncClient(base_url=base) as client:
        statuses = [(await client.get(path)).status_code for path in ("/healthz", "/readyz", "/metrics")]
        asked = await client.post("/v1/embeddings", json={"input": "a"})

    assert statuses == [200, 503, 200]
    assert (asked.status_code, asked.headers["Retry-After"]) == (503, "1")


@pytest.mark.parametrize("url", ["", f"http://127.0.0.1:{free_port()}/v1"], ids=["not set", "nobody listens"])
async def test_a_server_that_is_not_there_is_said_to_be_away(url: str) -> None:
    embedder = connect(Settings(embeddings_url=url))

    with pytest.raises(EmbeddingsAway):
        await embedder.embed_queries(TEXTS)

    await embedder.close()
