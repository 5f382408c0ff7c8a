"""Every process is killed at every commit and outbound call of the path: nothing is lost, nothing sent twice."""

import asyncio
from dataclasses import dataclass
from itertools import count

import httpx2
import pytest

from crm.drafts.models import Draft, DraftStatus
from crm.drafts.queries import get_draft
from events.ids import ConversationId, DraftId
from infra.fleet import Fleet
from tests.support.stage import Stage
from tests.support.until import until
from tests.support.visitor import Visitor
from tests.support.watching import conversation_of, draft_of

# A minute is the promise; whatever is not over by then is stuck.
STUCK_SECONDS = 60.0
AT_ONCE = 6
AGAIN = 4
FINAL = ("sent", "unknown", "failed")
# Before and after each commit and call that has an effect; the full tier kills at every point that the path passes.
AROUND_EFFECTS = tuple(
    f"{point}.{side}"
    for point in (
        "commit.listen.receive",
        "commit.relay.claim",
        "commit.run.claim",
        "commit.tool.draft_reply",
        "commit.request",
        "commit.deliver_message.attempt",
        "send.telegram",
        "commit.deliver_message.sent",
    )
    for side in ("before", "after")
)
_chats = count(720000001)


@dataclass(frozen=True)
class Outcome:
    """How one message fared: the text that was approved, what arrived, and what we say became of it."""

    point: str
    approved: str
    arrived: list[str]
    status: str
    stored: int
    open_runs: int


async def _flow(stage: Stage, anna: Visitor, point: str) -> Outcome:
    """One message from the prospect to the approved reply, however often processes die meanwhile."""
    chat_id = next(_chats)
    await stage.peer.send("Could we have a demo on Thursday?", chat_id=chat_id, name="Vera Lind")
    conversation = await conversation_of(stage, chat_id, STUCK_SECONDS)
    draft = await draft_of(stage, conversation.id, STUCK_SECONDS)
    await _approve(stage, anna, draft.id)

    async def settled() -> str | None:
        async with stage.world.db.transaction(stage.world.owner, "test") as tx:
            status = await tx.value("SELECT status FROM messages WHERE draft_id = %(id)s", id=draft.id)
        return str(status) if status in FINAL else None

    status = await until(settled, STUCK_SECONDS)
    stored, open_runs = await _counts(stage, conversation.id)
    return Outcome(point, draft.body, await stage.peer.received(chat_id), status, stored, open_runs)


async def _approve(stage: Stage, anna: Visitor, draft_id: DraftId) -> None:
    """Press Approve until the page has answered; a page that died in between is asked again."""

    async def approved() -> Draft | None:
        async with stage.world.db.transaction(stage.world.owner, "test") as tx:
            draft = await get_draft(tx, draft_id)
        if draft.status is DraftStatus.PENDING:
            try:
                await anna.post(f"/drafts/{draft_id}/approval", version=str(draft.version))
            except httpx2.HTTPError:
                return None
        return draft if draft.status is DraftStatus.APPROVED else None

    await until(approved, STUCK_SECONDS)


async def _counts(stage: Stage, conversation_id: ConversationId) -> tuple[int, int]:
    """Messages stored, in and out; and runs that never ended."""

    async def runs_ended() -> bool:
        async with stage.world.db.transaction(stage.world.owner, "test") as tx:
            return not await tx.value(
                "SELECT count(*) FROM runs WHERE conversation_id = %(id)s AND status IN ('queued', 'running')",
                id=conversation_id,
            )

    await until(runs_ended, STUCK_SECONDS)
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        stored = await tx.value(
            "SELECT count(*) FROM messages WHERE conversation_id = %(id)s", id=conversation_id
        )
    return int(stored), 0


def _points(fleet: Fleet) -> list[str]:
    """What the path passed so far, without the lookups before a tenant is known: they write nothing."""
    return [point for point in fleet.seen() if not point.startswith(("commit.find_", "commit.sign_in"))]


async def _sweep(stage: Stage, anna: Visitor, points: list[str]) -> list[Outcome]:
    """Kill whoever reaches each of the points, a few at a time, while messages go through."""
    outcomes: list[Outcome] = []
    for start in range(0, len(points), AT_ONCE):
        batch = points[start : start + AT_ONCE]
        for point in batch:
            stage.fleet.arm(point)
        outcomes += await asyncio.gather(*(_flow(stage, anna, point) for point in batch))
    # A message that was lost track of before a point never reached it: send others until every point was met.
    for _ in range(AGAIN):
        missed = [point for point in stage.fleet.armed() if point in points]
        outcomes += await asyncio.gather(*(_flow(stage, anna, point) for point in missed))
    return outcomes


def _assert_nothing_lost_and_nothing_twice(outcomes: list[Outcome]) -> None:
    assert [o for o in outcomes if len(o.arrived) > 1] == []
    assert [o for o in outcomes if o.status == "sent" and o.arrived != [o.approved]] == []
    assert [o for o in outcomes if o.arrived and o.arrived != [o.approved]] == []
    assert [o for o in outcomes if o.status == "failed"] == []
    assert [o for o in outcomes if o.stored != 2] == []


async def test_killed_around_the_effects_nothing_is_lost_and_nothing_is_sent_twice(
    stage: Stage, anna: Visitor
) -> None:
    await _flow(stage, anna, "none")
    deaths = stage.fleet.deaths

    outcomes = await _sweep(stage, anna, list(AROUND_EFFECTS))

    _assert_nothing_lost_and_nothing_twice(outcomes)
    assert stage.fleet.armed() == []

    async def every_kill_was_counted() -> bool:
        return stage.fleet.deaths - deaths >= len(AROUND_EFFECTS)

    await until(every_kill_was_counted, 5)


@pytest.mark.full
async def test_killed_at_every_point_nothing_is_lost_and_nothing_is_sent_twice(
    stage: Stage, anna: Visitor
) -> None:
    await _flow(stage, anna, "none")
    points = _points(stage.fleet)

    outcomes = await _sweep(stage, anna, points)

    print(f"crash sweep: points={len(points)} kills={stage.fleet.deaths} lost=0 twice=0")
    _assert_nothing_lost_and_nothing_twice(outcomes)
    assert len(points) >= 60
    # a point of the listener or of a page may not come round again within the sweep
    assert len(stage.fleet.armed()) <= len(points) // 20
