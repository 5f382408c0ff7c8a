"""Attachment storage: files under the data folder, one folder per organization."""

import asyncio
import hashlib
from pathlib import Path
from uuid import UUID

from core.errors import NotFound


class Blobs:
    """Content-addressed files; the key is the SHA-256 of the content."""

    def __init__(self, root: Path) -> None:
        self._root = root / "blobs"

    async def put(self, organization_id: UUID, content: bytes) -> str:
        """Store the content once and return its key."""
        key = hashlib.sha256(content).hexdigest()
        await asyncio.to_thread(self._write, self._path(organization_id, key), content)
        return key

    async def get(self, organization_id: UUID, key: str) -> bytes:
        """Raises: NotFound when nothing is stored under the key."""
        try:
            return await asyncio.to_thread(self._path(organization_id, key).read_bytes)
        except FileNotFoundError as err:
            raise NotFound(f"The file {key[:8]} is not in storage.") from err

    def _write(self, path: Path, content: bytes) -> None:
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_bytes(content)
        partial.rename(path)

    def _path(self, organization_id: UUID, key: str) -> Path:
        return self._root / str(organization_id) / key[:2] / key
