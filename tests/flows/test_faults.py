"""Servers that fail in every way, on both channels: nothing is lost, nothing sent twice, every send has an end."""

import asyncio
from itertools import count

import pytest

from events.ids import DraftId
from tests.support.approving import press_approve
from tests.support.outside import Outside
from tests.support.prospects import SLOW_SECONDS, MailProspect, Prospect, TelegramProspect
from tests.support.stage import Stage
from tests.support.until import until
from tests.support.visitor import Visitor
from tests.support.watching import draft_of

FAULTS = ("drop_before", "drop_after", "429", "5xx", "slow", "half")
# What becomes of a message that meets the fault once, and how often it arrives. The Bot API has no Message-ID and no
# final dot, so that there more ends are unknown.
EXPECTED = {
    "telegram": {
        "drop_before": ("unknown", 0),
        "drop_after": ("unknown", 1),
        "429": ("sent", 1),
        "5xx": ("unknown", 0),
        "slow": ("unknown", 1),
        "half": ("unknown", 1),
    },
    "email": {
        "drop_before": ("sent", 1),
        "drop_after": ("unknown", 1),
        "429": ("sent", 1),
        "5xx": ("failed", 0),
        "slow": ("unknown", 1),
        "half": ("unknown", 1),
    },
}
_numbers = count(730000001)


async def _drafted(stage: Stage, prospect: Prospect) -> tuple[DraftId, str]:
    """The prospect writes; the draft that waits and its text."""
    await prospect.write("Could we have a demo on Thursday?")
    draft = await draft_of(stage, (await prospect.conversation(60)).id, 60)
    return draft.id, draft.body.strip()


async def _end(stage: Stage, draft_id: DraftId) -> str:
    async def look() -> str | None:
        async with stage.world.db.transaction(stage.world.owner, "test") as tx:
            status = await tx.value("SELECT status FROM messages WHERE draft_id = %(id)s", id=draft_id)
        return str(status) if status in ("sent", "unknown", "failed") else None

    return await until(look, 60)


async def _fare(stage: Stage, anna: Visitor, prospect: Prospect, fault: str) -> tuple[str, int]:
    """One approved reply that meets a fault: what we say became of it, and how often it arrived."""
    draft_id, text = await _drafted(stage, prospect)
    await prospect.suffer(fault)
    await press_approve(stage, anna, draft_id, 60)
    status = await _end(stage, draft_id)
    # A slow server delivers after we gave up; a second attempt would have been made by the end of this.
    await asyncio.sleep(SLOW_SECONDS if fault == "slow" else 2.5)
    arrived = await prospect.arrived()
    assert set(arrived) <= {text}
    return status, len(arrived)


async def test_mail_servers_that_fail(outside: Outside, anna: Visitor) -> None:
    stage = outside.stage
    people = [MailProspect(outside, f"vera.{next(_numbers)}@fault.example") for _ in FAULTS]

    ends = await asyncio.gather(
        *(_fare(stage, anna, each, fault) for each, fault in zip(people, FAULTS, strict=True))
    )

    assert dict(zip(FAULTS, ends, strict=True)) == EXPECTED["email"]


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_bot_api_that_fails(stage: Stage, anna: Visitor, fault: str) -> None:
    end = await _fare(stage, anna, TelegramProspect(stage, next(_numbers)), fault)

    assert end == EXPECTED["telegram"][fault]
