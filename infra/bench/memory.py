"""Recall over conversations in LoCoMo's format: each is a tenant, remembered and asked as the product does it."""

import asyncio
import json
import re
import tempfile
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean
from typing import Any
from uuid import UUID

from core.db import Database, Tx
from core.envelopes import Keyring
from core.ids import uuid7
from core.principal import Principal, system
from core.settings import Settings
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.conversations.history import PastMessage, import_conversation
from crm.conversations.said import list_said
from crm.identity.actions import create_organization, create_user
from crm.identity.models import Role
from events.ids import ContactId, ConversationId, UserId
from infra import embedded
from infra.bench import Report, percentile
from infra.embedder import running_embedder
from infra.fleet import KEY
from infra.migrate import migrate
from infra.seed.workplace import make_workplace
from memory import ingest
from memory.embeddings.base import Embedder
from memory.embeddings.remote import RemoteEmbedder
from memory.models import MemoryKind
from memory.recall import Memories, Recall

CATEGORIES = {1: "multi_hop", 2: "temporal", 3: "open", 4: "single_hop", 5: "adversarial"}
ADVERSARIAL = 5
AIMS = {5: 0.61, 10: 0.72, 20: 0.81}
PASSWORD = "a password for a bench"
UNBOUNDED_TOKENS = 1_000_000
_EVIDENCE = re.compile(r"D\d+:\d+")
_TURN_SPACING = timedelta(minutes=1)


@dataclass(frozen=True)
class _Turn:
    id: str
    speaker: str
    text: str
    at: datetime


@dataclass(frozen=True)
class _Question:
    text: str
    category: str
    evidence: frozenset[str]


@dataclass(frozen=True)
class _Sample:
    """One conversation and what is asked about it; the first speaker is the contact, the second is ours."""

    speakers: tuple[str, str]
    turns: tuple[_Turn, ...]
    questions: tuple[_Question, ...]


@dataclass
class _Tenant:
    """A sample in the database: which message is which turn."""

    principal: Principal
    conversation_id: ConversationId
    contact_id: UUID
    turn_of: dict[UUID, str]


@dataclass
class _Measured:
    recalls: dict[tuple[str, int], list[float]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    foreign: int = 0
    turns: int = 0
    ingest_seconds: float = 0.0


def run(path: Path) -> Report:
    """Measure; needs nothing running."""
    samples = [_sample(raw) for raw in json.loads(path.read_text("utf-8"))]
    with (
        tempfile.TemporaryDirectory(prefix="getsale-bench-") as folder,
        embedded.start(Path(folder), embedded.Wanted(redis=False)) as servers,
    ):
        migrate(servers.urls.database_url_migrator)
        measured = asyncio.run(_measure(servers.urls.database_url_worker, samples))
    return _report(measured)


def _sample(raw: dict[str, Any]) -> _Sample:
    talk = raw["conversation"]
    numbers = sorted(int(name[8:]) for name in talk if re.fullmatch(r"session_\d+", name))
    turns = tuple(turn for number in numbers for turn in _session(talk, number))
    known = frozenset(turn.id for turn in turns)
    questions = tuple(
        _Question(str(asked["question"]), CATEGORIES[int(asked["category"])], evidence)
        for asked in raw["qa"]
        if (
            evidence := known.intersection(_EVIDENCE.findall(" ".join(map(str, asked.get("evidence") or ()))))
        )
    )
    return _Sample((str(talk["speaker_a"]), str(talk["speaker_b"])), turns, questions)


def _session(talk: dict[str, Any], number: int) -> list[_Turn]:
    began = datetime.strptime(talk[f"session_{number}_date_time"], "%I:%M %p on %d %B, %Y").replace(
        tzinfo=UTC
    )
    return [
        _Turn(str(turn["dia_id"]), str(turn["speaker"]), _text(turn), began + place * _TURN_SPACING)
        for place, turn in enumerate(talk[f"session_{number}"] or ())
    ]


def _text(turn: dict[str, Any]) -> str:
    """What was said, and what the photo shows that came with it."""
    caption = turn.get("blip_caption")
    return f"{turn['text']} [{caption}]" if caption else str(turn["text"])


async def _measure(database_url: str, samples: Sequence[_Sample]) -> _Measured:
    db = await Database(database_url, size=4).open()
    measured = _Measured()
    with running_embedder() as process:
        embedder = RemoteEmbedder(Settings(embeddings_url=process.url))
        tenants = [await _tenant(db, sample, number) for number, sample in enumerate(samples)]
        started = time.perf_counter()
        for tenant in tenants:
            await _remember(db, embedder, tenant)
        measured.ingest_seconds = time.perf_counter() - started
        measured.turns = sum(len(sample.turns) for sample in samples)
        await _ask_all(db, Memories(embedder), list(zip(tenants, samples, strict=True)), measured)
        await embedder.close()
    await db.close()
    return measured


async def _tenant(db: Database, sample: _Sample, number: int) -> _Tenant:
    """Bring a conversation in as an import does: an organization, its member, its contact and the messages."""
    principal = system(uuid7())
    contact, member = sample.speakers
    async with db.transaction(principal, "bench.tenant") as tx:
        await create_organization(
            tx, slug=f"bench-{number}", name=f"Bench {number}", locale="en", time_zone="UTC"
        )
        user_id = await create_user(
            tx, email=f"{number}@bench.example", name=member, password=PASSWORD, role=Role.OWNER, locale="en"
        )
        workplace = await make_workplace(
            tx, bot_token=f"{number}:bench", keys=Keyring(KEY), responsible=user_id, name=f"Bot {number}"
        )
        person = await create_contact(tx, NewContact(contact))
        imported = await import_conversation(
            tx,
            workplace.account,
            person.id,
            chat_id=str(number),
            messages=[_message(turn, contact, person.id, user_id) for turn in sample.turns],
        )
        said = await list_said(tx, imported.conversation_id, limit=len(sample.turns))
    turn_of = {UUID(str(one.id)): turn.id for one, turn in zip(said, sample.turns, strict=True)}
    return _Tenant(principal, imported.conversation_id, UUID(str(person.id)), turn_of)


def _message(turn: _Turn, contact: str, contact_id: ContactId, user_id: UserId) -> PastMessage:
    is_inbound = turn.speaker == contact
    return PastMessage(
        is_inbound,
        "contact" if is_inbound else "user",
        contact_id if is_inbound else user_id,
        turn.text,
        turn.at,
        turn.id,
    )


async def _remember(db: Database, embedder: Embedder, tenant: _Tenant) -> None:
    """What the worker does about an imported conversation."""

    def transaction(step: str) -> AbstractAsyncContextManager[Tx]:
        return db.transaction(tenant.principal, f"bench.{step}")

    async with transaction("remember") as tx:
        await ingest.remember_conversation(tx, tenant.conversation_id)
    await ingest.embed_waiting(embedder, transaction, UUID(str(tenant.conversation_id)))


async def _ask_all(
    db: Database, memories: Memories, loaded: Sequence[tuple[_Tenant, _Sample]], measured: _Measured
) -> None:
    ours = {message_id for tenant, _ in loaded for message_id in tenant.turn_of}
    for tenant, sample in loaded:
        for question in sample.questions:
            started = time.perf_counter()
            found = await _ask(db, memories, tenant, question)
            measured.seconds.append(time.perf_counter() - started)
            measured.foreign += len(set(found) & (ours - set(tenant.turn_of)))
            turns = [tenant.turn_of.get(source_id, "") for source_id in found]
            for k in AIMS:
                share = len(question.evidence.intersection(turns[:k])) / len(question.evidence)
                measured.recalls.setdefault((question.category, k), []).append(share)


async def _ask(db: Database, memories: Memories, tenant: _Tenant, question: _Question) -> list[UUID]:
    """The messages that come to mind, the best first."""
    asked = Recall(
        question.text,
        contact_id=tenant.contact_id,
        limits={MemoryKind.TURN: max(AIMS)},
        max_tokens=UNBOUNDED_TOKENS,
    )
    recollection = await memories.recall(
        tenant.principal, lambda: db.transaction(tenant.principal, "bench.recall"), asked
    )
    return [one.memory.source_id for one in recollection.found]


def _report(measured: _Measured) -> Report:
    report = Report("memory")
    counted = [category for number, category in CATEGORIES.items() if number != ADVERSARIAL]
    for k, aim in AIMS.items():
        whole = [share for category in counted for share in measured.recalls.get((category, k), [])]
        report.add(f"all_at_{k}", fmean(whole), "share", len(whole), aim=aim, better="higher")
    for category in CATEGORIES.values():
        for k in AIMS:
            if shares := measured.recalls.get((category, k)):
                report.add(f"{category}_at_{k}", fmean(shares), "share", len(shares))
    milliseconds = [seconds * 1000 for seconds in measured.seconds]
    report.add("recall_p50", percentile(milliseconds, 0.5), "ms", len(milliseconds))
    report.add("recall_p95", percentile(milliseconds, 0.95), "ms", len(milliseconds), aim=50)
    report.add("turns_per_second", measured.turns / measured.ingest_seconds, "1/s", measured.turns)
    report.add("foreign_results", measured.foreign, "rows", len(milliseconds), aim=0)
    return report
