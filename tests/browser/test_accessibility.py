"""What axe finds on every page: nothing, in both themes, languages and widths."""

from typing import Literal
from uuid import UUID

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from core.addresses import Reach
from core.filters import ValueKind
from core.ids import uuid7
from crm.conversations.models import Conversation
from crm.custom_fields.actions import create_custom_field
from crm.custom_fields.models import Choice, NewCustomField
from crm.knowledge.models import Document
from crm.notes.actions import create_note, remove_note
from crm.records.models import RecordRef
from crm.tags.actions import ensure_tag
from crm.webhooks import actions as webhooks
from crm.webhooks.models import NewWebhook
from crm.webhooks.queries import list_attempts
from events.ids import RecordKind
from infra.fleet import KEY
from tests.support import papers
from tests.support.browser import PHONE, WIDE, Person, Prospect
from tests.support.documents import read_document
from tests.support.stage import Stage, make_person
from tests.support.until import until

PRICES = "# Prices\n\n| Scanners | Price |\n|---|---|\n| 1–9 | €26 |\n\nWithout VAT.\n"
# Each width, theme and language twice, not all eight of them: axe takes seconds for a look.
LOOKS = [
    pytest.param(WIDE["width"], "light", "en", id="1280-light-en"),
    pytest.param(WIDE["width"], "dark", "ru", id="1280-dark-ru"),
    pytest.param(PHONE["width"], "light", "ru", id="360-light-ru"),
    pytest.param(PHONE["width"], "dark", "en", id="360-dark-en"),
]


@pytest.mark.parametrize(("width", "theme", "locale"), LOOKS)
async def test_axe_finds_nothing(
    chromium: Browser,
    stage: Stage,
    vera: Prospect,
    width: int,
    theme: Literal["light", "dark"],
    locale: str,
) -> None:
    conversation = await vera.write("Could we have a demo on Thursday?")
    prices = await read_document(stage, "Prices.md", PRICES.encode())
    scan = await read_document(stage, "Scan.pdf", papers.scanned_pdf())
    webhook, delivery = await _tested_webhook(stage)
    field, tag = await _field_and_tag(stage)
    await _trashed_note(stage, conversation)
    email = await make_person(stage.world.db, stage.world.owner, locale)
    size = WIDE if width == WIDE["width"] else PHONE
    anna = Person(chromium, stage, size=size, theme=theme, locale=locale)

    found = {"sign-in": await _violations(await anna.door())}
    page = await anna.sign_in(email)
    for name, path in {
        **_pages(conversation, prices, scan),
        "settings": "/settings",
        "trash": "/trash",
        "fields": "/settings/fields",
        "field": f"/settings/fields/{field}",
        "tags": "/settings/tags",
        "tag": f"/settings/tags/{tag}",
        "notifications": "/notifications",
        "tasks": "/tasks",
        "meetings": "/meetings",
        "imports": "/imports",
        **{
            f"{part} of a contact": f"/records/contact/{conversation.contact_id}/{part}"
            for part in ("timeline", "notes", "tasks", "meetings", "files")
        },
        "keys": "/settings/api-keys",
        "webhooks": "/settings/webhooks",
        "webhook": f"/settings/webhooks/{webhook}",
        "delivery": f"/settings/webhooks/deliveries/{delivery}",
    }.items():
        await page.goto(stage.fleet.base + path)
        await expect(page.locator("html")).to_have_attribute("lang", locale)
        if name == "conversation":
            await expect(page.locator("[data-draft]")).to_be_visible()
        found[name] = await _violations(page)

    assert {name: text for name, text in found.items() if text} == {}


def _pages(conversation: Conversation, prices: Document, scan: Document) -> dict[str, str]:
    opened = f"/inbox/{conversation.id}?folder=all"
    return {
        "conversation": opened,
        "list": "/inbox?folder=waiting",
        "about": f"{opened}&pane=about",
        "feedback": f"{opened}&draft=feedback",
        "documents": f"/knowledge?removed={scan.id}",
        "document": f"/knowledge/{prices.id}?quote=1–9 | €26",
        "refused document": f"/knowledge/{scan.id}",
        "answers": "/knowledge/answers?q=prices",
        "search": "/search",
        "found": "/search?q=prices",
        "preferences": "/preferences",
        "design": "/design",
    }


async def _trashed_note(stage: Stage, conversation: Conversation) -> None:
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        about = RecordRef(RecordKind.CONTACT, conversation.contact_id)
        await remove_note(tx, (await create_note(tx, about, "Asked for a demo")).id)


async def _field_and_tag(stage: Stage) -> tuple[UUID, UUID]:
    """A field with choices, and two tags, of which one could be merged into the other."""
    choices = (Choice("small", "Small"), Choice("big", "Большой"))
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        key = f"size_{uuid7().hex}"  # the looks share a stage
        new = NewCustomField(RecordKind.CONTACT, "Size", ValueKind.CHOICE, key=key, choices=choices)
        field = await create_custom_field(tx, new)
        await ensure_tag(tx, "Exhibition")
        return field.id, (await ensure_tag(tx, "Fair")).id


async def _tested_webhook(stage: Stage) -> tuple[UUID, UUID]:
    """An endpoint that is not there, and the test that was sent to it in vain."""
    new = NewWebhook("https://nobody.invalid/hooks", ("contact.created",), "The warehouse")
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        made = await webhooks.create_webhook(tx, new, reach=Reach(), key=KEY)
        delivery = await webhooks.send_test(tx, made.webhook.id)

    async def tried() -> bool:
        async with stage.world.db.transaction(stage.world.owner, "test") as tx:
            return any(attempt.error for attempt in await list_attempts(tx, delivery.id))

    await until(tried)
    return made.webhook.id, delivery.id


async def _violations(page: Page) -> str:
    results = await Axe().run(page)
    return str(results.generate_report()) if results.violations_count else ""
