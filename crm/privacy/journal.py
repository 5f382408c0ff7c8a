"""The journal of erasures, outside the database beside the anchors of the audit: what a restored backup is put right by.

One file per organization under the data folder, one line per erasure, only ever appended to. A line holds ids and keyed
hashes: nobody learns from it who was erased.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from core import clock, crypto, jsons
from core.errors import Unprocessable
from core.journals import append_line
from events.ids import PrivacyRequestId

_FORMAT = "getsale erasure 1"


@dataclass(frozen=True)
class Erasure:
    """Whose rows go: the ids of a person's contacts, and the hashes of their addresses."""

    request_id: PrivacyRequestId
    contact_ids: tuple[UUID, ...]
    hashes: tuple[bytes, ...]


class Journal:
    """The files of all organizations, in one folder."""

    def __init__(self, data: Path) -> None:
        self._folder = data / "privacy"

    def path(self, organization_id: UUID) -> Path:
        return self._folder / f"{organization_id}.erasures"

    async def append(self, organization_id: UUID, key: bytes, erasure: Erasure) -> None:
        """Write an erasure down before anything is gone; it is on the disk when this returns."""
        contacts, hashes = sorted(map(str, erasure.contact_ids)), sorted(one.hex() for one in erasure.hashes)
        line = jsons.dumps(
            {
                "at": clock.now().isoformat(),
                "organization": organization_id,
                "request": erasure.request_id,
                "contacts": contacts,
                "hashes": hashes,
                "signature": _sign(key, str(erasure.request_id), contacts, hashes).hex(),
            }
        )
        await asyncio.to_thread(append_line, self.path(organization_id), line)

    async def read(self, organization_id: UUID, key: bytes) -> list[Erasure]:
        """Every erasure, the oldest first, each request as it was written last.

        Raises: Unprocessable for a line that we did not write: rows are erased by what stands here.
        """
        path = self.path(organization_id)
        text = await asyncio.to_thread(lambda: path.read_text() if path.is_file() else "")
        return list({one.request_id: one for one in _parse(text, key, path.name)}.values())

    async def remove(self, organization_id: UUID) -> None:
        """Nobody is left whose erasure could be repeated."""
        await asyncio.to_thread(self.path(organization_id).unlink, missing_ok=True)


def _sign(key: bytes, request: str, contacts: Sequence[str], hashes: Sequence[str]) -> bytes:
    return crypto.keyed_hash(key, _FORMAT, request, ",".join(contacts), ",".join(hashes))


def _parse(text: str, key: bytes, name: str) -> Iterator[Erasure]:
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            told = jsons.loads(line)
            contacts, hashes = [str(one) for one in told["contacts"]], [str(one) for one in told["hashes"]]
            is_ours = crypto.same(
                bytes.fromhex(told["signature"]), _sign(key, str(told["request"]), contacts, hashes)
            )
        except (ValueError, KeyError, TypeError):
            is_ours = False
        if not is_ours:
            raise Unprocessable(f"Line {number} of {name} is not what was written; restore that file first.")
        yield Erasure(
            PrivacyRequestId(UUID(told["request"])),
            tuple(UUID(one) for one in contacts),
            tuple(bytes.fromhex(one) for one in hashes),
        )
