"""The pages of imports without a script: forms and links alone lead from a file to its records and back."""

import re
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest

from core.blobs import Blobs
from core.db import Database, Tx
from core.principal import Principal
from core.settings import Settings
from crm.contacts.queries import find_contact_by_handle
from crm.imports.tables import running
from crm.imports.tables.actions import UPLOADS
from crm.imports.tables.running import Desk
from crm.leads.queries import list_leads
from crm.pipelines.actions import create_pipeline
from events.ids import ImportId
from tests.support.tables import csv_bytes, zip_bomb
from tests.web.conftest import Browser

HEAD = ["ФИО", "Почта", "Телефон", "Компания", "Бюджет"]
VERA = ["Вера Линд", "vera@lind.example", "8 916 123-45-67", "Ромашка", "120 000 руб."]
BROKEN = ["Олег", "oleg at zuev", "", "", ""]
RUSSIAN = csv_bytes([HEAD, VERA, BROKEN], encoding="cp1251", delimiter=";")


async def _upload(browser: Browser, content: bytes, name: str = "люди.csv") -> httpx2.Response:
    return await browser.client.post(
        "/imports",
        data={"csrf_token": browser.token},
        files={"file": (name, content, "text/csv")},
        follow_redirects=True,
    )


async def _do(browser: Browser, page: httpx2.Response, action: str, **fields: Any) -> httpx2.Response:
    return await browser.client.post(
        f"{page.url.path}/{action}", data={"csrf_token": browser.token, **fields}, follow_redirects=True
    )


async def _map(browser: Browser, page: httpx2.Response, *targets: str) -> httpx2.Response:
    return await _do(
        browser, page, "mapping", target=list(targets), region="RU", currency="RUB", is_lenient=""
    )


@pytest.fixture
def work(database: Database, organization: Principal, settings: Settings) -> Any:
    """What a worker does about an import."""
    files = Blobs(settings.data).apart(UPLOADS)

    def transaction(step: str) -> AbstractAsyncContextManager[Tx]:
        return database.transaction(organization, f"import.{step}")

    async def guard(tx: Tx) -> None:
        """Nobody else works on it."""

    async def run(page: httpx2.Response) -> None:
        import_id = ImportId(UUID(page.url.path.split("/")[2]))
        desk = Desk(transaction, guard, lambda key: files.path(organization.organization_id, key), b"key")
        await running.work(desk, import_id, seconds=60)

    return run


async def test_a_table_of_leads_becomes_leads_of_a_chosen_pipeline(
    browser: Browser, database: Database, organization: Principal, work: Any
) -> None:
    async with database.transaction(organization, "test") as tx:
        await create_pipeline(tx, "Partners")
        sales = await create_pipeline(tx, "Sales")
    page = await _upload(
        browser, csv_bytes([["Имя", "Почта", "Источник", "Этап"], ["Вера", "vera@lind.example", "Сайт", ""]])
    )
    assert 'value="lead" selected' in page.text
    assert 'value="contact_email" selected' in page.text
    assert "new:text" not in page.text  # leads have no fields of their own

    page = await _do(
        browser, page, "mapping", target=["name", "contact_email", "source", "stage"], region="RU", currency="RUB",
        pipeline_id=str(sales.id),
    )  # fmt: skip
    await work(page)
    page = await _do(browser, page, "run")
    await work(page)

    async with database.transaction(organization, "test") as tx:
        (lead,) = (await list_leads(tx)).items
    assert (lead.contact, lead.source, lead.pipeline) == ("Вера", "Сайт", "Sales")


async def test_a_table_becomes_records_and_goes_back(
    browser: Browser, database: Database, organization: Principal, work: Any
) -> None:
    page = await _upload(browser, RUSSIAN)
    assert 'value="phone" selected' in page.text
    assert "vera@lind.example" in page.text

    page = await _map(browser, page, "name", "email", "phone", "company", "new:money")
    await work(page)
    checked = await browser.get(page.url.path)
    assert "This is what would happen" in checked.text
    assert "This is no email address" in checked.text

    page = await _do(browser, page, "run")
    await work(page)
    async with database.transaction(organization, "test") as tx:
        vera = await find_contact_by_handle(tx, "email", "vera@lind.example")
    assert vera is not None
    assert vera.custom == {"byudzhet": {"amount_minor": 12_000_000, "currency": "RUB"}}

    await _do(browser, page, "undo")
    await work(page)
    async with database.transaction(organization, "test") as tx:
        assert await find_contact_by_handle(tx, "email", "vera@lind.example") is None
    assert "records taken back" in (await browser.get(page.url.path)).text


async def test_a_mapping_that_cannot_be_names_the_columns(browser: Browser) -> None:
    page = await _upload(browser, RUSSIAN)

    refused = await _map(browser, page, "name", "email", "phone", "name", "")

    assert refused.status_code == 422
    assert "ФИО, Компания cannot all become “Name”" in refused.text
    assert refused.text.count('value="name" selected') == 2


async def test_another_encoding_is_chosen_by_hand_and_a_wrong_one_changes_nothing(browser: Browser) -> None:
    page = await _upload(browser, RUSSIAN)

    refused = await _do(browser, page, "reading", encoding="utf-8", delimiter=";", header="yes")
    other = await _do(browser, page, "reading", encoding="koi8_r", delimiter=";", header="yes")

    assert "Line 1 holds bytes that are not utf-8" in refused.text
    assert "ФИО" in refused.text
    assert "ФИО" not in other.text


@pytest.mark.parametrize(
    ("locale", "text"),
    [("en", "The file is empty. Export it again"), ("ru", "Файл пуст. Выгрузите его ещё раз")],
)
async def test_an_empty_file_is_refused_in_the_readers_words(
    browser: Browser, locale: str, text: str
) -> None:
    await browser.post("/preferences", locale=locale)

    page = await _upload(browser, b"")

    assert page.status_code == 422
    assert text in page.text


async def test_a_zip_bomb_is_refused(browser: Browser, tmp_path: Path) -> None:
    page = await _upload(browser, zip_bomb(tmp_path, megabytes=300).read_bytes(), "bomb.xlsx")

    assert page.status_code == 422
    assert "Unpacked, the workbook is larger" in page.text


async def test_the_reasons_come_as_a_table_that_no_spreadsheet_calculates(
    browser: Browser, work: Any
) -> None:
    rows = [["Name", "Email"], ["=HYPERLINK(1)", "@evil"], ["Vera", "vera@lind.example"]]
    page = await _map(browser, await _upload(browser, csv_bytes(rows)), "name", "email")
    await work(page)

    table = (await browser.get(f"{page.url.path}/reasons.csv")).content.decode("utf-8-sig")

    assert table.splitlines()[0] == "Row,Result,Record,Column,Value,Reason"
    assert re.search(r"^2,left out,'=HYPERLINK\(1\),Email,'@evil,", table, re.MULTILINE)
