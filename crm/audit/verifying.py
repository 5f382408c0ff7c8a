"""Whether a chain is as it was sealed; if not, the first place where it is broken."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from core import clock, crypto
from core.db import Tx
from crm.audit.anchors import Anchor, Anchors
from crm.audit.chain import GENESIS, Key, Link, Part, Sealable, hash_link, hash_part, mark_erased
from crm.audit.sealables import list_sealables
from crm.audit.sealing import Head

BATCH = 1000
# Links this old have an anchor, unless the anchors were taken away.
ANCHORED_WITHIN = timedelta(minutes=15)

Transactions = Callable[[], AbstractAsyncContextManager[Tx]]


class Fault(StrEnum):
    """What is wrong at a place."""

    EVENT_DELETED = "event_deleted"
    EVENT_CHANGED = "event_changed"
    EVENT_INSERTED = "event_inserted"
    LINK_DELETED = "link_deleted"
    VALUES_CHANGED = "values_changed"
    VALUES_DELETED = "values_deleted"
    VALUES_INSERTED = "values_inserted"
    CHAIN_CUT = "chain_cut"
    CHAIN_REWRITTEN = "chain_rewritten"
    ANCHOR_CHANGED = "anchor_changed"
    ANCHORS_DELETED = "anchors_deleted"
    OTHER_KEY = "other_key"
    NOT_DONE = "not_done"


@dataclass(frozen=True)
class Broken:
    """The first broken place: a position in the chain, an event outside of it, or a line of the anchors."""

    fault: Fault
    position: int | None = None
    event_id: UUID | None = None
    line: int | None = None


@dataclass(frozen=True)
class Verdict:
    """What a verification found. `sealed` and `head` tell the chain, `waiting` what is to be sealed yet."""

    sealed: int
    waiting: int
    erased: int
    anchors: int
    anchored_at: datetime | None
    head: bytes
    broken: Broken | None


async def verify(transaction: Transactions, key: Key, organization_id: UUID, files: Anchors) -> Verdict:
    """Walk the whole chain in short transactions; writers and the sealer go on meanwhile."""
    anchors = await files.read(organization_id, key)
    head, erased, broken = Head(0, GENESIS), 0, _check_key(key, anchors)
    anchored = {anchor.count for anchor in anchors}
    heads: dict[int, bytes] = {}
    while broken is None:
        async with transaction() as tx:
            links = await _list_links(tx, head.position)
            events = {
                event.id: event for event in await list_sealables(tx, [link.event_id for link in links])
            }
            marks = await _marks(tx, [link.event_id for link in links])
        if not links:
            break
        for link in links:
            broken = _check(key, head, link, events.get(link.event_id), marks)
            if broken is not None:
                break
            head = Head(link.position, link.hash)
            if link.position in anchored:
                heads[link.position] = link.hash
        erased += len(marks)
    async with transaction() as tx:
        broken = broken or _check_anchors(anchors, head, heads) or await _find_outside(tx, anchors)
        waiting = await _count_waiting(tx)
    last = next((anchor for anchor in reversed(anchors) if anchor.is_genuine), None)
    return Verdict(head.position, waiting, erased, len(anchors), last.at if last else None, head.hash, broken)


def _check(
    key: Key, head: Head, link: Link, event: Sealable | None, marks: dict[tuple[UUID, str], bytes]
) -> Broken | None:
    """What is wrong with a link, if anything."""
    if link.position != head.position + 1:
        return Broken(Fault.LINK_DELETED, head.position + 1)
    if event is None:
        return Broken(Fault.EVENT_DELETED, link.position, link.event_id)
    if not crypto.same(link.hash, hash_link(key, head.hash, link, event)):
        return Broken(Fault.EVENT_CHANGED, link.position, link.event_id)
    for part in Part:
        fault = _check_part(key, link, event, part, marks.get((event.id, part)))
        if fault is not None:
            return Broken(fault, link.position, link.event_id)
    return None


def _check_part(key: Key, link: Link, event: Sealable, part: Part, mark: bytes | None) -> Fault | None:
    sealed, found = link.part_hash(part), event.part(part)
    if found is not None:
        is_same = sealed is not None and sealed == hash_part(key, event.id, part, found)
        return None if is_same else Fault.VALUES_CHANGED if sealed else Fault.VALUES_INSERTED
    if sealed is None or (mark is not None and crypto.same(mark, mark_erased(key, event.id, part))):
        return None
    return Fault.VALUES_DELETED


def _check_key(key: Key, anchors: Sequence[Anchor]) -> Broken | None:
    """Whether the anchors were made with another key, so that every link would look wrong."""
    named = [anchor for anchor in anchors if anchor.key]
    is_other = bool(named) and all(anchor.key != key.name for anchor in named)
    return Broken(Fault.OTHER_KEY) if is_other else None


def _check_anchors(anchors: Sequence[Anchor], head: Head, heads: dict[int, bytes]) -> Broken | None:
    """What the lines outside the database say against the chain inside."""
    for anchor in anchors:
        if not anchor.is_genuine:
            return Broken(Fault.ANCHOR_CHANGED, line=anchor.line)
        if anchor.count > head.position:
            return Broken(Fault.CHAIN_CUT, head.position + 1, line=anchor.line)
        if anchor.count and not crypto.same(anchor.head, heads[anchor.count]):
            return Broken(Fault.CHAIN_REWRITTEN, anchor.count, line=anchor.line)
    return None


async def _find_outside(tx: Tx, anchors: Sequence[Anchor]) -> Broken | None:
    """An event that nobody sealed nor is going to, or links whose anchors were taken away."""
    inserted = await tx.value(
        """
        SELECT e.id
          FROM events e
         WHERE NOT EXISTS (SELECT FROM audit_links l
                            WHERE (l.organization_id, l.event_id) = (e.organization_id, e.id))
           AND NOT EXISTS (SELECT FROM audit_waiting w
                            WHERE (w.organization_id, w.event_id) = (e.organization_id, e.id))
           AND NOT EXISTS (SELECT FROM event_deliveries d
                            WHERE (d.organization_id, d.subject_kind, d.subject_id, d.handler, d.seq)
                                  = (e.organization_id, e.subject_kind, e.subject_id, 'route', e.seq)
                              AND d.status = 'open')
         ORDER BY e.organization_id, e.id
         LIMIT 1
        """
    )
    if inserted is not None:
        return Broken(Fault.EVENT_INSERTED, event_id=inserted)
    unanchored = await tx.value(
        """
        SELECT max(position)
          FROM audit_links
         WHERE sealed_at < %(before)s
        """,
        before=clock.now() - ANCHORED_WITHIN,
    )
    anchored = max((anchor.count for anchor in anchors), default=0)
    return Broken(Fault.ANCHORS_DELETED, anchored + 1) if (unanchored or 0) > anchored else None


async def _list_links(tx: Tx, after: int) -> list[Link]:
    return await tx.all(
        Link,
        """
        SELECT position, event_id, sealed_at, changes_hash, origin_hash, hash
          FROM audit_links
         WHERE position > %(after)s
         ORDER BY organization_id, position
         LIMIT %(limit)s
        """,
        after=after,
        limit=BATCH,
    )


async def _marks(tx: Tx, ids: list[UUID]) -> dict[tuple[UUID, str], bytes]:
    rows = await tx.connection.execute(
        "SELECT event_id, part, mark FROM audit_erasures WHERE event_id = ANY(%(ids)s)", {"ids": ids}
    )
    return {(row["event_id"], row["part"]): row["mark"] for row in await rows.fetchall()}


async def _count_waiting(tx: Tx) -> int:
    count: int = await tx.value(
        """
        SELECT (SELECT count(*) FROM audit_waiting)
             + (SELECT count(*)
                  FROM event_deliveries
                 WHERE organization_id = %(organization_id)s
                   AND handler = 'route'
                   AND status = 'open')
        """,
        # the worker may see deliveries of any tenant
        organization_id=tx.organization_id,
    )
    return count
