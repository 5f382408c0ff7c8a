"""Pages for programs: keys and webhooks, by plain forms, in both languages."""

import re
from collections.abc import AsyncIterator

import httpx2
import pytest

from core.db import Database
from core.principal import Principal
from crm.identity.models import Role
from tests.support.organizations import add_member
from tests.web.conftest import Browser, signed_in

KEYS, HOOKS = "/settings/api-keys", "/settings/webhooks"
URL = "https://example.com/hooks"


def _shown(page: httpx2.Response, start: str) -> str:
    found = re.search(rf'value="({start}[^"]+)" readonly', page.text)
    assert found, page.text
    return found.group(1)


def _path(page: httpx2.Response, pattern: str) -> str:
    found = re.search(rf'"({pattern})"', page.text)
    assert found, page.text
    return found.group(1)


async def _make_key(browser: Browser, *scopes: str) -> httpx2.Response:
    fields = {"csrf_token": browser.token, "scopes": list(scopes), "name": "Report", "days": "30"}
    return await browser.client.post(KEYS, data=fields)


async def _make_webhook(browser: Browser, url: str = URL) -> httpx2.Response:
    return await browser.post(HOOKS, url=url, event_types="*", description="Warehouse")


@pytest.mark.parametrize(("locale", "title"), [("en", "API keys"), ("ru", "Ключи API")])
async def test_a_key_is_shown_once_works_and_is_revoked(
    browser: Browser, site: str, locale: str, title: str
) -> None:
    await browser.post("/preferences", locale=locale)

    made = await _make_key(browser, "contacts:read")
    secret = _shown(made, "gsk_")
    listed = await browser.get(KEYS)
    async with httpx2.AsyncClient(base_url=site, headers={"Authorization": f"Bearer {secret}"}) as program:
        allowed = await program.get("/api/v1/contacts")
        await browser.post(_path(listed, f'{KEYS}/[^"]+/revocation'))
        refused = await program.get("/api/v1/contacts")

    assert title in listed.text
    assert secret not in listed.text
    assert (allowed.status_code, refused.status_code) == (200, 401)


async def test_a_key_without_scopes_is_refused_in_words_and_keeps_its_name(browser: Browser) -> None:
    page = await _make_key(browser)

    assert page.status_code == 422
    assert "Choose at least one thing" in page.text
    assert 'value="Report"' in page.text


@pytest.fixture
async def viewer(site: str, database: Database, organization: Principal) -> AsyncIterator[Browser]:
    person = await add_member(database, organization, Role.VIEWER)
    async with signed_in(site, database, person) as opened:
        yield opened


async def test_a_viewer_is_offered_and_given_their_own_scopes_only(viewer: Browser) -> None:
    page = await viewer.get(KEYS)
    forced = await _make_key(viewer, "contacts:write")

    assert "contacts:read" in page.text
    assert "contacts:write" not in page.text
    assert forced.status_code == 403
    assert "no more than you may" in forced.text


async def test_a_viewer_has_no_webhooks(viewer: Browser) -> None:
    preferences = await viewer.get("/preferences")

    assert HOOKS not in preferences.text
    assert (await viewer.get(HOOKS)).status_code == 403
    assert (await _make_webhook(viewer)).status_code == 403


@pytest.mark.parametrize(("locale", "word"), [("en", "Endpoints"), ("ru", "Адреса")])
async def test_a_webhook_is_made_tested_and_its_log_read(browser: Browser, locale: str, word: str) -> None:
    await browser.post("/preferences", locale=locale)

    made = await _make_webhook(browser)
    listed = await browser.get(HOOKS)
    place = _path(listed, f"{HOOKS}/[0-9a-f-]+")
    await browser.post(f"{place}/test")
    shown = await browser.get(place)
    delivery = await browser.get(_path(shown, f"{HOOKS}/deliveries/[0-9a-f-]+"))

    assert word in listed.text
    assert _shown(made, "whsec_") not in shown.text
    assert "webhook.test" in shown.text
    assert "webhook-id" in delivery.text


async def test_a_delivery_is_sent_again(browser: Browser) -> None:
    await _make_webhook(browser)
    place = _path(await browser.get(HOOKS), f"{HOOKS}/[0-9a-f-]+")
    await browser.post(f"{place}/test")
    shown = await browser.get(place)

    answer = await browser.post(_path(shown, f'{HOOKS}/deliveries/[^"]+/retry'))

    assert (answer.status_code, answer.headers["Location"]) == (303, place)


async def test_a_webhook_is_changed_switched_off_and_removed(browser: Browser) -> None:
    await _make_webhook(browser)
    place = _path(await browser.get(HOOKS), f"{HOOKS}/[0-9a-f-]+")

    changed = await browser.post(place, version="1", url=URL, event_types="deal.created", description="Deals")
    lost = await browser.post(place, version="1", url=URL, event_types="*")
    await browser.post(f"{place}/state", version="2", is_enabled="false")
    off = await browser.get(place)
    rotated = await browser.post(f"{place}/secret")
    await browser.post(f"{place}/removal")

    assert (changed.status_code, lost.status_code) == (303, 412)
    assert "Switch on" in off.text
    assert "Send a test" not in off.text
    assert _shown(rotated, "whsec_")
    assert (await browser.get(place)).status_code == 404


@pytest.mark.parametrize(
    ("url", "words"), [("https://10.0.0.1/", "inside our own network"), ("nothing", "begins with https://")]
)
async def test_an_address_that_cannot_be_is_refused_in_words(browser: Browser, url: str, words: str) -> None:
    page = await _make_webhook(browser, url)

    assert page.status_code == 422
    assert words in page.text
    assert f'value="{url}"' in page.text
