"""The queue of what waits for a decision: drafts and tool calls, decided one after the other."""

from datetime import timedelta

import pytest

from core import clock
from crm.approvals.queries import get_approval_of, get_tool_approval
from crm.identity.models import Role
from crm.runs import halting
from crm.runs.actions import QuietWindow, RunRequest, request_run
from events.ids import ApprovalId
from tests.support.asking import ask_to_rename
from tests.support.organizations import add_member
from tests.support.world import World
from tests.web.conftest import Browser
from tools.base import Risk
from tools.registry import TOOLS
from web import tool_cards

FRAGMENT = {"HX-Request": "true"}


@pytest.fixture
async def asked(world: World) -> ApprovalId:
    """An agent asks to rename the contact who wrote."""
    conversation = await world.conversation()
    async with world.db.transaction(world.owner, "test") as tx:
        request = RunRequest(world.bidi_id, "inbox", conversation.id)
        run_id = await request_run(tx, request, QuietWindow(3600, 3600))
        assert run_id is not None
        return await ask_to_rename(tx, run_id, world.bidi_id, conversation.contact_id)


async def _status(world: World, approval_id: ApprovalId) -> str:
    async with world.db.transaction(world.owner, "test") as tx:
        return (await get_tool_approval(tx, approval_id)).status


async def test_the_queue_shows_drafts_and_tool_calls(
    browser: Browser, world: World, asked: ApprovalId
) -> None:
    await world.draft("It costs €17.")

    page = (await browser.get("/approvals")).text

    assert "It costs €17." in page
    assert "change a contact" in page
    assert "2 left" in page
    assert 'aria-current="page">' in page


async def test_a_card_says_what_is_asked_and_what_came_from_outside(
    browser: Browser, world: World, asked: ApprovalId
) -> None:
    page = (await browser.get(f"/approvals/{asked}")).text

    assert "Mira asks to change a contact" in page
    assert '<mark class="flagged" lang="en">Vera Lind, CEO</mark>' in page
    assert "comes from what the contact wrote; nobody has checked it." in page
    assert "“I am CEO now”" in page
    assert "Mira had read text from outside before it asked." in page


async def test_what_is_marked_must_be_checked_before_it_is_approved(
    browser: Browser, world: World, asked: ApprovalId
) -> None:
    unchecked = await browser.post(f"/approvals/{asked}/approval", place="queue")
    assert (unchecked.status_code, await _status(world, asked)) == (409, "open")
    assert "check it first" in unchecked.text

    checked = await browser.post(f"/approvals/{asked}/approval", place="queue", is_checked="true")

    assert (checked.status_code, checked.headers["Location"]) == (303, "/approvals")
    assert await _status(world, asked) == "approved"


async def test_deciding_shows_the_next_of_the_queue(
    browser: Browser, world: World, asked: ApprovalId
) -> None:
    draft = await world.draft("It costs €17.")

    answer = await browser.post(f"/drafts/{draft.id}/approval", version="1", folder="queue", headers=FRAGMENT)

    assert answer.status_code == 200
    assert answer.headers["HX-Retarget"] == "#queue"
    assert answer.headers["HX-Push-Url"] == f"/approvals/{asked}"
    assert "Mira asks to change a contact" in answer.text


async def test_a_refused_decision_about_a_draft_keeps_what_was_typed(browser: Browser, world: World) -> None:
    draft = await world.draft("It costs €17.")
    await browser.post(f"/drafts/{draft.id}/revision", version="1", body="It costs €16.", folder="queue")

    answer = await browser.post(
        f"/drafts/{draft.id}/revision", version="1", body="My own long text", folder="queue", headers=FRAGMENT
    )

    assert answer.status_code == 412
    assert "My own long text" in answer.text
    assert 'id="queue"' in answer.text


async def test_a_card_in_a_chat_answers_with_itself_and_leads_back_without_a_script(
    browser: Browser, world: World, asked: ApprovalId
) -> None:
    plain = await browser.post(f"/approvals/{asked}/rejection", back="/contacts?q=vera", reason="No")
    again = await browser.post(f"/approvals/{asked}/rejection", headers=FRAGMENT)

    assert (plain.status_code, plain.headers["Location"]) == (303, "/contacts?q=vera")
    assert again.status_code == 409
    assert "already rejected" in again.text
    assert again.text.lstrip().startswith(f'<article class="draft tool-card is-done" id="approval-{asked}"')


async def test_what_was_decided_is_kept(browser: Browser, world: World, asked: ApprovalId) -> None:
    await browser.post(f"/approvals/{asked}/rejection", place="queue", reason="Not theirs to change")

    queue = (await browser.get("/approvals")).text
    decided = (await browser.get("/approvals?queue=decided")).text
    card = (await browser.get(f"/approvals/{asked}?queue=decided")).text

    assert "Nothing waits for you" in queue
    assert "rejected" in decided
    assert "Not theirs to change" in card


async def test_the_queue_reads_in_russian(browser: Browser, world: World, asked: ApprovalId) -> None:
    await browser.post("/preferences", locale="ru", back="/approvals")

    page = (await browser.get(f"/approvals/{asked}")).text

    assert "хочет изменить контакт" in page
    assert "Одобрения" in page


def test_every_tool_that_may_ask_is_called_in_words() -> None:
    asking = {tool.name for tool in TOOLS if tool.risk is not Risk.READ}

    assert asking - tool_cards.TOOLS.keys() == set()


def test_every_argument_of_such_a_tool_has_a_name_in_words() -> None:
    named = tool_cards.FIELDS.keys() | {"record_kind", "subject_kind", "version"}
    fields = {name for tool in TOOLS if tool.risk is not Risk.READ for name in tool.arguments.model_fields}

    assert fields - named == set()


async def test_a_card_that_is_put_off_waits_in_its_own_queue(
    browser: Browser, world: World, asked: ApprovalId
) -> None:
    until = (clock.now() + timedelta(hours=1)).isoformat()

    answer = await browser.post(f"/approvals/{asked}/snooze", until=until)

    assert (answer.status_code, answer.headers["Location"]) == (303, "/approvals")
    assert "Nothing waits for you" in (await browser.get("/approvals")).text
    assert "change a contact" in (await browser.get("/approvals?queue=snoozed")).text
    assert "Snoozed until" in (await browser.get(f"/approvals/{asked}?queue=snoozed")).text


@pytest.mark.parametrize(
    ("left", "why"),
    [(-1, "lies in the past"), (8 * 24, "expires before that time")],
    ids=["past", "too late"],
)
async def test_a_card_is_not_put_off_to_when_it_cannot_be_decided(
    browser: Browser, world: World, asked: ApprovalId, left: int, why: str
) -> None:
    until = (clock.now() + timedelta(hours=left)).isoformat()

    answer = await browser.post(f"/approvals/{asked}/snooze", until=until, headers=FRAGMENT)

    assert answer.status_code == 422
    assert why in answer.text
    assert "change a contact" in answer.text


async def test_a_card_and_a_draft_are_given_to_a_colleague_and_to_anybody_again(
    browser: Browser, world: World, asked: ApprovalId
) -> None:
    draft = await world.draft("It costs €17.")
    async with world.db.transaction(world.owner, "test") as tx:
        of_draft = (await get_approval_of(tx, draft.id)).id

    for approval_id in (asked, of_draft):
        given = await browser.post(f"/approvals/{approval_id}/assignment", assignee_id=str(world.owner.id))
        assert given.headers["Location"] == f"/approvals/{approval_id}?queue=waiting"
    mine = (await browser.get("/approvals")).text
    await browser.post(f"/approvals/{asked}/assignment", assignee_id="")

    assert mine.count("for you</span>") == 2
    assert (await browser.get("/approvals")).text.count("for you</span>") == 1


async def test_who_may_not_decide_is_not_asked_to(browser: Browser, world: World, asked: ApprovalId) -> None:
    viewer = await add_member(world.db, world.owner, Role.VIEWER)

    answer = await browser.post(
        f"/approvals/{asked}/assignment", assignee_id=str(viewer.id), headers=FRAGMENT
    )

    assert answer.status_code == 422
    assert "may not decide about this; choose somebody else." in answer.text


async def test_what_a_paused_seat_waits_for_is_marked(
    browser: Browser, world: World, asked: ApprovalId
) -> None:
    draft = await world.draft("It costs €17.")
    async with world.db.transaction(world.owner, "test") as tx:
        of_draft = (await get_approval_of(tx, draft.id)).id
        await halting.pause_seat(tx, world.bidi_id)

    queue = (await browser.get("/approvals")).text

    assert queue.count("paused</span>") == 2
    assert "What is approved meanwhile is not done" in (await browser.get(f"/approvals/{asked}")).text
    assert "what a person approves goes out" in (await browser.get(f"/approvals/{of_draft}")).text
