"""Earned autonomy in the pages: given, taken back, lost by an incident, and why an agent does not answer."""

from time import monotonic

import pytest

from core.db import Database
from crm.bidi.actions import update_bidi
from crm.bidi.models import Autonomy, Bidi, BidiEdit
from crm.bidi.queries import get_bidi
from crm.drafts import earning
from crm.drafts.actions import send_by_policy
from crm.identity.models import Role
from events.ids import BidiId
from tests.support.earning import decide
from tests.support.entries import entries_since, last_event, untold
from tests.support.organizations import add_member, give_contacts
from tests.support.world import World
from tests.web.conftest import Browser, signed_in


@pytest.fixture
async def asked(world: World) -> World:
    await world.receive("What does it cost?")
    return world


async def seat_of(world: World) -> Bidi:
    async with world.db.transaction(world.owner, "test") as tx:
        return await get_bidi(tx, world.bidi_id)


async def sent_by_itself(world: World) -> str:
    """A reply that the agent has sent without a person; its draft's id."""
    draft = await world.draft("It costs €17.")
    seat = (await seat_of(world)).principal()
    async with world.db.transaction(seat, "test") as tx:
        await tx.execute(
            "UPDATE drafts SET intents = ARRAY['price'] WHERE id = %(draft_id)s", draft_id=draft.id
        )
        await send_by_policy(tx, draft.id)
        await tx.execute(
            "UPDATE messages SET status = 'sent' WHERE draft_id = %(draft_id)s", draft_id=draft.id
        )
    return str(draft.id)


async def test_what_is_missing_stands_beside_each_intent(browser: Browser, asked: World) -> None:
    await decide(asked, 60)

    page = (await browser.get(f"/seats/{asked.bidi_id}")).text

    assert "Questions about the price" in page
    assert "60 of 60 drafts accepted unedited" in page
    assert "40 more, each accepted as it is written, would earn it." in page
    assert "Let it answer by itself" not in page


async def test_what_is_earned_is_given_and_taken_back_with_a_button(browser: Browser, asked: World) -> None:
    path = f"/seats/{asked.bidi_id}"
    await decide(asked, 100)

    offered = (await browser.get(path)).text
    async with asked.db.transaction(asked.owner, "test") as tx:
        last = await last_event(tx)
    await browser.post(f"{path}/promotion", intent="price")
    given = (await seat_of(asked)).autopilot_intents
    page = (await browser.get(path)).text
    await browser.post(f"{path}/demotion", intent="price")
    async with asked.db.transaction(asked.owner, "test") as tx:
        entries = await entries_since(tx, last)

    assert "Let it answer by itself" in offered
    assert given == ["price"]
    assert "answers by itself" in page
    assert "Answers by itself since then" in page  # the history
    assert [(one.type, one.actor_id, one.via) for one in entries] == [
        ("bidi.updated", asked.owner.id, "page")
    ] * 2
    assert untold(entries) == []
    assert (await seat_of(asked)).autopilot_intents == []


async def test_what_is_not_earned_is_refused_with_what_it_takes(browser: Browser, asked: World) -> None:
    await decide(asked, 99)

    answer = await browser.post(f"/seats/{asked.bidi_id}/promotion", intent="price")

    assert answer.status_code == 409
    assert "This is not earned yet" in answer.text


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (BidiEdit(autonomy=Autonomy.SUGGEST), "Its autonomy is “Suggest”"),
        (BidiEdit(daily_cap=0), "It has sent all of the 0 replies"),
        (BidiEdit(max_runs_a_day=0, max_tokens_a_day=0), "may use in a day is used up"),
    ],
    ids=["autonomy", "cap", "budget"],
)
async def test_the_page_says_why_an_agent_does_not_answer(
    browser: Browser, asked: World, edit: BidiEdit, reason: str
) -> None:
    await let_answer(asked)
    on = (await browser.get(f"/seats/{asked.bidi_id}")).text

    await change(asked, edit)
    off = (await browser.get(f"/seats/{asked.bidi_id}")).text

    assert "It answers by itself now" in on
    assert "It answers by itself now" not in off
    assert reason in off


async def test_outside_the_hours_the_page_says_when_they_begin(browser: Browser, asked: World) -> None:
    await let_answer(asked)
    never = {day: ["00:00", "00:01"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    await change(asked, BidiEdit(working_hours=never))

    page = (await browser.get(f"/seats/{asked.bidi_id}")).text

    assert "It is outside its working hours. They begin again" in page


async def test_a_rep_reports_a_reply_in_the_conversation_and_it_is_taken_back_within_two_seconds(
    site: str, database: Database, browser: Browser, asked: World
) -> None:
    await let_answer(asked)
    draft_id = await sent_by_itself(asked)
    conversation = await asked.conversation()
    rep = await add_member(database, asked.owner, Role.BIDI)
    await give_contacts(database, asked.owner, rep)
    async with signed_in(site, database, rep) as theirs:
        thread = (await theirs.get(f"/inbox/{conversation.id}?folder=all")).text
        began = monotonic()
        answer = await theirs.post(
            f"/drafts/{draft_id}/incident", kind="complained", note="Wrong price", folder="all"
        )
        seat = await seat_of(asked)
        took = monotonic() - began

    assert "This reply was wrong" in thread
    assert "Mira, by itself" in thread
    assert answer.status_code == 303
    assert seat.autopilot_intents == []
    assert took <= 2
    after = (await browser.get(f"/inbox/{conversation.id}?folder=all")).text
    assert "This reply was wrong" not in after
    assert "The contact complained about it" in after
    page = (await browser.get(f"/seats/{asked.bidi_id}")).text
    assert "Wrong price" in page
    assert "No decisions since the last incident" in page


async def test_a_second_report_of_one_reply_is_refused(browser: Browser, asked: World) -> None:
    draft_id = await sent_by_itself(asked)
    path = f"/seats/{asked.bidi_id}/incidents"
    page = (await browser.get(f"/seats/{asked.bidi_id}")).text
    await browser.post(path, draft_id=draft_id, kind="recalled")

    again = await browser.post(path, draft_id=draft_id, kind="recalled")

    assert "Sent by itself lately" in page
    assert again.status_code == 409
    assert "An incident was noted on this reply before." in again.text


async def test_a_draft_that_was_never_sent_is_no_incident(browser: Browser, asked: World) -> None:
    draft = await asked.draft()

    answer = await browser.post(f"/seats/{asked.bidi_id}/incidents", draft_id=str(draft.id), kind="recalled")

    assert answer.status_code == 409
    assert "never sent" in answer.text


async def let_answer(world: World) -> None:
    await decide(world, 100)
    async with world.db.transaction(world.owner, "test") as tx:
        await earning.promote_intent(tx, world.bidi_id, "price")
    await change(world, BidiEdit(autonomy=Autonomy.AUTOPILOT))


async def change(world: World, edit: BidiEdit) -> None:
    seat = await seat_of(world)
    async with world.db.transaction(world.owner, "test") as tx:
        await update_bidi(tx, BidiId(world.bidi_id), edit, version=seat.version)
