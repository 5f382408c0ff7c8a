"""Attachment storage: files under the data folder, one folder per organization."""

import asyncio
import hashlib
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

from core.errors import NotFound


class Blobs:
    """Content-addressed files; the key is the SHA-256 of the content."""

    def __init__(self, root: Path, folder: str = "blobs") -> None:
        self._parent = root
        self._root = root / folder

    def apart(self, folder: str) -> "Blobs":
        """A storage of its own beside this one, for files that are removed one day whoever else has had them."""
        return Blobs(self._parent, folder)

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

    async def put_stream(self, organization_id: UUID, content: AsyncIterator[bytes]) -> tuple[str, int]:
        """Store content that does not fit into memory; returns its key and its size in bytes."""
        folder = self._root / str(organization_id)
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        digest, size = hashlib.sha256(), 0
        with tempfile.NamedTemporaryFile(dir=folder, suffix=".partial", delete=False) as partial:
            try:
                async for block in content:
                    digest.update(block)
                    size += len(block)
                    await asyncio.to_thread(partial.write, block)
                partial.flush()
                await asyncio.to_thread(
                    self._keep, Path(partial.name), self._path(organization_id, digest.hexdigest())
                )
            finally:
                await asyncio.to_thread(Path(partial.name).unlink, missing_ok=True)
        return digest.hexdigest(), size

    def path(self, organization_id: UUID, key: str) -> Path:
        """Where a stored file lies, for a process that reads it piece by piece. Raises: NotFound."""
        path = self._path(organization_id, key)
        if not path.is_file():
            raise NotFound(f"The file {key[:8]} is not in storage.")
        return path

    async def remove(self, organization_id: UUID, key: str) -> None:
        """Take a file out of storage; nothing happens when it is gone already."""
        await asyncio.to_thread(self._path(organization_id, key).unlink, missing_ok=True)

    async def remove_organization(self, organization_id: UUID) -> None:
        """Take every file of an organization out of storage, of storages beside this one too."""
        for folder in self._parent.glob(f"*/{organization_id}"):
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    def _keep(self, partial: Path, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.rename(path)

    def _write(self, path: Path, content: bytes) -> None:
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_bytes(content)
        partial.rename(path)

    def _path(self, organization_id: UUID, key: str) -> Path:
        return self._root / str(organization_id) / key[:2] / key
