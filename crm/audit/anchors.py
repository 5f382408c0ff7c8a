"""Anchors: how far a chain had come, written outside the database where nobody who rewrites it there can reach.

One file per organization under the data folder, one line per while, only ever appended to.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from core import clock, crypto, jsons
from core.journals import append_line
from crm.audit.chain import Key, sign_anchor
from crm.audit.sealing import Head


@dataclass(frozen=True)
class Anchor:
    """One line: at that time the chain had `count` links and ended in `head`. `is_genuine`: we wrote it, with this key."""

    line: int
    at: datetime | None
    count: int
    head: bytes
    key: str
    is_genuine: bool


class Anchors:
    """The files of all organizations, in one folder."""

    def __init__(self, data: Path) -> None:
        self._folder = data / "audit"

    def path(self, organization_id: UUID) -> Path:
        return self._folder / f"{organization_id}.anchors"

    async def append(self, organization_id: UUID, key: Key, head: Head) -> None:
        """Write down where a chain ends; it is on the disk when this returns."""
        now = clock.now()
        line = jsons.dumps(
            {
                "at": now.isoformat(),
                "organization": organization_id,
                "count": head.position,
                "head": head.hash.hex(),
                "key": key.name,
                "signature": sign_anchor(key, organization_id, now, head.position, head.hash).hex(),
            }
        )
        await asyncio.to_thread(append_line, self.path(organization_id), line)

    async def read(self, organization_id: UUID, key: Key) -> list[Anchor]:
        """Every line that was written, the oldest first; none when there is no file."""
        text = await asyncio.to_thread(self._read, self.path(organization_id))
        return list(_parse(text, organization_id, key))

    async def remove(self, organization_id: UUID) -> None:
        """Forget how far a chain had come whose organization is removed."""
        await asyncio.to_thread(self.path(organization_id).unlink, missing_ok=True)

    def _read(self, path: Path) -> str:
        return path.read_text(errors="replace") if path.is_file() else ""


def _parse(text: str, organization_id: UUID, key: Key) -> Iterator[Anchor]:
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            told = jsons.loads(line)
            at, count, head = (
                datetime.fromisoformat(told["at"]),
                int(told["count"]),
                bytes.fromhex(told["head"]),
            )
            signature, name = bytes.fromhex(told["signature"]), str(told["key"])
        except (ValueError, KeyError, TypeError):
            yield Anchor(number, None, 0, b"", "", is_genuine=False)
            continue
        wanted = sign_anchor(key, organization_id, at, count, head)
        yield Anchor(number, at, count, head, name, is_genuine=crypto.same(signature, wanted))
