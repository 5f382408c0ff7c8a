"""The record of organizations that were removed: ids and times in a file outside the database, and no names.

A backup that is restored brings back what was removed after it was made; by this file it is removed again.
"""

import asyncio
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from core import jsons


@dataclass(frozen=True)
class Removed:
    """Which organization was removed, when that was begun, and which user had asked for it."""

    organization_id: UUID
    at: datetime
    by: UUID


class Deletions:
    """One line an organization, only ever appended to."""

    def __init__(self, data: Path) -> None:
        self._path = data / "deletions.jsonl"

    async def append(self, removed: Removed) -> None:
        """Write it down; it is on the disk when this returns. Twice is as good as once."""
        line = jsons.dumps(
            {"organization_id": removed.organization_id, "at": removed.at.isoformat(), "by": removed.by}
        )
        await asyncio.to_thread(self._append, f"{line}\n".encode())

    def _append(self, line: bytes) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # one write in append mode: lines of several processes do not mix
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, line)
            os.fsync(file)
        finally:
            os.close(file)

    async def read_all(self) -> list[Removed]:
        """Every organization that was ever removed here."""
        return await asyncio.to_thread(self._read)

    def _read(self) -> list[Removed]:
        lines = self._path.read_text().splitlines() if self._path.is_file() else []
        rows = [jsons.loads(line) for line in lines]
        return [
            Removed(UUID(row["organization_id"]), datetime.fromisoformat(row["at"]), UUID(row["by"]))
            for row in rows
        ]
