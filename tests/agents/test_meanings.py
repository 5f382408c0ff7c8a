"""What the offline model makes of a sentence's meaning, and how it goes on without. The vectors here are a fake's."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from agents.inbox.contract import TriageAnswer
from agents.llm.base import ModelMessage, ModelRequest
from agents.llm.models import ModelChoice, Models
from agents.llm.offline import meanings as module
from agents.llm.offline.intents import Intent, classify
from agents.llm.offline.meanings import Meanings, learn
from agents.llm.offline.model import OfflineModel
from core.settings import Settings
from memory.embeddings.base import EmbeddingsAway, Vectors
from memory.embeddings.fake import FakeEmbedder
from tests.support.cases import case

# Stems know none of these words; the examples hold sentences like it.
PLEA = "get these mailings out of my inbox"


class CountingEmbedder(FakeEmbedder):
    """Notes every question, as the texts of each."""

    def __init__(self) -> None:
        super().__init__()
        self.questions: list[list[str]] = []

    async def embed_queries(self, texts: Sequence[str]) -> Vectors:
        self.questions.append(list(texts))
        return await super().embed_queries(texts)


@pytest.fixture(scope="session")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds what an earlier process has fitted, once it was asked for."""
    return tmp_path_factory.mktemp("intents")


@pytest.fixture
async def embedder() -> CountingEmbedder:
    return CountingEmbedder()


@pytest.fixture
async def meanings(embedder: CountingEmbedder, fitted: Path) -> Meanings:
    meanings = Meanings(embedder, fitted)
    await meanings.prepare()
    embedder.questions.clear()
    return meanings


def absent() -> FakeEmbedder:
    """A model that cannot be asked."""
    embedder = FakeEmbedder()
    embedder.is_away = True
    return embedder


async def triage(meanings: Meanings | None, *lines: str) -> TriageAnswer:
    """The answer of the offline model to a burst."""
    message = ModelMessage("user", case(*lines).model_dump_json())
    reply = await OfflineModel(meanings).complete(ModelRequest("triage", (message,), {}))
    return TriageAnswer.model_validate_json(reply.text)


async def test_meaning_catches_what_stems_miss(meanings: Meanings) -> None:
    assert (await triage(None, PLEA)).decision == "answer"
    assert (await triage(meanings, PLEA)).decision == "notify"


async def test_an_example_is_nearest_to_its_own_intent(meanings: Meanings) -> None:
    near = await meanings.of(["прайсик можно на кулеры?", "could u link us to whoever runs logistics"])

    price, introduction = near.values()
    assert max(price, key=lambda intent: price[intent]) is Intent.PRICE
    assert max(introduction, key=lambda intent: introduction[intent]) is Intent.INTRODUCTION


def test_what_is_like_no_example_is_something_else() -> None:
    near = dict.fromkeys(Intent, 0.1) | {Intent.MEETING: 0.2}

    assert classify("zxqv wkrjh", "en", near)[0].intent is Intent.OTHER
    assert classify("zxqv wkrjh", "en", near | {Intent.MEETING: 0.6})[0].intent is Intent.MEETING


async def test_the_operators_model_has_a_sense_of_meaning_that_may_come_later() -> None:
    model = Models(Settings(embeddings_url="http://127.0.0.1:9/v1"))(ModelChoice())

    message = ModelMessage("user", case("please remove me from your list").model_dump_json())
    reply = await model.complete(ModelRequest("triage", (message,), {}))

    assert TriageAnswer.model_validate_json(reply.text).decision == "notify"


async def test_a_burst_costs_one_question_however_often_it_is_read(
    meanings: Meanings, embedder: CountingEmbedder
) -> None:
    await triage(meanings, "Hi Mira, how much is it?", "and when could you bring it?")
    await triage(meanings, "Hi Mira, how much is it?", "and when could you bring it?")

    assert embedder.questions == [["Hi Mira,", "how much is it?", "and when could you bring it?"]]


async def test_while_the_model_is_away_stems_alone_decide(
    meanings: Meanings, embedder: CountingEmbedder
) -> None:
    embedder.is_away = True

    assert await meanings.of([PLEA]) == {}
    assert (await triage(meanings, "please remove me from your list")).decision == "notify"


async def test_an_absent_model_is_left_alone_for_a_while_and_then_asked_again(
    meanings: Meanings, embedder: CountingEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(module, "monotonic", lambda: now)
    embedder.is_away = True
    await meanings.of([PLEA])
    embedder.is_away = False

    assert await meanings.of([PLEA]) == {}
    now += 6
    assert PLEA in await meanings.of([PLEA])


async def test_before_the_examples_are_ready_nothing_is_near(tmp_path: Path) -> None:
    assert await Meanings(FakeEmbedder(), tmp_path).of([PLEA]) == {}


async def test_the_next_process_reads_what_was_fitted(
    meanings: Meanings, fitted: Path, tmp_path: Path
) -> None:
    await learn(absent(), fitted)

    with pytest.raises(EmbeddingsAway):
        await learn(absent(), tmp_path)


@pytest.fixture
def damaged(meanings: Meanings, fitted: Path, tmp_path: Path) -> Path:
    """A copy of what was fitted that broke off."""
    whole = next(fitted.glob("*.npz"))
    copy = tmp_path / whole.name
    copy.write_bytes(whole.read_bytes()[:5000])
    return copy


async def test_a_damaged_file_is_made_anew(damaged: Path) -> None:
    await learn(FakeEmbedder(), damaged.parent)

    await learn(absent(), damaged.parent)
