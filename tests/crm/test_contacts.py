"""Contacts: one person is one contact, however often and at once they write."""

import asyncio
from dataclasses import replace

import pytest

from core.db import Database
from core.errors import Conflict, Forbidden, NotFound, Stale, Unprocessable
from core.principal import Principal
from core.sql import ListQuery
from crm.companies.actions import create_company
from crm.companies.models import NewCompany
from crm.contacts.actions import (
    add_handle,
    create_contact,
    delete_contact,
    prefer_handle,
    record_consent,
    remove_handle,
    resolve_contact,
    suppress_contact,
    update_contact,
)
from crm.contacts.models import ConsentChannel, ContactEdit, NewContact, normalize_handle
from crm.contacts.queries import (
    find_contact_by_handle,
    get_contact,
    list_consents,
    list_contacts,
    list_contacts_of_company,
    list_handles,
)
from events.ids import ContactId
from tests.support.changes import changes_of


async def test_a_new_person_becomes_a_contact_with_all_handles(
    database: Database, organization: Principal
) -> None:
    handles = (("telegram_id", "77"), ("telegram_username", "@Anna_K"))

    async with database.transaction(organization, "test") as tx:
        contact = await resolve_contact(tx, handles=handles, name="Анна", language="ru")

        assert (contact.name, contact.language, contact.version) == ("Анна", "ru", 1)
        assert [(h.kind, h.value) for h in await list_handles(tx, contact.id)] == [
            ("telegram_id", "77"),
            ("telegram_username", "anna_k"),
        ]
        assert [event.type for event in await changes_of(tx, contact.id)] == ["contact.created"]


async def test_a_known_person_is_found_again_and_gets_the_missing_handle(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        known = await create_contact(tx, NewContact("Boris", handles=(("telegram_username", "boris"),)))

        resolved = await resolve_contact(
            tx, handles=(("telegram_id", "5"), ("telegram_username", "Boris")), name="B.", language="en"
        )

        assert resolved.id == known.id
        assert resolved.name == "Boris"
        found = await find_contact_by_handle(tx, "telegram_id", "5")
        assert found is not None
        assert found.id == known.id


async def test_a_username_that_passed_to_somebody_else_does_not_lead_to_its_old_owner(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        before = await resolve_contact(
            tx, handles=(("telegram_id", "1"), ("telegram_username", "sales")), name="Old", language="en"
        )

        after = await resolve_contact(
            tx, handles=(("telegram_id", "2"), ("telegram_username", "sales")), name="New", language="en"
        )

        assert after.id != before.id
        assert [handle.value for handle in await list_handles(tx, after.id)] == ["2"]


async def test_a_new_person_who_writes_in_many_transactions_at_once_is_one_contact(
    database: Database, organization: Principal
) -> None:
    async def write(number: int) -> ContactId:
        async with database.transaction(organization, "test") as tx:
            contact = await resolve_contact(
                tx,
                handles=(("telegram_id", "900"), ("telegram_username", "rush")),
                name=f"Rush {number}",
                language="en",
            )
            await asyncio.sleep(0.02)
            return contact.id

    ids = await asyncio.gather(*(write(number) for number in range(6)))

    assert len(set(ids)) == 1
    async with database.transaction(organization, "test") as tx:
        assert len((await list_contacts(tx)).items) == 1
        assert len(await list_handles(tx, ids[0])) == 2
        assert [event.type for event in await changes_of(tx, ids[0])] == ["contact.created"]


async def test_the_second_of_two_writers_makes_the_contact_when_the_first_rolls_back(
    database: Database, organization: Principal
) -> None:
    first_inserted, second_waits = asyncio.Event(), asyncio.Event()

    async def fail() -> None:
        async with database.transaction(organization, "test") as tx:
            await resolve_contact(tx, handles=(("telegram_id", "901"),), name="First", language="en")
            first_inserted.set()
            await second_waits.wait()
            await asyncio.sleep(0.1)
            raise ConnectionError

    async def succeed() -> str:
        await first_inserted.wait()
        async with database.transaction(organization, "test") as tx:
            second_waits.set()
            return (
                await resolve_contact(tx, handles=(("telegram_id", "901"),), name="Second", language="en")
            ).name

    failed, name = await asyncio.gather(fail(), succeed(), return_exceptions=True)

    assert isinstance(failed, ConnectionError)
    assert name == "Second"


async def test_the_same_handle_in_two_organizations_is_two_contacts(
    database: Database, organization: Principal, other_organization: Principal
) -> None:
    handles = (("email", "ceo@example.com"),)
    async with database.transaction(organization, "test") as tx:
        ours = await resolve_contact(tx, handles=handles, name="Ours", language="en")

    async with database.transaction(other_organization, "test") as tx:
        theirs = await resolve_contact(tx, handles=handles, name="Theirs", language="en")

        assert theirs.id != ours.id
        with pytest.raises(NotFound):
            await get_contact(tx, ours.id)


@pytest.mark.parametrize(
    ("kind", "given", "stored"),
    [
        ("email", " Anna@Example.COM ", "anna@example.com"),
        ("phone", "+7 (912) 345-67-89", "+79123456789"),
        ("phone", "8 (912) 345-67-89", "+79123456789"),
        ("phone", "00 44 20 7946 0018", "+442079460018"),
        ("phone", "+12", "+12"),
        ("telegram_username", "@Anna", "anna"),
        ("telegram_id", "42", "42"),
    ],
)
def test_a_handle_has_one_spelling(kind: str, given: str, stored: str) -> None:
    assert normalize_handle(kind, given) == (kind, stored)


@pytest.mark.parametrize("handles", [(), (("fax", "1"),), (("email", " "),), (("phone", "none"),)])
async def test_a_person_without_a_usable_handle_is_refused(
    database: Database, organization: Principal, handles: tuple[tuple[str, str], ...]
) -> None:
    async with database.transaction(organization, "test") as tx:
        with pytest.raises(Unprocessable):
            await resolve_contact(tx, handles=handles, name="Nobody", language="en")


async def test_a_handle_belongs_to_one_contact(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        await create_contact(tx, NewContact("Anna", handles=(("email", "a@example.com"),)))
        boris = await create_contact(tx, NewContact("Boris"))

        with pytest.raises(Conflict, match="Anna"):
            await add_handle(tx, boris.id, "email", "A@example.com")


async def test_giving_a_contact_its_own_handle_again_is_no_error(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        anna = await create_contact(tx, NewContact("Anna", handles=(("email", "a@example.com"),)))

        await add_handle(tx, anna.id, "email", "a@example.com")

        assert len(await list_handles(tx, anna.id)) == 1


async def test_an_update_keeps_what_was_before(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        anna = await create_contact(tx, NewContact("Anna", title="CTO"))

        updated = await update_contact(tx, anna.id, ContactEdit(title="CEO", name="Anna"), version=1)

        assert (updated.title, updated.name, updated.version) == ("CEO", "Anna", 2)
        last = (await changes_of(tx, anna.id))[-1]
        assert (last.type, last.changes) == ("contact.updated", {"title": ["CTO", "CEO"]})


async def test_an_update_that_changes_nothing_leaves_no_event(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        anna = await create_contact(tx, NewContact("Anna", title="CTO"))

        updated = await update_contact(tx, anna.id, ContactEdit(title="CTO"), version=1)

        assert updated.version == 1
        assert [event.type for event in await changes_of(tx, anna.id)] == ["contact.created"]


async def test_an_update_of_an_older_version_is_stale(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        anna = await create_contact(tx, NewContact("Anna"))
        await update_contact(tx, anna.id, ContactEdit(title="CEO"), version=1)

        with pytest.raises(Stale):
            await update_contact(tx, anna.id, ContactEdit(title="CFO"), version=1)


@pytest.mark.parametrize("scopes", [frozenset[str](), frozenset({"contacts:read"})])
async def test_writing_needs_the_scope(
    database: Database, organization: Principal, scopes: frozenset[str]
) -> None:
    async with database.transaction(replace(organization, scopes=scopes), "test") as tx:
        with pytest.raises(Forbidden):
            await resolve_contact(tx, handles=(("email", "a@example.com"),), name="A", language="en")


async def test_reading_needs_the_scope(database: Database, organization: Principal) -> None:
    async with database.transaction(replace(organization, scopes=frozenset()), "test") as tx:
        with pytest.raises(Forbidden):
            await list_contacts(tx)


async def test_suppressing_keeps_the_first_reason(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        anna = await create_contact(tx, NewContact("Anna"))

        first = await suppress_contact(tx, anna.id, "стоп")
        second = await suppress_contact(tx, anna.id, "again")

        assert first.is_suppressed
        assert not first.telegram_consent
        assert second.suppressed_reason == "стоп"
        assert [event.type for event in await changes_of(tx, anna.id)] == [
            "contact.created",
            "contact.updated",
        ]


async def test_pages_follow_each_other_without_gap_or_repeat(
    database: Database, organization: Principal
) -> None:
    names = ["Анна", "Anna", "Boris", "Boris", "Zoe"]
    async with database.transaction(organization, "test") as tx:
        for name in names:
            await create_contact(tx, NewContact(name))

        seen, cursor = [], None
        for _ in range(3):
            page = await list_contacts(tx, ListQuery(limit=2, cursor=cursor))
            seen += [contact.id for contact in page.items]
            cursor = page.next_cursor

        assert len(seen) == len(set(seen)) == len(names)
        assert cursor is None


@pytest.mark.parametrize("cursor", ["nonsense", "!!!", "W10", "WyJhIiwgImIiXQ", "AAAA", "WzEsMl0", "ё"])
async def test_a_made_up_cursor_is_refused(database: Database, organization: Principal, cursor: str) -> None:
    async with database.transaction(organization, "test") as tx:
        with pytest.raises(Unprocessable):
            await list_contacts(tx, ListQuery(cursor=cursor))


@pytest.mark.parametrize("text", ["иван", "northwind", "@ivan", "director", "ИВАНОВ"])
async def test_a_contact_is_found_by_name_company_handle_and_title(
    database: Database, organization: Principal, text: str
) -> None:
    async with database.transaction(organization, "test") as tx:
        company = await create_company(tx, NewCompany("Northwind"))
        ivan = await create_contact(
            tx,
            NewContact("Иванов Иван", "Director", company.id, "ru", handles=(("telegram_username", "ivan"),)),
        )
        await create_contact(tx, NewContact("Anna"))

        page = await list_contacts(tx, text=text)

        assert [contact.id for contact in page.items] == [ivan.id]
        assert [c.id for c in await list_contacts_of_company(tx, company.id)] == [ivan.id]


async def test_who_writes_to_us_is_no_longer_in_the_trash(
    database: Database, organization: Principal
) -> None:
    handles = (("email", "anna@acme.io"),)
    async with database.transaction(organization, "test") as tx:
        anna = await resolve_contact(tx, handles=handles, name="Anna", language="en")
        await delete_contact(tx, anna.id, version=anna.version)
        assert (await list_contacts(tx)).items == []

        again = await resolve_contact(tx, handles=handles, name="Anna", language="en")

        assert (again.id, again.deleted_at) == (anna.id, None)


async def test_the_latest_word_on_consent_holds_and_every_earlier_one_is_kept(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        anna = await create_contact(tx, NewContact("Anna"))
        await record_consent(tx, anna.id, ConsentChannel.EMAIL, is_given=True, source="web form")
        await record_consent(tx, anna.id, ConsentChannel.EMAIL, is_given=False, source="her mail of Monday")
        await record_consent(tx, anna.id, ConsentChannel.SMS, is_given=True, source="web form")

        consents = await list_consents(tx, anna.id)

        assert [(each.channel, each.is_given, each.source) for each in consents] == [
            (ConsentChannel.EMAIL, False, "her mail of Monday"),
            (ConsentChannel.SMS, True, "web form"),
        ]
        assert await tx.value("SELECT count(*) FROM contact_consents") == 3
        with pytest.raises(Unprocessable, match="where the consent comes from"):
            await record_consent(tx, anna.id, ConsentChannel.SMS, is_given=False, source=" ")


async def test_the_first_handle_of_a_kind_is_shown_in_lists(
    database: Database, organization: Principal
) -> None:
    handles = (("email", "old@acme.io"), ("email", "new@acme.io"), ("phone", "+371 2000"))
    async with database.transaction(organization, "test") as tx:
        anna = await create_contact(tx, NewContact("Anna", handles=handles))
        ids = {handle.value: handle.id for handle in await list_handles(tx, anna.id)}
        for email in ("old@acme.io", "new@acme.io"):
            await prefer_handle(tx, anna.id, ids[email])
            assert (await list_contacts(tx)).items[0].email == email
        await remove_handle(tx, anna.id, ids["new@acme.io"])

        line = (await list_contacts(tx)).items[0]
        assert (line.email, line.phone) == ("old@acme.io", "+3712000")
