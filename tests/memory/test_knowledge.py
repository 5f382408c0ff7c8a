"""Passages of documents: kept, superseded, forgotten, and how their places are called."""

import pytest

from core.db import Database, Tx
from core.principal import Principal
from crm.knowledge import actions
from crm.knowledge.models import DocumentVersion, File
from memory import knowledge
from memory.documents.models import Chunk
from memory.documents.reader import Read
from memory.knowledge import citation


@pytest.mark.parametrize(
    ("page", "heading", "called"),
    [
        (2, ("Цены",), "Prices.pdf, page 2"),
        (None, ("FAQ", "Работает ли без интернета?"), "Prices.pdf, Работает ли без интернета?"),
        (None, (), "Prices.pdf, line 12"),
    ],
)
def test_a_place_is_called_by_page_else_heading_else_line(
    page: int | None, heading: tuple[str, ...], called: str
) -> None:
    assert citation("Prices.pdf", page=page, heading=heading, number=12) == called


HEADER = "Scanners | Price"
FIRST = Read("application/pdf", ("en",), 2, 1, [Chunk(f"{HEADER}\n1–9 | €26", "en", 7, 2, ("Prices",))])
SECOND = Read("application/pdf", ("en",), 2, 1, [Chunk(f"{HEADER}\n1–9 | €27", "en", 7, 2, ("Prices",))])


async def _added(tx: Tx, sha256: str = "a") -> DocumentVersion:
    document_id, _ = await actions.add_document(tx, File("Prices.pdf", sha256 * 64, 10))
    version = await knowledge.find_unread(tx, document_id)
    assert version is not None
    return version


async def test_passages_keep_their_place(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        version = await _added(tx)

        assert await knowledge.keep_passages(tx, version, FIRST)

        assert await knowledge.list_passages(tx, version.document_id) == FIRST.chunks
        assert await knowledge.find_unread(tx, version.document_id) is None


async def test_a_newer_version_takes_the_place_of_the_passages(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        await knowledge.keep_passages(tx, await _added(tx), FIRST)
        newer = await _added(tx, "b")

        await knowledge.keep_passages(tx, newer, SECOND)

        assert await knowledge.list_passages(tx, newer.document_id) == SECOND.chunks


async def test_what_was_read_too_late_is_not_kept(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        slow = await _added(tx)
        newer = await _added(tx, "b")
        await knowledge.keep_passages(tx, newer, SECOND)

        kept = await knowledge.keep_passages(tx, slow, FIRST)

        assert not kept
        assert await knowledge.list_passages(tx, slow.document_id) == SECOND.chunks


async def test_a_removed_document_is_forgotten(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        version = await _added(tx)
        await knowledge.keep_passages(tx, version, FIRST)
        await actions.remove_document(tx, version.document_id)

        await knowledge.follow(tx, version.document_id)

        assert await knowledge.list_passages(tx, version.document_id) == []
        assert await tx.value("SELECT count(*) FROM memories") == 0


async def test_a_restored_document_is_found_again(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        version = await _added(tx)
        await knowledge.keep_passages(tx, version, FIRST)
        await actions.remove_document(tx, version.document_id)
        await knowledge.follow(tx, version.document_id)
        await actions.restore_document(tx, version.document_id)

        kept = await knowledge.keep_passages(tx, version, FIRST)

        assert kept
        assert await knowledge.list_passages(tx, version.document_id) == FIRST.chunks


async def test_who_may_quote_a_document_holds_for_its_passages(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        version = await _added(tx)
        await knowledge.keep_passages(tx, version, FIRST)
        await actions.set_publishable(tx, version.document_id, is_publishable=False)

        await knowledge.follow(tx, version.document_id)

        assert await tx.value("SELECT bool_or(is_publishable) FROM memories") is False
