"""The record of organizations that were removed: ids and times in a file outside the database, and no names.

A backup that is restored brings back what was removed after it was made; by this file it is removed again.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from core import jsons
from core.journals import append_line


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
        await asyncio.to_thread(append_line, self._path, line)

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
