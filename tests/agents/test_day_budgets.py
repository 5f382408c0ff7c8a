"""Loops are bounded: by the limits of a run, and by what a seat and an organization may use in a day."""

import asyncio
from datetime import timedelta

import pytest
from pydantic import JsonValue

from core import clock
from crm.bidi.actions import update_bidi
from crm.bidi.day_limits import DayLimits, set_day_limits
from crm.bidi.models import BidiEdit
from crm.bidi.queries import get_bidi
from crm.conversations.models import HandoffReason
from crm.runs.model_calls import total_since
from crm.runs.models import Run, RunStatus
from events.ids import RunId
from tests.support.office import Office

LOOPS = 50
# Whatever it is asked, it looks the same thing up again, and never comes to an answer.
LOOPING: dict[str, JsonValue] = {
    "tools": [{"name": "list_deals", "arguments": {}}],
    "tokens_in": 900,
    "tokens_out": 100,
    "cost_usd_micros": 1000,
}
ANSWER: dict[str, JsonValue] = {
    "value": {"decision": "answer", "language": "en"}, "tokens_in": 900, "tokens_out": 100, "cost_usd_micros": 1000,
}  # fmt: skip


async def limit(office: Office, edit: BidiEdit) -> None:
    async with office.db.transaction(office.owner, "test") as tx:
        bidi = await get_bidi(tx, office.world.bidi_id)
        await update_bidi(tx, bidi.id, edit, version=bidi.version)


async def tokens_of_today(office: Office) -> int:
    async with office.db.transaction(office.owner, "test") as tx:
        used = await total_since(tx, clock.now() - timedelta(days=1))
    return used.tokens_in + used.tokens_out


async def test_fifty_looping_scripts_stop_inside_the_limits_of_the_day(office: Office) -> None:
    office.script(triage=[ANSWER], draft=[LOOPING])
    await limit(office, BidiEdit(max_tokens_a_day=60_000))
    asked = [await _ask_as(office, number) for number in range(LOOPS)]
    at_once = asyncio.Semaphore(4)

    async def work(run_id: RunId) -> Run:
        async with at_once:
            return await office.work(run_id)

    runs = await asyncio.gather(*(work(run_id) for run_id in asked))

    assert {run.status for run in runs} <= {RunStatus.FAILED, RunStatus.BUDGET_EXCEEDED}
    spent = [run for run in runs if "of today" in run.reason]
    assert spent
    assert all(run.status is RunStatus.BUDGET_EXCEEDED for run in spent)
    # each of the four at work may have had one call under way
    assert await tokens_of_today(office) <= 60_000 + 4 * 1000
    assert all(run.steps <= office.settings.run_max_steps for run in runs)


async def _ask_as(office: Office, number: int) -> RunId:
    """Somebody else writes."""
    office.world.chat_id = str(700_001_000 + number)
    office.world.handles = (("telegram_id", office.world.chat_id),)
    return await office.ask("What do 40 scanners cost?")


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (BidiEdit(max_runs_a_day=0), "the seat had all of its 0 runs of today"),
        (BidiEdit(max_tokens_a_day=1000), "the seat used all of its 1000 tokens of today"),
        (BidiEdit(max_cost_usd_micros_a_day=1000), "the seat cost the 0.00 USD that it may a day"),
    ],
    ids=["runs", "tokens", "money"],
)
async def test_a_seat_that_used_up_its_day_hands_over(office: Office, edit: BidiEdit, reason: str) -> None:
    office.script(triage=[ANSWER], draft=[LOOPING])
    await limit(office, edit)

    run = await office.answer("What do 40 scanners cost?")

    assert (run.status, run.reason) == (RunStatus.BUDGET_EXCEEDED, reason)
    conversation = await office.conversation()
    assert conversation.handoff_reason is HandoffReason.USAGE_LIMIT
    assert await office.draft() is None


async def test_the_organization_has_a_day_too(office: Office) -> None:
    office.script(triage=[ANSWER], draft=[LOOPING])
    async with office.db.transaction(office.owner, "test") as tx:
        await set_day_limits(tx, DayLimits(max_tokens_a_day=1000))

    run = await office.answer("What do 40 scanners cost?")

    assert run.reason == "the organization used all of its 1000 tokens of today"


async def test_the_next_day_is_another_one(office: Office) -> None:
    await limit(office, BidiEdit(max_runs_a_day=1))
    first = await office.answer("What do 40 scanners cost?")
    async with office.db.transaction(office.owner, "test") as tx:
        await tx.execute("UPDATE runs SET started_at = started_at - interval '2 days'")

    second = await office.answer("And 50?")

    assert (first.status, second.status) == (RunStatus.SUCCEEDED, RunStatus.SUCCEEDED)
