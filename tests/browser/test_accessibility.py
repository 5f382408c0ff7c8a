"""What axe finds on every page: nothing, in both themes, languages and widths, and no page is left out."""

import zlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import pytest
from axe_playwright_python.async_playwright import Axe
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from playwright.async_api import Browser, Page, expect

from core.settings import Settings
from tests.support.browser import PHONE, WIDE, Person, Prospect
from tests.support.places import NO_PAGES, PLACES, make_things
from tests.support.stage import Stage, make_person
from web.app import create_web


@dataclass(frozen=True)
class Look:
    """How a page is looked at; four of the eight ways see each width, theme and language twice."""

    is_wide: bool
    is_dark: bool
    locale: str


LOOKS = (Look(True, False, "en"), Look(True, True, "ru"), Look(False, False, "ru"), Look(False, True, "en"))


def test_every_page_is_looked_at_or_excused_by_name(settings: Settings) -> None:
    pages = create_web(FastAPI(), settings)
    contexts = list(iter_route_contexts(pages.router.routes))
    routes = {str(one.path) for one in contexts if "GET" in (getattr(one, "methods", None) or ())}

    assert set(PLACES) | set(NO_PAGES) == routes
    assert not set(PLACES) & set(NO_PAGES)


async def test_axe_finds_nothing(chromium: Browser, stage: Stage, vera: Prospect) -> None:
    """Each page in one look, which its address decides; axe takes long for each."""
    await _look(chromium, stage, vera, lambda path: [LOOKS[zlib.crc32(path.encode()) % len(LOOKS)]])


@pytest.mark.full
async def test_axe_finds_nothing_in_any_look(chromium: Browser, stage: Stage, vera: Prospect) -> None:
    await _look(chromium, stage, vera, lambda _path: LOOKS)


async def _look(
    chromium: Browser, stage: Stage, vera: Prospect, looks_at: Callable[[str], Sequence[Look]]
) -> None:
    conversation = await vera.write("Could we have a demo on Thursday?")
    things = await make_things(stage, conversation)
    people = {locale: await _person(chromium, stage, locale) for locale in ("en", "ru")}
    found = {}
    for route, templates in PLACES.items():
        for template in templates:
            for look in looks_at(template):
                page = people[look.locale]
                await _put_on(page, look)
                answer = await page.goto(stage.fleet.base + template.format_map(things))
                if route in READY:
                    await READY[route](page)
                is_there = answer is not None and answer.status == STATUSES.get(route, 200)
                found[f"{template}, {look}"] = await _faults(page) if is_there else "not there"

    assert {place: text for place, text in found.items() if text} == {}


async def _person(chromium: Browser, stage: Stage, locale: str) -> Page:
    email = await make_person(stage.world.db, stage.world.owner, locale)
    return await Person(chromium, stage, locale=locale).sign_in(email)


async def _put_on(page: Page, look: Look) -> None:
    await page.set_viewport_size(WIDE if look.is_wide else PHONE)
    await page.emulate_media(color_scheme="dark" if look.is_dark else "light")


async def _show_draft(page: Page) -> None:
    if "draft=" not in page.url and "pane=" not in page.url:
        await expect(page.locator("[data-draft]")).to_be_visible()


async def _choose_row(page: Page) -> None:
    """A row is chosen and the menu of the view is open."""
    if await page.locator("[data-pick]").count():
        await page.locator("[data-pick]").first.check()
        await page.locator("#view-menu summary").click()


STATUSES = {"/imports/refusal": 422}
# What is done on a page before it is looked at.
READY: dict[str, Callable[[Page], Awaitable[None]]] = {
    "/inbox/{conversation_id}": _show_draft,
    "/contacts": _choose_row,
}


async def _faults(page: Page) -> str:
    results = await Axe().run(page)
    faults = str(results.generate_report()) if results.violations_count else ""
    is_narrow = await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    return faults + ("" if is_narrow else " scrolls sideways")
