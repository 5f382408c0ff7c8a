"""One chain per organization: complete, in one piece whoever writes, and every mutation is found where it is."""

import asyncio
from datetime import timedelta
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from random import Random

import pytest

from core import clock
from core.db import Database
from core.ids import uuid7
from core.principal import Principal, system
from crm.audit import sealing
from crm.audit.chain import key_of
from crm.audit.verifying import Fault, verify
from events.ids import ContactId
from events.outbox import emit
from events.types import ContactUpdated
from infra.embedded import Urls
from tests.support.auditing import Book, make_book, write_events
from tests.support.figures import FIGURE, Record
from tests.support.tampering import WAYS, find_place, tampering, try_tampering


@pytest.fixture
def book(database: Database, worker_database: Database, organization: Principal, tmp_path: Path) -> Book:
    return make_book(database, worker_database, organization, tmp_path)


@pytest.mark.parametrize(
    "each", [10, pytest.param(500, marks=pytest.mark.full)], ids=["200 events", "10,000 events"]
)
async def test_twenty_writers_make_one_chain(book: Book, each: int, record_property: Record) -> None:
    writers = asyncio.gather(*(write_events(book, each, Random(number)) for number in range(20)))

    async def seal_meanwhile() -> None:
        while not writers.done():
            await book.route()
            await book.seal(limit=100)

    await asyncio.gather(writers, seal_meanwhile(), seal_meanwhile(), seal_meanwhile())
    await book.keep()
    verdict = await book.verify()

    assert (verdict.sealed, verdict.waiting, verdict.broken) == (20 * each, 0, None)
    record_property(FIGURE, f"audit: 20 writers x {each} events: one chain of {verdict.sealed:,} links")


async def test_nobody_waits_for_a_writer_that_is_not_done(book: Book) -> None:
    async with book.db.transaction(book.owner, "test") as slow:
        await emit(slow, ContactUpdated(ContactId(uuid7())))
        await write_events(book, 3, Random(1))
        await book.keep()
        meanwhile = await book.verify()

    await book.keep()
    afterwards = await book.verify()

    assert (meanwhile.sealed, meanwhile.broken) == (3, None)
    assert (afterwards.sealed, afterwards.broken) == (4, None)


async def test_a_sealer_that_dies_leaves_everything_for_the_next(book: Book) -> None:
    await write_events(book, 6, Random(1))
    await book.route()

    async with book.worker.transaction(system(book.id), "test") as tx:
        await sealing.seal_events(tx, book.key)
        await tx.connection.rollback()
    between = await book.verify()
    await book.keep()
    verdict = await book.verify()

    assert (between.sealed, between.waiting, between.broken) == (0, 6, None)
    assert (verdict.sealed, verdict.waiting, verdict.broken) == (6, 0, None)


async def test_what_others_have_waiting_is_left_to_them(
    book: Book, other_organization: Principal, tmp_path: Path
) -> None:
    other = make_book(book.db, book.worker, other_organization, tmp_path)
    for one in (other, book):
        await write_events(one, 3, Random(1))
    await book.route()

    # no more than fit into one transaction, and those of the other organization are older
    sealed = await book.seal(limit=3)

    assert (sealed, (await book.verify()).waiting) == (3, 0)
    assert ((await other.verify()).sealed, (await other.verify()).waiting) == (0, 3)


async def test_what_is_not_routed_yet_is_no_fault(book: Book) -> None:
    await write_events(book, 2, Random(1))

    verdict = await book.verify()

    assert (verdict.sealed, verdict.waiting, verdict.broken) == (0, 2, None)


@pytest.mark.parametrize(
    ("events", "mutations"),
    [(80, 60), pytest.param(1000, 200, marks=pytest.mark.full)],
    ids=["60 mutations", "200 mutations"],
)
async def test_every_mutation_is_found_where_it_is(
    book: Book, migrated: Urls, events: int, mutations: int, record_property: Record
) -> None:
    await write_events(book, events, Random(7))
    await book.keep()
    place = await find_place(book)
    assert (await book.verify()).broken is None

    missed = []
    async with tampering(migrated.database_url.replace("getsale_app", "postgres")) as connection:
        for number, (name, tamper) in enumerate(islice(cycle(WAYS.items()), mutations)):
            wanted, broken = await try_tampering(connection, book, place, tamper, Random(number))
            if broken is None or (broken.fault, broken.position) != (wanted.fault, wanted.position):
                missed.append((name, wanted, broken))

    assert missed == []
    assert (await book.verify()).broken is None
    record_property(
        FIGURE,
        f"audit: {mutations - len(missed)} of {mutations} mutations found ({len(WAYS)} ways, {events:,} events)",
    )


async def test_anchors_that_were_changed_or_taken_away_are_found(book: Book) -> None:
    await write_events(book, 4, Random(1))
    await book.keep()
    path = book.anchors.path(book.id)
    written = path.read_text()

    path.write_text(written.replace('"count":4', '"count":3'))
    changed = (await book.verify()).broken
    path.write_text(written)

    assert changed is not None
    assert (changed.fault, changed.line) == (Fault.ANCHOR_CHANGED, 1)
    assert (await book.verify()).broken is None


async def test_a_chain_that_lost_its_anchors_long_ago_is_not_trusted(book: Book) -> None:
    await write_events(book, 4, Random(1))
    await book.keep()
    book.anchors.path(book.id).unlink()

    with clock.frozen(clock.now() + timedelta(hours=1)):
        broken = (await book.verify()).broken

    assert broken is not None
    assert (broken.fault, broken.position) == (Fault.ANCHORS_DELETED, 1)


async def test_another_key_is_named_as_such(book: Book) -> None:
    await write_events(book, 2, Random(1))
    await book.keep()

    read = partial(book.db.transaction, book.owner, "test")
    verdict = await verify(read, key_of("another key", book.id), book.id, book.anchors)

    assert verdict.broken is not None
    assert verdict.broken.fault is Fault.OTHER_KEY
