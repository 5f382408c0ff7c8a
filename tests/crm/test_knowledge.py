"""Documents: the same name is the next version, the same file changes nothing, removal can be taken back."""

import pytest

from core.db import Database, Tx
from core.errors import Conflict, Forbidden, NotFound, Unprocessable
from core.ids import uuid7
from core.principal import Principal, PrincipalKind
from crm.knowledge import actions as knowledge
from crm.knowledge import queries
from crm.knowledge.models import File, Reading, Uploaded, VersionStatus
from events.ids import DocumentId
from tests.support.changes import changes_of

FIRST, SECOND = File("Prices.pdf", "a" * 64, 1000), File("prices.pdf", "b" * 64, 1200)
READING = Reading("application/pdf", ("en", "ru"), 4, 8)


async def _read(tx: Tx, document_id: DocumentId) -> None:
    await knowledge.record_read(tx, await queries.newest_version(tx, document_id), READING)


async def test_a_new_document_waits_to_be_read(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        document_id, outcome = await knowledge.add_document(tx, FIRST)

        (line,) = (await queries.list_documents(tx)).items
        assert outcome is Uploaded.ADDED
        assert (line.id, line.name, line.status, line.number) == (
            document_id,
            "Prices.pdf",
            VersionStatus.PENDING,
            1,
        )
        assert (line.live_number, line.uploader, line.is_publishable) == (None, "Olga Owner", True)
        assert [event.type for event in await changes_of(tx, document_id)] == ["document.added"]


async def test_a_file_of_the_same_name_is_the_next_version(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        document_id, _ = await knowledge.add_document(tx, FIRST)
        await _read(tx, document_id)

        again, outcome = await knowledge.add_document(tx, SECOND)

        (line,) = (await queries.list_documents(tx)).items
        assert (again, outcome) == (document_id, Uploaded.REPLACED)
        assert (line.number, line.live_number, line.status) == (2, 1, VersionStatus.PENDING)


async def test_the_same_file_again_changes_nothing(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        document_id, _ = await knowledge.add_document(tx, FIRST)
        before = await changes_of(tx, document_id)

        _, outcome = await knowledge.add_document(tx, FIRST)

        assert outcome is Uploaded.UNCHANGED
        assert await changes_of(tx, document_id) == before


async def test_a_version_that_cannot_be_read_leaves_the_one_before_it_live(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        document_id, _ = await knowledge.add_document(tx, FIRST)
        await _read(tx, document_id)
        await knowledge.add_document(tx, SECOND)

        await knowledge.record_refused(tx, await queries.newest_version(tx, document_id), "encrypted")

        (line,) = (await queries.list_documents(tx)).items
        assert (line.number, line.live_number, line.refusal) == (2, 1, "encrypted")


async def test_a_refused_file_is_read_again_when_it_is_added_again(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        document_id, _ = await knowledge.add_document(tx, FIRST)
        await knowledge.record_refused(tx, await queries.newest_version(tx, document_id), "too_slow")

        outcome = await knowledge.replace_document(tx, document_id, FIRST)

        newest = await queries.newest_version(tx, document_id)
        assert (outcome, newest.number, newest.status) == (Uploaded.REPLACED, 1, VersionStatus.PENDING)


async def test_removal_can_be_taken_back(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        document_id, _ = await knowledge.add_document(tx, FIRST)
        await _read(tx, document_id)

        removed = await knowledge.remove_document(tx, document_id)
        gone = (await queries.list_documents(tx)).items
        restored = await knowledge.restore_document(tx, document_id)

        assert (removed.live_version_id, gone) == (None, [])
        assert restored.removed_at is None
        assert (await queries.newest_version(tx, document_id)).status is VersionStatus.PENDING


async def test_a_name_that_was_taken_meanwhile_keeps_a_removed_document_away(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        document_id, _ = await knowledge.add_document(tx, FIRST)
        await knowledge.remove_document(tx, document_id)
        await knowledge.add_document(tx, SECOND)

        with pytest.raises(Conflict, match=r"called Prices\.pdf by now"):
            await knowledge.restore_document(tx, document_id)
        with pytest.raises(Conflict, match="restore it first"):
            await knowledge.replace_document(tx, document_id, SECOND)


async def test_who_may_quote_a_document_is_recorded(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        document_id, _ = await knowledge.add_document(tx, FIRST)

        withheld = await knowledge.set_publishable(tx, document_id, is_publishable=False)
        await knowledge.set_publishable(tx, document_id, is_publishable=False)

        assert not withheld.is_publishable
        events = await changes_of(tx, document_id)
        assert [event.type for event in events] == ["document.added", "document.withheld"]
        assert events[-1].changes == {"is_publishable": [True, False]}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/Прайс.pdf", "Прайс.pdf"),
        ("C:\\Users\\anna\\Prices.docx", "Prices.docx"),
        ("evil\u202efdp.exe\x00", "evilfdp.exe"),
        (f"{'ж' * 300}.pdf", f"{'ж' * 196}.pdf"),
    ],
)
def test_a_name_keeps_nothing_that_hides(given: str, kept: str) -> None:
    assert knowledge.clean_name(given) == kept


def test_a_file_without_a_name_is_refused() -> None:
    with pytest.raises(Unprocessable, match="has no name"):
        knowledge.clean_name("///\x00")


async def test_another_organization_has_its_own_document_of_the_name(
    database: Database, organization: Principal, other_organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        document_id, _ = await knowledge.add_document(tx, FIRST)

    async with database.transaction(other_organization, "test") as tx:
        _, outcome = await knowledge.add_document(tx, FIRST)
        with pytest.raises(NotFound):
            await queries.get_document(tx, document_id)

    assert outcome is Uploaded.ADDED


async def test_documents_need_a_permission(database: Database, organization: Principal) -> None:
    viewer = Principal(
        PrincipalKind.USER, uuid7(), organization.organization_id, scopes=frozenset({"knowledge:read"})
    )
    async with database.transaction(viewer, "test") as tx:
        assert (await queries.list_documents(tx)).items == []
        with pytest.raises(Forbidden, match="knowledge:write"):
            await knowledge.add_document(tx, FIRST)
