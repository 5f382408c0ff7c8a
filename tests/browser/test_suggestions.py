"""Promises of a past talk fall due: their suggestions come to an open page, one is accepted, the other dismissed."""

from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from uuid import UUID

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, expect

from core import clock
from core.ids import uuid7
from crm.channel_accounts.actions import keep_imported_account
from crm.channel_accounts.queries import get_channel_account
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.conversations.history import PastMessage, import_conversation
from crm.promises.models import DUE, Promise
from crm.promises.queries import list_promises
from crm.runs.models import About, AboutKind
from crm.runs.queries import find_last_about
from crm.suggestions import watching
from events import due
from events.ids import ConversationId, RunId
from tests.support.browser import PHONE, Person, Watch
from tests.support.stage import Stage
from tests.support.until import until

_numbers = count(1)
OURS, THEIRS = "I'll send the offer tomorrow.", "I will send you our floor plan tomorrow."


@dataclass(frozen=True)
class Talk:
    conversation_id: ConversationId
    contact_id: UUID
    person: str


@pytest.fixture
async def talk(stage: Stage) -> Talk:
    """Five days ago both sides promised something for the day after."""
    number = next(_numbers)
    person, owner = f"Sunniva Brandt{number}", stage.world.owner
    async with stage.world.db.transaction(owner, "test") as tx:
        contact = await create_contact(tx, NewContact(person))
        account = await get_channel_account(
            tx,
            await keep_imported_account(
                tx, channel="telegram", name=f"Promises {number}", address=f"promises-{number}"
            ),
        )
        at = clock.now() - timedelta(days=5)
        said = [
            PastMessage(True, "contact", contact.id, THEIRS, at),
            PastMessage(False, "user", owner.id, OURS, at + timedelta(minutes=3)),
        ]
        made = await import_conversation(tx, account, contact.id, chat_id=f"8{number:08}", messages=said)
    return Talk(made.conversation_id, UUID(str(contact.id)), person)


async def _promise(stage: Stage, talk: Talk, quote: str) -> Promise:
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        found = (await list_promises(tx, conversation_id=talk.conversation_id)).items
    return next(one for one in found if one.quote == quote)


async def test_what_was_promised_and_not_kept_comes_up_and_is_done_once_it_is_accepted(
    chromium: Browser, stage: Stage, talk: Talk
) -> None:
    page = await Person(chromium, stage).sign_in()
    watch = Watch.over(page)
    await page.goto(f"{stage.fleet.base}/tasks?person=all")

    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        await due.schedule(tx, watching.REST, talk.conversation_id, clock.now())

    keep, ask = f"Keep our promise to {talk.person}", f"Ask {talk.person} about what they promised"
    lines = page.locator("#suggestions-few .row")
    await expect(lines.filter(has_text=keep)).to_be_visible(timeout=20_000)
    await expect(lines.filter(has_text=ask)).to_be_visible(timeout=20_000)
    assert (await Axe().run(page)).violations_count == 0

    await lines.filter(has_text=keep).click()
    card = page.locator("[data-suggestion]")
    await card.get_by_role("button", name="Accept").click()
    await expect(card).to_have_attribute("data-status", "accepted")
    await page.goto(f"{stage.fleet.base}/tasks?person=all")
    await expect(page.locator("#tasks .row-title", has_text=keep)).to_be_visible()
    await expect(lines.filter(has_text=keep)).to_have_count(0)
    await lines.filter(has_text=ask).click()
    await card.get_by_role("button", name="Dismiss").click()
    await expect(card).to_have_attribute("data-status", "dismissed")

    await page.goto(f"{stage.fleet.base}/records/contact/{talk.contact_id}/timeline")
    await expect(page.locator(".timeline-item", has_text="Follow-up noted down a task")).to_be_visible()
    await expect(page.locator(".timeline-item", has_text="dismissed by now")).to_be_visible()

    # the promise comes due once more: what was dismissed stays away
    promise = await _promise(stage, talk, THEIRS)
    about = About(AboutKind.PROMISE, promise.id)
    before = await _last(stage, about)
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        await due.schedule(tx, DUE, promise.id, clock.now())
    await until(lambda: _is_later(stage, about, before))
    await page.goto(f"{stage.fleet.base}/records/contact/{talk.contact_id}/suggestions")
    await expect(page.get_by_text("Nothing is suggested")).to_be_visible()
    assert (watch.outside, watch.complaints) == ([], [])


async def _last(stage: Stage, about: About) -> object:
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        return await find_last_about(tx, watching.FOLLOW_UP, about, before=RunId(uuid7()))


async def _is_later(stage: Stage, about: About, before: object) -> bool:
    return await _last(stage, about) != before


async def test_on_a_phone_a_suggestion_fits(chromium: Browser, stage: Stage, talk: Talk) -> None:
    page = await Person(chromium, stage, PHONE).sign_in()
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        await due.schedule(tx, watching.REST, talk.conversation_id, clock.now())
    await page.goto(f"{stage.fleet.base}/records/contact/{talk.contact_id}/suggestions")
    await expect(page.locator("[data-suggestion]")).to_have_count(2, timeout=20_000)

    width = await page.evaluate("document.documentElement.scrollWidth")

    assert width <= 360
