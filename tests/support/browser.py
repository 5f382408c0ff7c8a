"""Chromium for tests: a person who is signed in, a prospect who types, and a watch over what pages do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from crm.conversations.models import Conversation
from infra.screens import CHROMIUM, FLAGS
from tests.support.stage import Stage
from tests.support.telegram_peer import TOKEN
from tests.support.visitor import PASSWORD
from tests.support.watching import conversation_of

# A click on a page whose scripts have not taken its links over yet follows the link, as without scripts: tests of what
# the scripts do begin when the page has loaded, however busy the machine is.
TOUCHED_WHEN_LOADED = """
  const untouchable = new CSSStyleSheet();
  untouchable.replaceSync("* { pointer-events: none !important }");
  document.adoptedStyleSheets = [untouchable];
  addEventListener("load", () => { document.adoptedStyleSheets = []; });
"""
WIDE, PHONE = ViewportSize(width=1280, height=860), ViewportSize(width=360, height=740)


@dataclass
class Watch:
    """What a page must never do: ask another machine for something, or complain in its console."""

    outside: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @classmethod
    def over(cls, page: Page) -> "Watch":
        watch = cls()
        page.on("request", lambda request: watch._note(request.url))
        page.on(
            "console",
            lambda line: watch.complaints.append(line.text) if line.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: watch.complaints.append(str(error)))
        return watch

    def _note(self, url: str) -> None:
        if urlsplit(url).hostname != "127.0.0.1":
            self.outside.append(url)


@asynccontextmanager
async def running_chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@dataclass(frozen=True)
class Person:
    """Somebody of the organization with a browser of their own."""

    chromium: Browser
    stage: Stage
    size: ViewportSize = field(default_factory=lambda: WIDE)
    theme: Literal["light", "dark"] = "light"
    locale: str = "en"
    has_scripts: bool = True

    async def door(self) -> Page:
        """The page to sign in on."""
        context = await self.chromium.new_context(
            viewport=self.size,
            locale=self.locale,
            color_scheme=self.theme,
            java_script_enabled=self.has_scripts,
            reduced_motion="reduce",
        )
        context.set_default_timeout(15000)
        if self.has_scripts:
            await context.add_init_script(TOUCHED_WHEN_LOADED)
        page = await context.new_page()
        await page.goto(f"{self.stage.fleet.base}/session/new")
        return page

    async def sign_in(self, email: str = "") -> Page:
        page = await self.door()
        await page.fill("input[name=email]", email or self.stage.email)
        await page.fill("input[name=password]", PASSWORD)
        await page.press("input[name=password]", "Enter")
        await page.wait_for_url("**/inbox*")
        return page

    async def open(self, conversation: Conversation, email: str = "") -> Page:
        """Sign in and open a conversation."""
        page = await self.sign_in(email)
        await page.goto(f"{self.stage.fleet.base}/inbox/{conversation.id}?folder=all")
        return page


@dataclass(frozen=True)
class Prospect:
    """Somebody outside, who writes to the bot."""

    stage: Stage
    chat_id: int
    name: str = "Vera Lind"

    async def write(self, text: str) -> Conversation:
        await self.stage.peer.send(text, chat_id=self.chat_id, name=self.name)
        return await conversation_of(self.stage, self.chat_id)

    async def page(self, chromium: Browser) -> Page:
        """The prospect's own page, in a chat that is open already."""
        page = await (await chromium.new_context(viewport=PHONE)).new_page()
        await page.goto(f"{self.stage.peer.base}/prospect/{TOKEN}?as={self.chat_id}")
        return page
