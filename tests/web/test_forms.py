"""Every verb is a form that works without a script."""

from datetime import timedelta

from core import clock
from crm.drafts.models import Flag
from tests.support.world import World
from tests.web.conftest import Browser


async def test_approving_leads_back_to_the_conversation_and_queues_the_reply(
    browser: Browser, world: World
) -> None:
    draft = await world.draft("It costs €17.")

    answer = await browser.post(f"/drafts/{draft.id}/approval", version="1")
    page = (await browser.get(answer.headers["Location"])).text

    assert answer.status_code == 303
    assert "Mira, approved by you" in page
    assert "data-draft " not in page


async def test_approving_twice_says_that_it_was_sent_once(browser: Browser, world: World) -> None:
    draft = await world.draft("It costs €17.")
    await browser.post(f"/drafts/{draft.id}/approval", version="1")

    again = await browser.post(f"/drafts/{draft.id}/approval", version="1", headers={"HX-Request": "true"})

    assert again.status_code == 409
    assert "It was not sent a second time." in again.text


async def test_an_edit_is_kept_and_shown_as_yours(browser: Browser, world: World) -> None:
    draft = await world.draft("It costs €17.")
    conversation = await world.conversation()

    await browser.post(f"/drafts/{draft.id}/revision", version="1", body="It costs €16.")
    page = (await browser.get(f"/inbox/{conversation.id}")).text

    assert "It costs €16." in page
    assert "edited by you" in page


async def test_an_edit_of_an_older_version_loses_nothing(browser: Browser, world: World) -> None:
    draft = await world.draft("It costs €17.")
    await browser.post(f"/drafts/{draft.id}/revision", version="1", body="It costs €16.")

    answer = await browser.post(f"/drafts/{draft.id}/revision", version="1", body="My own long text")

    assert answer.status_code == 412
    assert "Somebody edited this draft after you opened it." in answer.text
    assert ">My own long text</textarea>" in answer.text
    assert 'name="version" value="2"' in answer.text


async def test_keep_and_approve_sends_the_edited_text(browser: Browser, world: World) -> None:
    draft = await world.draft("It costs €17.")
    conversation = await world.conversation()

    await browser.post(f"/drafts/{draft.id}/revision", version="1", body="It costs €16.", then="approve")
    page = (await browser.get(f"/inbox/{conversation.id}")).text

    assert "Mira, edited, approved by you" in page


async def test_a_flagged_draft_waits_until_it_is_checked(browser: Browser, world: World) -> None:
    draft = await world.draft("Pay to a@b.example", flags=(Flag("new_address", "a@b.example"),))

    refused = await browser.post(f"/drafts/{draft.id}/approval", version="1")
    await browser.post(f"/drafts/{draft.id}/check", version="1")
    accepted = await browser.post(f"/drafts/{draft.id}/approval", version="1")

    assert refused.status_code == 409
    assert '<mark class="flagged">a@b.example</mark>' in refused.text
    assert accepted.status_code == 303


async def test_a_rejected_draft_stays_visible_with_its_reason(browser: Browser, world: World) -> None:
    draft = await world.draft("It costs €17.")
    conversation = await world.conversation()

    await browser.post(f"/drafts/{draft.id}/rejection", version="1", reason="Wrong price")
    page = (await browser.get(f"/inbox/{conversation.id}")).text

    assert "Rejected by Olga Owner" in page
    assert "Wrong price" in page


async def test_feedback_needs_words(browser: Browser, world: World) -> None:
    draft = await world.draft("It costs €17.")

    empty = await browser.post(f"/drafts/{draft.id}/feedback", version="1", feedback="  ")
    given = await browser.post(f"/drafts/{draft.id}/feedback", version="1", feedback="Shorter")

    assert empty.status_code == 422
    assert given.status_code == 303


async def test_a_snoozed_draft_says_until_when(browser: Browser, world: World) -> None:
    draft = await world.draft("It costs €17.")
    conversation = await world.conversation()
    until = (clock.now() + timedelta(hours=1)).isoformat()

    await browser.post(f"/drafts/{draft.id}/snooze", version="1", until=until)
    page = (await browser.get(f"/inbox/{conversation.id}")).text

    assert "Snoozed until" in page


async def test_editors_open_by_their_own_address(browser: Browser, world: World) -> None:
    await world.draft("It costs €17.")
    conversation = await world.conversation()

    page = (await browser.get(f"/inbox/{conversation.id}?draft=feedback")).text

    form = page.split('data-view="feedback"')[1].split(">")[0]
    assert "hidden" not in form


async def test_writing_oneself_takes_the_conversation_and_puts_the_draft_aside(
    browser: Browser, world: World
) -> None:
    await world.draft("It costs €17.")
    conversation = await world.conversation()

    await browser.post(f"/conversations/{conversation.id}/messages", body="I answer this myself.")
    page = (await browser.get(f"/inbox/{conversation.id}")).text

    assert "I answer this myself." in page
    assert "Yours" in page
    assert "data-draft " not in page


async def test_an_empty_message_is_refused_in_words(browser: Browser, world: World) -> None:
    conversation = await world.conversation()

    answer = await browser.post(f"/conversations/{conversation.id}/messages", body="   ")

    assert answer.status_code == 422
    assert "The text is empty or too long." in answer.text


async def test_a_resolved_conversation_can_be_reopened(browser: Browser, world: World) -> None:
    conversation = await world.conversation()

    await browser.post(f"/conversations/{conversation.id}/resolution")
    resolved = (await browser.get(f"/inbox/{conversation.id}")).text
    await browser.post(f"/conversations/{conversation.id}/reopening")
    reopened = (await browser.get(f"/inbox/{conversation.id}")).text

    assert "/reopening" in resolved
    assert "/resolution" in reopened


async def test_a_task_is_added_and_done(browser: Browser, world: World) -> None:
    conversation = await world.conversation()
    place = str(conversation.id)

    await browser.post(
        f"/contacts/{conversation.contact_id}/tasks", title="Send the price", conversation_id=place
    )
    added = (await browser.get(f"/inbox/{conversation.id}")).text
    task_id = added.split('id="task-')[1].split('"')[0]
    await browser.post(f"/tasks/{task_id}/completion", conversation_id=place)
    done = (await browser.get(f"/inbox/{conversation.id}")).text

    assert "Send the price" in added
    assert "Send the price" not in done
