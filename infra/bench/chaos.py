"""Runs under kills: every accepted message must end in one message to its chat, or visibly with a person.

Prospects write, each webhook is delivered three times, two reviewers approve every draft at the same moment, and
meanwhile processes are killed and frozen at random. What is counted is what came at the far end and what the rows say.
"""

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from uuid import UUID

import aiohttp

from core.db import Database
from core.principal import Principal
from infra import embedded
from infra.bench import Report, percentile
from infra.bench import _office as office
from infra.bench._office import BotApi
from infra.embedded import Urls
from infra.fleet import TWO_WORKERS, Fleet, running_fleet
from infra.forked import Forked
from infra.migrate import migrate
from infra.seed.workplace import Workplace

KILLED = ("api", "worker", "worker.2", "relay")
DELIVERIES = 3
STUCK_SECONDS = 60
_PAUSE_SECONDS = 0.7
# Twice the lease: whoever is frozen wakes up when its work has gone to somebody else.
_FREEZE_SECONDS = 4.0
_FIRST_CHAT = 750000001
_PATIENCE = aiohttp.ClientTimeout(total=10)


@dataclass(frozen=True)
class Plan:
    """How much happens; the same seed kills in the same order."""

    runs: int = 500
    kills: int = 200
    freezes: int = 100
    seed: int = 1


@dataclass
class Outcome:
    """What came of it, by chat; times in seconds from the first accepted delivery of the message."""

    accepted_at: dict[str, float] = field(default_factory=dict)
    settled_after: dict[str, float] = field(default_factory=dict)
    lost: int = 0
    stuck: int = 0
    duplicates: int = 0
    unknown: int = 0
    handed_off: int = 0


def run() -> Report:
    """Measure; takes some eight minutes and needs nothing running."""
    plan = Plan()
    with (
        tempfile.TemporaryDirectory(prefix="getsale-bench-") as folder,
        embedded.start(Path(folder)) as servers,
    ):
        migrate(servers.urls.database_url_migrator)
        outcome = asyncio.run(play(Path(folder), servers.urls, plan))
    return report_of(plan, outcome)


def report_of(plan: Plan, outcome: Outcome) -> Report:
    """The figures of one play."""
    report = Report("chaos")
    accepted = len(outcome.accepted_at)
    report.add("kills", plan.kills, "kills", plan.kills)
    report.add("freezes", plan.freezes, "stops", plan.freezes)
    report.add("webhooks_accepted", accepted, "chats", accepted)
    report.add("runs_lost", outcome.lost, "runs", accepted, aim=0)
    report.add("runs_stuck_60_s", outcome.stuck, "runs", accepted, aim=0)
    report.add("duplicate_effects", outcome.duplicates, "chats", accepted, aim=0)
    report.add("sends_unknown_and_shown", outcome.unknown, "sends", accepted)
    report.add("handed_to_a_person", outcome.handed_off, "runs", accepted)
    waits = list(outcome.settled_after.values())
    for name, share in (("p50", 0.5), ("p95", 0.95), ("max", 1.0)):
        report.add(f"message_to_settled_{name}", percentile(waits, share), "s", len(waits))
    return report


async def play(folder: Path, urls: Urls, plan: Plan) -> Outcome:
    """Everything at once, then quiet, then the count."""
    db = await Database(urls.database_url, size=8).open()
    bot_api, outcome = BotApi(), Outcome()
    try:
        principal, workplace = await office.open_organization(db)
        async with (
            bot_api.serve(),
            running_fleet(
                folder, urls, bot_api.base, TWO_WORKERS, Forked, LOG_LEVEL="warning", MAX_ATTEMPTS="100"
            ) as fleet,
        ):
            scene = _Scene(fleet, db, principal, workplace, bot_api, outcome)
            await _act(scene, plan)
    finally:
        await db.close()
    return outcome


@dataclass(frozen=True)
class _Scene:
    """What everybody in it needs."""

    fleet: Fleet
    db: Database
    principal: Principal
    workplace: Workplace
    bot_api: BotApi
    outcome: Outcome


async def _act(scene: _Scene, plan: Plan) -> None:
    chats = [str(_FIRST_CHAT + number) for number in range(plan.runs)]
    trouble = asyncio.create_task(_make_trouble(scene.fleet, plan))
    watching = [asyncio.create_task(_review(scene)), asyncio.create_task(_watch(scene))]
    try:
        await _write(scene, chats, trouble)
        await trouble
        await _calm(scene, chats)
    finally:
        for task in (trouble, *watching):
            task.cancel()
        await asyncio.gather(trouble, *watching, return_exceptions=True)
    await _count(scene, chats)


# who makes trouble, who writes, who decides ---------------------------------------------------------------------------


async def _make_trouble(fleet: Fleet, plan: Plan) -> None:
    """Kill and freeze in random order, one after the other, as fast as processes come back."""
    chance = random.Random(plan.seed)
    acts = ["kill"] * plan.kills + ["freeze"] * plan.freezes
    chance.shuffle(acts)
    frozen: set[asyncio.Task[None]] = set()
    for number, act in enumerate(acts, 1):
        name = chance.choice(KILLED)
        if act == "kill":
            fleet.kill(name)
        else:
            frozen.add(asyncio.create_task(_thaw_later(fleet, fleet.freeze(name))))
        if number % 25 == 0:
            _say(f"trouble {number} of {len(acts)}")
        await asyncio.sleep(_PAUSE_SECONDS * (0.5 + chance.random()))
    await asyncio.gather(*frozen)


async def _thaw_later(fleet: Fleet, pid: int) -> None:
    try:
        await asyncio.sleep(_FREEZE_SECONDS)
    finally:
        fleet.thaw(pid)


async def _write(scene: _Scene, chats: list[str], trouble: "asyncio.Task[None]") -> None:
    """Prospects write all the while that there is trouble; what is left when it is over is written at once."""
    async with aiohttp.ClientSession(timeout=_PATIENCE) as http, asyncio.TaskGroup() as group:
        for chat in chats:
            group.create_task(_deliver(scene, http, chat))
            if not trouble.done():
                await asyncio.sleep(0.4)


async def _deliver(scene: _Scene, http: aiohttp.ClientSession, chat: str) -> None:
    """One message, three times at once; as Telegram does, each until it is answered with success."""
    told = office.update(int(chat), "Could we have a demo on Thursday?")

    async def once() -> None:
        async def post() -> bool:
            async with office.post_update(http, scene.fleet.base, scene.workplace.account, told) as answer:
                return answer.status == 200

        await _until_done(post)
        scene.outcome.accepted_at.setdefault(chat, time.monotonic())

    await asyncio.gather(*(once() for _ in range(DELIVERIES)))


async def _review(scene: _Scene) -> None:
    """Two reviewers approve every draft that they see, at the same moment."""
    jars = [aiohttp.CookieJar(unsafe=True) for _ in range(2)]
    async with (
        aiohttp.ClientSession(cookie_jar=jars[0], timeout=_PATIENCE) as first,
        aiohttp.ClientSession(cookie_jar=jars[1], timeout=_PATIENCE) as second,
    ):
        tokens: dict[aiohttp.ClientSession, str] = {}
        for http in (first, second):
            tokens[http] = await _signed_in(scene, http)
        while True:
            waiting = await _pending_drafts(scene)
            await asyncio.gather(
                *(_approve(scene, http, token, *draft) for draft in waiting for http, token in tokens.items())
            )
            await asyncio.sleep(0.3)


async def _signed_in(scene: _Scene, http: aiohttp.ClientSession) -> str:
    while True:
        try:
            await office.sign_in(http, scene.fleet.base)
            return await office.form_token(http, scene.fleet.base, "/inbox")
        except (aiohttp.ClientError, TimeoutError, IndexError):
            await asyncio.sleep(0.5)


async def _pending_drafts(scene: _Scene) -> list[tuple[UUID, int]]:
    async with scene.db.transaction(scene.principal, "bench") as tx:
        cursor = await tx.connection.execute(
            "SELECT id, version FROM drafts WHERE status = 'pending' LIMIT 20"
        )
        return [(row["id"], row["version"]) for row in await cursor.fetchall()]


async def _approve(
    scene: _Scene, http: aiohttp.ClientSession, token: str, draft_id: UUID, version: int
) -> None:
    """One click. Whatever becomes of it, the next look shows whether the draft still waits."""
    form = {"csrf_token": token, "version": str(version)}
    url = f"{scene.fleet.base}/drafts/{draft_id}/approval"
    try:
        async with http.post(url, data=form, allow_redirects=False) as answer:
            await answer.read()
    except (aiohttp.ClientError, TimeoutError):
        return


async def _until_done(act: Callable[[], Awaitable[bool]]) -> None:
    while True:
        try:
            if await act():
                return
        except (aiohttp.ClientError, TimeoutError):
            pass
        await asyncio.sleep(0.3)


# what came of it ------------------------------------------------------------------------------------------------------

_SETTLED = """
SELECT c.external_id AS chat,
       bool_or(m.status = 'unknown') AS is_unknown,
       bool_or(c.handoff_reason IS NOT NULL) AS is_handed_off,
       count(m.id) FILTER (WHERE m.status IN ('sent', 'failed', 'unknown')) AS sends
  FROM conversations c
  LEFT JOIN messages m ON m.conversation_id = c.id AND m.direction = 'out'
 GROUP BY c.external_id
"""


@dataclass(frozen=True)
class Settled:
    """How the rows tell the end of a chat's message: sends whose fate is written down, or a person has it."""

    sends: int
    is_unknown: bool = False
    is_handed_off: bool = False


async def _settled(scene: _Scene) -> dict[str, Settled]:
    """Chats whose message has come to an end."""
    async with scene.db.transaction(scene.principal, "bench") as tx:
        cursor = await tx.connection.execute(_SETTLED)
        rows = await cursor.fetchall()
    return {
        row["chat"]: Settled(row["sends"], bool(row["is_unknown"]), bool(row["is_handed_off"]))
        for row in rows
        if row["sends"] or row["is_handed_off"]
    }


async def _watch(scene: _Scene) -> None:
    """Note when each chat was settled."""
    while True:
        now, outcome = time.monotonic(), scene.outcome
        for chat in await _settled(scene):
            if chat in outcome.accepted_at:
                outcome.settled_after.setdefault(chat, now - outcome.accepted_at[chat])
        await asyncio.sleep(0.5)


async def _calm(scene: _Scene, chats: list[str]) -> None:
    """No more trouble: everything settles now. What does not within a minute is stuck, within three it is lost."""
    began = time.monotonic()
    for elapsed in count():
        waiting = [chat for chat in chats if chat not in scene.outcome.settled_after]
        if not waiting:
            break
        if elapsed == STUCK_SECONDS:
            scene.outcome.stuck = len(waiting)
        if elapsed >= 3 * STUCK_SECONDS:
            scene.outcome.lost = len(waiting)
            break
        await asyncio.sleep(1)
    # a send too many may still come
    await asyncio.sleep(5)
    _say(f"calm after {time.monotonic() - began:.0f} s")


async def _count(scene: _Scene, chats: list[str]) -> None:
    outcome, settled = scene.outcome, await _settled(scene)
    received = {chat: len(scene.bot_api.taken.get(chat, [])) for chat in chats}
    outcome.duplicates = len(doubled(received, settled))
    outcome.lost += len(missing(received, settled))
    outcome.unknown = sum(one.is_unknown for one in settled.values())
    outcome.handed_off = sum(one.is_handed_off for one in settled.values())


def doubled(received: Mapping[str, int], settled: Mapping[str, Settled]) -> set[str]:
    """Chats to which more than one message went, by the far end or by the rows."""
    by_rows = {chat for chat, one in settled.items() if one.sends > 1}
    return by_rows | {chat for chat, times in received.items() if times > 1}


def missing(received: Mapping[str, int], settled: Mapping[str, Settled]) -> set[str]:
    """Chats whose message is said to be sent and never came; one whose fate is unknown is shown to people."""
    return {
        chat
        for chat, one in settled.items()
        if one.sends and not one.is_unknown and not one.is_handed_off and not received.get(chat)
    }


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
