"""What a link of the chain covers: pure functions over an event and the link before it.

An event is bound by all its ids; its values and its origin by keyed hashes of their own, so that they can be erased
without breaking the chain. Nobody without the key can make a link, a mark of an erasure or an anchor.
"""

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from core import crypto

# What the first link of an organization follows.
GENESIS = bytes(32)
_FORMAT = "getsale audit 1"


class Part(StrEnum):
    """What stands apart from an event and may be erased: the values it changed; address and program it came from."""

    CHANGES = "changes"
    ORIGIN = "origin"


@dataclass(frozen=True)
class Key:
    """The key of one organization's chain; `name` tells keys apart and gives nothing away."""

    secret: bytes

    @property
    def name(self) -> str:
        return crypto.keyed_hash(self.secret, "name")[:4].hex()


def key_of(secret: str, organization_id: UUID) -> Key:
    return Key(crypto.derive_key(secret, f"audit {organization_id}"))


@dataclass(frozen=True)
class Sealable:
    """An event as the chain binds it, in this order, and the two parts that may be erased.

    `data`, `trace` and the parts are as PostgreSQL prints jsonb.
    """

    id: UUID
    organization_id: UUID
    type: str
    version: int
    occurred_at: datetime
    actor_kind: str
    actor_id: UUID
    subject_kind: str
    subject_id: UUID
    seq: int
    causation_id: UUID | None
    correlation_id: UUID
    run_id: UUID | None
    data: str
    trace: str
    via: str | None
    credential_id: UUID | None
    responsible_id: UUID | None
    changes: str | None
    origin: str | None

    def part(self, part: Part) -> str | None:
        return self.changes if part is Part.CHANGES else self.origin


_BOUND = tuple(field.name for field in fields(Sealable) if field.name not in set(Part))


@dataclass(frozen=True)
class Link:
    """One sealed event. A hash of values or origin is None where the event had none."""

    position: int
    event_id: UUID
    sealed_at: datetime
    changes_hash: bytes | None
    origin_hash: bytes | None
    hash: bytes

    def part_hash(self, part: Part) -> bytes | None:
        return self.changes_hash if part is Part.CHANGES else self.origin_hash


def hash_part(key: Key, event_id: UUID, part: Part, value: str | None) -> bytes | None:
    """The keyed hash that stays of what may be erased."""
    return None if value is None else crypto.keyed_hash(key.secret, _FORMAT, part, str(event_id), value)


def hash_link(key: Key, before: bytes, link: Link, event: Sealable) -> bytes:
    """What a link's `hash` has to be."""
    return crypto.keyed_hash(
        key.secret,
        _FORMAT,
        "link",
        before.hex(),
        str(link.position),
        _text(link.sealed_at),
        (link.changes_hash or b"").hex(),
        (link.origin_hash or b"").hex(),
        *(_text(getattr(event, name)) for name in _BOUND),
    )


def mark_erased(key: Key, event_id: UUID, part: Part) -> bytes:
    """What shows that the product erased this, and nobody else took it away."""
    return crypto.keyed_hash(key.secret, _FORMAT, "erased", part, str(event_id))


def sign_anchor(key: Key, organization_id: UUID, at: datetime, count: int, head: bytes) -> bytes:
    return crypto.keyed_hash(
        key.secret, _FORMAT, "anchor", str(organization_id), _text(at), str(count), head.hex()
    )


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return "" if value is None else str(value)
