"""Documents in Chromium: a price list is added, a prospect asks, and the reply cites the line of the page."""

from email.message import EmailMessage
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from infra.seed import price_list
from tests.support import papers
from tests.support.browser import PHONE, Person, Watch
from tests.support.outside import Outside, from_person
from tests.support.stage import Stage
from tests.support.until import until

PRICES = Path(price_list.__file__).parent / "documents" / "Price list 2026.pdf"


async def _add(page: Page, base: str, name: str, content: bytes) -> None:
    await page.goto(f"{base}/knowledge")
    await page.set_input_files(
        "#files", {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    )


async def test_a_document_is_added_and_becomes_ready_before_ones_eyes(
    chromium: Browser, stage: Stage
) -> None:
    page = await Person(chromium, stage).sign_in()
    watch = Watch.over(page)

    await _add(page, stage.fleet.base, "Conditions.md", b"# Delivery\n\nWithin five days.\n")
    row = page.locator(".knowledge-row", has_text="Conditions.md")
    await expect(row).to_contain_text("1 passage")
    await row.click()

    await expect(page.locator(".knowledge-passage")).to_contain_text("Within five days.")
    assert (watch.outside, watch.complaints) == ([], [])


async def test_a_file_dropped_on_the_page_is_added(chromium: Browser, stage: Stage) -> None:
    page = await Person(chromium, stage).sign_in()
    await page.goto(f"{stage.fleet.base}/knowledge")

    data = await page.evaluate_handle(
        "() => { const data = new DataTransfer();"
        " data.items.add(new File(['Dropped words here.'], 'Dropped.txt')); return data; }"
    )
    for kind in ("dragenter", "dragover", "drop"):
        await page.dispatch_event("#main", kind, {"dataTransfer": data})

    await expect(page.locator(".knowledge-row", has_text="Dropped.txt")).to_contain_text("1 passage")


async def test_a_scan_is_refused_with_the_way_out_and_can_be_removed_and_brought_back(
    chromium: Browser, stage: Stage
) -> None:
    page = await Person(chromium, stage, size=PHONE).sign_in()
    await _add(page, stage.fleet.base, "Scan.pdf", papers.scanned_pdf())
    row = page.locator(".knowledge-row", has_text="Scan.pdf")
    await expect(row).to_contain_text("It has no text layer")

    await row.click()
    await expect(page.locator(".callout.danger")).to_contain_text("Run text recognition over it")
    await page.get_by_role("button", name="Remove").click()
    await expect(page.locator("[role=status].callout")).to_contain_text("“Scan.pdf” is removed")
    await expect(row).to_have_count(0)
    await page.keyboard.press("z")

    await expect(page.locator("h1")).to_have_text("Scan.pdf")


async def test_without_scripts_a_file_is_added_and_a_question_answered(
    chromium: Browser, stage: Stage
) -> None:
    page = await Person(chromium, stage, has_scripts=False).sign_in()
    await page.goto(f"{stage.fleet.base}/knowledge")

    await page.set_input_files(
        "#files", {"name": "Plain.txt", "mimeType": "text/plain", "buffer": b"Zebra crossing fee."}
    )
    await page.click("#add button.primary")
    await expect(page.locator(".knowledge-row", has_text="Plain.txt")).to_be_visible()
    await page.reload()
    await page.fill("input[name=q]", "zebra crossing")
    await page.click(".knowledge-ask button")

    await expect(page.locator("h1")).to_have_text("Knowledge")


@pytest.mark.parametrize("locale", ["en", "ru"])
async def test_a_question_finds_the_page_of_the_price_list(
    chromium: Browser, stage: Stage, locale: str
) -> None:
    page = await Person(chromium, stage).sign_in()
    await _add(page, stage.fleet.base, "Price list 2026.pdf", PRICES.read_bytes())
    await expect(page.locator(".knowledge-row", has_text="Price list 2026.pdf")).to_contain_text("8 passages")
    question = {"en": "how much for 50 scanners?", "ru": "сколько стоит подписка на 50 сканеров?"}[locale]

    await page.fill("input[name=q]", question)
    await page.press("input[name=q]", "Enter")

    cited = {"en": "Price list 2026.pdf, page 2", "ru": "Price list 2026.pdf, page 4"}[locale]
    await expect(page.locator(".knowledge-cite", has_text=cited).first).to_be_visible()


async def test_a_question_by_mail_is_answered_by_the_line_of_the_page(
    chromium: Browser, outside: Outside
) -> None:
    """The prospect asks in Russian, the draft cites the line, and the answer lies in the prospect's mailbox, threaded."""
    stage, vera, asked = outside.stage, "vera@prices.example", "first.vera@prices.example"
    anna = await Person(chromium, stage).sign_in()
    await _add(anna, stage.fleet.base, "Price list 2026.pdf", PRICES.read_bytes())
    await expect(anna.locator(".knowledge-row", has_text="Price list 2026.pdf")).to_contain_text("8 passages")

    await outside.write(from_person(vera, "сколько стоит на 50 человек?", subject="Цена", mail_id=asked))
    conversation = await outside.conversation_with(vera)
    await anna.goto(f"{stage.fleet.base}/inbox/{conversation.id}?folder=all")
    draft = anna.locator("[data-draft]")
    await expect(draft.locator("[data-view=text]")).to_contain_text(
        "«25–99»: помесячно 20 €, при оплате за год 17 €"
    )
    source = draft.locator(".evidence-item", has_text="Price list 2026.pdf, page 4")
    await expect(source).to_contain_text("25–99 | 20 € | 17 €")
    await source.click()
    await expect(anna.locator("tr#quote td")).to_have_text(["25–99", "20 €", "17 €"])
    await anna.go_back()
    await anna.locator("[data-verb=approve]:visible").first.click()

    async def arrived() -> EmailMessage | None:
        return next(iter(await outside.mailbox(vera)), None)

    answer = await until(arrived)
    assert "50 × 17 € = 850 € в месяц (при оплате за год)" in answer.get_content().replace("\u00a0", " ")
    assert (answer["In-Reply-To"], answer["References"]) == (f"<{asked}>", f"<{asked}>")
    assert answer["Subject"] == "Re: Цена"
