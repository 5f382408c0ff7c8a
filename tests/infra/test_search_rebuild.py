"""The index of the search box is made from the records, and can be made again from them."""

from core.db import Database
from core.principal import Principal
from core.settings import Settings
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.search import actions as index
from crm.search.models import FoundKind
from crm.search.queries import search
from infra import search_rebuild


async def test_a_rebuild_finds_what_is_there_and_nothing_else(
    database: Database, organization: Principal, settings: Settings
) -> None:
    async with database.transaction(organization, "test") as tx:
        await create_contact(tx, NewContact("Zinaida Korableva"))
        await tx.execute(
            """
            INSERT INTO search_postings (organization_id, record_id, rank, word, kind)
            VALUES (%(id)s, gen_random_uuid(), 0, 'leftover', 'contact')
            """,
            id=organization.organization_id,
        )

    found = await search_rebuild.run(settings)

    async with database.transaction(organization, "test") as tx:
        titles = [hit.title.text for hit in (await search(tx, "korableva")).hits]
        left = await tx.value("SELECT count(*) FROM search_postings WHERE word = 'leftover'")
    assert found["contact"] >= 1
    assert (titles, left) == (["Zinaida Korableva"], 0)


async def test_catching_up_indexes_only_what_is_not_found_yet(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        known = await create_contact(tx, NewContact("Known"))
        await index.index_records(tx, FoundKind.CONTACT, [known.id])
        await create_contact(tx, NewContact("New"))

        batch = await index.catch_up(tx, FoundKind.CONTACT)

        assert batch is not None
        assert batch.found == 1
        assert [hit.title.text for hit in (await search(tx, "new")).hits] == ["New"]
