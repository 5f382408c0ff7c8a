"""The whole path in Chromium: a prospect types, two people watch, one edits and approves by keyboard."""

from collections.abc import AsyncIterator
from itertools import count

import pytest
from playwright.async_api import Browser, Page, ViewportSize, async_playwright, expect

from tests.flows.conftest import Stage
from tests.flows.watching import conversation_of, until
from tests.support.telegram_peer import TOKEN
from tests.support.visitor import PASSWORD

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE, PHONE = ViewportSize(width=1280, height=860), ViewportSize(width=360, height=740)
_chats = count(760000001)


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser
        await browser.close()


async def _signed_in(
    chromium: Browser, stage: Stage, *, size: ViewportSize = WIDE, scripts: bool = True
) -> Page:
    context = await chromium.new_context(viewport=size, locale="en", java_script_enabled=scripts)
    page = await context.new_page()
    await page.goto(f"{stage.fleet.base}/session/new")
    await page.fill("input[name=email]", stage.email)
    await page.fill("input[name=password]", PASSWORD)
    await page.press("input[name=password]", "Enter")
    await page.wait_for_url("**/inbox*")
    return page


async def _prospect(chromium: Browser, stage: Stage, chat_id: int) -> Page:
    """The prospect's own page, in a chat that is open already."""
    await stage.peer.send("Hello!", chat_id=chat_id, name="Vera Lind")
    page = await (await chromium.new_context(viewport=PHONE)).new_page()
    await page.goto(f"{stage.peer.base}/prospect/{TOKEN}?as={chat_id}")
    return page


async def _write(prospect: Page, text: str) -> None:
    await prospect.fill("#text", text)
    await prospect.press("#text", "Enter")


async def test_a_message_is_drafted_live_edited_and_approved_by_keyboard(
    chromium: Browser, stage: Stage
) -> None:
    chat_id = next(_chats)
    prospect = await _prospect(chromium, stage, chat_id)
    conversation = await conversation_of(stage, chat_id)
    first, second = await _signed_in(chromium, stage), await _signed_in(chromium, stage)
    for page in (first, second):
        await page.goto(f"{stage.fleet.base}/inbox/{conversation.id}?folder=all")

    await _write(prospect, "Could we have a demo on Thursday?")
    for page in (first, second):
        await expect(page.locator(".msg", has_text="Could we have a demo on Thursday?")).to_be_visible()
        await expect(page.locator("[data-draft]")).to_contain_text("Thursday")

    await first.locator("body").press("e")
    await first.locator("[data-draft] textarea[name=body]").fill(
        "Thursday at 10:00 works. Shall I send the invite?"
    )
    await first.keyboard.press("Control+Enter")
    await expect(second.locator("[data-draft]")).to_contain_text("Thursday at 10:00 works")
    await expect(first.locator("[data-draft] [data-view=text]")).to_contain_text("Thursday at 10:00 works")
    await first.locator("body").press("a")

    for page in (first, second):
        await expect(page.locator(".msg.out", has_text="Thursday at 10:00 works")).to_have_count(1)
        await expect(page.locator("[data-draft]")).to_have_count(0)
    await expect(prospect.locator(".msg:not(.own) .text")).to_have_text(
        ["Thursday at 10:00 works. Shall I send the invite?"]
    )


async def test_the_keys_work_in_the_russian_layout(chromium: Browser, stage: Stage) -> None:
    chat_id = next(_chats)
    await stage.peer.send("Could we have a demo on Friday?", chat_id=chat_id, name="Vera Lind")
    conversation = await conversation_of(stage, chat_id)
    page = await _signed_in(chromium, stage)
    await page.goto(f"{stage.fleet.base}/inbox/{conversation.id}?folder=all")
    await expect(page.locator("[data-draft]")).to_be_visible()

    await page.evaluate(
        "document.body.dispatchEvent(new KeyboardEvent('keydown', {code: 'KeyA', key: 'ф', bubbles: true}))"
    )

    await expect(page.locator(".msg.out")).to_have_count(1)


async def test_a_draft_is_approved_without_scripts(chromium: Browser, stage: Stage) -> None:
    chat_id = next(_chats)
    await stage.peer.send("Could we have a demo on Monday?", chat_id=chat_id, name="Vera Lind")
    conversation = await conversation_of(stage, chat_id)
    page = await _signed_in(chromium, stage, scripts=False)

    async def drafted() -> bool:
        await page.goto(f"{stage.fleet.base}/inbox/{conversation.id}?folder=all")
        return await page.locator("[data-draft]").count() == 1

    await until(drafted)
    await page.click("[data-draft] [data-verb=approve]")

    await expect(page.locator(".msg.out")).to_have_count(1)


async def test_a_draft_is_approved_on_a_phone_in_four_taps(chromium: Browser, stage: Stage) -> None:
    chat_id = next(_chats)
    await stage.peer.send("Could we have a demo on Tuesday?", chat_id=chat_id, name="Phone Petersen")
    await conversation_of(stage, chat_id)
    page = await _signed_in(chromium, stage, size=PHONE)
    row = page.locator("a.row", has_text="Phone Petersen")

    async def listed() -> bool:
        await page.goto(f"{stage.fleet.base}/inbox?folder=waiting")
        return await row.count() == 1

    await until(listed)
    await row.click()
    await page.locator(".dock [data-verb=approve]").click()

    await expect(page.locator(".msg.out")).to_have_count(1)


async def test_what_a_prospect_writes_is_shown_as_text_and_fetches_nothing(
    chromium: Browser, stage: Stage
) -> None:
    chat_id = next(_chats)
    evil = '<img src="http://203.0.113.7/x.png" onerror="document.title=1"><script>document.title=2</script>'
    await stage.peer.send(evil, chat_id=chat_id, name='<b onclick="x()">Eve</b>')
    conversation = await conversation_of(stage, chat_id)
    page = await _signed_in(chromium, stage)
    outside: list[str] = []
    page.on(
        "request", lambda request: outside.append(request.url) if "127.0.0.1" not in request.url else None
    )

    await page.goto(f"{stage.fleet.base}/inbox/{conversation.id}?folder=all")

    await expect(page.locator(".msg", has_text="onerror")).to_be_visible()
    assert await page.title() not in ("1", "2")
    assert outside == []
