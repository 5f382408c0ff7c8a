"""The whole path in Chromium: a prospect types, two people watch, one edits and approves by keyboard."""

import asyncio

import pytest
from playwright.async_api import Browser, Page, expect

from tests.support.browser import PHONE, Person, Prospect, Watch
from tests.support.stage import Stage
from tests.support.until import until

THURSDAY = "Thursday at 10:00 works. Shall I send the invite?"


async def test_a_message_is_drafted_live_edited_and_approved_by_keyboard(
    chromium: Browser, stage: Stage, vera: Prospect
) -> None:
    conversation = await vera.write("Hello!")
    prospect = await vera.page(chromium)
    anna = Person(chromium, stage)
    first, second = await anna.open(conversation), await anna.open(conversation)
    watches = [Watch.over(page) for page in (first, second)]

    await prospect.fill("#text", "Could we have a demo on Thursday?")
    await prospect.press("#text", "Enter")
    for page in (first, second):
        await expect(page.locator(".msg", has_text="Could we have a demo on Thursday?")).to_be_visible()
        await expect(page.locator("[data-draft]")).to_contain_text("Thursday")

    await first.keyboard.press("e")
    await first.keyboard.press("Control+a")
    await first.keyboard.insert_text(THURSDAY)
    await first.keyboard.press("Control+Enter")
    await expect(second.locator("[data-draft] [data-view=text]")).to_contain_text(THURSDAY)
    await expect(first.locator("[data-draft] [data-view=text]")).to_contain_text(THURSDAY)
    await first.keyboard.press("a")

    for page in (first, second):
        await expect(page.locator(".msg.out", has_text="Thursday at 10:00 works")).to_have_count(1)
        await expect(page.locator("[data-draft]")).to_have_count(0)
    await expect(prospect.locator(".msg:not(.own) .text")).to_have_text([THURSDAY])
    assert [(watch.outside, watch.complaints) for watch in watches] == [([], [])] * 2


async def test_the_keys_are_where_they_are_in_the_russian_layout(
    chromium: Browser, stage: Stage, vera: Prospect
) -> None:
    page = await Person(chromium, stage).open(await vera.write("Could we have a demo on Friday?"))
    await expect(page.locator("[data-draft]")).to_be_visible()

    for code, letter, view in (("KeyF", "а", "feedback"), ("KeyS", "ы", "snooze"), ("KeyR", "к", "reject")):
        await _press(page, code, letter)
        await expect(page.locator(f"[data-draft] [data-view={view}]")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.locator(f"[data-draft] [data-view={view}]")).to_be_hidden()
    await _press(page, "Slash", ",", shift=True)
    await expect(page.locator("#keys")).to_be_visible()
    await page.keyboard.press("Escape")
    await _press(page, "KeyA", "ф")

    await expect(page.locator(".msg.out")).to_have_count(1)


async def test_j_and_k_go_through_the_conversations(chromium: Browser, stage: Stage, vera: Prospect) -> None:
    older = await vera.write("Could we have a demo on Friday?")
    newer = await Prospect(stage, vera.chat_id + 5_000_000, "Ada Next").write("And on Monday?")
    page = await Person(chromium, stage).open(newer)
    shown = page.locator("#inbox")

    await _press(page, "KeyJ", "о")
    await expect(shown).to_have_attribute("data-conversation", str(older.id))
    await _press(page, "KeyK", "л")

    await expect(shown).to_have_attribute("data-conversation", str(newer.id))
    assert await page.evaluate("document.activeElement.matches('.row[aria-current]')")


async def _press(page: Page, code: str, letter: str, *, shift: bool = False) -> None:
    """A key as a keyboard in the Russian layout sends it."""
    await page.evaluate(
        "([code, key, shiftKey]) => (document.activeElement ?? document.body).dispatchEvent("
        "new KeyboardEvent('keydown', {code, key, shiftKey, bubbles: true, cancelable: true}))",
        [code, letter, shift],
    )


@pytest.mark.parametrize("day", ["Monday", "Tuesday", "Wednesday"])
async def test_two_people_who_double_click_approve_send_once(
    chromium: Browser, stage: Stage, vera: Prospect, day: str
) -> None:
    conversation = await vera.write(f"Could we have a demo on {day}?")
    anna = Person(chromium, stage)
    pages = [await anna.open(conversation), await anna.open(conversation)]
    for page in pages:
        await expect(page.locator("[data-draft]")).to_be_visible()

    # Not `dblclick`: the card may be gone before Playwright's second click, which is the point.
    twice = (
        "node => { for (let i = 0; i < 2; i++) node.dispatchEvent(new MouseEvent('click', {bubbles: true})) }"
    )
    await asyncio.gather(
        *(page.locator("[data-draft] [data-verb=approve]").evaluate(twice) for page in pages)
    )

    for page in pages:
        await expect(page.locator(".msg.out")).to_have_count(1)
    await until(lambda: stage.peer.received(vera.chat_id))
    await asyncio.sleep(0.3)
    assert len(await stage.peer.received(vera.chat_id)) == 1


async def test_a_draft_is_edited_and_approved_without_scripts(
    chromium: Browser, stage: Stage, vera: Prospect
) -> None:
    conversation = await vera.write("Could we have a demo on Monday?")
    anna = Person(chromium, stage, has_scripts=False)
    page = await anna.open(conversation)

    async def drafted() -> bool:
        await page.reload()
        return await page.locator("[data-draft]").count() == 1

    await until(drafted)
    await page.click("[data-draft] [data-verb=edit]")
    await page.fill("[data-draft] textarea[name=body]", "Monday works.")
    await page.click("[data-draft] [data-keep]")
    await page.click("[data-draft] [data-verb=approve]")

    await expect(page.locator(".msg.out")).to_have_count(1)
    await expect(page.locator(".msg.out")).to_contain_text("Monday works.")


async def test_a_draft_is_approved_on_a_phone_in_two_taps(chromium: Browser, stage: Stage) -> None:
    phone = Prospect(stage, 768000001, "Phone Petersen")
    await phone.write("Could we have a demo on Tuesday?")
    page = await Person(chromium, stage, size=PHONE).sign_in()
    row = page.locator("a.row", has_text="Phone Petersen")

    async def listed() -> bool:
        await page.goto(f"{stage.fleet.base}/inbox?folder=waiting")
        return await row.count() == 1

    await until(listed)
    await row.click()
    await page.locator(".dock [data-verb=approve]").click()

    await expect(page.locator(".msg.out")).to_have_count(1)
    assert await page.evaluate("document.documentElement.scrollWidth") == 360


async def test_what_a_prospect_writes_is_shown_as_text_and_fetches_nothing(
    chromium: Browser, stage: Stage
) -> None:
    eve = Prospect(stage, 769000001, '<b onclick="x()">Eve</b>')
    evil = '<img src="http://203.0.113.7/x.png" onerror="document.title=1"><script>document.title=2</script>'
    conversation = await eve.write(evil)
    page = await Person(chromium, stage).sign_in()
    watch = Watch.over(page)

    await page.goto(f"{stage.fleet.base}/inbox/{conversation.id}?folder=all")
    await expect(page.locator(".msg", has_text="onerror")).to_have_count(1)
    await eve.write(f"{evil} live")

    await expect(page.locator(".msg", has_text="live")).to_be_visible()
    assert await page.title() not in ("1", "2")
    assert (watch.outside, watch.complaints) == ([], [])
