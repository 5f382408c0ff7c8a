"""Pages as somebody reads them, in both languages."""

import httpx2
import pytest

from core.principal import Principal
from tests.support.world import World
from tests.web.conftest import Browser


@pytest.mark.parametrize(
    ("locale", "inbox", "draft"), [("en", "Inbox", "Draft by Mira"), ("ru", "Входящие", "Черновик: Mira")]
)
async def test_the_inbox_speaks_the_members_language(
    browser: Browser, world: World, locale: str, inbox: str, draft: str
) -> None:
    await world.draft("It costs €17 a month.")
    conversation = await world.conversation()

    await browser.post("/preferences", locale=locale)
    page = (await browser.get(f"/inbox/{conversation.id}")).text

    assert f'<html lang="{locale}"' in page
    assert inbox in page
    assert draft in page
    assert "It costs €17 a month." in page


async def test_the_door_greets_in_the_browsers_language(site: str) -> None:
    async with httpx2.AsyncClient(base_url=site) as stranger:
        page = await stranger.get("/session/new", headers={"Accept-Language": "ru-RU,ru;q=0.9,en;q=0.5"})

    assert "Вход в GetSale" in page.text


async def test_somebody_who_is_not_signed_in_is_led_to_the_door(site: str) -> None:
    async with httpx2.AsyncClient(base_url=site) as stranger:
        answer = await stranger.get("/inbox")

    assert answer.status_code == 303
    assert answer.headers["Location"] == "/session/new?back=/inbox"


async def test_a_wrong_password_is_said_in_words_and_keeps_the_email(site: str) -> None:
    async with httpx2.AsyncClient(base_url=site) as stranger:
        door = await stranger.get("/session/new")
        token = door.text.split('name="csrf_token" value="')[1].split('"')[0]
        fields = {"csrf_token": token, "email": "anna@test.example", "password": "wrong"}
        answer = await stranger.post("/session", data=fields)

    assert answer.status_code == 401
    assert "The email and the password do not match." in answer.text
    assert 'value="anna@test.example"' in answer.text


async def test_another_organizations_conversation_is_not_found(
    browser: Browser, database: object, other_organization: Principal
) -> None:
    answer = await browser.get(f"/inbox/{other_organization.organization_id}")

    assert answer.status_code == 404
    assert "This page is not here" in answer.text


async def test_text_from_outside_is_escaped(browser: Browser, world: World) -> None:
    await world.receive("<script>alert(1)</script>")
    conversation = await world.conversation()

    page = (await browser.get(f"/inbox/{conversation.id}")).text

    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


async def test_opening_a_conversation_reads_it(browser: Browser, world: World) -> None:
    conversation = await world.conversation()

    before = (await browser.get("/inbox?folder=all")).text
    await browser.get(f"/inbox/{conversation.id}")
    after = (await browser.get("/inbox?folder=all")).text

    assert "row is-unread" in before
    assert "row is-unread" not in after


async def test_the_chosen_theme_is_in_the_page(browser: Browser) -> None:
    await browser.post("/preferences", theme="dark")

    assert 'data-theme="dark"' in (await browser.get("/inbox")).text.split("<body")[0]


async def test_the_design_page_shows_the_products_own_fragments_in_both_themes(browser: Browser) -> None:
    page = (await browser.get("/design")).text

    assert 'data-theme="light"' in page
    assert 'data-theme="dark"' in page
    assert page.count("Draft by Mira") >= 2


@pytest.mark.parametrize(
    "place", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:x"]
)
async def test_a_form_never_leads_to_another_site(browser: Browser, place: str) -> None:
    answer = await browser.post("/preferences", theme="light", back=place)

    assert answer.headers["Location"] == "/inbox"


async def test_pages_forbid_foreign_code_and_are_not_kept(browser: Browser) -> None:
    headers = (await browser.get("/inbox")).headers

    assert headers["Content-Security-Policy"].startswith(
        "default-src 'none'; script-src 'self'; style-src 'self'"
    )
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"


async def test_static_files_are_kept_for_good_under_their_hash(browser: Browser) -> None:
    page = (await browser.get("/inbox")).text
    sheet = page.split('<link rel="stylesheet" href="')[1].split('"')[0]

    current = await browser.get(sheet)
    outdated = await browser.get("/static/000000000000/tokens.css")

    assert "immutable" in current.headers["Cache-Control"]
    assert outdated.headers["Cache-Control"] == "no-cache"
