"""The pages of documents: what is added, replaced, removed and refused, in both languages and without scripts."""

from collections.abc import AsyncIterator

import pytest

from core.db import Database
from core.ids import uuid7
from core.principal import Principal
from crm.identity.actions import create_user
from crm.identity.models import Role
from crm.knowledge import actions as knowledge
from crm.knowledge import queries
from crm.knowledge.models import DocumentLine, VersionStatus
from memory.documents import limits
from tests.web.conftest import Browser, signed_in

PRICES = ("files", ("Прайс 2026.pdf", b"%PDF-1.7 prices", "application/pdf"))
FAQ = ("files", ("FAQ.md", b"# FAQ\n\nYes.", "text/markdown"))


async def _send(
    browser: Browser, path: str, *files: tuple[str, tuple[str, bytes, str]], **fields: str
) -> str:
    answer = await browser.client.post(
        path, data={"csrf_token": browser.token, **fields}, files=list(files), follow_redirects=True
    )
    assert answer.status_code in (200, 422), answer.text
    return answer.text


async def _documents(database: Database, owner: Principal) -> list[DocumentLine]:
    async with database.transaction(owner, "test") as tx:
        return (await queries.list_documents(tx)).items


@pytest.mark.parametrize(
    ("locale", "title", "empty", "reading"),
    [
        ("en", "Knowledge", "No documents yet", "Being read"),
        ("ru", "Знания", "Документов пока нет", "Читается"),
    ],
)
async def test_files_are_added_by_a_form_that_needs_no_script(
    browser: Browser,
    database: Database,
    organization: Principal,
    locale: str,
    title: str,
    empty: str,
    reading: str,
) -> None:
    await browser.post("/preferences", locale=locale)
    before = (await browser.get("/knowledge")).text

    after = await _send(browser, "/knowledge", PRICES, FAQ, is_publishable="true")

    assert title in before
    assert empty in before
    assert "Прайс 2026.pdf" in after
    assert reading in after
    assert {d.name: d.is_publishable for d in await _documents(database, organization)} == {
        "Прайс 2026.pdf": True,
        "FAQ.md": True,
    }


async def test_an_unmarked_box_keeps_documents_in_the_team(
    browser: Browser, database: Database, organization: Principal
) -> None:
    page = await _send(browser, "/knowledge", FAQ)

    assert "Team only" in page
    assert not (await _documents(database, organization))[0].is_publishable


async def test_the_same_file_again_is_said_to_be_there(browser: Browser) -> None:
    await _send(browser, "/knowledge", FAQ)

    again = await _send(browser, "/knowledge", FAQ)

    assert "FAQ.md is here already, unchanged." in again


async def test_a_file_that_is_too_large_is_named_and_the_others_are_kept(
    browser: Browser, database: Database, organization: Principal
) -> None:
    large = ("files", ("film.pdf", b"x" * (limits.FILE_BYTES + 1), "application/pdf"))

    page = await _send(browser, "/knowledge", large, FAQ)

    assert "film.pdf is larger than" in page
    assert "Split it and add the parts." in page
    assert [d.name for d in await _documents(database, organization)] == ["FAQ.md"]


async def test_a_newer_file_becomes_the_next_version(
    browser: Browser, database: Database, organization: Principal
) -> None:
    await _send(browser, "/knowledge", FAQ)
    (document,) = await _documents(database, organization)

    page = await _send(
        browser, f"/knowledge/{document.id}/versions", ("files", ("new.md", b"# New", "text/plain"))
    )

    assert "Version 2" in page
    assert "Version 1" in page
    assert (await _documents(database, organization))[0].number == 2


async def test_a_refused_file_says_why_and_what_to_do(
    browser: Browser, database: Database, organization: Principal
) -> None:
    await _send(browser, "/knowledge", PRICES)
    (document,) = await _documents(database, organization)
    async with database.transaction(organization, "test") as tx:
        await knowledge.record_refused(tx, await queries.newest_version(tx, document.id), "no_text")

    listed = (await browser.get("/knowledge")).text
    shown = (await browser.get(f"/knowledge/{document.id}")).text

    assert "It has no text layer: its pages are pictures." in listed
    assert "Run text recognition over it, or replace it with the original." in shown


async def test_removal_is_undone_with_one_button(
    browser: Browser, database: Database, organization: Principal
) -> None:
    await _send(browser, "/knowledge", FAQ)
    (document,) = await _documents(database, organization)

    removed = await _send(browser, f"/knowledge/{document.id}/removal")
    gone = await _documents(database, organization)
    await _send(browser, f"/knowledge/{document.id}/restoration")

    assert "“FAQ.md” is removed. Agents no longer find it." in removed
    assert 'data-verb="undo"' in removed
    assert gone == []
    assert [d.status for d in await _documents(database, organization)] == [VersionStatus.PENDING]


async def test_the_switch_keeps_a_document_in_the_team(
    browser: Browser, database: Database, organization: Principal
) -> None:
    await _send(browser, "/knowledge", FAQ, is_publishable="true")
    (document,) = await _documents(database, organization)

    page = await _send(browser, f"/knowledge/{document.id}/audience", is_publishable="false")

    assert 'aria-checked="false"' in page
    assert "Drafts never repeat it; it is for the team." in page


async def test_a_stored_file_is_saved_and_never_opened_under_our_address(
    browser: Browser, database: Database, organization: Principal
) -> None:
    evil = b"<!doctype html><script>alert(1)</script>"
    await _send(browser, "/knowledge", ("files", ("страница.html", evil, "text/html")))
    (document,) = await _documents(database, organization)

    answer = await browser.get(f"/knowledge/{document.id}/versions/1/file")

    assert answer.content == evil
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''%D1%81")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


async def test_a_document_of_another_organization_is_not_there(
    site: str, browser: Browser, database: Database, organization: Principal, other_organization: Principal
) -> None:
    await _send(browser, "/knowledge", FAQ)
    (document,) = await _documents(database, organization)

    async with signed_in(site, database, other_organization) as stranger:
        paths = [f"/knowledge/{document.id}", f"/knowledge/{document.id}/versions/1/file"]
        answers = [await stranger.get(path) for path in paths]
        removal = await stranger.post(f"/knowledge/{document.id}/removal")

    assert [answer.status_code for answer in (*answers, removal)] == [404, 404, 404]


async def test_who_may_only_read_is_offered_nothing_else(
    site: str, browser: Browser, database: Database, organization: Principal
) -> None:
    await _send(browser, "/knowledge", FAQ)
    async with database.transaction(organization, "test") as tx:
        email = f"{uuid7()}@test.example"
        user_id = await create_user(
            tx, email=email, name="Vic", password="correct horse", role=Role.VIEWER, locale="en"
        )
    viewer = Principal(organization.kind, user_id, organization.organization_id)

    async with signed_in(site, database, viewer) as reader:
        page = await reader.get("/knowledge")
        refused = await reader.client.post("/knowledge", data={"csrf_token": reader.token}, files=[PRICES])

    assert "FAQ.md" in page.text
    assert "Choose files" not in page.text
    assert refused.status_code == 403


async def test_a_form_of_unknown_size_is_refused_before_it_is_read(browser: Browser) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"--x\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=x", "X-CSRF-Token": browser.token}
    answer = await browser.client.post("/knowledge", content=endless(), headers=headers)

    assert answer.status_code == 413
