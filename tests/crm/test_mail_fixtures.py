"""Mails of ours, written as all the programs write them: threads are right, whatever comes is stored or refused."""

import json
import random
from collections import Counter, defaultdict
from pathlib import Path
from uuid import UUID

import pytest

from channels.email.inbound import parse
from channels.email.received import is_own
from core.db import Database
from core.errors import Unprocessable
from core.principal import Principal
from crm.conversations.models import Reception
from tests.support.mail import Post, make_post

MAILS = Path(__file__).parents[1] / "channels" / "mails"
THREADS = MAILS / "threads"
OURS = "sales@norrwick.example"


@pytest.fixture
async def post(database: Database, organization: Principal) -> Post:
    return await make_post(database, organization, address=OURS)


def _named() -> dict[str, str]:
    named: dict[str, str] = json.loads((THREADS / "threads.json").read_text())
    return named


async def _conversation_of_newest(post: Post) -> UUID:
    async with post.db.transaction(post.owner, "test") as tx:
        found: UUID = await tx.value("SELECT conversation_id FROM messages ORDER BY id DESC LIMIT 1")
    return found


async def _share_right(post: Post, files: list[str]) -> float:
    """The share of mails that lie in the one conversation which holds most of their thread and of no other."""
    named = _named()
    found: dict[str, UUID] = {}
    for file in files:
        raw = (THREADS / file).read_bytes()
        is_ours = is_own(parse(raw, file_limit_bytes=2**20), OURS)
        assert await post.receive(raw, from_sent_folder=is_ours) is Reception.ACCEPTED, file
        found[file] = await _conversation_of_newest(post)
    by_thread: defaultdict[str, Counter[UUID]] = defaultdict(Counter)
    by_conversation: defaultdict[UUID, Counter[str]] = defaultdict(Counter)
    for file, conversation in found.items():
        by_thread[named[file]][conversation] += 1
        by_conversation[conversation][named[file]] += 1
    right = [
        by_thread[named[file]].most_common(1)[0][0] == conversation
        and by_conversation[conversation].most_common(1)[0][0] == named[file]
        for file, conversation in found.items()
    ]
    print("wrong:", [file for file, is_right in zip(found, right, strict=True) if not is_right])
    return sum(right) / len(right)


async def test_threads_are_right_as_the_mails_were_written(post: Post) -> None:
    assert len(_named()) > 90
    assert await _share_right(post, sorted(_named())) >= 0.99


async def test_threads_are_right_when_mails_come_in_any_order(post: Post) -> None:
    files = sorted(_named())
    random.Random(4).shuffle(files)

    assert await _share_right(post, files) >= 0.99


async def test_machines_wake_nobody_and_people_do(post: Post) -> None:
    classes: dict[str, str] = json.loads((MAILS / "automatic" / "classes.json").read_text())
    for name, kind in sorted(classes.items()):
        file = f"{name}.eml"
        before = len(await post.events())
        assert await post.receive((MAILS / "automatic" / file).read_bytes()) is Reception.ACCEPTED, file
        events = (await post.events())[before:]
        is_answered = "message.received" in events
        assert not (is_answered and kind != "ordinary"), (file, events)


async def test_whatever_is_broken_is_stored_or_refused_by_name(post: Post) -> None:
    refused = []
    for path in sorted((MAILS / "odd").glob("*.eml")):
        try:
            await post.receive(path.read_bytes())
        except Unprocessable as err:
            refused.append((path.stem, bool(err.detail)))

    assert refused == [(name, True) for name in ("refused-empty", "refused-no-mail", "refused-no-sender")]
