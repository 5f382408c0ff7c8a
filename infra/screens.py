"""Photographs every page of a running GetSale: wide and narrow, light and dark, English and Russian."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from web.viewer import LOCALE_COOKIE, THEME_COOKIE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = "/usr/bin/chromium"
# Text looks the same on every machine; nothing is asked of the network.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=none",
]
SIZES = {1280: 800, 360: 740}
THEMES = ("light", "dark")
LOCALES = ("en", "ru")
SOUGHT = {"en": "lind", "ru": "склад"}


@dataclass(frozen=True)
class Look:
    """How a page is seen; its text is the end of a picture's name."""

    width: int
    theme: str
    locale: str

    def __str__(self) -> str:
        return f"{self.width}-{self.theme}-{self.locale}"


@dataclass(frozen=True)
class Camera:
    """The site, who signs in, and where pictures go."""

    base: str
    email: str
    password: str
    out: Path

    def shoot(self, page: "Page", name: str, look: Look, *, whole: bool = False) -> None:
        page.evaluate("document.fonts.ready")
        page.screenshot(path=self.out / f"{name}-{look}.png", full_page=whole, animations="disabled")


def main() -> None:
    """Write `PAGE-WIDTH-THEME-LANGUAGE.png` for every page and look."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", required=True, help="address of a running GetSale")
    parser.add_argument("--login", required=True, nargs=2, metavar=("EMAIL", "PASSWORD"))
    parser.add_argument("--out", required=True, type=Path)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    email, password = asked.login
    camera = Camera(asked.base, email, password, asked.out)
    with _browser() as browser:
        for width, theme in product(SIZES, THEMES):
            _photograph(browser, camera, width, theme)


@contextmanager
def _browser() -> Iterator["Browser"]:
    # A development dependency: an installed product has no browser to drive.
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def _photograph(browser: "Browser", camera: Camera, width: int, theme: str) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": SIZES[width]}, has_touch=width < 720, reduced_motion="reduce"
    )
    page = context.new_page()
    for locale in LOCALES:
        cookies = {THEME_COOKIE: theme, LOCALE_COOKIE: locale}
        context.add_cookies([{"name": name, "value": it, "url": camera.base} for name, it in cookies.items()])
        for name, path in (
            ("sign-up", "/sign-up"),
            ("forgotten", "/password/forgotten"),
            ("sign-in", "/session/new"),
        ):
            page.goto(camera.base + path)
            camera.shoot(page, name, Look(width, theme, locale))
    _sign_in(page, camera)
    chosen = page.get_attribute("html", "lang") or LOCALES[0]
    for locale in LOCALES:
        _speak(page, camera, locale)
        _photograph_pages(page, camera, Look(width, theme, locale))
    _speak(page, camera, chosen)
    context.close()


def _sign_in(page: "Page", camera: Camera) -> None:
    page.fill("#email", camera.email)
    page.fill("#password", camera.password)
    page.press("#password", "Enter")
    page.wait_for_selector("#inbox")


def _speak(page: "Page", camera: Camera, locale: str) -> None:
    """A member's language is kept with the member, so it is chosen as a member would."""
    page.goto(f"{camera.base}/preferences")
    page.click(f"main button[name=locale][value={locale}]")
    page.wait_for_selector(f"html[lang={locale}]")


def _photograph_pages(page: "Page", camera: Camera, look: Look) -> None:
    page.goto(f"{camera.base}/inbox?folder=all")
    camera.shoot(page, "inbox", look)
    for name in ("approvals", "policy", "copilot"):
        page.goto(f"{camera.base}/{name}")
        camera.shoot(page, name, look)
    page.goto(f"{camera.base}/approvals")
    card = page.locator(".row[href*='/approvals/']").last
    if card.count():
        page.goto(f"{camera.base}{card.get_attribute('href')}")
        camera.shoot(page, "approval", look)
    page.goto(f"{camera.base}/inbox?folder=waiting")
    # A conversation in the page's own language, if one waits.
    rows = page.locator(".row:has(.chip.proposed)")
    spoken = rows.filter(has=page.locator(f".row-title[lang={look.locale}]"))
    row = (spoken if spoken.count() else rows).first
    if row.count():
        path = row.get_attribute("href")
        page.goto(f"{camera.base}{path}")
        page.wait_for_selector("[data-draft]")
        page.wait_for_load_state("load")
        page.wait_for_timeout(600)  # the picture of relationships comes after the page
        camera.shoot(page, "conversation", look)
        page.goto(f"{camera.base}{path}&pane=about")
        page.wait_for_timeout(600)
        camera.shoot(page, "about", look)
    _photograph_sales(page, camera, look)
    page.goto(f"{camera.base}/knowledge")
    camera.shoot(page, "knowledge", look)
    document = page.locator(".knowledge-row").first
    if document.count():
        page.goto(f"{camera.base}{document.get_attribute('href')}")
        camera.shoot(page, "document", look)
    page.goto(f"{camera.base}/search?q={SOUGHT[look.locale]}")
    camera.shoot(page, "search", look)
    page.keyboard.press("Control+KeyK")
    page.wait_for_selector("#palette [aria-selected=true]")
    camera.shoot(page, "palette", look)
    page.keyboard.type(SOUGHT[look.locale])
    page.wait_for_selector("#palette #option-everywhere")
    camera.shoot(page, "palette-found", look)
    page.goto(f"{camera.base}/imports")
    camera.shoot(page, "imports", look)
    table = page.locator("#imports .knowledge-row").first
    if table.count():
        page.goto(f"{camera.base}{table.get_attribute('href')}")
        camera.shoot(page, "import", look)
    _photograph_lists(page, camera, look)
    _photograph_records(page, camera, look)
    page.goto(f"{camera.base}/runs")
    camera.shoot(page, "runs", look)
    run = page.locator("#runs .row").last
    if run.count():
        path = run.get_attribute("href")
        again = "/replays/new?step=draft"
        for name, place in (("run", ""), ("run-graph", "?view=graph"), ("run-again", again)):
            page.goto(f"{camera.base}{path}{place}")
            camera.shoot(page, name, look)
        page.goto(f"{camera.base}{path}")
        asked = page.locator(".step:has(rect.model)").first
        if asked.count():
            page.goto(f"{camera.base}{asked.get_attribute('href')}")
            camera.shoot(page, "run-model-call", look)
    for name in ("tasks", "suggestions", "meetings", "notifications", "assignment"):
        page.goto(f"{camera.base}/{name}")
        camera.shoot(page, name, look)
    _photograph_seats(page, camera, look)
    _photograph_settings(page, camera, look)
    _photograph_duplicates(page, camera, look)
    page.goto(f"{camera.base}/preferences")
    camera.shoot(page, "preferences", look)
    _photograph_evaluations(page, camera, look)
    page.goto(f"{camera.base}/settings/api-keys")
    camera.shoot(page, "api-keys", look)
    page.goto(f"{camera.base}/settings/webhooks")
    camera.shoot(page, "webhooks", look)
    webhook = page.locator(".settings-list .row").first
    if webhook.count():
        page.goto(f"{camera.base}{webhook.get_attribute('href')}")
        camera.shoot(page, "webhook", look)
        delivery = page.locator(".settings-item a").first
        if delivery.count():
            page.goto(f"{camera.base}{delivery.get_attribute('href')}")
            camera.shoot(page, "webhook-delivery", look)
    page.goto(f"{camera.base}/design")
    camera.shoot(page, "design", look, whole=True)


def _photograph_evaluations(page: "Page", camera: Camera, look: Look) -> None:
    """The runs, the newest of them, a case of it and what changed since another."""
    page.goto(f"{camera.base}/evaluations")
    camera.shoot(page, "evaluations", look)
    run = page.locator(".settings-list .row").first
    if run.count() == 0:
        return
    path = run.get_attribute("href")
    page.goto(f"{camera.base}{path}")
    camera.shoot(page, "evaluation", look, whole=True)
    case = page.locator(".settings-list .row").first
    other = page.locator("select[name=before] option").first
    before = other.get_attribute("value") if other.count() else None
    if case.count():
        page.goto(f"{camera.base}{case.get_attribute('href')}")
        camera.shoot(page, "evaluation-case", look, whole=True)
    if before:
        page.goto(f"{camera.base}{path}/comparison?before={before}")
        camera.shoot(page, "evaluation-comparison", look)


def _photograph_seats(page: "Page", camera: Camera, look: Look) -> None:
    """Who works here, one of them whole, and the form for another."""
    page.goto(f"{camera.base}/seats")
    camera.shoot(page, "seats", look)
    seat = page.locator(".settings-list .row", has_text="Mira").first
    if seat.count():
        page.goto(f"{camera.base}{seat.get_attribute('href')}")
        camera.shoot(page, "seat", look, whole=True)
    page.goto(f"{camera.base}/seats/new")
    camera.shoot(page, "seat-new", look)


def _photograph_lists(page: "Page", camera: Camera, look: Look) -> None:
    """Segments, a table with chosen rows, and an edit of them up to the look before it is made."""
    page.goto(f"{camera.base}/segments")
    camera.shoot(page, "segments", look)
    page.goto(f"{camera.base}/segments/new")
    page.select_option("#segment-editor select[name='n.0.field']", "title")
    page.wait_for_selector("#segment-editor [name='n.0.value']")
    camera.shoot(page, "segment", look)
    page.goto(f"{camera.base}/contacts?view=all")
    page.locator("[data-pick]").nth(1).click()
    page.locator("[data-pick]").nth(3).click(modifiers=["Shift"])
    camera.shoot(page, "contacts-chosen", look)
    page.click("#chosen button:not([name]):not([type=reset])")
    page.check("[name=change][value=title]")
    page.fill("#input-title", "Director")
    camera.shoot(page, "bulk-edit-form", look)
    page.click(".bulk-form .btn.primary")
    page.wait_for_selector("#bulk-edit[data-status=checked]")
    camera.shoot(page, "bulk-edit", look)
    page.goto(f"{camera.base}/bulk-edits")
    camera.shoot(page, "bulk-edits", look)


def _photograph_records(page: "Page", camera: Camera, look: Look) -> None:
    """The tables, the first record of each, and the parts of its page."""
    for noun in ("contacts", "companies"):
        page.goto(f"{camera.base}/{noun}")
        camera.shoot(page, noun, look)
        page.goto(f"{camera.base}/{noun}/new")
        camera.shoot(page, f"{noun}-new", look, whole=True)
        page.goto(f"{camera.base}/{noun}")
        record = page.locator(f'main a[href^="/{noun}/"]:not([href$="/new"])').first
        if record.count():
            path = str(record.get_attribute("href")).split("?")[0]
            page.goto(f"{camera.base}{path}")
            page.wait_for_timeout(600)  # its parts come after the page
            camera.shoot(page, f"{noun}-record", look, whole=True)
            kind = "contact" if noun == "contacts" else "company"
            for part in ("timeline", "notes", "tasks", "meetings", "files"):
                page.goto(f"{camera.base}/records/{kind}/{path.rsplit('/', 1)[1]}/{part}")
                camera.shoot(page, f"{noun}-{part}", look)


def _photograph_settings(page: "Page", camera: Camera, look: Look) -> None:
    page.goto(f"{camera.base}/trash")
    camera.shoot(page, "trash", look)
    for name, path in (("organizations", "/organizations"), ("first-steps", "/first-steps")):
        page.goto(camera.base + path)
        camera.shoot(page, name, look, whole=True)
    for name in ("organization", "roles"):
        page.goto(f"{camera.base}/settings/{name}")
        camera.shoot(page, name, look, whole=True)
    _photograph_access(page, camera, look)
    for name, path in (
        ("settings", ""),
        ("fields", "/fields"),
        ("tags", "/tags"),
        ("members", "/members"),
        ("teams", "/teams"),
    ):
        page.goto(f"{camera.base}/settings{path}")
        camera.shoot(page, name, look, whole=True)
        inner = page.locator(f'.settings-list a[href^="/settings{path}/"]').first
        if path and inner.count():
            page.goto(f"{camera.base}{inner.get_attribute('href')}")
            camera.shoot(page, f"{name}-one", look, whole=True)


def _photograph_access(page: "Page", camera: Camera, look: Look) -> None:
    """Who comes in how, who did what, and what is kept of whom."""
    for name, path in (
        ("profile", "/profile"),
        ("second-factor", "/profile/second-factor"),
        ("sessions", "/sessions"),
        ("sign-in-services", "/settings/sign-in"),
        ("commissions", "/commissions"),
        ("audit", "/audit"),
        ("privacy", "/settings/privacy"),
        ("privacy-person", f"/settings/privacy?contact={SOUGHT[look.locale]}"),
    ):
        page.goto(camera.base + path)
        camera.shoot(page, name, look, whole=True)


def _photograph_sales(page: "Page", camera: Camera, look: Look) -> None:
    """The board and tables, one record of each kind, the forms, and a move that its stage refuses."""
    for name, path in {
        "board": "/deals",
        "deals": "/deals/table",
        "leads": "/leads",
        "new-deal": "/deals/new",
        "new-lead": "/leads/new",
        "pipelines": "/pipelines",
    }.items():
        page.goto(camera.base + path)
        camera.shoot(page, name, look)
    page.goto(f"{camera.base}{page.locator('main .row').first.get_attribute('href')}")
    camera.shoot(page, "pipeline", look)
    for name, table in {"deal": "/deals/table", "lead": "/leads", "contact": "/contacts"}.items():
        page.goto(f"{camera.base}{table}?sort=-updated_at")
        row = page.locator("a.row-link").first
        if not row.count():
            continue
        place = f"{camera.base}{row.get_attribute('href')}"
        page.goto(place)
        page.wait_for_timeout(400)  # what hangs on a record comes after the page
        camera.shoot(page, name, look)
        page.locator("#card-activities").scroll_into_view_if_needed()
        camera.shoot(page, f"{name}-more", look)
        if name == "deal":
            late = page.locator(".is-open > .step-to").last
            page.goto(f"{place}/move?stage_id={late.get_attribute('value')}")
            camera.shoot(page, "refused-move", look)


def _photograph_duplicates(page: "Page", camera: Camera, look: Look) -> None:
    """Suggested pairs, two records side by side, and what was merged."""
    page.goto(f"{camera.base}/duplicates")
    camera.shoot(page, "duplicates", look)
    pair = page.locator(".duplicate-actions a").first
    if pair.count():
        page.goto(f"{camera.base}{pair.get_attribute('href')}")
        camera.shoot(page, "merge", look)
    page.goto(f"{camera.base}/merges")
    camera.shoot(page, "merges", look)
    merged = page.locator(".merge-list a").first
    if merged.count():
        page.goto(f"{camera.base}{merged.get_attribute('href')}")
        camera.shoot(page, "merged", look)


if __name__ == "__main__":
    main()
