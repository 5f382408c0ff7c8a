"""One box finds records by words, beginnings, endings, typing errors, the wrong layout, digits and addresses."""

import asyncio
import re
from dataclasses import dataclass, replace
from typing import LiteralString
from uuid import UUID

import pytest

from core.db import Database, Tx
from core.ids import uuid7
from core.principal import Principal, Visibility
from crm.companies.actions import create_company, update_company
from crm.companies.models import CompanyEdit, NewCompany
from crm.companies.queries import get_company
from crm.contacts.actions import create_contact, delete_contact, update_contact
from crm.contacts.models import Contact, ContactEdit, NewContact
from crm.contacts.queries import get_contact
from crm.search import actions as index
from crm.search.models import Found, FoundKind
from crm.search.queries import search
from tests.support.world import make_world

PHONE = ("phone", "+7 916 123-45-67")


@dataclass
class Desk:
    """One organization with a few people, indexed."""

    db: Database
    owner: Principal
    anna: Contact
    ivan: Contact

    async def find(self, text: str, principal: Principal | None = None) -> Found:
        async with self.db.transaction(principal or self.owner, "test") as tx:
            return await search(tx, text)

    async def titles(self, text: str) -> list[str]:
        return [hit.title.text for hit in (await self.find(text)).hits]


async def _index(tx: Tx, kind: FoundKind, *ids: UUID) -> None:
    await index.index_records(tx, kind, ids)


@pytest.fixture
async def desk(database: Database, organization: Principal) -> Desk:
    async with database.transaction(organization, "test") as tx:
        steel = await create_company(tx, NewCompany("Северсталь", domain="severstal.com", city="Череповец"))
        anna = await create_contact(
            tx,
            NewContact(
                "Анна Петрова",
                title="Директор по закупкам",
                company_id=steel.id,
                handles=(PHONE, ("email", "a.petrova@severstal.com")),
            ),
        )
        ivan = await create_contact(tx, NewContact("Ivan Smirnov", note="Asked about scanners in spring."))
        await _index(tx, FoundKind.COMPANY, steel.id)
        await _index(tx, FoundKind.CONTACT, anna.id, ivan.id)
    return Desk(database, organization, anna, ivan)


@pytest.mark.parametrize(
    "typed",
    [
        "анна", "Петрова Анна", "пет", "петровой", "fyyf", "gtnhjdf", "anna", "petrova", "Питрова", "анна пертова",
        "a.petrova@severstal.com", "a.petr", "@severstal", "123-45", "8 916 123", "4567", "закупки", "директора анна",
    ],
)  # fmt: skip
async def test_anna_is_found_first(desk: Desk, typed: str) -> None:
    assert (await desk.titles(typed))[0] == "Анна Петрова"


@pytest.mark.parametrize("typed", ["иван", "smirnov", "ыьшктщм", "scanner", "smirnof", "смирнов", "iv smi"])
async def test_ivan_is_found_first(desk: Desk, typed: str) -> None:
    assert (await desk.titles(typed))[0] == "Ivan Smirnov"


async def test_a_change_is_found_and_what_it_replaced_is_not(desk: Desk) -> None:
    async with desk.db.transaction(desk.owner, "test") as tx:
        version = (await get_contact(tx, desk.ivan.id)).version
        await update_contact(tx, desk.ivan.id, ContactEdit(name="Boris Klimov"), version=version)
        await index.index_records(tx, FoundKind.CONTACT, [desk.ivan.id])

    assert await desk.titles("klimov") == ["Boris Klimov"]
    assert await desk.titles("smirnov") == []


async def test_a_contact_in_the_trash_is_not_found_even_before_the_index_knows(desk: Desk) -> None:
    async with desk.db.transaction(desk.owner, "test") as tx:
        version = (await get_contact(tx, desk.ivan.id)).version
        await delete_contact(tx, desk.ivan.id, version=version)

    assert await desk.titles("smirnov") == []


async def test_what_is_gone_leaves_no_word_behind(desk: Desk) -> None:
    async with desk.db.transaction(desk.owner, "test") as tx:
        version = (await get_contact(tx, desk.ivan.id)).version
        await delete_contact(tx, desk.ivan.id, version=version)
        await index.index_records(tx, FoundKind.CONTACT, [desk.ivan.id])
        await index.tidy_words(tx)

        left = [
            await tx.value(statement)
            for statement in (
                "SELECT count(*) FROM search_words WHERE word = 'smirnov'",
                "SELECT count(*) FROM search_grams WHERE word = 'smirnov'",
                "SELECT count(*) FROM search_postings WHERE word = 'smirnov'",
                "SELECT count(*) FROM search_words WHERE word = 'петрова'",
            )
        ]

    assert left == [0, 0, 0, 1]


async def test_a_renamed_company_renames_its_people(desk: Desk) -> None:
    async with desk.db.transaction(desk.owner, "test") as tx:
        anna = await get_contact(tx, desk.anna.id)
        assert anna.company_id is not None
        company = await get_company(tx, anna.company_id)
        await update_company(tx, company.id, CompanyEdit(name="Мечел"), version=company.version)
        await index.index_records(tx, FoundKind.COMPANY, [company.id])
        await index.index_dependents(tx, FoundKind.COMPANY, [company.id])

    assert await desk.titles("анна мечел") == ["Анна Петрова"]


async def test_indexing_again_changes_nothing(desk: Desk) -> None:
    counts = "SELECT (SELECT count(*) FROM search_postings), (SELECT count(*) FROM search_words)"
    async with desk.db.transaction(desk.owner, "test") as tx:
        before = await (await tx.connection.execute(counts)).fetchone()
        await index.index_next(tx, FoundKind.CONTACT)
        after = await (await tx.connection.execute(counts)).fetchone()

    assert before == after


async def test_two_who_index_one_record_at_once_leave_the_newest_words(desk: Desk) -> None:
    async def rename(name: str) -> None:
        async with desk.db.transaction(desk.owner, "test") as tx:
            contact = await get_contact(tx, desk.ivan.id, lock=True)
            await update_contact(tx, contact.id, ContactEdit(name=name), version=contact.version)
        async with desk.db.transaction(desk.owner, "test") as tx:
            await index.index_records(tx, FoundKind.CONTACT, [desk.ivan.id])

    await asyncio.gather(*(rename(f"Name{number}x") for number in range(6)))

    async with desk.db.transaction(desk.owner, "test") as tx:
        name = (await get_contact(tx, desk.ivan.id)).name.lower()
        words = await tx.value(
            "SELECT array_agg(word) FROM search_postings WHERE rank = 0 AND record_id = %(id)s",
            id=desk.ivan.id,
        )
    assert words == [name]


async def test_a_kind_that_one_may_not_read_is_not_found(desk: Desk) -> None:
    clerk = replace(desk.owner, scopes=frozenset({"companies:read"}))

    found = await desk.find("северсталь", clerk)

    assert {hit.kind for hit in found.hits} == {FoundKind.COMPANY}


async def test_another_organization_finds_nothing(desk: Desk, other_organization: Principal) -> None:
    assert (await desk.find("петрова", other_organization)).hits == []


async def test_messages_are_found_by_what_they_say_and_only_by_who_sees_them(
    database: Database, organization: Principal
) -> None:
    world = await make_world(database, organization)
    await world.receive("Сколько стоят сорок сканеров?")
    conversation = await world.conversation()
    async with database.transaction(organization, "test") as tx:
        await index.index_conversation(tx, conversation.id)
    seat = replace(organization, visibility=Visibility.ASSIGNED, seat_id=uuid7())

    async with database.transaction(organization, "test") as tx:
        (hit,) = (await search(tx, "сканеры")).hits
    async with database.transaction(seat, "test") as tx:
        unseen = (await search(tx, "сканеры")).hits

    assert (hit.kind, hit.thread_id, hit.title.text) == (FoundKind.MESSAGE, conversation.id, "Vera Lind")
    assert [text for text, is_marked in hit.snippet.pieces() if is_marked] == ["сканеров"]
    assert unseen == []


async def test_what_has_all_words_comes_alone_and_all_but_one_is_the_next_best(desk: Desk) -> None:
    assert await desk.titles("анна северсталь") == ["Анна Петрова"]
    assert await desk.titles("анна северсталь планета") == ["Анна Петрова"]


async def test_every_table_is_read_by_its_index(desk: Desk) -> None:
    """Row level security makes the planner skip an index whose operator could tell what it hides."""
    questions: list[LiteralString] = [
        "SELECT word FROM search_words WHERE word >= 'пет' AND word < 'пет' || chr(1114111)",
        "SELECT word FROM search_words WHERE stem = 'петров'",
        "SELECT word FROM search_grams WHERE gram = ANY(ARRAY['пет', 'етр'])",
        "SELECT record_id FROM search_postings WHERE word = 'петрова' AND kind = ANY('{contact}')"
        " ORDER BY rank, record_id DESC LIMIT 20",
    ]
    async with desk.db.transaction(desk.owner, "test") as tx:
        await tx.execute("SELECT set_config('enable_seqscan', 'off', true)")
        plans = [await _plan(tx, question) for question in questions]

    for plan in plans:
        condition = re.search(r"Index Cond: \((.*)\)", plan)
        assert condition is not None, plan
        assert "organization_id" in condition[1], plan
        assert re.search(r"\b(word|stem|gram)\b", condition[1]), plan
        assert "Sort" not in plan, plan


async def _plan(tx: Tx, question: LiteralString) -> str:
    explain: LiteralString = "EXPLAIN "
    rows = await (await tx.connection.execute(explain + question)).fetchall()
    return "\n".join(str(row["QUERY PLAN"]) for row in rows)
