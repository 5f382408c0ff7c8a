"""Addresses of people who were erased: kept as keyed hashes only, so that an import does not bring them back.

A person who writes to us, or whom somebody adds by hand, is somebody's own decision and is let in.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from core import clock, crypto
from core.db import Tx
from events.ids import PrivacyRequestId

_FORMAT = "getsale erased 1"
Address = tuple[str, str]


def key_of(secret: str, organization_id: UUID) -> bytes:
    """The key of one organization's hashes: nobody without it can tell whether an address is among them."""
    return crypto.derive_key(secret, f"erased {organization_id}")


def hash_address(key: bytes, address: Address) -> bytes:
    """What stays of an address, a normalized pair of kind and value."""
    return crypto.keyed_hash(key, _FORMAT, *address)


@dataclass(frozen=True)
class _Hash:
    hash: bytes


async def list_erased(tx: Tx, key: bytes, addresses: Iterable[Address]) -> set[Address]:
    """Which of these addresses an import may not bring back."""
    hashes = {hash_address(key, address): address for address in addresses}
    if not hashes:
        return set()
    found = await tx.all(
        _Hash,
        "SELECT hash FROM erased_handles WHERE hash = ANY(%(hashes)s) AND allowed_at IS NULL",
        hashes=list(hashes),
    )
    return {hashes[bytes(one.hash)] for one in found}


async def keep_away(tx: Tx, hashes: Iterable[bytes], request_id: PrivacyRequestId) -> None:
    """Let no import bring these addresses back; a second erasure takes back what was allowed since."""
    await tx.execute_many(
        """
        INSERT INTO erased_handles (organization_id, hash, request_id)
        VALUES (%(organization_id)s, %(hash)s, %(request_id)s)
            ON CONFLICT (organization_id, hash)
            DO UPDATE SET request_id = EXCLUDED.request_id, allowed_at = NULL, allowed_by = NULL
         WHERE erased_handles.request_id <> EXCLUDED.request_id
        """,
        [
            {"organization_id": tx.organization_id, "hash": one, "request_id": request_id}
            for one in sorted(hashes)
        ],
    )


async def is_kept_away(tx: Tx, request_id: PrivacyRequestId) -> bool:
    """Whether imports leave out somebody who was erased by this request."""
    return bool(
        await tx.value(
            """
            SELECT EXISTS (
                   SELECT
                     FROM erased_handles
                    WHERE request_id = %(request_id)s
                      AND allowed_at IS NULL)
            """,
            request_id=request_id,
        )
    )


async def let_back(tx: Tx, request_id: PrivacyRequestId) -> int:
    """Let imports bring back whoever was erased by this request; returns how many addresses that are."""
    return await tx.execute(
        """
        UPDATE erased_handles
           SET allowed_at = %(now)s, allowed_by = %(by)s
         WHERE request_id = %(request_id)s
           AND allowed_at IS NULL
        """,
        now=clock.now(),
        by=tx.principal.id,
        request_id=request_id,
    )
