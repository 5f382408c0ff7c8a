"""Pairs of companies that may be one: in the same list as people, with their reasons, merged by nobody but a person."""

import pytest

from core.db import Database, Tx
from core.principal import Principal
from crm.companies.actions import create_company
from crm.companies.models import NewCompany
from crm.companies.suggestions import look_at_batch
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.contacts.queries import get_contact
from crm.merges.actions import merge_records, undo_merge
from crm.merges.duplicates import Duplicate, dismiss_duplicate, list_duplicates
from events.ids import CompanyId, RecordKind


async def _add(tx: Tx, *companies: NewCompany) -> list[CompanyId]:
    return [(await create_company(tx, company)).id for company in companies]


async def _found(tx: Tx) -> list[Duplicate]:
    await look_at_batch(tx)
    return [pair for pair in (await list_duplicates(tx)).items if pair.record_kind is RecordKind.COMPANY]


TWINS = (NewCompany("ООО «Вектор Пром»", city="Москва"), NewCompany("Vektorprom LLC", city="Moscow"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (NewCompany("ООО «Ромашка»"), NewCompany("Romashka LLC")),
        (NewCompany("АО «Ромашка»"), NewCompany("Ромашка, ООО")),
        (NewCompany("Amber Foods GmbH"), NewCompany("Amber Fods")),
        (NewCompany("Foods Amber Ltd"), NewCompany("Amber Foods")),
        (NewCompany("Amber Foods", domain="amberfoods.de"), NewCompany("Amber", domain="amberfoods.co.uk")),
        (NewCompany("Ромашка", phone="+74951234567"), NewCompany("Ромашка Трейд", phone="8 495 123-45-67")),
    ],
    ids=[
        "the other alphabet",
        "another form",
        "misspelt",
        "another order",
        "a domain elsewhere",
        "a telephone",
    ],
)
async def test_a_company_that_is_written_otherwise_is_suggested(
    database: Database, organization: Principal, one: NewCompany, other: NewCompany
) -> None:
    async with database.transaction(organization, "test") as tx:
        ids = await _add(tx, one, other, NewCompany("Northwind Storage", city="Leeds"))

        (pair,) = await _found(tx)

    assert {pair.record_id, pair.other_id} == set(ids[:2])
    assert 0.5 <= pair.score <= 1
    assert pair.why[0]["bits"] > 0  # type: ignore[operator]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            NewCompany("Amber Foods", domain="amberfoods.com"),
            NewCompany("Amber Digital", domain="amberdig.com"),
        ),
        (NewCompany("Alpha", phone="+442079460018"), NewCompany("Beta Cargo", phone="+442079460018")),
        (NewCompany("Ромашка", city="Казань"), NewCompany("Василёк", city="Казань")),
    ],
    ids=["one word in common", "one house", "one city"],
)
async def test_companies_that_have_one_thing_in_common_are_two(
    database: Database, organization: Principal, one: NewCompany, other: NewCompany
) -> None:
    async with database.transaction(organization, "test") as tx:
        await _add(tx, one, other)

        assert await _found(tx) == []


async def test_a_dismissed_pair_stays_dismissed(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        await _add(tx, *TWINS)
        (pair,) = await _found(tx)

        await dismiss_duplicate(tx, pair.id)

        assert await _found(tx) == []


async def test_a_merge_moves_who_works_there_and_its_undoing_says_that_they_are_two(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        kept, merged = await _add(tx, *TWINS)
        contact = await create_contact(tx, NewContact("Anna West", company_id=merged))
        assert len(await _found(tx)) == 1

        merge = await merge_records(tx, RecordKind.COMPANY, kept, merged)
        assert await _found(tx) == []
        assert (await get_contact(tx, contact.id)).company_id == kept

        await undo_merge(tx, merge.id)
        assert await _found(tx) == []
        assert (await get_contact(tx, contact.id)).company_id == merged


async def test_a_pair_with_a_third_comes_back_when_the_merge_is_undone(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        kept, merged = await _add(tx, *TWINS)
        (third,) = await _add(tx, NewCompany("Вектор-Пром", city="Москва"))
        assert len(await _found(tx)) == 3

        merge = await merge_records(tx, RecordKind.COMPANY, kept, merged)
        between = [{pair.record_id, pair.other_id} for pair in await _found(tx)]
        await undo_merge(tx, merge.id)
        after = [{pair.record_id, pair.other_id} for pair in await _found(tx)]

    assert between == [{kept, third}]
    assert sorted(map(sorted, after)) == sorted(map(sorted, [{kept, third}, {merged, third}]))


async def test_the_look_goes_on_where_it_was_and_meets_those_of_earlier_batches(
    database: Database, organization: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm.companies.suggestions.BATCH", 2)
    async with database.transaction(organization, "test") as tx:
        await _add(tx, TWINS[0], NewCompany("Northwind"), NewCompany("Harbour Storage"), TWINS[1])

    rounds = 0
    has_more = True
    while has_more:
        async with database.transaction(organization, "test") as tx:
            has_more = await look_at_batch(tx)
        rounds += 1

    async with database.transaction(organization, "test") as tx:
        looked_at = await tx.value("SELECT looked_at FROM match_sweeps WHERE record_kind = 'company'")
        (pair,) = (await list_duplicates(tx)).items
    assert (rounds, looked_at) == (3, 4)
    assert {pair.name, pair.other_name} == {company.name for company in TWINS}
