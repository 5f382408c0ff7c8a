"""Pairs of contacts that may be one person: found with their reasons, dismissed for good, merged by nobody."""

from core.db import Database, Tx
from core.principal import Principal
from crm.companies.actions import create_company
from crm.companies.models import NewCompany
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.contacts.suggestions import look_at_batch, look_for_matches
from crm.merges.actions import merge_records, undo_merge
from crm.merges.duplicates import Duplicate, dismiss_duplicate, list_duplicates
from events.ids import ContactId, RecordKind


async def _twins(tx: Tx) -> tuple[ContactId, ContactId]:
    """One man in two alphabets, at one company; and two others."""
    company = await create_company(tx, NewCompany("Ромашка", domain="romashka.example"))
    one = await create_contact(
        tx,
        NewContact(
            "Сергей Щербаков", company_id=company.id, handles=(("email", "s.shcherbakov@romashka.example"),)
        ),
    )
    other = await create_contact(tx, NewContact("Sergei Shcherbakov", company_id=company.id))
    await create_contact(tx, NewContact("Ольга Смирнова", company_id=company.id))
    await create_contact(tx, NewContact("Иван Петров"))
    return one.id, other.id


async def _found(tx: Tx) -> list[Duplicate]:
    return (await list_duplicates(tx)).items


async def test_a_twin_in_the_other_alphabet_is_suggested_with_reasons(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        twins = await _twins(tx)
        for contact in twins:
            await look_for_matches(tx, [contact])

        (suggestion,) = await _found(tx)

    assert {suggestion.record_id, suggestion.other_id} == set(twins)
    assert 0.5 <= suggestion.score <= 1
    assert {(why["field"], why["level"]) for why in suggestion.why} >= {
        ("surname", "alias"),
        ("given", "alias"),
        ("company", "equal"),
    }


async def test_the_nightly_look_finds_the_same(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        twins = await _twins(tx)

        has_more = await look_at_batch(tx)

        (suggestion,) = await _found(tx)
    assert not has_more
    assert {suggestion.record_id, suggestion.other_id} == set(twins)


async def test_a_dismissed_pair_stays_dismissed(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        await _twins(tx)
        await look_at_batch(tx)
        (suggestion,) = await _found(tx)

        await dismiss_duplicate(tx, suggestion.id)
        await look_at_batch(tx)

        assert await _found(tx) == []


async def test_a_pair_that_is_no_longer_likely_goes(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        one, _ = await _twins(tx)
        await look_at_batch(tx)
        await tx.execute("UPDATE contacts SET name = 'Анна Кузнецова' WHERE id = %(id)s", id=one)

        await look_for_matches(tx, [one])

        assert await _found(tx) == []


async def test_a_merged_pair_is_suggested_no_more_and_not_after_an_undo(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        one, other = await _twins(tx)
        await look_at_batch(tx)

        merge = await merge_records(tx, RecordKind.CONTACT, one, other)
        assert await _found(tx) == []
        await undo_merge(tx, merge.id)
        await look_at_batch(tx)

        assert await _found(tx) == []
