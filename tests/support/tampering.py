"""Ways to rewrite history with all rights on the database, none on the key or on the files beside it.

Each says what somebody did and which position of the chain is the first that is not as it was.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from core.db import Tx
from core.ids import uuid7
from crm.audit.verifying import Broken, Fault, verify
from tests.support.auditing import Book

Connection = psycopg.AsyncConnection[dict[str, Any]]


@dataclass(frozen=True)
class Place:
    """Where somebody tampers. `with_values` and `with_origin` are sealed events that have such, `length` is the chain's."""

    organization_id: UUID
    length: int
    positions: list[int]
    with_values: list[int]
    with_origin: list[int]


@dataclass(frozen=True)
class Tampered:
    """What verification must say: the fault, and where."""

    fault: Fault
    position: int | None = None


Tamper = Callable[[Connection, Place, Random], Awaitable[Tampered]]

# An event of the chain by its position.
_AT: LiteralString = """
    (organization_id, {id}) IN (SELECT organization_id, event_id FROM audit_links
                                 WHERE organization_id = %(organization_id)s AND position = %(position)s)
    """


async def _do(connection: Connection, statement: LiteralString, place: Place, **params: object) -> None:
    cursor = await connection.execute(statement, {"organization_id": place.organization_id, **params})
    assert cursor.rowcount > 0, "the mutation hit nothing"


def _edit_event(assignment: LiteralString) -> Tamper:
    async def tamper(connection: Connection, place: Place, random: Random) -> Tampered:
        position = random.choice(place.positions)
        await _do(
            connection,
            "UPDATE events SET " + assignment + " WHERE " + _AT.replace("{id}", "id"),
            place,
            position=position,
        )
        return Tampered(Fault.EVENT_CHANGED, position)

    return tamper


def _edit_link(assignment: LiteralString) -> Tamper:
    async def tamper(connection: Connection, place: Place, random: Random) -> Tampered:
        position = random.choice(place.positions)
        await _do(
            connection,
            "UPDATE audit_links SET "
            + assignment
            + " WHERE organization_id = %(organization_id)s AND position = %(position)s",
            place,
            position=position,
        )
        return Tampered(Fault.EVENT_CHANGED, position)

    return tamper


async def _edit_values(connection: Connection, place: Place, random: Random) -> Tampered:
    position = random.choice(place.with_values)
    await _do(
        connection,
        """UPDATE event_changes SET changes = '{"title": ["old", "somebody else did it"]}' WHERE """
        + _AT.replace("{id}", "event_id"),
        place,
        position=position,
    )
    return Tampered(Fault.VALUES_CHANGED, position)


async def _edit_origin(connection: Connection, place: Place, random: Random) -> Tampered:
    position = random.choice(place.with_origin)
    await _do(
        connection,
        "UPDATE event_origins SET address = '203.0.113.1' WHERE " + _AT.replace("{id}", "event_id"),
        place,
        position=position,
    )
    return Tampered(Fault.VALUES_CHANGED, position)


async def _delete_event(connection: Connection, place: Place, random: Random) -> Tampered:
    position = random.choice(place.positions)
    await _do(connection, "DELETE FROM events WHERE " + _AT.replace("{id}", "id"), place, position=position)
    return Tampered(Fault.EVENT_DELETED, position)


async def _delete_link(connection: Connection, place: Place, random: Random) -> Tampered:
    position = random.choice(place.positions[:-1])
    await _do(connection, _DELETE_LINK, place, position=position)
    return Tampered(Fault.LINK_DELETED, position)


async def _delete_both(connection: Connection, place: Place, random: Random) -> Tampered:
    await _delete_at(connection, place, position := random.choice(place.positions[:-1]))
    return Tampered(Fault.LINK_DELETED, position)


async def _delete_and_close_up(connection: Connection, place: Place, random: Random) -> Tampered:
    """The gap is closed: what came after moves up by one."""
    await _delete_at(connection, place, position := random.choice(place.positions[:-1]))
    await _move(connection, place, position, -1)
    return Tampered(Fault.EVENT_CHANGED, position)


async def _delete_values(connection: Connection, place: Place, random: Random) -> Tampered:
    position = random.choice(place.with_values)
    await _do(
        connection,
        "DELETE FROM event_changes WHERE " + _AT.replace("{id}", "event_id"),
        place,
        position=position,
    )
    return Tampered(Fault.VALUES_DELETED, position)


async def _delete_values_with_a_made_up_mark(
    connection: Connection, place: Place, random: Random
) -> Tampered:
    """As if the product had erased them."""
    told = await _delete_values(connection, place, random)
    await _do(
        connection,
        """
        INSERT INTO audit_erasures (organization_id, event_id, part, mark)
        SELECT organization_id, event_id, 'changes', hash
          FROM audit_links
         WHERE organization_id = %(organization_id)s
           AND position = %(position)s
        """,
        place,
        position=told.position,
    )
    return told


async def _delete_origin(connection: Connection, place: Place, random: Random) -> Tampered:
    position = random.choice(place.with_origin)
    await _do(
        connection,
        "DELETE FROM event_origins WHERE " + _AT.replace("{id}", "event_id"),
        place,
        position=position,
    )
    return Tampered(Fault.VALUES_DELETED, position)


async def _insert_event(connection: Connection, place: Place, random: Random) -> Tampered:
    """An event of the past that nobody sealed."""
    await _copy_event(connection, place, random.choice(place.positions))
    return Tampered(Fault.EVENT_INSERTED)


async def _insert_link(connection: Connection, place: Place, random: Random) -> Tampered:
    """An event in the middle with a link of its own; what comes after moves down by one."""
    position = random.choice(place.positions)
    event_id = await _copy_event(connection, place, position)
    await _move(connection, place, position - 1, 1)
    await _link(connection, place, position, event_id)
    return Tampered(Fault.EVENT_CHANGED, position)


async def _append_link(connection: Connection, place: Place, random: Random) -> Tampered:
    """An event at the end with a link that looks like one."""
    event_id = await _copy_event(connection, place, random.choice(place.positions))
    await _link(connection, place, place.length + 1, event_id)
    return Tampered(Fault.EVENT_CHANGED, place.length + 1)


async def _insert_values(connection: Connection, place: Place, random: Random) -> Tampered:
    position = random.choice([one for one in place.positions if one not in place.with_values])
    await _do(
        connection,
        """
        INSERT INTO event_changes (organization_id, event_id, changes)
        SELECT organization_id, event_id, '{"title": ["before", "after"]}'
          FROM audit_links
         WHERE organization_id = %(organization_id)s
           AND position = %(position)s
        """,
        place,
        position=position,
    )
    return Tampered(Fault.VALUES_INSERTED, position)


async def _swap_links(connection: Connection, place: Place, random: Random) -> Tampered:
    """Two events change places."""
    first, second = sorted(random.sample(place.positions, 2))
    far = place.length + 1_000_000
    for was, becomes in ((first, far), (second, first), (far, second)):
        await _do(connection, _RENUMBER, place, was=was, becomes=becomes)
    return Tampered(Fault.EVENT_CHANGED, first)


async def _swap_actors(connection: Connection, place: Place, random: Random) -> Tampered:
    """Two different people did what the other did."""
    first, second = sorted(random.sample(place.positions[::4], 1) + random.sample(place.positions[2::4], 1))
    await _do(
        connection,
        """
        UPDATE events AS e
           SET actor_id = other.actor_id
          FROM audit_links l, audit_links m, events other
         WHERE l.organization_id = %(organization_id)s
           AND (m.organization_id, other.organization_id, e.organization_id)
               = (l.organization_id, l.organization_id, l.organization_id)
           AND (l.position, m.position) IN ((%(first)s, %(second)s), (%(second)s, %(first)s))
           AND (e.id, other.id) = (l.event_id, m.event_id)
        """,
        place,
        first=first,
        second=second,
    )
    return Tampered(Fault.EVENT_CHANGED, first)


async def _swap_values(connection: Connection, place: Place, random: Random) -> Tampered:
    first, second = sorted(random.sample(place.with_values, 2))
    await _do(
        connection,
        """
        UPDATE event_changes AS v
           SET changes = other.changes
          FROM audit_links l, audit_links m, event_changes other
         WHERE l.organization_id = %(organization_id)s
           AND (m.organization_id, other.organization_id, v.organization_id)
               = (l.organization_id, l.organization_id, l.organization_id)
           AND (l.position, m.position) IN ((%(first)s, %(second)s), (%(second)s, %(first)s))
           AND (v.event_id, other.event_id) = (l.event_id, m.event_id)
        """,
        place,
        first=first,
        second=second,
    )
    return Tampered(Fault.VALUES_CHANGED, first)


async def _truncate(connection: Connection, place: Place, random: Random) -> Tampered:
    """The newest go without a trace inside the database."""
    return await _cut(connection, place, random.randint(1, max(1, place.length // 4)))


async def _truncate_all(connection: Connection, place: Place, random: Random) -> Tampered:
    return await _cut(connection, place, place.length)


async def _truncate_and_refill(connection: Connection, place: Place, random: Random) -> Tampered:
    """The newest go, and others come in their place."""
    event_id = await _copy_event(connection, place, place.positions[0])
    told = await _cut(connection, place, 1)
    assert told.position is not None
    await _link(connection, place, told.position, event_id)
    return Tampered(Fault.EVENT_CHANGED, told.position)


async def _cut(connection: Connection, place: Place, count: int) -> Tampered:
    for position in range(place.length - count + 1, place.length + 1):
        await _delete_at(connection, place, position)
    return Tampered(Fault.CHAIN_CUT, place.length - count + 1)


_DELETE_LINK: LiteralString = """
    DELETE FROM audit_links WHERE organization_id = %(organization_id)s AND position = %(position)s
    """
_RENUMBER: LiteralString = """
    UPDATE audit_links SET position = %(becomes)s
     WHERE organization_id = %(organization_id)s AND position = %(was)s
    """


async def _delete_at(connection: Connection, place: Place, position: int) -> None:
    await _do(connection, "DELETE FROM events WHERE " + _AT.replace("{id}", "id"), place, position=position)
    await _do(connection, _DELETE_LINK, place, position=position)


async def _copy_event(connection: Connection, place: Place, position: int) -> UUID:
    event_id = uuid7()
    await _do(
        connection,
        """
        INSERT INTO events (organization_id, id, type, version, occurred_at, actor_kind, actor_id, subject_kind,
                            subject_id, seq, causation_id, correlation_id, run_id, data)
        SELECT organization_id, %(event_id)s, type, version, occurred_at, actor_kind, actor_id, subject_kind,
               gen_random_uuid(), 1, causation_id, correlation_id, run_id, data
          FROM events
         WHERE """
        + _AT.replace("{id}", "id"),
        place,
        event_id=event_id,
        position=position,
    )
    return event_id


async def _link(connection: Connection, place: Place, position: int, event_id: UUID) -> None:
    await _do(
        connection,
        """
        INSERT INTO audit_links (organization_id, position, event_id, sealed_at, hash)
        VALUES (%(organization_id)s, %(position)s, %(event_id)s, now(), %(hash)s)
        """,
        place,
        position=position,
        event_id=event_id,
        hash=uuid7().bytes * 2,
    )


async def _move(connection: Connection, place: Place, after: int, by: int) -> None:
    """Links after a position get other numbers; by a way round, for two may not share one meanwhile."""
    far = 1_000_000
    for shift, above in ((far, after), (by - far, after + far)):
        await _do(
            connection,
            """
            UPDATE audit_links SET position = position + %(shift)s
             WHERE organization_id = %(organization_id)s AND position > %(above)s
            """,
            place,
            shift=shift,
            above=above,
        )


# What promises.md calls edit, delete, insert, swap and truncate, each in every way that we could think of.
WAYS: dict[str, Tamper] = {
    "edit the type": _edit_event("type = 'contact.deleted'"),
    "edit the version": _edit_event("version = version + 1"),
    "edit the time": _edit_event("occurred_at = occurred_at - interval '1 second'"),
    "edit the kind of actor": _edit_event("actor_kind = 'nobody'"),
    "edit the actor": _edit_event("actor_id = gen_random_uuid()"),
    "edit the kind of subject": _edit_event("subject_kind = 'deal'"),
    "edit the subject": _edit_event("subject_id = gen_random_uuid()"),
    "edit the order": _edit_event("seq = seq + 1000"),
    "edit the cause": _edit_event("causation_id = gen_random_uuid()"),
    "edit the correlation": _edit_event("correlation_id = gen_random_uuid()"),
    "edit the run": _edit_event("run_id = gen_random_uuid()"),
    "edit the ids": _edit_event("""data = '{"contact_id": null}'"""),
    "edit the trace": _edit_event("""trace = '{"traceparent": "00-0"}'"""),
    "edit the door": _edit_event("via = 'command'"),
    "edit the key": _edit_event("credential_id = gen_random_uuid()"),
    "edit who answers": _edit_event("responsible_id = gen_random_uuid()"),
    "edit a hash": _edit_link("hash = sha256(hash)"),
    "edit the hash of values": _edit_link("changes_hash = sha256('other')"),
    "edit the hash of an origin": _edit_link("origin_hash = sha256('other')"),
    "edit when it was sealed": _edit_link("sealed_at = sealed_at + interval '1 microsecond'"),
    "edit values": _edit_values,
    "edit an address": _edit_origin,
    "delete an event": _delete_event,
    "delete a link": _delete_link,
    "delete both": _delete_both,
    "delete both and close up": _delete_and_close_up,
    "delete values": _delete_values,
    "delete values with a made-up mark": _delete_values_with_a_made_up_mark,
    "delete an address": _delete_origin,
    "insert an event": _insert_event,
    "insert an event and a link": _insert_link,
    "append an event and a link": _append_link,
    "insert values": _insert_values,
    "swap two events": _swap_links,
    "swap two actors": _swap_actors,
    "swap values": _swap_values,
    "truncate": _truncate,
    "truncate all": _truncate_all,
    "truncate and refill": _truncate_and_refill,
}


@asynccontextmanager
async def tampering(admin_url: str) -> AsyncIterator[Connection]:
    """A connection that no right binds, and no foreign key."""
    connection = await psycopg.AsyncConnection.connect(admin_url, autocommit=True, row_factory=dict_row)
    async with connection:
        await connection.execute("SET session_replication_role = replica")
        yield connection


async def find_place(book: Book) -> Place:
    async with book.db.transaction(book.owner, "test") as tx:
        links = await (
            await tx.connection.execute(
                "SELECT position, changes_hash, origin_hash FROM audit_links ORDER BY position"
            )
        ).fetchall()
    return Place(
        book.id,
        len(links),
        [link["position"] for link in links],
        [link["position"] for link in links if link["changes_hash"]],
        [link["position"] for link in links if link["origin_hash"]],
    )


async def try_tampering(
    connection: Connection, book: Book, place: Place, tamper: Tamper, random: Random
) -> tuple[Tampered, Broken | None]:
    """Tamper, verify what the product would see then, and take it all back."""
    await connection.execute("BEGIN")
    try:
        wanted = await tamper(connection, place, random)
        await connection.execute("SET LOCAL ROLE getsale_app")
        await connection.execute(
            "SELECT set_config('app.organization_id', %(id)s, true)", {"id": str(book.id)}
        )

        @asynccontextmanager
        async def read() -> AsyncIterator[Tx]:
            yield Tx(connection, book.owner)

        return wanted, (await verify(read, book.key, book.id, book.anchors)).broken
    finally:
        await connection.execute("ROLLBACK")
