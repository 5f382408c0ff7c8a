"""The key-encryption keys of this copy of the product: which seals how much, a new one, and dropping an old one."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from core.db import Database
from core.envelopes import Keyring, SealingKey
from core.errors import Conflict, NotFound
from core.principal import SYSTEM_ID
from core.settings import Settings
from crm.identity.queries import list_organization_ids
from crm.sealed_secrets.actions import BATCH, rewrap_batch
from crm.sealed_secrets.models import SEALED, SealedColumn
from crm.sealed_secrets.queries import count_by_key
from infra.operators import operator

Progress = Callable[[int], None]
_TENANTS = tuple(column for column in SEALED if not column.is_peoples)
_PEOPLES = tuple(column for column in SEALED if column.is_peoples)


@dataclass(frozen=True)
class Line:
    """One key; `source` is empty for a key that is not here."""

    id: str
    source: str
    is_current: bool
    count: int

    def __str__(self) -> str:
        state = "current" if self.is_current else "       "
        return f"{self.id or 'no envelope':16}  {state}  seals {self.count:>6}  {self.source or 'NOT HERE'}"


@dataclass(frozen=True)
class _Owner:
    """Whose rows are looked at next: an organization's, or those of people, whom only the migrator sees all of."""

    db: Database
    organization_id: UUID
    columns: tuple[SealedColumn, ...]


async def list_keys(settings: Settings) -> list[Line]:
    """Every key that is here, and every other that something is sealed with."""
    keys, counts = settings.keyring, await _count(settings)
    sources = {key.id.hex(): key.source for key in keys.all()} | (
        {"": "GETSALE_SECRET_KEY, before there were envelopes"} if counts[""] else {}
    )
    current = keys.current.id.hex()
    return [Line(id, sources.get(id, ""), id == current, counts[id]) for id in sorted({*sources, *counts})]


async def rotate(
    settings: Settings,
    *,
    given: bytes | None = None,
    key_id: str = "",
    batch: int = BATCH,
    progress: Progress = lambda count: None,
) -> tuple[SealingKey, int]:
    """Seal with a new key, or with one that is given or here already, and wrap everything with it.

    A rotation that was killed goes on: while something is still wrapped by another key, no further key is made.
    Returns the key and how many envelopes were wrapped. Raises: NotFound; Unprocessable.
    """
    keys = settings.keyring
    if key_id:
        keys.use(keys.get(bytes.fromhex(key_id)))
    elif given is not None or not await _is_unfinished(settings, keys):
        keys.add(given)
    done = 0
    async with _owners(settings) as owners:
        for owner in owners:
            for column in owner.columns:
                while True:
                    async with owner.db.transaction(operator(owner.organization_id), "keys.rotate") as tx:
                        wrapped = await rewrap_batch(tx, column, keys, batch)
                    if not wrapped:
                        break
                    done += wrapped
                    progress(done)
    return keys.current, done


async def _is_unfinished(settings: Settings, keys: Keyring) -> bool:
    """Whether the current key was made by a rotation that has not come to its end."""
    current = keys.current
    counts = await _count(settings)
    return current.source.endswith(".key") and counts.total() > counts[current.id.hex()]


async def drop(settings: Settings, key_id: str) -> None:
    """Take a key away that seals nothing any more. Raises: NotFound; Conflict."""
    keys = settings.keyring
    key = next((one for one in keys.all() if one.id.hex() == key_id), None)
    if key is None:
        raise NotFound(f"There is no key {key_id} here; `getsale keys list` names those there are.")
    if key.id == keys.current.id:
        raise Conflict(f"{key_id} is the current key; `getsale keys rotate` makes another one.")
    if count := (await _count(settings))[key_id]:
        raise Conflict(f"{key_id} still seals {count}; run `getsale keys rotate` first.")
    if not key.source.endswith(".key"):
        raise Conflict(f"{key_id} follows from {key.source}; take it out of there.")
    keys.drop(key)


async def _count(settings: Settings) -> Counter[str]:
    counts: Counter[str] = Counter()
    async with _owners(settings) as owners:
        for owner in owners:
            async with owner.db.transaction(operator(owner.organization_id), "keys.count") as tx:
                counts += await count_by_key(tx, owner.columns)
    return counts


@asynccontextmanager
async def _owners(settings: Settings) -> AsyncIterator[list[_Owner]]:
    worker = await Database(settings.database_url_worker, size=1).open()
    app = await Database(settings.database_url, size=2).open()
    migrator = await Database(settings.database_url_migrator, size=1).open()
    try:
        tenants = [_Owner(app, id, _TENANTS) for id in await list_organization_ids(worker)]
        yield [*tenants, _Owner(migrator, SYSTEM_ID, _PEOPLES)]
    finally:
        for db in (worker, app, migrator):
            await db.close()
