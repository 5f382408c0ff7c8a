"""The one sealer of an organization: what was committed becomes links of its chain, each exactly once."""

from dataclasses import dataclass, replace
from datetime import datetime

from core import clock
from core.db import Tx
from crm.audit.chain import GENESIS, Key, Link, Part, Sealable, hash_link, hash_part
from crm.audit.sealables import list_waiting

BATCH = 500


@dataclass(frozen=True)
class Head:
    """The end of a chain: how many links it has, and the hash of the last."""

    position: int
    hash: bytes


async def find_head(tx: Tx) -> Head:
    """Where the organization's chain ends by now."""
    last = await tx.find(
        Head, "SELECT position, hash FROM audit_links ORDER BY organization_id, position DESC LIMIT 1"
    )
    return last or Head(0, GENESIS)


async def seal_events(tx: Tx, key: Key, limit: int = BATCH) -> int:
    """Link what waits to the chain, the oldest first; returns how many events were sealed: `limit` if more may wait.

    One transaction of an organization at a time does this. Whoever writes events neither waits for it nor is waited
    for: only what is committed is seen here.
    """
    await take_turn(tx)
    waiting = await list_waiting(tx, limit)
    head, now = await find_head(tx), clock.now()
    links = []
    for event in waiting:
        links.append(_link(key, head, event, now))
        head = Head(links[-1].position, links[-1].hash)
    await _store(tx, links)
    return len(links)


async def take_turn(tx: Tx) -> None:
    """Nobody else seals for this organization, or erases of what is sealed, until the transaction ends."""
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('audit.seal ' || %(organization_id)s, 0))",
        organization_id=str(tx.organization_id),
    )


def _link(key: Key, head: Head, event: Sealable, now: datetime) -> Link:
    link = Link(
        head.position + 1,
        event.id,
        now,
        hash_part(key, event.id, Part.CHANGES, event.changes),
        hash_part(key, event.id, Part.ORIGIN, event.origin),
        b"",
    )
    return replace(link, hash=hash_link(key, head.hash, link, event))


async def _store(tx: Tx, links: list[Link]) -> None:
    await tx.execute_many(
        """
        INSERT INTO audit_links (organization_id, position, event_id, sealed_at, changes_hash, origin_hash, hash)
        VALUES (%(organization_id)s, %(position)s, %(event_id)s, %(sealed_at)s, %(changes_hash)s, %(origin_hash)s,
                %(hash)s)
        """,
        [{"organization_id": tx.organization_id, **vars(link)} for link in links],
    )
    await tx.execute(
        "DELETE FROM audit_waiting WHERE event_id = ANY(%(ids)s)", ids=[link.event_id for link in links]
    )
