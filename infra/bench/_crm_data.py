"""A million invented contacts with companies and deals, written past the product, as fast as COPY goes."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import LiteralString
from uuid import UUID

import psycopg
from psycopg import sql

from core.ids import uuid7
from crm.search.models import FoundKind, Record
from crm.search.words import grams_of, stem_of, words_of

CONTACTS, COMPANIES, DEALS, ORGANIZATIONS = 1_000_000, 200_000, 300_000, 200
# The largest organization has a tenth of everything; the others share the rest alike.
LARGEST = 0.1
_FIRST = (
    "Анна", "Иван", "Ольга", "Пётр", "Мария", "Сергей", "Елена", "Дмитрий", "Юлия", "Алексей", "Наталья", "Павел",
    "Anna", "John", "Olivia", "Peter", "Maria", "James", "Helen", "Daniel", "Julia", "Alex", "Nathalie", "Paul",
)  # fmt: skip
_STEMS = (
    "Петр", "Смирн", "Кузнец", "Волк", "Мороз", "Лебед", "Сокол", "Зайц", "Павл", "Голуб", "Виноград", "Богдан",
    "Ander", "Hart", "Thomp", "Whit", "Brad", "Lind", "Clark", "Harri", "Jack", "Robert", "Mikkel", "Peder",
)  # fmt: skip
_MIDDLES = ("", "а", "о", "и", "ас", "ен", "ин", "ар", "a", "o", "i", "er", "el", "in", "on", "ar")
_ENDS = (
    "ов",
    "ев",
    "ин",
    "ский",
    "ко",
    "ова",
    "ева",
    "ина",
    "son",
    "field",
    "well",
    "sen",
    "man",
    "ley",
    "ton",
    "berg",
)
_TITLES = (
    "Закупщик",
    "Директор по логистике",
    "Инженер",
    "Head of operations",
    "Procurement manager",
    "Owner",
)
_FIRMS = ("Склад", "Логистика", "Сталь", "Freight", "Foods", "Supply", "Analytics", "Маркет")
_CITIES = ("Москва", "Казань", "Oslo", "Leeds", "Томск", "Porto")
_START = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Size:
    """How much an organization has."""

    contacts: int
    companies: int
    deals: int


@dataclass
class Tenant:
    """An organization of the bench, with what is asked for in it."""

    id: UUID
    contact_ids: list[UUID]
    names: list[str]


def sizes(scale: float) -> list[Size]:
    """The largest first."""
    organizations = max(3, round(ORGANIZATIONS * scale))
    shares = [LARGEST, *[(1 - LARGEST) / (organizations - 1)] * (organizations - 1)]
    return [
        Size(round(CONTACTS * scale * share), round(COMPANIES * scale * share), round(DEALS * scale * share))
        for share in shares
    ]


def fill(admin: psycopg.Connection, organization_id: UUID, size: Size, *, seed: int) -> Tenant:
    """Give an organization its records, and the index of what it can be found by, word for word as the product does."""
    dice = random.Random(seed)
    companies = [(uuid7(), _company(dice, number)) for number in range(size.companies)]
    contacts = [_Contact.make(dice, number, companies) for number in range(size.contacts)]
    pipeline_id, stage_id = _pipeline(admin, organization_id)
    deals = [
        (uuid7(), dice.choice(contacts), f"{dice.choice(_FIRMS)} {number}") for number in range(size.deals)
    ]
    _copy(
        admin,
        "companies (organization_id, id, name, domain, city, industry, employees)",
        (
            (
                organization_id,
                id,
                name,
                f"{number}.firm{seed}.example",
                dice.choice(_CITIES),
                "Trade",
                number % 500,
            )
            for number, (id, name) in enumerate(companies)
        ),
    )
    _copy(
        admin,
        "contacts (organization_id, id, name, title, company_id, language, custom, created_at, updated_at)",
        (
            (organization_id, one.id, one.name, one.title, one.company_id, one.language, f'{{"score": {one.score}}}',
             one.at, one.at)
            for one in contacts
        ),
    )  # fmt: skip
    _copy(
        admin,
        "contact_handles (organization_id, id, contact_id, kind, value)",
        (
            (organization_id, uuid7(), one.id, kind, value)
            for one in contacts
            for kind, value in zip(("email", "phone"), one.handles, strict=True)
        ),
    )
    _copy(
        admin,
        "deals (organization_id, id, name, company_id, contact_id, pipeline_id, stage_id, amount_minor)",
        (
            (organization_id, id, name, one.company_id, one.id, pipeline_id, stage_id, dice.randrange(10**7))
            for id, one, name in deals
        ),
    )
    names = dict(companies)
    _index(
        admin,
        organization_id,
        FoundKind.COMPANY,
        (Record(id, name, "Trade", [], "", _START) for id, name in companies),
    )
    _index(admin, organization_id, FoundKind.CONTACT, (one.record(names[one.company_id]) for one in contacts))
    _index(
        admin,
        organization_id,
        FoundKind.DEAL,
        (
            Record(id, name, f"{names[one.company_id]} · {one.name}", [], "", _START)
            for id, one, name in deals
        ),
    )
    return Tenant(organization_id, [one.id for one in contacts], [one.name for one in contacts])


@dataclass(frozen=True)
class _Contact:
    id: UUID
    name: str
    title: str
    company_id: UUID
    language: str
    score: int
    at: datetime
    handles: tuple[str, str]

    @classmethod
    def make(cls, dice: random.Random, number: int, companies: Sequence[tuple[UUID, str]]) -> "_Contact":
        name = f"{dice.choice(_FIRST)} {_surname(dice)}"
        return cls(
            uuid7(),
            name,
            dice.choice(_TITLES),
            dice.choice(companies)[0],
            "ru" if name[0] > "z" else "en",
            dice.randrange(100),
            _START + timedelta(minutes=dice.randrange(1_000_000)),
            (
                f"user{number}.{dice.randrange(10**4)}@mail{number % 97}.example",
                f"+7{9 * 10**9 + number * 7919 % 10**9}",
            ),
        )

    def record(self, company: str) -> Record:
        return Record(self.id, self.name, f"{self.title} · {company}", list(self.handles), "", self.at)


def _surname(dice: random.Random) -> str:
    return f"{dice.choice(_STEMS)}{dice.choice(_MIDDLES)}{dice.choice(_MIDDLES)}{dice.choice(_ENDS)}"


def _company(dice: random.Random, number: int) -> str:
    return f"{_surname(dice)} {dice.choice(_FIRMS)} {number}"


def _pipeline(admin: psycopg.Connection, organization_id: UUID) -> tuple[UUID, UUID]:
    pipeline_id, stage_id = uuid7(), uuid7()
    admin.execute(
        "INSERT INTO pipelines (organization_id, id, name) VALUES (%s, %s, 'Sales')",
        (organization_id, pipeline_id),
    )
    admin.execute(
        "INSERT INTO stages (organization_id, id, pipeline_id, name, position) VALUES (%s, %s, %s, 'New', 1)",
        (organization_id, stage_id, pipeline_id),
    )
    return pipeline_id, stage_id


def _index(
    admin: psycopg.Connection, organization_id: UUID, kind: FoundKind, records: Iterable[Record]
) -> None:
    entries, postings = [], []
    words: set[str] = set()
    for record in records:
        ranked = words_of(kind, record)
        entries.append(
            (
                organization_id,
                kind.value,
                record.id,
                record.at,
                list(ranked),
                [int(rank) for rank in ranked.values()],
            )
        )
        postings += [
            (organization_id, record.id, int(rank), word, kind.value) for word, rank in ranked.items()
        ]
        words.update(ranked)
    postings.sort(key=lambda posting: posting[3])
    _copy(admin, "search_entries (organization_id, kind, record_id, at, words, ranks)", entries)
    _copy(admin, "search_postings (organization_id, record_id, rank, word, kind)", postings)
    admin.execute(
        'CREATE TEMPORARY TABLE IF NOT EXISTS new_words (word text COLLATE "C", stem text, grams text[])'
    )
    admin.execute("TRUNCATE new_words")
    _copy(
        admin,
        "new_words (word, stem, grams)",
        ((word, stem_of(word), grams_of(word)) for word in sorted(words)),
    )
    admin.execute(
        """
        WITH added AS (
            INSERT INTO search_words (organization_id, word, stem)
            SELECT %(organization_id)s, word, stem FROM new_words
                ON CONFLICT DO NOTHING
            RETURNING word
        )
        INSERT INTO search_grams (organization_id, gram, word)
        SELECT %(organization_id)s, gram, word
          FROM added
          JOIN new_words USING (word)
         CROSS JOIN unnest(grams) AS gram
        """,
        {"organization_id": organization_id},
    )


def _copy(admin: psycopg.Connection, into: LiteralString, rows: Iterable[Sequence[object]]) -> None:
    with admin.cursor() as cursor, cursor.copy(sql.SQL("COPY " + into + " FROM STDIN")) as copy:
        for row in rows:
            copy.write_row(row)


def queries(tenant: Tenant, count: int, *, seed: int) -> Iterator[str]:
    """What people type: a name, its beginning, a typing error, the other layout, digits, two beginnings, a firm."""
    from core.layouts import other_layout

    dice = random.Random(seed)
    for number in range(count):
        first, _, last = dice.choice(tenant.names).partition(" ")
        wrong = dice.randrange(1, max(2, len(last) - 1))
        yield (
            f"{first} {last}", last[:3], last[:wrong] + last[wrong + 1 :], other_layout(last.lower()),
            f"{first[:3]} {last[:4]}", str(dice.randrange(10**4, 10**5)), first, f"{last} {dice.choice(_FIRMS)}",
            f"user{dice.randrange(1000)}", last[:1],
        )[number % 10]  # fmt: skip
