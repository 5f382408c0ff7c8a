"""Every process is killed at every commit and outbound call of the path: nothing is lost, nothing sent twice."""

import asyncio
from dataclasses import dataclass
from itertools import count

import pytest

from events.ids import ConversationId
from infra.fleet import Fleet
from tests.support.approving import press_approve
from tests.support.outside import Outside
from tests.support.prospects import MailProspect, Make, Prospect, TelegramProspect
from tests.support.stage import Stage
from tests.support.until import until
from tests.support.visitor import Visitor
from tests.support.watching import draft_of

# A minute is the promise, with threefold slack; whatever is not over by then is stuck.
STUCK_SECONDS = 180.0
AT_ONCE = 6
AGAIN = 4
FINAL = ("sent", "unknown", "failed")
SIDES = ("before", "after")
# Before and after each commit and call that has an effect; the full tier kills at every point that the path passes.
AROUND_EFFECTS = {
    "telegram": (
        "commit.listen.receive",
        "commit.relay.claim",
        "commit.run.claim",
        "commit.tool.draft_reply",
        "commit.request",
        "commit.deliver_message.attempt",
        "send.telegram",
        "commit.deliver_message.sent",
    ),
    # what a mail passes alike is killed for Telegram
    "email": (
        "commit.mail.receive",
        "commit.deliver_message.attempt",
        "send.email",
        "commit.deliver_message.sent",
    ),
}
# Points of the other channel, which a message over this one never reaches.
ELSEWHERE = {
    "telegram": ("commit.mail.", "mail.", "send.email.", "commit.keep_sent_copy."),
    "email": ("commit.listen.receive.", "send.telegram."),
}
# Passed by tests/flows/test_webhooks.py, which kills there itself.
WEBHOOKS = ("webhook.call.", "commit.deliver_webhook.", "commit.api")
_numbers = count(720000001)


@pytest.fixture(params=["telegram", "email"])
def channel(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make(channel: str, stage: Stage, outside: Outside) -> Make:
    """Makes people nobody has heard of yet, who write over the channel."""
    if channel == "telegram":
        return lambda number: TelegramProspect(stage, number)
    return lambda number: MailProspect(outside, f"vera.{number}@crash.example")


@dataclass(frozen=True)
class Outcome:
    """How one message fared: the text that was approved, what arrived, and what we say became of it."""

    point: str
    approved: str
    arrived: list[str]
    status: str
    stored: int


async def _flow(stage: Stage, anna: Visitor, prospect: Prospect, point: str) -> Outcome:
    """One message from the prospect to the approved reply, however often processes die meanwhile."""
    await prospect.write("Could we have a demo on Thursday?")
    conversation = await prospect.conversation(STUCK_SECONDS)
    draft = await draft_of(stage, conversation.id, STUCK_SECONDS)
    await press_approve(stage, anna, draft.id, STUCK_SECONDS)

    async def settled() -> str | None:
        async with stage.world.db.transaction(stage.world.owner, "test") as tx:
            status = await tx.value("SELECT status FROM messages WHERE draft_id = %(id)s", id=draft.id)
        return str(status) if status in FINAL else None

    status = await until(settled, STUCK_SECONDS)
    stored = await _stored_once_runs_ended(stage, conversation.id)
    return Outcome(point, draft.body.strip(), await prospect.arrived(), status, stored)


async def _stored_once_runs_ended(stage: Stage, conversation_id: ConversationId) -> int:
    """Messages stored, in and out, once no run is open any more."""

    async def runs_ended() -> bool:
        async with stage.world.db.transaction(stage.world.owner, "test") as tx:
            return not await tx.value(
                "SELECT count(*) FROM runs WHERE conversation_id = %(id)s AND status IN ('queued', 'running')",
                id=conversation_id,
            )

    await until(runs_ended, STUCK_SECONDS)
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        return int(
            await tx.value("SELECT count(*) FROM messages WHERE conversation_id = %(id)s", id=conversation_id)
        )


def _points(fleet: Fleet, channel: str) -> list[str]:
    """What the path passed so far, without the lookups before a tenant is known: they write nothing."""
    passed_over = ("commit.find_", "commit.sign_in", *WEBHOOKS, *ELSEWHERE[channel])
    return [point for point in fleet.seen() if not point.startswith(passed_over)]


async def _sweep(stage: Stage, anna: Visitor, make: Make, points: list[str]) -> list[Outcome]:
    """Kill whoever reaches each of the points, a few at a time, while messages go through."""
    outcomes: list[Outcome] = []
    for start in range(0, len(points), AT_ONCE):
        batch = points[start : start + AT_ONCE]
        for point in batch:
            stage.fleet.arm(point)
        outcomes += await asyncio.gather(
            *(_flow(stage, anna, make(next(_numbers)), point) for point in batch)
        )
    # A message that was lost track of before a point never reached it: send others until every point was met.
    for _ in range(AGAIN):
        missed = [point for point in stage.fleet.armed() if point in points]
        outcomes += await asyncio.gather(
            *(_flow(stage, anna, make(next(_numbers)), point) for point in missed)
        )
    return outcomes


def _assert_nothing_lost_and_nothing_twice(outcomes: list[Outcome]) -> None:
    assert [o for o in outcomes if len(o.arrived) > 1] == []
    assert [o for o in outcomes if o.status == "sent" and o.arrived != [o.approved]] == []
    assert [o for o in outcomes if o.arrived and o.arrived != [o.approved]] == []
    assert [o for o in outcomes if o.status == "failed"] == []
    assert [o for o in outcomes if o.stored != 2] == []


async def test_killed_around_the_effects_nothing_is_lost_and_nothing_is_sent_twice(
    stage: Stage, anna: Visitor, channel: str, make: Make
) -> None:
    await _flow(stage, anna, make(next(_numbers)), "none")
    deaths = stage.fleet.deaths
    points = [f"{point}.{side}" for point in AROUND_EFFECTS[channel] for side in SIDES]

    outcomes = await _sweep(stage, anna, make, points)

    _assert_nothing_lost_and_nothing_twice(outcomes)
    assert stage.fleet.armed() == []

    async def every_kill_was_counted() -> bool:
        return stage.fleet.deaths - deaths >= len(points)

    await until(every_kill_was_counted, 5)


@pytest.mark.full
async def test_killed_at_every_point_nothing_is_lost_and_nothing_is_sent_twice(
    stage: Stage, anna: Visitor, channel: str, make: Make
) -> None:
    await _flow(stage, anna, make(next(_numbers)), "none")
    points = _points(stage.fleet, channel)
    deaths = stage.fleet.deaths

    outcomes = await _sweep(stage, anna, make, points)

    print(
        f"crash sweep {channel}: points={len(points)} kills={stage.fleet.deaths - deaths} "
        f"messages={len(outcomes)} unknown={sum(o.status == 'unknown' for o in outcomes)} lost=0 twice=0"
    )
    _assert_nothing_lost_and_nothing_twice(outcomes)
    assert len(points) >= 60
    # a point of the listener or of a page may not come round again within the sweep
    left = [point for point in stage.fleet.armed() if point in points]
    for point in left:
        stage.fleet.disarm(point)
    assert len(left) <= len(points) // 20
